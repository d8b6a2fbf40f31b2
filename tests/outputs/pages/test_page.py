"""The player page in a real browser: it plays, follows, jumps, finds, and lets nothing run that isn't ours."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from audio.media.clip import cut, encode
from models.record.transcript import (
    FROM_FEED,
    Chapter,
    Chapters,
    Person,
    Summary,
    SummarySentence,
    Transcript,
    Turn,
)
from outputs.formats.html import render
from outputs.formats.registry import FORMATS
from outputs.library.write import publish
from tests.browser import Watched, open_browser, watched
from tests.outputs.samples import BILINGUAL, said, talk

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

EVIL = "</script><script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"
PLAYING = "() => document.documentElement.classList.contains('playing') && audio.currentTime > 0.2"


def conversation(title: str = "Both from Chicago") -> Transcript:
    """Half a minute of words at an even pace, 0.5 s each: word number n is said from n / 2 on."""
    parts = [
        said(" ".join(f"{word}{number}" for number in range(start, start + 10)), start / 2, 0.5, speaker)
        for start, word, speaker in (
            (0, "alpha", "SPEAKER_00"),
            (10, "béta", "SPEAKER_01"),
            (20, "gamma", "SPEAKER_00"),
            (30, "alpha", "SPEAKER_01"),
            (40, "delta", "SPEAKER_00"),
        )
    ]
    found = talk(*parts, SPEAKER_00="Ann", SPEAKER_01="Bob")
    return replace(
        found,
        episode=replace(found.episode, title=title),
        audio=replace(found.audio, path="audio.mp3", seconds=30.0),
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, sample_wav: Path) -> Path:
    folder = tmp_path_factory.mktemp("episode")
    publish(conversation(), folder, FORMATS)
    encode(cut(sample_wav, 0, 30), folder / "audio.mp3")
    return folder


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The files of a folder over http; the server's address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture(scope="module")
def web(folder: Path) -> Iterator[str]:
    with serving(folder) as address:
        yield address


@pytest.fixture
def seen(browser: Browser, folder: Path) -> Iterator[Watched]:
    """The page from a file, without a network."""
    with watched(browser, offline=True) as found:
        found.page.goto((folder / "transcript.html").as_uri())
        yield found
        assert {url.partition(":")[0] for url in found.requests} <= {"file", "data"}


@pytest.fixture
def page(seen: Watched) -> Page:
    return seen.page


def now(page: Page) -> str | None:
    return page.locator("span.now").text_content()


def position(page: Page) -> float:
    return float(page.evaluate("audio.currentTime"))


def test_nothing_is_loaded_before_somebody_plays(seen: Watched) -> None:
    assert [url.rpartition("/")[2] for url in seen.requests] == ["transcript.html"]


def test_plays_a_file_and_follows_the_words(page: Page) -> None:
    page.get_by_role("button", name="Play").click()
    page.wait_for_function(PLAYING)
    page.wait_for_function("() => audio.currentTime > 1.1")
    page.get_by_role("button", name="Pause").click()
    page.wait_for_function(
        "() => document.querySelector('.now').textContent === `alpha${Math.floor(audio.currentTime * 2)}`"
    )
    at = position(page)
    assert page.locator("#now").text_content() == f"00:0{int(at)}"
    assert page.locator("#speaking").text_content() == "Ann"
    assert (
        page.get_by_role("slider", name="Position").get_attribute("aria-valuetext")
        == f"00:0{int(at)} of 00:30, Ann"
    )


def test_plays_over_http(browser: Browser, web: str) -> None:
    with watched(browser) as found:
        found.page.goto(f"{web}/transcript.html")
        found.page.keyboard.press("k")
        found.page.wait_for_function(PLAYING)
        assert all(url.startswith((web, "data:")) for url in found.requests)


def test_a_click_on_a_word_jumps_there_and_plays(page: Page) -> None:
    page.get_by_text("gamma24").click()
    page.wait_for_function("() => audio.currentTime > 12.1")
    page.keyboard.press("Space")  # the focus is on no button
    assert 12 <= position(page) < 20
    assert page.evaluate("audio.paused")


def test_a_click_that_selects_text_does_not_jump(page: Page) -> None:
    page.get_by_text("gamma24").dblclick()
    page.wait_for_function("() => audio.currentTime >= 12 && !audio.seeking")  # the double click's own jump
    page.evaluate("audio.pause()")
    before = position(page)
    box = page.get_by_text("alpha3", exact=True).bounding_box()
    assert box
    page.mouse.move(box["x"] + 2, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + 150, box["y"] + 5)
    page.mouse.up()
    assert page.evaluate("getSelection().toString().length") > 5
    assert position(page) == before


def test_search_marks_hits_in_the_words_and_on_the_time_line(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("BETA1")  # no case, no accents
    page.wait_for_function("() => document.querySelectorAll('span.hit').length")
    assert page.locator("#found").text_content() == "10 hits"
    assert page.locator("#ticks path").first.get_attribute("d").count("M") == 10  # type: ignore[union-attr]
    page.keyboard.press("Enter")
    assert page.locator("#found").text_content() == "Hit 1 of 10, 00:05"
    assert page.locator("span.here").text_content() == "béta10"
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("Shift+Enter")
    assert page.locator("span.here").text_content() == "béta19"
    assert page.locator("#ticks .here").get_attribute("d").count("M") == 1  # type: ignore[union-attr]
    page.get_by_role("searchbox").fill("alpha9 béta10")  # a phrase across two speakers
    page.wait_for_function("() => document.getElementById('found').textContent === '1 hit'")
    assert page.locator("span.hit").all_text_contents() == ["alpha9", "béta10"]
    page.get_by_role("searchbox").fill("nothing like it")
    page.wait_for_function("() => document.getElementById('found').textContent === 'No hits'")
    assert page.locator("span.hit").count() == 0
    page.keyboard.press("Escape")
    assert page.get_by_role("searchbox").input_value() == ""


def test_keys(page: Page) -> None:
    def press(*keys: str) -> str | None:
        for key in keys:
            page.keyboard.press(key)
        return now(page)

    assert press("]") == "béta10"
    assert press("]", "]", ".", ".") == "alpha32"
    assert press("[", ",") == "béta19"
    assert press("l", "ArrowLeft") == "gamma29"
    page.keyboard.press("?")
    assert page.get_by_role("dialog", name="Keyboard shortcuts").is_visible()
    page.get_by_label("Single-key shortcuts are on").uncheck()
    page.keyboard.press("Escape")
    before = now(page)
    assert press("]", "[", ".") == before  # WCAG 2.1.4: they can be turned off


def test_chapters_are_followed_and_led_to(browser: Browser, folder: Path, tmp_path: Path) -> None:
    chapters = Chapters(
        FROM_FEED, (Chapter(2.0, "Roses", end=9.0), Chapter(10.0, "Thorns"), Chapter(20.0, "Bees"))
    )
    summary = Summary("a model", (SummarySentence("Bob comes in.", 5.5),))
    (tmp_path / "transcript.html").write_text(
        render(replace(conversation(), chapters=chapters, summary=summary))
    )
    (tmp_path / "audio.mp3").symlink_to(folder / "audio.mp3")
    with watched(browser, viewport={"width": 390, "height": 600}, reduced_motion="reduce") as found:
        page = found.page
        page.goto((tmp_path / "transcript.html").as_uri())
        height = "document.querySelector('.player').getBoundingClientRect().height"

        def current() -> tuple[list[str], str | None, int]:
            entries = page.locator(".chapters [aria-current] .title").all_text_contents()
            return entries, page.locator("#chapter").text_content(), page.locator("#marks .now").count()

        before = page.evaluate(height)
        assert current() == ([], "", 0)
        page.keyboard.press(">")
        assert current() == (["Roses"], "Roses", 1)
        page.keyboard.press("l")
        assert current() == (["Thorns"], "Thorns", 1)
        page.keyboard.press("j")
        page.evaluate("episcribe.jump(9.5)")
        assert current() == ([], "", 0)  # between the end of one and the beginning of the next
        page.keyboard.press(">")
        page.keyboard.press(">")
        page.keyboard.press("l")
        page.keyboard.press("<")
        assert (now(page), current()[0]) == ("delta40", ["Bees"])  # first to where it begins
        page.keyboard.press("<")
        assert (now(page), current()[0]) == ("gamma20", ["Thorns"])
        page.keyboard.press("<")
        page.keyboard.press("<")
        page.keyboard.press("<")
        assert now(page) == "alpha4"
        assert page.evaluate(height) == before
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.get_by_role("link", name="00:10 Thorns").first.click()
        page.wait_for_function(PLAYING)
        assert page.evaluate("location.hash") == "#t=10"
        assert 0 <= page.get_by_role("heading", name="Thorns").bounding_box()["y"] < 300  # type: ignore[index]
        page.locator(".summary a").click()
        page.wait_for_function("() => document.querySelector('.now').textContent === 'béta11'")
        assert page.evaluate("location.hash") == "#t=5.5"
    with watched(browser, java_script_enabled=False) as found:
        found.page.goto((tmp_path / "transcript.html").as_uri())
        found.page.get_by_role("link", name="Thorns").first.click()
        assert found.page.locator("main h2:target .title").text_content() == "Thorns"
        assert found.page.locator("#chapter").is_hidden()


def test_links_to_a_moment(page: Page, folder: Path) -> None:
    address = (folder / "transcript.html").as_uri()
    page.goto(f"{address}#t=13.2")
    assert now(page) == "gamma26"
    assert page.locator("span.now").is_visible()
    page.evaluate("location.hash = '#t=0:05.6'")
    page.wait_for_function("() => document.querySelector('.now').textContent === 'béta11'")
    page.keyboard.press("s")
    assert page.evaluate("location.hash") == "#t=5.6"
    page.locator("main h3 a").nth(2).click()
    assert page.evaluate("location.hash") == "#t=10"
    page.wait_for_function("() => audio.currentTime > 10.05")


def test_following_stops_when_the_reader_scrolls(browser: Browser, folder: Path) -> None:
    with watched(browser, viewport={"width": 390, "height": 500}, reduced_motion="reduce") as found:
        page = found.page
        page.goto((folder / "transcript.html").as_uri())
        page.evaluate("episcribe.jump(24)")
        assert page.evaluate("document.querySelector('.now').getBoundingClientRect().top") < 400
        page.mouse.wheel(0, -3000)
        page.wait_for_function("() => scrollY === 0")
        follow = page.get_by_role("button", name="Follow")
        assert follow.get_attribute("aria-pressed") == "false"
        page.keyboard.press("Control+a")  # a modifier: no shortcut of ours
        follow.click()
        assert page.evaluate("scrollY") > 0


def test_captions_come_from_the_track(page: Page) -> None:
    page.keyboard.press("c")
    page.get_by_text("béta12").click()
    page.wait_for_function("() => document.getElementById('caption').textContent.startsWith('Bob: béta1')")
    assert page.locator("#caption").is_visible()
    assert page.locator("#caption").get_attribute("lang") == "en"


def test_languages_have_names_and_captions_are_in_theirs(
    browser: Browser, folder: Path, tmp_path: Path
) -> None:
    audio = replace(BILINGUAL.audio, path="audio.mp3")
    (tmp_path / "transcript.html").write_text(render(replace(BILINGUAL, audio=audio)))
    (tmp_path / "audio.mp3").symlink_to(folder / "audio.mp3")
    with watched(browser) as found:
        page = found.page
        page.goto((tmp_path / "transcript.html").as_uri())
        assert page.locator(".facts").inner_text().endswith("German 58 % · English 42 %")
        assert page.locator("main p:lang(de)").count() == 2
        page.keyboard.press("c")
        page.get_by_text("verstehen").click()
        page.locator("#caption :lang(de)", has_text="Ann: Und jetzt auf Deutsch").wait_for()


def test_dark_colours_and_what_is_remembered(browser: Browser, web: str) -> None:
    with watched(browser, color_scheme="dark") as found:
        page = found.page
        page.goto(f"{web}/transcript.html")
        ground = "getComputedStyle(document.body).backgroundColor"
        dark = page.evaluate(ground)
        page.get_by_role("button", name="Dark colours").click()
        assert page.evaluate(ground) != dark
        page.get_by_label("Speed").select_option("1.5")
        page.reload()
        assert page.evaluate(ground) != dark
        assert page.evaluate("audio.playbackRate") == 1.5


def test_audio_that_is_not_there_can_be_picked(browser: Browser, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "transcript.html").write_bytes((folder / "transcript.html").read_bytes())
    with watched(browser, offline=True) as found:
        page = found.page
        page.goto((tmp_path / "transcript.html").as_uri() + "#t=12.1")
        page.keyboard.press("k")
        page.locator("#missing", has_text="The audio is not beside this page").wait_for()
        page.get_by_label("Choose the audio file").set_input_files(folder / "audio.mp3")
        page.wait_for_function("() => audio.currentTime > 12.2")
        found.faults = [fault for fault in found.faults if "ERR_FILE_NOT_FOUND" not in fault]


def test_readable_without_scripts(browser: Browser, folder: Path) -> None:
    with watched(browser, java_script_enabled=False) as found:
        page = found.page
        page.goto((folder / "transcript.html").as_uri() + "#t=15")
        assert page.locator("audio").is_visible()
        assert "béta10 béta11" in page.locator("main").inner_text()
        for hidden in ("#find", "#controls", "#seek"):
            assert page.locator(hidden).is_hidden()
        assert page.locator("main h3:target cite").text_content() == "Bob"


def test_fits_a_phone_and_zoomed_text(browser: Browser, folder: Path) -> None:
    for width in (320, 390):  # 320: what a 1280 pixel window shows at 400 % (WCAG 1.4.10)
        with watched(browser, viewport={"width": width, "height": 700}) as found:
            found.page.goto((folder / "transcript.html").as_uri())
            assert found.page.evaluate("document.documentElement.scrollWidth") <= width
            small = """() => [...document.querySelectorAll('.player button, .player select, search button')]
                .filter((e) => e.getClientRects().length)
                .map((e) => e.getBoundingClientRect()).filter((b) => b.width < 24 || b.height < 24).length"""
            assert found.page.evaluate(small) == 0  # WCAG 2.5.8


def test_every_control_has_a_name_and_shows_its_focus(page: Page) -> None:
    nameless = """() => [...document.querySelectorAll('button, input, select, a')]
        .filter((e) => !(e.textContent.trim() || e.ariaLabel || e.labels?.length)).length"""
    assert page.evaluate(nameless) == 0
    page.keyboard.press("Tab")
    assert page.get_by_role("link", name="Skip to the transcript").bounding_box()["x"] >= 0  # type: ignore[index]
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        own = page.evaluate(
            "document.activeElement === document.body || document.activeElement.id === 'query'"
        )
        assert own or page.evaluate(outline) != "none"
    assert {"query", "seek", "play", "back", "ahead", "follow", "cc", "speed", "share", "help"} <= reached
    assert page.locator("h1").count() == 1
    assert page.get_by_role("main").count() == 1


def test_text_from_strangers_is_only_text(browser: Browser, tmp_path: Path) -> None:
    base = conversation(title=EVIL)
    segments = tuple(
        replace(segment, words=tuple(replace(word, text=f" {EVIL}") for word in segment.words[:3]))
        for segment in base.segments
    )
    speakers = tuple(replace(speaker, name=EVIL) for speaker in base.speakers)
    episode = replace(
        base.episode, show=EVIL, published=EVIL, notes=EVIL, guid=EVIL, people=(Person(EVIL, EVIL),),
        audio_url="javascript:document.title='run'",
    )  # fmt: skip
    evil = replace(
        base, episode=episode, segments=segments, speakers=speakers, language='"><script>', warnings=(EVIL,),
        chapters=Chapters(EVIL, (Chapter(0.0, EVIL, url=f"https://x/{EVIL}", image=EVIL, by=EVIL),), EVIL),
        summary=Summary(EVIL, (SummarySentence(EVIL, 1.0),)),
        turns=(Turn(0, 1, EVIL),), audio=replace(base.audio, path=f"audio.{EVIL}"),
    )  # fmt: skip
    publish(evil, tmp_path, FORMATS)
    with watched(browser, offline=True) as found:
        page = found.page
        page.goto((tmp_path / "transcript.html").as_uri())
        page.get_by_role("searchbox").fill("script")
        page.wait_for_function("() => document.querySelectorAll('span.hit').length")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.locator("main").press("c")
        page.locator("main h3 a").first.click()
        page.wait_for_function("() => location.hash !== ''")
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert page.title().startswith("</script>")
        assert page.locator("img, main script, nav a[rel]").count() == 0
        assert page.locator(".chapters .title").all_text_contents() == [EVIL]
        assert page.locator("h1").text_content() == EVIL
        found.faults = [fault for fault in found.faults if "ERR_FILE_NOT_FOUND" not in fault]
        assert all(url.startswith(("file:", "data:")) for url in found.requests)
