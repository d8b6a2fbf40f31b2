"""The queue in the API: what people add, what they see of it, and what they can't do with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.schedule import queue, settings
from flows.schedule.queue import Step
from flows.schedule.uploads import Uploads
from flows.web import queue_watch
from models.record.transcript import Episode
from tests.audio.server import Reply, Server
from tests.flows.shows import clip, serve_show, show_table, write_config
from tests.flows.web.conftest import Running
from tests.flows.web.test_uploads import sent
from tests.flows.web.watching import watching

Serve = Callable[..., Running]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where episcribe.toml is, which the app reads."""
    made = tmp_path_factory.mktemp("app")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(settings.CONFIG_VARIABLE, str(write_config(made, "")))
        yield made


@pytest.fixture(scope="module")
def app(app_server: Serve, folder: Path) -> Running:
    return app_server(folder / "library", {"uploads": str(folder / "uploads"), "allow_private": True})


@pytest.fixture(scope="module")
def public_app(app_server: Serve, folder: Path) -> Running:
    """An app that fetches nothing from private networks."""
    return app_server(folder / "library", {"uploads": str(folder / "uploads"), "allow_private": False})


def add(app: Running, **asked: Any) -> list[dict[str, Any]]:
    answer = app.client.post("/api/v1/queue", json=asked)
    assert answer.status_code == 202, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def refused(app: Running, **asked: Any) -> str:
    """Why it can't be added, in one line."""
    answer = app.client.post("/api/v1/queue", json=asked)
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    detail: str = answer.json()["detail"]
    assert "\n" not in detail
    return detail


def do(app: Running, episode: str, action: str, status: int = 200, **asked: Any) -> Any:
    answer = app.client.post(f"/api/v1/queue/{episode}/{action}", json=asked or None)
    assert answer.status_code == status, answer.text
    return answer.json()


def waiting(app: Running) -> list[str]:
    items = app.client.get("/api/v1/queue?state=waiting&limit=200").json()["items"]
    assert [item["position"] for item in items] == list(range(1, len(items) + 1))
    return [item["id"] for item in items]


def put(app: Running, name: str) -> str:
    """An episode in the queue, put there directly."""
    queue.add(app.store, Episode(name, title=name), options={}, by="ann")
    return name


def test_an_address_is_added_once_put_in_order_cancelled_and_tried_again(
    app: Running, server: Server
) -> None:
    serve_show(server, [1, 2])
    server.routes["/1.wav?key=secret"] = server.routes["/1.wav"]
    (one,) = add(
        app, source=f" {server.url('/1.wav')}?key=secret ", options={"language": "en", "min-speakers": 2}
    )
    assert (one["title"], one["state"], one["added_by"]) == ("1", "waiting", "owner")
    assert one["source"] == server.url("/1.wav")
    listed = app.store.episode(one["id"])
    assert listed is not None
    assert listed.options == {"language": "en", "min_speakers": 2}
    assert listed.episode.audio_url.endswith("?key=secret")  # the run needs it
    (two,) = add(app, source=server.url("/2.wav"), title="The \x1b[2Jsecond")
    assert two["title"] == "The [2Jsecond"
    (again,) = add(app, source=f"{server.url('/1.wav')}?key=secret")
    assert again["id"] == one["id"]
    assert waiting(app) == [one["id"], two["id"]]
    assert do(app, two["id"], "move", to="first")["position"] == 1
    assert do(app, two["id"], "move", to="last")["position"] == 2
    do(app, two["id"], "move", to={"before": one["id"]})
    assert waiting(app) == [two["id"], one["id"]]
    do(app, two["id"], "move", 422, to="nowhere")
    do(app, two["id"], "move", 400, to={"before": "nobody"})
    assert do(app, one["id"], "cancel")["state"] == "cancelled"
    assert "nothing to cancel" in do(app, one["id"], "cancel", 400)["detail"]
    assert do(app, one["id"], "retry")["state"] == "waiting"
    for action in ("cancel", "retry"):
        do(app, "nobody", action, 404)
    assert app.client.get(f"/api/v1/queue/{one['id']}").json()["title"] == "1"
    assert "secret" not in app.client.get("/api/v1/queue").text


def test_of_a_feed_the_newest_episode_is_taken_or_the_one_that_is_chosen(
    app: Running, server: Server
) -> None:
    url = serve_show(server, [3, 2, 1])
    (newest,) = add(app, source=url)
    assert (newest["title"], newest["show"]) == ("Clip 3", "Short Show")
    assert add(app, source=url, episode="g1")[0]["title"] == "Clip 1"
    assert add(app, source=url, episode="2")[0]["title"] == "Clip 2"
    assert "there is no episode 9" in refused(app, source=url, episode="9")
    server.routes["/page"] = Reply(200, b"<!doctype html><p>hello")
    assert "neither audio nor a podcast feed" in refused(app, source=server.url("/page"))
    gone = app.client.post("/api/v1/queue", json={"source": server.url("/gone?key=secret")})
    assert (gone.status_code, gone.json()["detail"]) == (502, f"{server.url('/gone')} answered 404 Not Found")


