"""Polls on a real Prefect server, with feeds and audio from a real web server."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.library.publishing import publish_feed
from flows.schedule import feed_reading, settings, totals
from flows.schedule.plan import ListedEpisode
from flows.schedule.settings import Settings
from flows.schedule.store import PATIENCE, Store, open_store
from outputs.library import read
from tests.audio.server import Reply, Server, ranged
from tests.flows.shows import CLIP_SECONDS, clip, feed, serve_show, show_table, write_config

Poll = Callable[..., dict[str, Any]]
Configure = Callable[..., tuple[Settings, Store]]


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Writes episcribe.toml and makes it count; the settings and the store."""

    def write(shows: str, **more: str) -> tuple[Settings, Store]:
        path = write_config(tmp_path, shows, **more)
        monkeypatch.setenv(settings.CONFIG_VARIABLE, str(path))
        loaded = settings.load()
        return loaded, open_store(loaded.store)

    return write


@pytest.fixture
def poll(prefect_server: str, monkeypatch: pytest.MonkeyPatch) -> Poll:
    """Runs the flow in this process."""
    monkeypatch.setattr("audio.transfer.http.FIRST_PAUSE", 0.01)

    def run(*shows: str) -> dict[str, Any]:
        from flows.schedule.poll import poll_feeds

        result: dict[str, Any] = poll_feeds(list(shows) or None)
        return result

    return run


def by_title(store: Store) -> dict[str, ListedEpisode]:
    return {listed.episode.title: listed for listed in store.episodes()}


def asked(server: Server, path: str) -> list[dict[str, str]]:
    return [headers for wanted, headers in server.requests if wanted == path]


def test_new_episodes_are_processed_once_newest_first(
    poll: Poll, configure: Configure, server: Server, tmp_path: Path
) -> None:
    _, store = configure(show_table("short", serve_show(server, [3, 2, 1]), "back_fill = 2"))
    first = poll()
    assert [row["episode"] for row in first["started"]] == ["Clip 3", "Clip 2"]
    assert {row["state"] for row in first["started"]} == {"Completed"}
    assert {title: one.state for title, one in by_title(store).items()} == {
        "Clip 3": "done",
        "Clip 2": "done",
        "Clip 1": "skipped",
    }
    newest = by_title(store)["Clip 3"]
    transcript = read.load(newest.folder)
    assert transcript.episode.id == newest.id
    assert transcript.episode.feed_url == server.url("/feed.xml")
    assert newest.folder == str(tmp_path / "library" / "short-show" / "2026-11-16-clip-3")
    assert newest.seconds > 0
    with store.look() as connection:
        runs = totals.read(connection, totals.STAGE_RUNS)
        audio = totals.read(connection, totals.STAGE_AUDIO)
    assert runs == dict.fromkeys(("download", "decode", "transcribe", "align", "publish"), 2)
    assert audio["publish"] == pytest.approx(2 * CLIP_SECONDS, abs=0.1)
    again = poll()
    assert (again["new"], again["started"]) == ([], [])
    assert "If-None-Match" in asked(server, "/feed.xml")[1]
    serve_show(server, [4, 3, 2, 1])
    assert [row["episode"] for row in poll()["started"]] == ["Clip 4"]


def test_one_failure_never_stops_the_others_and_its_reason_is_kept(
    poll: Poll, configure: Configure, server: Server
) -> None:
    good, bad = serve_show(server, [1, 3]), server.url("/broken.xml")
    server.routes["/broken.xml"] = Reply(200, b"<html>no feed")
    server.routes |= {"/2.wav": Reply(404), "/4.wav": Reply(200, b"<!doctype html>sorry")}
    server.routes["/feed.xml"] = Reply(200, feed(server, [4, 3, 2, 1]))
    _, store = configure(show_table("bad", bad) + show_table("good", good))
    result = poll()
    assert "not a podcast feed" in result["unreadable"]["bad"]
    states = {row["episode"]: row["state"] for row in result["started"]}
    assert states == {"Clip 4": "Failed", "Clip 3": "Completed", "Clip 2": "Failed", "Clip 1": "Completed"}
    listed = by_title(store)
    assert (listed["Clip 2"].state, listed["Clip 4"].state) == ("waiting", "failed")
    assert "answered 404" in listed["Clip 2"].error
    assert "neither audio nor a podcast feed" in listed["Clip 4"].error
    assert poll()["started"] == []  # the one that may come right is given time
    server.routes["/2.wav"] = Reply(200, clip(2))
    store.retry(listed["Clip 2"].id)
    assert [row["state"] for row in poll()["started"]] == ["Completed"]


