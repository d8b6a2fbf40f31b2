"""The library as the API tells it: lists, search, files, publishing, and what the API says of itself."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from docx import Document
from jsonschema import Draft202012Validator

from flows.schedule import settings as configuration
from flows.web.paging import encode
from models.record.transcript import Transcript
from models.topics.embedding import load_embedder
from outputs.formats.registry import FORMATS
from outputs.library import read
from outputs.library.corrections import NAME, Correction
from outputs.library.write import publish
from tests.audio.server import Reply, Server
from tests.flows.web.conftest import Running
from tests.outputs.pages.test_page import EVIL
from tests.outputs.samples import CONVERSATION, said, talk, unsure
from tests.waiting import wait_until

PILOT = "the-show/2026-01-01-pilot"
FEED = """<rss version="2.0"><channel><title>The Show</title>
<item><title>Pilot</title><guid>pilot</guid><enclosure url="https://example.org/pilot.mp3" type="audio/mpeg"/></item>
<item><title>Other</title><guid>other</guid><enclosure url="https://example.org/o.mp3" type="audio/mpeg"/></item>
</channel></rss>"""


def about(transcript: Transcript, **values: Any) -> Transcript:
    return replace(transcript, episode=replace(transcript.episode, **values))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = tmp_path_factory.mktemp("shelf") / "library"
    pilot = about(
        CONVERSATION, id="1", guid="pilot", show="The Show", title="Pilot", published="2026-01-01T08:00:00+00:00",
        audio_url="https://example.org/pilot.mp3", feed_url="",
    )  # fmt: skip
    trains = talk(said("Der Zug nach Köln fährt heute nicht.", 3), SPEAKER_00="Jürgen Groß", language="de")
    evil = talk(said(f"Elephants {EVIL} walk. 🎙️ elephants", 1), SPEAKER_00=EVIL)
    made = {
        PILOT: pilot,
        "zug/2026-02-02-züge": about(trains, id="2", show="Zug um Zug", title="Züge", published="2026-02-02"),
        "evil/evil": about(evil, id="3", show=EVIL, title=EVIL, published=""),
        "the-show/2026-03-03-doubts": about(
            unsure(talk(said("It may well be, perhaps.", 1)), 0),
            id="4",
            show="The Show",
            title="Doubts",
            published="2026-03-03T00:00:00+00:00",
        ),
    }
    for name, transcript in made.items():
        publish(transcript, library / name, FORMATS)
    (library / "evil" / "damaged").mkdir()
    (library / "evil" / "damaged" / "episode.json").write_text("{")
    return library


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


@pytest.fixture(scope="module")
def app(
    app_server: Callable[..., Running],
    library: Path,
    server: Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("settings")
    server.routes["/feed.xml"] = Reply(200, FEED.encode(), {"Content-Type": "application/rss+xml"})
    (folder / "episcribe.toml").write_text(
        f"""base_url = "https://example.org/talks/"
        allow_private = true
        [publish]
        site = "{folder}/site"
        feeds = "{folder}/feeds"
        files = "{folder}/public"
        [shows.the-show]
        url = "{server.url("/feed.xml")}"
        """
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(configuration.CONFIG_VARIABLE, str(folder / "episcribe.toml"))
        running = app_server(library)
        wait_until(lambda: len(episodes(running)) == 4, "the index")
        yield running


def ask(client: httpx2.Client, path: str, **query: Any) -> Any:
    answer = client.get(f"/api/v1{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def episodes(app: Running, **query: Any) -> list[str]:
    return [one["title"] for one in ask(app.client, "/episodes", **query)["items"]]


def test_lists_shows_and_episodes(app: Running) -> None:
    shows = ask(app.client, "/shows")["items"]
    assert [(one["show"], one["title"], one["episodes"]) for one in shows] == [
        ("evil", EVIL, 1), ("the-show", "The Show", 2), ("zug", "Zug um Zug", 1),
    ]  # fmt: skip
    assert episodes(app) == ["Doubts", "Züge", "Pilot", EVIL]
    assert episodes(app, sort="title") == ["Doubts", "Pilot", EVIL, "Züge"]
    assert episodes(app, show="the-show") == ["Doubts", "Pilot"]
    assert episodes(app, q="zug") == episodes(app, speaker="jurg") == ["Züge"]
    assert "Züge" not in episodes(app, doubtful=True)
    pilot = next(one for one in ask(app.client, "/episodes")["items"] if one["title"] == "Pilot")
    assert pilot["episode"] == PILOT
    assert (pilot["language"], pilot["audio"], pilot["reviewed"]) == ("en", False, 0)
    assert pilot["words"] == len(CONVERSATION.words)
    assert set(pilot["speakers"]) <= {speaker.name for speaker in CONVERSATION.speakers}


@pytest.mark.parametrize("sort", ["date", "title", "doubt"])
def test_lists_come_in_pages(app: Running, sort: str) -> None:
    found, cursor = list[str](), None
    while True:
        query = {"sort": sort, "limit": 1} | ({"cursor": cursor} if cursor else {})
        page = ask(app.client, "/episodes", **query)
        found += [one["title"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == episodes(app, sort=sort)
    for odd in ([1, 2], [10**30, "x"], [1, "\ud800"], ["\ud800", "x"], ["\0", "x"], [math.nan, "x"]):
        answer = app.client.get("/api/v1/episodes", params={"sort": sort, "cursor": encode(odd)})
        assert answer.status_code == 422, odd


def test_a_list_that_is_known_is_not_sent_again(app: Running) -> None:
    first = app.client.get("/api/v1/episodes")
    again = app.client.get("/api/v1/episodes", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_correction_is_in_the_lists_soon(app: Running, library: Path) -> None:
    folder = library / "zug" / "2026-02-02-züge"
    named = Correction(NAME, speaker="SPEAKER_00", now="Jörg Klein")
    publish(read.load_record(folder), folder, [], [named])
    wait_until(lambda: episodes(app, speaker="klein") == ["Züge"], "the name")
    assert ask(app.client, "/search", q="köln", speaker="klein")["count"] == 1
    assert ask(app.client, "/search", q="köln", speaker="groß")["count"] == 0
    said = ask(app.client, "/mentions", q="köln")
    assert [(one["name"], one["episodes"][0]["episode"]) for one in said["people"]] == [
        ("Jörg Klein", "zug/2026-02-02-züge")
    ]
    assert said["count"] == len(said["people"][0]["episodes"][0]["said"]) == 1


def test_searches_with_filters(app: Running) -> None:
    found = ask(app.client, "/search", q="elephants")
    (hit,) = found["items"]
    assert (hit["episode"], hit["title"], hit["speaker"], found["count"]) == ("evil/evil", EVIL, EVIL, 1)
    units = hit["text"].encode("utf-16-le")
    marked = [units[2 * start : 2 * stop].decode("utf-16-le") for start, stop in hit["marks"]]
    assert marked == ["Elephants", "elephants"]
    (welcome,) = ask(app.client, "/search", q="coughs")["items"]
    assert (welcome["episode"], welcome["seconds"]) == (PILOT, 9.3)
    for query, count in (
        ({"show": "zug"}, 0), ({"show": "the-show"}, 1), ({"since": "2026-01-01"}, 1), ({"since": "2026-01-02"}, 0),
        ({"until": "2026-01-01"}, 1), ({"until": "2025-12-31"}, 0), ({"until": "9999-12-31"}, 1),
        ({"speaker": "nobody"}, 0),
    ):  # fmt: skip
        assert ask(app.client, "/search", q="coughs", **query)["count"] == count, query
    for query in ({"q": "!"}, {"q": "coughs", "since": "soon"}):
        answer = app.client.get("/api/v1/search", params=query)
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_searches_by_meaning_once_somebody_has_asked_for_it(
    app: Running, library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = {"q": "clearing the throat", "meaning": "true"}
    with monkeypatch.context() as patch:
        patch.setenv("EPISCRIBE_CACHE", str(tmp_path))
        load_embedder.cache_clear()
        answer = app.client.get("/api/v1/search", params=query)
    assert answer.status_code == 503
    assert "models pull" in answer.json()["detail"]
    assert not (library / "meaning.db").exists()
    assert ask(app.client, "/search", **query)["waiting"] > 0
    wait_until(lambda: not ask(app.client, "/search", **query)["waiting"], "what is said")
    found = ask(app.client, "/search", **query, limit=2)
    assert (found["items"][0]["episode"], found["items"][0]["seconds"]) == (PILOT, 9.0)
    assert len(found["items"]) == 2
    assert ask(app.client, "/search", **query, limit=2, cursor=found["next"])["items"] != found["items"]
    assert {hit["show"] for hit in ask(app.client, "/search", **query, show="zug")["items"]} == {"Zug um Zug"}
    assert app.client.get("/api/v1/search", params={"q": "!", "meaning": "true"}).status_code == 400
    assert app.client.get("/api/v1/search", params={"q": "x", "meaning": "perhaps"}).status_code == 422


def test_files_are_downloads_named_after_the_title(app: Running, library: Path) -> None:
    names = [one["name"] for one in ask(app.client, f"/episodes/{PILOT}/files")["items"]]
    assert names == [entry.file_name for entry in FORMATS.values() if not entry.needs]
    assert "episode.json" not in str(ask(app.program("reader"), f"/episodes/{PILOT}/files"))
    answer = app.client.get(f"/api/v1/episodes/{PILOT}/files/transcript.html")
    assert answer.content == (library / PILOT / "transcript.html").read_bytes()
    assert answer.headers["content-disposition"] == 'attachment; filename="pilot.transcript.html"'
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers["x-content-type-options"] == "nosniff"
    zug = app.client.get("/api/v1/episodes/zug/2026-02-02-züge/files/transcript.srt")
    assert 'filename="zuge.transcript.srt"' in zug.headers["content-disposition"]


@pytest.mark.parametrize(
    "path",
    ["corrections.json", "..%2Fepisode.json", "%2e%2e", "voices.json", "link.srt", "transcript.xx.exe"],
)
def test_other_files_are_not_given(app: Running, library: Path, path: str) -> None:
    (library / PILOT / "voices.json").write_text("{}")
    assert app.client.get(f"/api/v1/episodes/{PILOT}/files/{path}").status_code == 404


def test_any_format_is_made_for_who_asks(app: Running, library: Path) -> None:
    address = f"/api/v1/episodes/{PILOT}/export"
    answer = app.client.get(address, params={"format": "docx", "names": False, "times": "none"})
    assert answer.headers["content-disposition"] == 'attachment; filename="2026-01-01-pilot.docx"'
    assert answer.headers["content-type"].endswith(".wordprocessingml.document")
    assert [one.text for one in Document(io.BytesIO(answer.content)).paragraphs][1:3] == [
        "The Show · 2026-01-01", "Welcome back to the show, everybody. I'm Ann.",
    ]  # fmt: skip
    known = {"If-None-Match": answer.headers["etag"]}
    assert app.client.get(answer.url, headers=known).status_code == 304
    publish(read.load_record(library / PILOT), library / PILOT, [], amended=[])
    assert app.client.get(address, params={"format": "docx"}, headers=known).status_code == 200
    for wrong, told in (
        ({"profile": "bbc"}, "no cues"),
        ({"language": "fr"}, "no translation"),
        ({"format": "doc"}, "unknown"),
    ):
        refused = app.client.get(address, params={"format": "txt", **wrong})
        assert (refused.status_code, told in refused.json()["detail"]) == (400, True), wrong
    assert app.program("reader").get(address, params={"format": "episode"}).status_code == 403


def publishing(client: httpx2.Client, what: str, **order: Any) -> Any:
    answer = client.post(f"/api/v1/publish/{what}", json=order)
    while answer.status_code == 202:
        answer = client.get(answer.headers["location"])
        if answer.json()["state"] == "running":
            answer.status_code = 202
    assert answer.status_code == 200, answer.text
    told = answer.json()
    counts = {name: told[name]["count"] for name in ("added", "changed", "removed")}
    return told, {**counts, "unchanged": told["unchanged"]}


def test_publishes_what_a_dry_run_tells(app: Running, library: Path, tmp_path: Path) -> None:
    place = Path(ask(app.client, "/publish")["site"]).parent
    plan, planned = publishing(app.client, "feed", show="the-show", dry_run=True)
    assert not (place / "feeds").exists()
    assert plan["added"]["names"] == ["Pilot"]
    assert plan["links"][0]["links"][0] == f"https://example.org/talks/{PILOT}/transcript.vtt"
    _, done = publishing(app.client, "feed", show="the-show")
    assert done == planned == {"added": 1, "changed": 0, "removed": 0, "unchanged": 0}
    assert b"podcast:transcript" in (place / "feeds" / "the-show.xml").read_bytes()
    _, again = publishing(app.client, "feed", show="the-show", dry_run=True)
    assert again == {"added": 0, "changed": 0, "removed": 0, "unchanged": 1}

    plan, planned = publishing(app.client, "site", dry_run=True)
    assert not (place / "site").exists()
    assert list(plan["skipped"]) == ["evil/damaged"]
    _, done = publishing(app.client, "site")
    assert done == planned
    assert (place / "site" / PILOT / "transcript.html").exists()
    _, again = publishing(app.client, "site", dry_run=True)
    assert again == {"added": 0, "changed": 0, "removed": 0, "unchanged": planned["added"]}

    (place / "public" / "theirs").mkdir(parents=True)
    (place / "public" / "theirs" / "file").write_text("not ours")
    _, sent = publishing(app.client, "files")
    assert sent["added"] >= planned["added"]
    (place / "site" / PILOT / "transcript.txt").unlink()
    (place / "site" / PILOT / "transcript.srt").write_text("other")
    _, again = publishing(app.client, "files", dry_run=True)
    assert again == {"added": 0, "changed": 1, "removed": 1, "unchanged": sent["added"] - 2}
    publishing(app.client, "files", remove=True)
    assert not (place / "public" / PILOT / "transcript.txt").exists()
    assert (place / "public" / "theirs" / "file").read_text() == "not ours"
    _, shelf = publishing(app.client, "files", source="library", dry_run=True)
    assert shelf["added"] == 1  # the text that was taken out of the site
    assert not [name for name in map(str, (place / "public").rglob("*")) if "episode.json" in name]


def test_publishing_takes_an_admin_and_goes_where_the_settings_say(app: Running) -> None:
    assert app.program("editor").post("/api/v1/publish/site", json={}).status_code == 403
    for order in ({"out": "/etc"}, {"url": "s3://theirs"}, {"base_url": "https://theirs.example"}):
        assert app.client.post("/api/v1/publish/site", json=order).status_code == 422
    unknown = app.client.post("/api/v1/publish/feed", json={"show": "nobody"})
    assert (unknown.status_code, unknown.headers["content-type"]) == (400, "application/problem+json")


def test_the_api_tells_what_it_is(app: Running) -> None:
    told = app.stranger().get("/api/v1/openapi.json").json()
    assert told["openapi"].startswith("3.1")
    assert set(told["components"]["securitySchemes"]) == {"token", "session"}
    names = list[str]()
    for path, method, operation in operations(told):
        names.append(operation["operationId"])
        assert operation["summary"], path
        assert operation["tags"], path
        responses = operation["responses"]
        assert "application/problem+json" in responses["4XX"]["content"], path
        given = {status: one for status, one in responses.items() if status.startswith("2")}
        bodiless = method in ("head", "options") or "uploads" in path or set(given) <= {"204"}
        assert bodiless or any(one.get("content") for one in given.values()), f"{method} {path}"
    assert len(names) == len(set(names))
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)*", name)] == []
    for reference in re.findall(r'"\$ref": ?"#/components/schemas/([^"]+)"', json.dumps(told)):
        Draft202012Validator.check_schema(told["components"]["schemas"][reference])


def operations(told: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation
