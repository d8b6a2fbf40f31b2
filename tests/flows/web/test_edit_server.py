"""The edit page: what its server lets in, and correcting a transcript in a real browser."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from audio.media.clip import cut, encode
from flows.web.edit_server import EditServer
from outputs.formats.registry import FORMATS
from outputs.library import read
from outputs.library.write import publish
from tests.browser import Watched, open_browser, watched
from tests.flows.conftest import ROOT, episcribe
from tests.outputs.pages.test_page import EVIL, conversation
from tests.outputs.samples import BILINGUAL, unsure

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory, sample_wav: Path) -> Path:
    return encode(cut(sample_wav, 0, 30), tmp_path_factory.mktemp("audio") / "audio.mp3")


@pytest.fixture
def server(tmp_path: Path, audio: Path) -> Iterator[EditServer]:
    publish(conversation(), tmp_path, FORMATS)
    (tmp_path / "audio.mp3").write_bytes(audio.read_bytes())
    with EditServer(tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as found:
        yield found


@pytest.fixture
def seen(browser: Browser, server: EditServer) -> Iterator[Watched]:
    with watched(browser) as found:
        found.page.goto(server.url)
        found.page.locator("#saved", has_text="No corrections yet").wait_for()
        yield found
        assert all(url.startswith(server.url) or url.startswith("data:") for url in found.requests)


@pytest.fixture
def page(seen: Watched) -> Page:
    return seen.page


def ask(
    server: EditServer, path: str, method: str = "GET", body: bytes = b"", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(server.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body or None, named)
    answer = connection.getresponse()
    found = answer.status, dict(answer.headers), answer.read()
    connection.close()
    return found


def saved(page: Page, told: str) -> None:
    page.locator("#saved", has_text=told).wait_for()


def row(page: Page, words: str) -> Any:
    return page.locator("main section").filter(has_text=words)


def names(page: Page) -> list[str]:
    return page.locator("main .name").all_text_contents()


def test_unsure_speakers_are_found_and_made_sure(browser: Browser, tmp_path: Path) -> None:
    publish(unsure(conversation(), 1), tmp_path, FORMATS)
    with EditServer(tmp_path) as server, watched(browser) as found:
        page = found.page
        page.goto(server.url)
        page.get_by_role("button", name="Next unsure speaker (1)").click()
        here = page.locator("main section:focus-within")
        assert here.locator(".doubt").text_content() == "unsure"
        here.locator(".name").click()
        page.get_by_role("button", name="Assign").click()
        saved(page, "1 correction, saved")
        assert page.locator(".doubt").count() == 0
        assert page.locator("#next-unsure").is_hidden()


def test_only_this_machine_with_the_token_gets_in(server: EditServer) -> None:
    path = urlsplit(server.url).path
    assert server.url.startswith("http://127.0.0.1:")
    assert len(server.token) >= 32
    status, headers, body = ask(server, path)
    assert status == 200
    assert b"Both from Chicago" in body
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Content-Security-Policy"] == "frame-ancestors 'none'"
    assert not [name for name in headers if name.startswith("Access-Control")]
    refused = [
        ask(server, "/"),
        ask(server, "/state"),
        ask(server, f"/{'x' * len(server.token)}/state"),
        ask(server, f"/{server.token}"),
        ask(server, f"{path}state", Host="evil.example"),  # a name that was made to lead here
        ask(server, f"{path}state", Host=f"localhost:{urlsplit(server.url).port}"),
        ask(server, f"{path}state", Sec_Fetch_Site="cross-site"),
    ]
    assert [(status, body) for status, _, body in refused] == [(403, b"Forbidden\n")] * len(refused)
    assert ask(server, f"{path}../../etc/passwd")[0] == 404
    assert ask(server, f"{path}episode.json")[0] == 404
    assert ask(server, path, "PUT")[0] == 501


def test_only_its_own_page_may_change_anything(server: EditServer, tmp_path: Path) -> None:
    path = f"{urlsplit(server.url).path}edits"
    action = {"do": "rename", "speaker": "SPEAKER_00", "name": "Eve", "revision": 1}
    body = json.dumps(action).encode()
    good = {"Origin": server.origin, "Content_Type": "application/json"}
    for headers, status in (
        ({**good, "Origin": "https://evil.example"}, 403),
        ({"Content_Type": "application/json"}, 403),
        ({**good, "Origin": "null"}, 403),
        ({**good, "Content_Type": "text/plain"}, 415),
        ({**good, "Content_Length": "2000000"}, 413),
        ({**good, "Sec_Fetch_Site": "same-site"}, 403),
    ):
        assert ask(server, path, "POST", body, **headers)[0] == status, headers
    for nonsense in (b"{", b"[]", b"5", b'{"do": "rename"}', b"[" * 50_000, b"\xff\xfe"):
        status, _, answer = ask(server, path, "POST", nonsense, **good)
        assert status in (400, 409), nonsense
        assert json.loads(answer)["error"]
    assert not (tmp_path / "corrections.json").exists()
    status, _, answer = ask(server, path, "POST", body, **good)
    assert status == 200
    assert json.loads(answer)["speakers"][0]["name"] == "Eve"
    assert ask(server, path, "POST", body, **good)[0] == 409  # the state that it was for is gone


def test_audio_comes_in_ranges(server: EditServer, audio: Path) -> None:
    path, data = f"{urlsplit(server.url).path}audio", audio.read_bytes()
    status, headers, body = ask(server, path)
    assert (status, headers["Content-Type"], body) == (200, "audio/mpeg", data)
    status, headers, body = ask(server, path, Range="bytes=100-199")
    assert (status, headers["Content-Range"], body) == (206, f"bytes 100-199/{len(data)}", data[100:200])
    assert ask(server, path, Range=f"bytes={len(data) - 5}-")[2] == data[-5:]
    assert ask(server, path, Range=f"bytes={len(data)}-")[0] == 416


def test_words_are_corrected_and_saved(page: Page, server: EditServer, tmp_path: Path) -> None:
    row(page, "gamma20").locator(".edit").click()
    area = page.get_by_label("Words of the segment")
    assert area.input_value().startswith("gamma20 gamma21")
    area.fill(area.input_value().replace("gamma21", "new <b>words</b>"))
    area.press("Enter")
    saved(page, "1 correction, saved")
    assert row(page, "new <b>words</b>").count() == 1
    words = read.load(tmp_path).segments[2].words
    assert [(word.start, word.end, word.text) for word in words[:4]] == [
        (10.0, 10.5, " gamma20"),
        (10.5, 10.6, " new"),
        (10.6, 11.0, " <b>words</b>"),
        (11.0, 11.5, " gamma22"),
    ]
    page.get_by_text("<b>words</b>").click()  # what was written plays at its time
    page.wait_for_function("() => audio.currentTime > 10.65")


def test_words_are_corrected_in_their_language(browser: Browser, tmp_path: Path) -> None:
    publish(BILINGUAL, tmp_path, FORMATS)
    with EditServer(tmp_path) as server, watched(browser) as found:
        page = found.page
        page.goto(server.url)
        row(page, "verstehen").locator(".edit").click()
        assert page.get_by_label("Words of the segment").get_attribute("lang") == "de"
        assert page.locator("main p:lang(de)").count() == 2


def test_escape_keeps_the_words(page: Page, tmp_path: Path) -> None:
    row(page, "gamma20").locator("p").dblclick()
    page.get_by_label("Words of the segment").fill("nothing of it")
    page.keyboard.press("Escape")
    assert row(page, "gamma20").count() == 1
    assert not (tmp_path / "corrections.json").exists()


def test_speakers_are_changed_added_and_renamed(page: Page, tmp_path: Path) -> None:
    assert names(page) == ["Ann", "Bob", "Ann", "Bob", "Ann"]
    row(page, "béta10").locator(".name").click()
    page.get_by_role("radio", name="Ann").check()
    page.get_by_role("button", name="Assign").click()
    saved(page, "1 correction")
    row(page, "gamma20").locator(".name").click()
    page.get_by_label("Name of the new speaker").fill(EVIL)
    page.get_by_role("button", name="Assign").click()
    saved(page, "3 corrections")
    row(page, "delta40").locator(".name").click()
    page.get_by_label("Call Ann everywhere").fill("Anne")
    page.get_by_role("button", name="Rename").click()
    saved(page, "4 corrections")
    assert names(page) == ["Anne", "Anne", EVIL, "Bob", "Anne"]
    assert page.locator(".speakers .name").all_text_contents() == ["Anne", EVIL, "Bob"]
    assert page.locator("#when > path").count() == 3
    transcript = read.load(tmp_path)
    assert [transcript.name_of(segment.speaker) for segment in transcript.segments] == names(page)


def test_split_join_undo_and_redo_by_keyboard(page: Page, tmp_path: Path) -> None:
    page.get_by_text("béta13").click()
    page.keyboard.press("k")
    page.evaluate("episcribe.jump(6.6)")
    assert page.locator("span.now").text_content() == "béta13"
    page.keyboard.press("x")
    saved(page, "1 correction,")
    assert [s.text.split()[0] for s in read.load(tmp_path).segments] == [
        "alpha0", "béta10", "béta13", "gamma20", "alpha30", "delta40",
    ]  # fmt: skip
    page.keyboard.press("m")
    saved(page, "2 corrections")
    assert len(read.load(tmp_path).segments) == 5
    page.keyboard.press("Control+z")
    saved(page, "1 correction,")
    page.keyboard.press("Control+Shift+z")
    saved(page, "2 corrections")
    page.get_by_role("button", name="Undo").click()
    saved(page, "1 correction,")
    page.get_by_role("button", name="Undo").click()
    saved(page, "No corrections yet")
    assert page.get_by_role("button", name="Undo").is_disabled()
    assert read.load(tmp_path).segments == conversation().segments


def test_two_pages_do_not_overwrite_each_other(browser: Browser, seen: Watched, server: EditServer) -> None:
    with watched(browser) as other:
        other.page.goto(server.url)
        saved(other.page, "No corrections yet")
        row(seen.page, "gamma20").locator(".split").wait_for(state="attached")
        seen.page.evaluate("episcribe.jump(11.1)")
        seen.page.keyboard.press("x")
        saved(seen.page, "1 correction,")
        other.page.evaluate("episcribe.jump(6.1)")
        other.page.keyboard.press("x")
        other.page.locator("#saved.failed", has_text="another page changed").wait_for()
        other.page.wait_for_function("() => document.querySelectorAll('main section').length === 6")
        other.faults = [fault for fault in other.faults if "409" not in fault]


def test_the_server_going_away_is_told(page: Page, seen: Watched, server: EditServer) -> None:
    page.route("**/edits", lambda route: route.abort())
    page.evaluate("episcribe.jump(6.1)")
    page.keyboard.press("x")
    page.locator("#saved.failed", has_text="Not saved").wait_for()
    seen.faults.clear()


def test_text_from_strangers_is_only_text(browser: Browser, tmp_path: Path) -> None:
    base = conversation(EVIL)
    segments = tuple(
        replace(segment, words=(replace(segment.words[0], text=f" {EVIL}"), *segment.words[1:]))
        for segment in base.segments
    )
    speakers = tuple(replace(speaker, name=EVIL) for speaker in base.speakers)
    publish(replace(base, segments=segments, speakers=speakers), tmp_path, FORMATS)
    with EditServer(tmp_path) as server, watched(browser) as found:
        page = found.page
        page.goto(server.url)
        saved(page, "No corrections yet")
        row(page, "alpha1").first.locator(".edit").click()
        page.get_by_label("Words of the segment").press("End")
        page.keyboard.type(EVIL)
        page.keyboard.press("Enter")
        saved(page, "1 correction")
        row(page, "gamma21").locator(".name").click()
        page.get_by_role("button", name="Cancel").click()
        assert page.title().startswith("</script>")
        assert page.locator("img, main script").count() == 0


def test_files_follow_and_the_list_is_shown(tmp_path: Path, server: EditServer) -> None:
    headers = {"Origin": server.origin, "Content_Type": "application/json"}
    action = {"do": "text", "segment": 0, "text": "Zoë " + conversation().segments[0].text, "revision": 1}
    body = json.dumps(action).encode()
    assert ask(server, f"{urlsplit(server.url).path}edits", "POST", body, **headers)[0] == 200
    server.__exit__()
    assert "Zoë alpha0" in (tmp_path / "transcript.txt").read_text()
    assert read.load_record(tmp_path) == conversation()
    listed = episcribe("edit", tmp_path, "--list", cwd=tmp_path)
    assert listed.stdout == "00:00  “alpha0” → “Zoë alpha0”\n"


def test_from_the_command_line_to_ctrl_c(tmp_path: Path) -> None:
    publish(conversation(), tmp_path, FORMATS)
    command = [sys.executable, "-m", "flows.cli", "edit", str(tmp_path), "--no-browser"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdout
        assert "http://127.0.0.1:" in child.stdout.readline()
        child.stdout.readline()
        child.send_signal(signal.SIGINT)
        assert "up to date" in child.stdout.read()
        assert child.wait(60) == 0
    missing = episcribe("edit", "nowhere", cwd=tmp_path)
    assert (missing.returncode, missing.stderr) == (
        2, "episcribe: error: nowhere: no such file or folder; give the folder of a processed episode\n"
    )  # fmt: skip