def test_two_shows_of_one_title_are_kept_apart(
    poll: Poll, configure: Configure, server: Server, tmp_path: Path
) -> None:
    """podgrab 120, vocal 409, gpodder 1407 and 1459."""
    urls = serve_show(server, [1], "/a.xml"), serve_show(server, [2], "/b.xml")
    server.routes["/b.xml"] = Reply(200, feed(server, [2]).replace(b"<guid>g2<", b"<guid>g1<"))
    _, store = configure(show_table("a", urls[0]) + show_table("b", urls[1]))
    assert [row["state"] for row in poll()["started"]] == ["Completed"] * 2
    folders = {listed.show: Path(listed.folder) for listed in store.episodes()}
    assert folders["a"].parent != folders["b"].parent
    for name, url in zip("ab", urls, strict=True):
        assert read.load(folders[name]).episode.feed_url == url
        body = server.routes[f"/{name}.xml"]
        data = body.body if isinstance(body, Reply) else feed(server, [1])
        published, _ = publish_feed(data, tmp_path / "library", "https://t.example/", url, url)
        assert [entry.folder for entry in published.linked] == [
            f"{folders[name].parent.name}/{folders[name].name}"
        ]

    moved = (
        feed(server, [2]).replace(b"<guid>g2<", b"<guid>new<").replace(b"06:02:00 +0000", b"01:02:00 -0500")
    )
    server.routes["/b.xml"] = Reply(200, moved.replace(b"Clip 2", b"The second clip"))
    assert poll()["new"] == []
    (listed,) = store.episodes(["b"])
    store.retry(listed.id)
    assert [row["state"] for row in poll()["started"]] == ["Completed"]
    assert {listed.show: Path(listed.folder) for listed in store.episodes()} == folders
    assert read.load(folders["b"]).episode.title == "The second clip"


def test_audio_that_is_not_there_yet_is_tried_again(poll: Poll, configure: Configure, server: Server) -> None:
    _, store = configure(show_table("short", serve_show(server, [1])), limits="retry_seconds = 0.01")
    server.routes["/1.wav"] = Reply(200, b"", {"Content-Type": "audio/wav"})
    assert [row["state"] for row in poll()["started"]] == ["Failed"]
    listed = by_title(store)["Clip 1"]
    assert listed.state == "waiting"
    assert "the server sent 0 bytes" in listed.error
    server.routes["/1.wav"] = Reply(200, clip(1))
    assert [row["state"] for row in poll()["started"]] == ["Completed"]
    assert by_title(store)["Clip 1"].state == "done"


def test_audio_shorter_than_its_feed_says_is_a_warning(
    poll: Poll, configure: Configure, server: Server
) -> None:
    long = b'<rss xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" '
    url = serve_show(server, [1])
    body = feed(server, [1]).replace(b"<rss ", long)
    server.routes["/feed.xml"] = Reply(
        200, body.replace(b"<guid>", b"<itunes:duration>20:00</itunes:duration><guid>")
    )
    _, store = configure(show_table("short", url))
    assert [row["state"] for row in poll()["started"]] == ["Completed"]
    listed = by_title(store)["Clip 1"]
    told = "the feed promises 20 minutes of audio and 2 seconds came: it may be cut short"
    assert told in read.load(listed.folder).warnings
    assert told in listed.warnings


def test_an_address_that_is_none_stops_nobody(poll: Poll, configure: Configure, server: Server) -> None:
    body = feed(server, [2, 1]).replace(server.url("/2.wav").encode(), b"http://127.0.0.1:99999/2.wav")
    url = serve_show(server, [1])
    server.routes["/feed.xml"] = Reply(200, body)
    _, store = configure(show_table("short", url))
    states = {row["episode"]: row["state"] for row in poll()["started"]}
    assert states == {"Clip 2": "Failed", "Clip 1": "Completed"}
    assert by_title(store)["Clip 2"].state == "failed"


def test_polls_at_the_same_time_share_the_work(poll: Poll, configure: Configure, server: Server) -> None:
    _, store = configure(show_table("short", serve_show(server, range(1, 6))))
    results: list[dict[str, Any]] = []
    threads = [threading.Thread(target=lambda: results.append(feeds_poll())) for _ in range(4)]

    def feeds_poll() -> dict[str, Any]:
        readings = feed_reading.read_feeds(settings.load(), store, ["short"])
        return {"new": [episode.id for one in readings if one.plan for episode in one.plan.taken]}

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    new = [episode for result in results for episode in result["new"]]
    assert len(new) == len(set(new)) == 5


def test_a_run_for_an_episode_that_somebody_has_does_nothing(
    poll: Poll, configure: Configure, server: Server
) -> None:
    from flows.episode import process_episode

    loaded, store = configure(show_table("short", serve_show(server, [1])))
    feed_reading.read_feeds(loaded, store, ["short"])
    (listed,) = store.due(3)
    store.lease(listed.id, "somebody else", 60)
    state = process_episode("x", loaded.run_options_for("short"), listed.id, return_state=True)
    assert state.name == "Skipped"
    assert asked(server, "/1.wav") == []
    assert store.episodes()[0].owner == "somebody else"


