"""An episode by the API: read, edited by several, heard, and every edit safe when the server is killed."""

from __future__ import annotations

import http.client
import json
import shutil
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from models.record.transcript import Translation, Voice
from outputs.formats.registry import FORMATS
from outputs.library import read, voices_file
from outputs.library.write import publish
from tests.flows.conftest import episcribe
from tests.flows.web.conftest import PASSWORD, Running
from tests.flows.web.kills import edit_command, edits_through_kills, forked_server, signed_in
from tests.outputs.samples import CONVERSATION, said, unsure
from tests.waiting import PATIENCE, wait_until

EPISODE = "/api/v1/episodes/the-show/2026-11-01-pilot"
EVIL = "</script><img src=x onerror=alert(1)>\u202e\x00"


@pytest.fixture(scope="module")
def app(app_server: Callable[..., Running], tmp_path_factory: pytest.TempPathFactory) -> Running:
    return app_server(tmp_path_factory.mktemp("library"))


@pytest.fixture
def folder(app: Running) -> Iterator[Path]:
    """The episode, as it was heard."""
    found = app.config.library / "the-show" / "2026-11-01-pilot"
    publish(CONVERSATION, found, FORMATS)
    (found / "audio.mp3").write_bytes(bytes(range(256)) * 4)
    record = read.load_record(found)
    publish(replace(record, audio=replace(record.audio, path="audio.mp3")), found, ["episode"])
    yield found
    wait_until(lambda: not app.app.state.desk.is_busy, "the rendering")
    shutil.rmtree(found)