def test_an_item_of_a_show_that_is_followed_is_that_shows(app: Running, server: Server, folder: Path) -> None:
    url = serve_show(server, [9, 8, 7], "/followed.xml")
    write_config(folder, show_table("followed", url, "back_fill = 1"))
    (item,) = add(app, source=url, episode="g8", options={"language": "en"})
    found = app.store.episodes(["followed"])
    assert {one.episode.title: (one.state, one.added_by) for one in found} == {
        "Clip 9": ("waiting", ""),
        "Clip 8": ("waiting", "owner"),
        "Clip 7": ("skipped", ""),
    }
    assert waiting(app).index(item["id"]) < waiting(app).index(found[0].id)
    write_config(folder, "")


@pytest.mark.parametrize(
    "source",
    [
        "http://127.0.0.1:1/a.mp3",
        "http://localhost/a.mp3",
        "http://[::1]/a.mp3",
        "http://0x7f.1/a.mp3",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/feed",
        "http://me:secret@192.168.1.1/feed",
        "feed://127.0.0.1/feed",
        "file:///etc/passwd",
        "ftp://example.org/a.mp3",
        "/etc/passwd",
        "../../x.mp3",
        "http://",
        "http://[",
        "",
        "x" * 5000,
    ],
)
def test_neither_private_addresses_nor_files_of_the_server_can_be_had(
    public_app: Running, source: str
) -> None:
    assert "secret" not in refused(public_app, source=source)
    assert queue.counts(public_app.store) == {}


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"no-such": 1}, "no option is called 'no_such'"),
        ({"out": "/tmp"}, "no option is called 'out'"),
        ({"library": "/tmp"}, "no option is called 'library'"),
        ({"track": ["a=/etc/passwd"]}, "no option is called 'track'"),
        ({"quality": "superb"}, "quality: "),
        ({"speakers": 0}, "speakers: "),
        ({"speakers": 2, "min_speakers": 2}, "not both"),
        ({"min_speakers": 3, "max_speakers": 2}, "is more than"),
        ({"language": "en", "languages": ["de"]}, "give one of the two"),
        ({"language": "klingon"}, "klingon"),
        ({"translate": "de"}, "into English only"),
        ({"diariser": "/models"}, "no diariser"),
        ({"model": "/root/model"}, "folders can't be chosen here"),
        ({"model": "../model"}, "folders can't be chosen here"),
        ({"translator": "~/model", "translate": "de"}, "folders can't be chosen here"),
        ({"vocabulary": {"a": 1}}, "vocabulary"),
    ],
)
def test_options_that_can_not_be_are_told_in_one_line(app: Running, options: Any, why: str) -> None:
    assert why in refused(app, source="https://example.org/a.mp3", options=options)


def test_what_may_be_chosen_is_told_with_its_help(app: Running) -> None:
    told = {one["name"]: one for one in app.client.get("/api/v1/options").json()}
    assert told["quality"]["type"] == "choice"
    assert told["quality"]["choices"] == ["fast", "balanced", "best"]
    assert told["people"] == {
        "name": "people",
        "type": "list",
        "choices": [],
        "default": [],
        "help": "Who may speak, rightly spelt: names with commas.",
    }
    assert (told["speakers"]["type"], told["keep_audio"]["type"]) == ("number", "flag")
    assert told["script"]["choices"] == ["hans", "hant", "latn", "cyrl"]


def test_files_become_episodes_or_tracks_of_one(app: Running) -> None:
    ids = [sent(app, clip(number), name)[0] for number, name in ((4, "Talk.wav"), (5, "Other talk.wav"))]
    items = add(app, uploads=ids, options={"people": "Ann, Bo"})
    assert [item["title"] for item in items] == ["Talk", "Other talk"]
    listed = app.store.episode(items[0]["id"])
    assert listed is not None
    assert listed.options == {"keep_audio": True, "known_people": ["Ann", "Bo"]}
    assert "was used already" in refused(app, uploads=[ids[0], ids[1]], together=True)
    names = ("talk-anne.wav", "talk-bo.wav", "talk-mix.wav")
    tracks = [sent(app, clip(6 + number), name)[0] for number, name in enumerate(names)]
    (item,) = add(app, uploads=tracks, together=True, names={tracks[1]: "Bo=Example"})
    listed = app.store.episode(item["id"])
    assert listed is not None
    assert listed.options["track"] == [f"Anne=upload:{tracks[0]}", f"Bo Example=upload:{tracks[1]}"]
    assert listed.episode.audio_url == f"upload:{tracks[2]}"
    assert item["source"] == ""
    two = [sent(app, clip(10 + number), "a.wav")[0] for number in range(2)]
    same = dict.fromkeys(two, "Ann")
    assert "two tracks are of Ann" in refused(app, uploads=two, together=True, names=same)
    assert "one title can't be" in refused(app, uploads=two, title="Talk")
    assert "there is no upload" in refused(app, uploads=["../../x"])
    assert "one of the two" in refused(app)
    assert "one of the two" in refused(app, uploads=two, source="https://example.org/a.mp3")
    other = app.program("editor").post("/api/v1/queue", json={"uploads": two})
    assert (other.status_code, "no upload of yours" in other.text) == (400, True)
    half = Uploads(app.config.settings, app.store).create("owner", "half.wav", 100)
    assert "has not come wholly: 0 of 100 bytes" in refused(app, uploads=[half.id])


def test_the_same_request_twice_adds_once(app: Running, server: Server) -> None:
    serve_show(server, [11])
    asked, key = {"source": server.url("/11.wav")}, {"Idempotency-Key": "k1"}
    first, again = (app.client.post("/api/v1/queue", json=asked, headers=key) for _ in range(2))
    assert first.json() == again.json()
    assert len([path for path, _ in server.requests if path == "/11.wav"]) == 1


def test_who_may_do_what(app: Running) -> None:
    reader = app.program("reader")
    assert reader.get("/api/v1/queue").status_code == 200
    assert reader.post("/api/v1/queue", json={"source": "https://example.org/"}).status_code == 403
    for action in ("cancel", "retry", "move"):
        assert reader.post(f"/api/v1/queue/x/{action}", json={"to": "first"}).status_code == 403
    assert app.stranger().get("/api/v1/queue").status_code == 401
    assert app.stranger().get("/api/v1/queue/events").status_code == 401


def test_the_list_comes_in_parts(app: Running) -> None:
    for number in range(7):
        put(app, f"part-{number}")
    for number in range(4):
        do(app, f"part-{number}", "cancel")
    whole = app.client.get("/api/v1/queue?limit=200").json()
    assert whole["next"] is None
    seen: list[str] = []
    address = "/api/v1/queue?limit=3"
    while True:
        page = app.client.get(address).json()
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        address = f"/api/v1/queue?limit=3&cursor={page['next']}"
    assert seen == [item["id"] for item in whole["items"]]
    assert len(seen) == len(set(seen))
    assert app.client.get("/api/v1/queue?cursor=AAAA").status_code == 422


def test_who_watches_hears_of_every_change(app: Running) -> None:
    put(app, "watched")
    with watching(app) as until:
        first = until("queue")
        assert "watched" in [item["id"] for item in first["items"]]
        assert app.store.lease("watched", "run", 60)
        until("item", id="watched", state="running", stage="")
        queue.report(app.store, "watched", "run", Step("transcribe", 0.5, 12.0, "As they stand"))
        until("item", id="watched", stage="transcribe", share=0.5, seconds_left=12.0, words="As they stand")
        do(app, "watched", "cancel")
        until("item", id="watched", state="running", stage="cancelling")
        app.store.end_cancelled("watched", "run")
        until("item", id="watched", state="cancelled")
        put(app, "later")
        until("item", id="later", state="waiting")


def test_of_a_long_queue_the_next_are_told_and_how_many_follow(app: Running) -> None:
    for number in range(queue_watch.NEXT + 5):
        put(app, f"long-{number:03}")
    with watching(app) as until:
        first = until("queue")
        waits = first["counts"]["waiting"]
        assert waits > queue_watch.NEXT == len(first["waiting"])
        told = [item["id"] for item in first["items"] if item["state"] == "waiting"]
        assert told == first["waiting"]
        last = queue.standing(app.store, states=["waiting"], start=waits - 1)[0].listed.id
        queue.move(app.store, last)
        until("item", id=last)
        assert until("line")["waiting"] == [last, *first["waiting"][:-1]]
        queue.cancel(app.store, last)
        line = until("line")
        assert (line["waiting"], line["counts"]["waiting"]) == (first["waiting"], waits - 1)
    for number in range(queue_watch.NEXT + 5):
        if app.store.episode(f"long-{number:03}").state == "waiting":  # type: ignore[union-attr]
            queue.cancel(app.store, f"long-{number:03}")


def test_many_changes_at_once_are_told_as_a_whole() -> None:
    now = queue_watch.Look({str(number): {"id": str(number)} for number in range(200)})
    (whole,) = queue_watch.changes(queue_watch.Look(), now)
    assert (whole["event"], len(whole["items"])) == ("queue", 200)


def test_what_is_worked_on_is_not_added_again_and_the_files_for_it_stay_unused(app: Running) -> None:
    (first,) = add(app, uploads=[sent(app, clip(20), "Talk.wav")[0]])
    assert app.store.lease(first["id"], "run", 60)
    again, other = sent(app, clip(20), "Again.wav")[0], sent(app, clip(21), "Other.wav")[0]
    answer = app.client.post("/api/v1/queue", json={"uploads": [other, again], "options": {"language": "de"}})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:episcribe:problem:running")
    assert "worked on right now" in answer.json()["detail"]
    assert [Uploads(app.config.settings, app.store).get(one).episode for one in (other, again)] == ["", ""]
    app.store.end_cancelled(first["id"], "run")
    assert len(add(app, uploads=[other, again])) == 2