def test_a_claim_lost_during_the_work_leaves_the_folder_alone(
    poll: Poll, configure: Configure, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import steps
    from flows.episode import process_episode

    loaded, store = configure(show_table("short", serve_show(server, [1])))
    feed_reading.read_feeds(loaded, store, ["short"])
    (listed,) = store.due(3)
    align = steps.align

    def slowly(*arguments: Any, **more: Any) -> Any:
        store._engine.dispose()
        with store.begin() as connection:
            connection.exec_driver_sql("UPDATE episodes SET lease_until = 0")
        assert store.lease(listed.id, "next", 60)
        return align(*arguments, **more)

    monkeypatch.setattr(steps, "align", slowly)
    state = process_episode("x", loaded.run_options_for("short"), listed.id, return_state=True)
    assert "another worker has taken this episode over" in str(state.message)
    assert not (tmp_path / "library").exists()
    assert (store.episodes()[0].state, store.episodes()[0].owner) == ("running", "next")


def test_permanent_redirects_are_remembered_and_left_again_when_they_end(
    configure: Configure, server: Server
) -> None:
    serve_show(server, [1], "/new.xml")
    server.routes["/feed.xml"] = Reply(301, headers={"Location": "/new.xml"})
    loaded, store = configure(show_table("short", server.url("/feed.xml")))
    first = feed_reading.read_feeds(loaded, store, ["short"])
    assert store.feeds()[0].moved_to == server.url("/new.xml")
    feed_reading.read_feeds(loaded, store, ["short"])
    assert [path for path, _ in server.requests] == ["/feed.xml", "/new.xml", "/new.xml"]
    server.routes |= {"/new.xml": Reply(404), "/feed.xml": Reply(200, feed(server, [1]))}
    back = feed_reading.read_feeds(loaded, store, ["short"])
    assert (first[0].error, back[0].error) == ("", "")
    assert store.feeds()[0].moved_to == ""
    assert len(store.episodes()) == 1


def test_a_feed_that_says_where_it_moves_is_followed(configure: Configure, server: Server) -> None:
    moved = f"<itunes:new-feed-url>{server.url('/new.xml')}</itunes:new-feed-url>"
    server.routes["/feed.xml"] = Reply(200, feed(server, [1], extra=moved))
    server.routes["/new.xml"] = Reply(200, feed(server, [2, 1]))
    loaded, store = configure(show_table("short", server.url("/feed.xml")))
    feed_reading.read_feeds(loaded, store, ["short"])
    (reading,) = feed_reading.read_feeds(loaded, store, ["short"])
    assert reading.plan is not None
    assert [episode.title for episode in reading.plan.taken] == ["Clip 2"]


def test_further_pages_are_read_up_to_what_is_known(configure: Configure, server: Server) -> None:
    def page(number: int, after: int) -> Reply:
        link = f'<link rel="next" href="{server.url(f"/{after}.xml")}"/>' if after else ""
        return Reply(200, feed(server, [number], extra=link))

    server.routes |= {"/3.xml": page(3, 2), "/2.xml": page(2, 1), "/1.xml": page(1, 0)}
    loaded, store = configure(show_table("short", server.url("/3.xml"), "back_fill = 2"))
    (reading,) = feed_reading.read_feeds(loaded, store, ["short"])
    assert reading.plan is not None
    assert [episode.title for episode in reading.plan.taken] == ["Clip 3", "Clip 2"]
    assert list(by_title(store)) == ["Clip 3", "Clip 2", "Clip 1"]
    server.routes |= {"/3.xml": page(5, 4), "/4.xml": page(4, 33), "/33.xml": page(3, 2)}
    before = len(server.requests)
    (reading,) = feed_reading.read_feeds(loaded, store, ["short"])
    assert reading.plan is not None
    assert [episode.title for episode in reading.plan.taken] == ["Clip 5", "Clip 4"]
    assert [path for path, _ in server.requests[before:]] == ["/3.xml", "/4.xml", "/33.xml"]


def test_items_without_audio_are_told(
    poll: Poll, configure: Configure, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    silent = "<item><title>A notice\x1b[2J</title></item>"
    server.routes["/feed.xml"] = Reply(200, feed(server, [1], extra=silent))
    loaded, store = configure(show_table("short", server.url("/feed.xml"), "back_fill = 0"))
    (reading,) = feed_reading.preview(loaded, store, ["short"])
    assert reading.warnings == ("item 1 ('A notice[2J') has no audio: left out",)
    poll()
    assert "short: item 1 ('A notice[2J') has no audio: left out" in caplog.text


def test_a_server_that_asks_for_peace_gets_it(configure: Configure, server: Server) -> None:
    server.routes["/feed.xml"] = Reply(429, headers={"Retry-After": "7200"})
    loaded, store = configure(show_table("short", server.url("/feed.xml")))
    (reading,) = feed_reading.read_feeds(loaded, store, ["short"])
    assert "come back in 7200 s" in reading.error
    assert len(server.requests) == 1
    assert feed_reading.shows_to_leave_alone(loaded, store) == {"short"}


def test_a_private_show_is_let_in_by_the_environment(
    poll: Poll, configure: Configure, server: Server, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    caplog.set_level("DEBUG")
    monkeypatch.setenv("SHOW_LOGIN", "me:open-sesame")
    monkeypatch.setenv("SHOW_HEADER", "X-Key: open-sesame too")
    url = serve_show(server, [1])
    secrets = 'back_fill = 1\nlogin_from = "SHOW_LOGIN"\nheader_from = "SHOW_HEADER"'
    _, store = configure(show_table("short", url, secrets))
    assert [row["state"] for row in poll()["started"]] == ["Completed"]
    for path in ("/feed.xml", "/1.wav"):
        (headers,) = asked(server, path)
        assert headers["Authorization"] == "Basic bWU6b3Blbi1zZXNhbWU="
        assert headers["X-Key"] == "open-sesame too"
    kept = Path(store.place).read_bytes() + b"".join(
        path.read_bytes() for path in Path(store.episodes()[0].folder).iterdir()
    )
    assert b"sesame" not in kept
    assert "sesame" not in caplog.text


def test_audio_elsewhere_gets_headers_only_where_its_host_is_named(
    poll: Poll, configure: Configure, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOW_HEADER", "X-Key: open-sesame")
    url = serve_show(server, [2, 1])
    elsewhere = feed(server, [2, 1]).replace(b"127.0.0.1", b"localhost")
    server.routes["/feed.xml"] = Reply(200, elsewhere)
    more = 'header_from = "SHOW_HEADER"\nuser_agent = "Player/1.0"\nheaders = { X-Plain = "yes" }\n'
    configure(show_table("short", url, f"back_fill = 1\n{more}"))
    assert [row["state"] for row in poll()["started"]] == ["Completed"]
    host = server.url("").removeprefix("http://").replace("127.0.0.1", "localhost")
    configure(show_table("short", url, f'back_fill = 2\n{more}header_hosts = ["{host}"]'))
    assert [row["state"] for row in poll()["started"]] == ["Completed"]
    seen = {
        path: [headers.get(name) for name in ("User-Agent", "X-Key", "X-Plain")]
        for path, headers in server.requests
    }
    assert seen == {
        "/feed.xml": ["Player/1.0", "open-sesame", "yes"],
        "/2.wav": ["Player/1.0", None, None],
        "/1.wav": ["Player/1.0", "open-sesame", "yes"],
    }


def test_a_missing_login_is_told_without_it(configure: Configure, server: Server) -> None:
    url = serve_show(server, [1])
    loaded, store = configure(show_table("short", url, 'login_from = "NOT_SET"'))
    (reading,) = feed_reading.read_feeds(loaded, store, ["short"])
    assert reading.error == "the environment variable NOT_SET must hold user:password"
    assert server.requests == []


def test_a_rehearsal_remembers_nothing(configure: Configure, server: Server) -> None:
    loaded, store = configure(show_table("short", serve_show(server, [2, 1])))
    (reading,) = feed_reading.preview(loaded, store, ["short"])
    assert reading.plan is not None
    assert [episode.title for episode in reading.plan.taken] == ["Clip 2", "Clip 1"]
    assert (store.episodes(), store.feeds()) == ([], [])


def test_what_prefect_shows(poll: Poll, configure: Configure, server: Server) -> None:
    from prefect.client.orchestration import get_client

    _, store = configure(
        show_table("short", serve_show(server, [1])), head='base_url = "https://shows.example/t"'
    )
    poll()
    with get_client(sync_client=True) as client:
        artifacts = {one.key: one for one in client.read_latest_artifacts()}
    (listed,) = store.episodes()
    link = artifacts[f"episode-{listed.id}"]
    page = "https://shows.example/t/short-show/2026-11-16-clip-1/transcript.html"
    assert page in str(link.data)
    assert artifacts["poll-progress"].data == 100.0
    assert '"show": "short"' in str(artifacts["poll-feeds"].data)
    assert '"episode": "Clip 1"' in str(artifacts["poll-episodes"].data)


def test_an_unknown_show_is_bad_input(configure: Configure, poll: Poll, server: Server) -> None:
    from models.record.errors import InputError

    configure(show_table("short", serve_show(server, [1])))
    with pytest.raises(InputError, match="no show is called 'other'"):
        poll("other")


def test_rules_pass_over_by_title_type_and_length(
    poll: Poll, configure: Configure, server: Server, tmp_path: Path
) -> None:
    """Clip 1 tells no length: it is passed over once its audio is there, and no model hears it."""
    url = serve_show(server, [4, 3, 2, 1])
    body = feed(server, [4, 3, 2, 1]).replace(
        b"<rss ", b'<rss xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" '
    )
    trailer = b"<guid>g3</guid><itunes:episodeType>trailer</itunes:episodeType>"
    long = b"<guid>g4</guid><itunes:duration>2:00:00</itunes:duration>"
    body = body.replace(b"<guid>g3</guid>", trailer).replace(b"<guid>g4</guid>", long)
    server.routes["/feed.xml"] = ranged(body, '"v1"')
    rules = 'back_fill = 20\ntypes = ["full"]\ntitle_lacks = ["clip 2"]\n'
    loaded, store = configure(show_table("short", url, f"{rules}min_minutes = 1\nmax_minutes = 60"))
    (rehearsed,) = feed_reading.preview(loaded, store, ["short"])
    assert rehearsed.plan is not None
    assert [one.episode.title for one in rehearsed.plan.passed_over] == ["Clip 4", "Clip 3", "Clip 2"]
    result = poll()
    (row,) = result["started"]
    assert (row["episode"], row["state"]) == ("Clip 1", "Skipped")
    listed = by_title(store)
    assert {one.state for one in listed.values()} == {"skipped"}
    assert {title: one.error for title, one in listed.items()} == {
        "Clip 4": "passed over: it is 120 min long (max_minutes = 60)",
        "Clip 3": "passed over: its type is trailer (types)",
        "Clip 2": "passed over: its title has 'clip 2' (title_lacks)",
        "Clip 1": "passed over: it is 0.03 min long (min_minutes = 1)",
    }
    assert asked(server, "/4.wav") == []
    assert not (tmp_path / "library").exists()
    assert poll()["started"] == []
    store.retry(listed["Clip 1"].id, "ann")  # somebody wants it all the same
    assert [row["state"] for row in poll()["started"]] == ["Completed"]
    configure(show_table("short", url, 'back_fill = 20\ntypes = ["full"]\nmax_minutes = 60'))
    before = len(asked(server, "/feed.xml"))
    assert [row["episode"] for row in poll()["started"]] == ["Clip 2"]  # of a feed that is unchanged
    assert "If-None-Match" in asked(server, "/feed.xml")[before]


def test_a_feed_that_is_gone_for_good_ends_its_show(poll: Poll, configure: Configure, server: Server) -> None:
    loaded, store = configure(show_table("short", serve_show(server, [1]), "back_fill = 0"))
    feed_reading.read_feeds(loaded, store, ["short"])
    server.routes["/feed.xml"] = Reply(410)
    assert "answered 410" in poll()["unreadable"]["short"]
    assert feed_reading.shows_to_leave_alone(loaded, store) == {"short"}
    before = len(server.requests)
    assert poll()["feeds"] == 0
    assert len(server.requests) == before
    assert "short" in poll("short")["unreadable"]  # somebody asks for it
    other, _ = configure(show_table("short", serve_show(server, [1], "/other.xml")))
    assert feed_reading.shows_to_leave_alone(other, store) == set()
    loaded, _ = configure(show_table("short", serve_show(server, [1]), "back_fill = 0"))
    assert poll("short")["unreadable"] == {}
    assert feed_reading.shows_to_leave_alone(loaded, store) == set()
    assert store.feeds()[0].ended_at is None


def test_a_new_address_that_is_gone_leads_back_to_the_first(configure: Configure, server: Server) -> None:
    serve_show(server, [1], "/new.xml")
    server.routes["/feed.xml"] = Reply(301, headers={"Location": "/new.xml"})
    loaded, store = configure(show_table("short", server.url("/feed.xml")))
    feed_reading.read_feeds(loaded, store, ["short"])
    server.routes |= {"/new.xml": Reply(410), "/feed.xml": Reply(200, feed(server, [1]))}
    (reading,) = feed_reading.read_feeds(loaded, store, ["short"])
    assert (reading.error, store.feeds()[0].ended_at) == ("", None)
    server.routes["/feed.xml"] = Reply(301, headers={"Location": "/new.xml"})
    (reading,) = feed_reading.read_feeds(loaded, store, ["short"])
    assert "410" in reading.error
    assert store.feeds()[0].ended_at is not None


def test_a_live_item_is_new_once_it_is_an_item(configure: Configure, server: Server) -> None:
    live = (
        '<podcast:liveItem status="live"><title>Tonight</title><guid>g2</guid>'
        f'<enclosure url="{server.url("/2.wav")}" type="audio/wav"/></podcast:liveItem>'
    )
    url = server.url("/feed.xml")
    server.routes["/feed.xml"] = Reply(200, feed(server, [], extra=live))
    loaded, store = configure(show_table("short", url, "back_fill = 1"))
    (reading,) = feed_reading.read_feeds(loaded, store, ["short"])
    assert "no episode with audio" in reading.error
    assert feed_reading.shows_to_leave_alone(loaded, store) == set()
    server.routes["/feed.xml"] = Reply(200, feed(server, [1], extra=live))
    feed_reading.read_feeds(loaded, store, ["short"])
    server.routes["/feed.xml"] = Reply(200, feed(server, [2, 1]))
    feed_reading.read_feeds(loaded, store, ["short"])
    assert {title: one.state for title, one in by_title(store).items()} == {
        "Clip 2": "waiting",
        "Clip 1": "waiting",
    }


def test_a_feed_that_fails_for_long_is_asked_less_often(configure: Configure, server: Server) -> None:
    loaded, store = configure(show_table("short", server.url("/gone.xml")))
    for _ in range(PATIENCE - 1):
        feed_reading.read_feeds(loaded, store, ["short"])
    assert feed_reading.shows_to_leave_alone(loaded, store) == set()
    feed_reading.read_feeds(loaded, store, ["short"])
    assert feed_reading.shows_to_leave_alone(loaded, store) == {"short"}
    serve_show(server, [1], "/gone.xml")
    feed_reading.read_feeds(loaded, store, ["short"])
    assert feed_reading.shows_to_leave_alone(loaded, store) == set()


def test_a_complete_feed_is_read_once_a_day(configure: Configure, server: Server) -> None:
    complete = "<itunes:complete>Yes</itunes:complete>"
    server.routes["/feed.xml"] = ranged(feed(server, [1], extra=complete), '"v1"')
    loaded, store = configure(show_table("short", server.url("/feed.xml")))
    for _ in range(2):  # the second time it is unchanged
        feed_reading.read_feeds(loaded, store, ["short"])
        assert feed_reading.shows_to_leave_alone(loaded, store) == {"short"}
        assert store.feeds()[0].is_complete
    server.routes["/feed.xml"] = ranged(feed(server, [1]), '"v2"')
    feed_reading.read_feeds(loaded, store, ["short"])
    assert feed_reading.shows_to_leave_alone(loaded, store) == set()


def test_an_alternate_is_heard_where_the_enclosure_is_gone(
    poll: Poll, configure: Configure, server: Server
) -> None:
    url = serve_show(server, [2, 1])
    source = f'<podcast:source uri="{server.url("/2.wav")}"/>'
    alternate = f'<podcast:alternateEnclosure type="audio/wav">{source}</podcast:alternateEnclosure></item>'
    server.routes["/feed.xml"] = Reply(200, feed(server, [1]).replace(b"</item>", alternate.encode()))
    server.routes["/1.wav"] = Reply(503)
    _, store = configure(show_table("short", url), limits="retry_seconds = 0.01\nattempts = 2")
    assert [row["state"] for row in poll()["started"]] == ["Failed"]  # it may pass
    assert [row["state"] for row in poll()["started"]] == ["Completed"]
    (listed,) = store.episodes()
    transcript = read.load(listed.folder)
    assert (transcript.episode.id, transcript.episode.audio_url) == (listed.id, server.url("/2.wav"))
    assert f"{server.url('/2.wav')} was taken instead" in listed.warnings