def paragraphs(client: httpx2.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(EPISODE).json()["paragraphs"]
    return found


def edit(client: httpx2.Client, op: str, **do: Any) -> httpx2.Response:
    return client.post(f"{EPISODE}/edits", json={"op": op, "do": do})


def written(paragraph: dict[str, Any]) -> str:
    return "".join(paragraph["words"])


class Listener:
    """Hears the events of an episode; a context manager."""

    def __init__(self, app: Running, client: httpx2.Client) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        headers = {
            "Host": app.config.host,
            "Authorization": client.headers.get("Authorization", ""),
            "Cookie": cookies,
        }
        self._connection = http.client.HTTPConnection(urlsplit(app.address).netloc, timeout=PATIENCE)
        self._connection.request("GET", f"{EPISODE}/events", headers={k: v for k, v in headers.items() if v})
        self._thread = threading.Thread(target=self._listen, args=(self._connection.getresponse(),))

    def __enter__(self) -> Listener:
        self._thread.start()
        self.wait_for("present")
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._connection.close()

    def _listen(self, answer: http.client.HTTPResponse) -> None:
        name = ""
        with suppress(OSError, http.client.HTTPException), answer:
            while line := answer.readline().decode().rstrip("\n") or "-":
                field, _, value = line.partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    self.heard.append((name, json.loads(value)))
                if answer.isclosed():
                    return

    def wait_for(self, event: str, **members: Any) -> dict[str, Any]:
        def found() -> list[dict[str, Any]]:
            told = [told for name, told in self.heard if name == event]
            return [one for one in told if all(one[key] == value for key, value in members.items())]

        wait_until(lambda: bool(found()), f"{event} {members}")
        return found()[-1]


def test_an_episode_can_be_read(app: Running, folder: Path) -> None:
    answer = app.client.get(EPISODE)
    page = answer.json()
    assert [page[name] for name in ("episode", "title", "seconds", "language", "audio", "editable")] == [
        "the-show/2026-11-01-pilot", "Pilot & co", 14.6, "en", True, True,
    ]  # fmt: skip
    assert page["speakers"][1] | {"share": 0} == {
        "label": "SPEAKER_01", "name": "Bob", "colour": 1, "source": "feed", "confidence": 0.9, "share": 0,
    }  # fmt: skip
    assert {**page["paragraphs"][1], "id": ""} == {
        "id": "", "speaker": "SPEAKER_01", "language": "en", "direction": "ltr",
        "words": ["And", " I'm", " Bob,", " hello!"], "starts": [4000, 4300, 4600, 4900],
        "ends": [4300, 4600, 4900, 5200], "doubt": [], "unsure": False, "overlap": [],
    }  # fmt: skip
    again = app.client.get(EPISODE, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    edit(app.client, "1", do="text", paragraph=page["paragraphs"][0]["id"], text="Hi.")
    assert app.client.get(EPISODE, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 200


def test_chapters_are_read_and_set_whole_by_who_has_seen_them(app: Running, folder: Path) -> None:
    place = f"{EPISODE}/chapters"
    first = app.client.get(place)
    none: dict[str, Any] = {
        "source": "",
        "engine": "",
        "chapters": [],
        "beyond_the_end": [],
        "made_for": None,
    }
    assert first.json() == none
    edit(app.client, "words", do="text", paragraph=paragraphs(app.client)[0]["id"], text="Hi.")
    seen = {"If-Match": first.headers["ETag"]}
    wanted = {
        "chapters": [
            {"start": 6, "title": "B"},
            {"start": 0, "title": "A", "end": 6},
            {"start": 99, "title": "C"},
        ]
    }
    assert app.client.put(place, json=wanted).status_code == 428
    assert app.client.get(place, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    made = app.client.put(place, json=wanted, headers=seen)
    assert made.status_code == 200, made.text
    assert [(one["start"], one["title"], one["end"]) for one in made.json()["chapters"]] == [
        (0, "A", None), (6, "B", None),
    ]  # fmt: skip
    assert made.json()["beyond_the_end"][0]["title"] == "C"
    assert app.client.get(place).headers["ETag"] == made.headers["ETag"] != first.headers["ETag"]
    late = app.client.put(place, json=wanted, headers=seen)
    assert (late.status_code, late.json()["type"]) == (412, "urn:episcribe:problem:conflict")
    for bad in (
        {"chapters": [{"start": 0, "title": " "}]},
        {"chapters": [{"start": 0, "title": "x", "url": "data:x"}]},
    ):
        assert app.client.put(place, json=bad, headers={"If-Match": "*"}).status_code == 400
    assert app.program("reader").put(place, json=wanted, headers={"If-Match": "*"}).status_code == 403
    with Listener(app, app.client) as heard:
        edit(
            app.client, "one", do="chapter", was={"start": 6, "title": "B"}, now={"start": 6, "title": "Bob"}
        )
        assert heard.wait_for("patch", op="one")["chapters"]["list"][1]["title"] == "Bob"
    assert app.client.request("DELETE", place, headers={"If-Match": "*"}).json()["source"] == ""


def test_all_translations_of_the_record_can_be_chosen_whatever_files_there_are(
    app: Running, folder: Path
) -> None:
    assert app.client.get(EPISODE).json()["translations"] == []
    french = Translation("fr", "a model", (said("Bonjour."),))
    publish(replace(read.load_record(folder), translations=(french,)), folder, ["episode"])
    assert app.client.get(EPISODE).json()["translations"] == ["fr"]
    text = app.client.get(f"{EPISODE}/export", params={"format": "txt", "language": "fr"}).text
    assert "Bonjour." in text


def test_who_is_removed_hears_no_more(app: Running, folder: Path) -> None:
    accounts = app.app.state.accounts
    accounts.users.add("leaver", PASSWORD, "reader")
    _, secret = accounts.tokens.make("leaver", "x")
    leaver = app.stranger(headers={"Authorization": f"Bearer {secret}"})
    page = app.client.get(EPISODE).json()
    with Listener(app, app.client) as stays, Listener(app, leaver) as leaves:
        assert [name for name, _ in leaves.heard[:2]] == ["hello", "present"]
        leaves.wait_for("hello", revision=page["revision"])
        assert app.client.delete("/api/v1/users/leaver").status_code == 204
        edit(app.client, "1", do="text", paragraph=page["paragraphs"][0]["id"], text="Hi.")
        stays.wait_for("patch", op="1")
        stays.wait_for("present", users=["owner"])
        assert "patch" not in [name for name, _ in leaves.heard]


def test_readers_read_and_editors_edit(app: Running, folder: Path) -> None:
    reader, editor = app.program("reader"), app.program("editor")
    assert reader.get(EPISODE).json()["editable"] is False
    do = {"do": "rename", "speaker": "SPEAKER_00", "name": "Anne"}
    assert edit(reader, "1", **do).status_code == 403
    assert edit(app.stranger(), "1", **do).status_code == 401
    assert edit(editor, "1", **do).json()["by"] == "editor"
    assert app.client.get(EPISODE).json()["undo"] == []
    assert [one["op"] for one in editor.get(EPISODE).json()["undo"]] == ["1"]
    assert edit(app.client, "2", do="undo", edit="1").status_code == 400
    for path in ("x", "../x", "..%2Fx", "2026-11-01-pilot%00"):
        assert app.client.get(f"/api/v1/episodes/the-show/{path}").status_code == 404
    for body in (
        {},
        {"op": 1, "do": {}},
        {"op": "a", "do": []},
        {"op": "a" * 101, "do": {}},
        {"op": "a", "do": {"do": "x"}},
    ):
        assert app.client.post(f"{EPISODE}/edits", json=body).status_code in (400, 422), body


def test_two_who_edit_see_each_others_changes_or_a_conflict(app: Running, folder: Path) -> None:
    editor = app.program("editor")
    before = paragraphs(editor)
    with Listener(app, editor) as mine, Listener(app, app.client) as theirs:
        mine.wait_for("present", users=["editor", "owner"])
        patch = edit(app.client, "a", do="text", paragraph=before[1]["id"], text=f"And I'm {EVIL}.").json()
        heard = mine.wait_for("patch", op="a")
        assert heard == {name: value for name, value in patch.items() if name not in ("event", "undo")}
        assert theirs.wait_for("patch", op="a") == heard
        assert edit(editor, "b", do="text", paragraph=before[0]["id"], text="Hello.").status_code == 200
        assert theirs.wait_for("patch", op="b")["from"] == heard["to"]
        answer = edit(editor, "c", do="split", paragraph=before[1]["id"], word=1)
        told = answer.json()
        assert (answer.status_code, told["type"], told["by"]) == (
            409,
            "urn:episcribe:problem:conflict",
            "owner",
        )
        assert told["revision"] == theirs.wait_for("patch", op="b")["to"]
        assert "</script>" in written(told["paragraphs"][1])
    wait_until(lambda: not app.app.state.desk.present(folder)["users"], "all have left")


def test_what_other_programs_change_is_told(app: Running, folder: Path) -> None:
    with Listener(app, app.client) as listener:
        better = replace(
            read.load_record(folder), segments=(said("Hi there.", 0.5), *CONVERSATION.segments[1:])
        )
        publish(better, folder, ["episode"])
        revision = listener.wait_for("reload")["revision"]
    assert app.client.get(EPISODE).json()["revision"] == revision
    assert written(paragraphs(app.client)[0]) == "Hi there."


def test_files_follow_a_moment_later(app: Running, folder: Path) -> None:
    edit(app.client, "1", do="rename", speaker="SPEAKER_00", name="Zoë")
    wait_until(lambda: "Zoë (00:00)" in (folder / "transcript.txt").read_text(), "the files")
    wait_until(lambda: read.load_record(folder).review is not None, "the record")
    assert edit(app.client, "2", do="undo", edit="1").status_code == 200


def test_a_name_given_here_teaches_the_voice(app: Running, folder: Path) -> None:
    voices = [
        Voice("SPEAKER_00", (0.6, 0.8), 60.0, "campplus"),
        Voice("SPEAKER_01", (1.0, 0.0), 60.0, "campplus"),
    ]
    voices_file.keep_episode_voices(CONVERSATION.audio.sha256, voices)
    edit(app.client, "1", do="rename", speaker="SPEAKER_00", name="Anne Currie")

    def known() -> list[str]:
        return [voice.name for voice in voices_file.load(folder.parent).voices]

    edit(app.client, "1", do="rename", speaker="SPEAKER_00", name="Anne Currie")
    wait_until(lambda: known() == ["Anne Currie"], "the voice")
    edit(app.client, "2", do="undo", edit="1")
    wait_until(lambda: known() == [], "that it is forgotten")


def test_doubts_are_reviewed(app: Running, folder: Path) -> None:
    publish(unsure(CONVERSATION, 1), folder, ["episode"])
    told = app.client.get(f"{EPISODE}/review").json()
    (item,) = told["items"]
    assert (item["kind"], item["text"], told["total"]) == ("speaker", "And I'm Bob, hello!", 1)
    assert edit(app.client, "1", do="confirm", item=item["id"]).json()["doubts"]["reviewed"] == 1
    assert app.client.get(f"{EPISODE}/review").json()["items"] == []


def test_audio_comes_in_ranges(app: Running, folder: Path) -> None:
    data = (folder / "audio.mp3").read_bytes()
    whole = app.client.get(f"{EPISODE}/audio")
    assert (whole.headers["Content-Type"], whole.content) == ("audio/mpeg", data)
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    part = app.client.get(f"{EPISODE}/audio", headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, data[100:200])
    assert app.client.get(f"{EPISODE}/audio", headers={"Range": "bytes=9999-"}).status_code == 416
    old = app.client.get(f"{EPISODE}/audio", headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert (old.status_code, len(old.content)) == (200, len(data))
    (folder / "audio.mp3").unlink()
    gone = app.client.get(f"{EPISODE}/audio")
    assert (gone.status_code, gone.headers["Content-Type"]) == (404, "application/problem+json")
    assert app.client.get(EPISODE).json()["audio"] is False


def test_one_episode_is_edited_from_the_command_line(tmp_path: Path) -> None:
    folder = tmp_path / "an épisode"
    publish(CONVERSATION, folder, FORMATS)
    api = "/api/v1/episodes/-/an épisode"
    with edit_command(folder) as (child, address):
        with signed_in(address) as client:
            assert client.get("/", follow_redirects=True).url.path.startswith("/episodes/-/an")
            first = client.get(api).json()["paragraphs"][0]
            do = {"do": "text", "paragraph": first["id"], "text": f"Zoë {written(first)}"}
            assert client.post(f"{api}/edits", json={"op": "1", "do": do}).json()["by"] == ""
        child.send_signal(signal.SIGINT)
        assert child.stdout
        assert "up to date" in child.stdout.read()
        assert child.wait(PATIENCE) == 0
    assert "Zoë Welcome" in (folder / "transcript.txt").read_text()
    listed = episcribe("edit", folder, "--list", cwd=tmp_path)
    assert listed.stdout == "00:00  “Welcome” → “Zoë Welcome”\n"
    missing = episcribe("edit", "nowhere", cwd=tmp_path)
    assert (missing.returncode, missing.stderr) == (
        2, "episcribe: error: nowhere: no such file or folder; give the folder of a processed episode\n"
    )  # fmt: skip


def test_no_edit_is_lost_or_done_twice_when_the_server_is_killed(tmp_path: Path) -> None:
    assert edits_through_kills(tmp_path / "episode", kills=10, seed=1, serve=forked_server) >= 10
