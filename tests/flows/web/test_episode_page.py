"""The page of an episode in a real browser: read, hear, correct, review."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from docx import Document

from audio.media.clip import cut, encode
from flows.web.app import create_app
from flows.web.serving import AppServer, listen
from models.record.transcript import (
    BY_USER,
    FROM_FEED,
    FROM_NOTES,
    PROPOSED,
    Chapter,
    Chapters,
    Speaker,
    Summary,
    SummarySentence,
    Transcript,
)
from outputs.library import corrections, read
from outputs.library.draft import word_units
from outputs.library.write import publish
from tests.browser import Watched, violations, watched
from tests.flows.web.conftest import PASSWORD, TOKEN, Running, _served
from tests.outputs.samples import said, talk, unsure

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Route

EVIL = "<img src=x onerror=\"document.title='run'\">"
LINES = (
    ("SPEAKER_00", "Welcome to the show on gardens and rain."),
    ("SPEAKER_01", "Thank you, it is a plaisir to be here."),
    ("SPEAKER_00", "Today we talk about roses. And then about the rain in spring."),
    ("SPEAKER_01", "Roses need sun and patience and yet more patience."),
)
DOUBTFUL = ("plaisir", "gardens", "rain", "roses", "spring", "sun", "patience", "yet", "show", "talk", "here")
# The middle of a word on the screen, by its paragraph and text.
MIDDLE = """([paragraph, word]) => {
  const text = document.querySelectorAll("#transcript .words")[paragraph].firstChild, range = document.createRange();
  const at = text.data.indexOf(word);
  range.setStart(text, at);
  range.setEnd(text, at + word.length);
  const box = range.getBoundingClientRect();
  return [box.left + box.width / 2, box.top + box.height / 2];
}"""

TEXT = "import(document.querySelector('link[href$=\"/editor/text.js\"]').href)"
FRAME = "import(document.querySelector('link[href$=\"/frame.js\"]').href)"
# Says on the console that a patch of another's edit came, after the page was told of it.
TELL_PATCHES = """([episode, op]) => new Promise((resolve) => {
  const events = new EventSource(`/api/v1/episodes/${episode}/events`);
  events.addEventListener("open", resolve);
  events.addEventListener("patch", (event) => {
    if (JSON.parse(event.data).op !== op) return;
    events.close();
    setTimeout(() => console.log(op));
  });
})"""
PASTE = """(data) => document.activeElement.dispatchEvent(
  new InputEvent("beforeinput", {inputType: "insertFromPaste", data, bubbles: true, cancelable: true})
)"""
IN_SIGHT = """() => {
  const box = document.querySelector("#transcript section:last-child").getBoundingClientRect();
  return box.top > 0 && box.bottom < innerHeight;
}"""


def conversation(**changes: Any) -> Transcript:
    """Four paragraphs, a word each 0.4 s, with some words in doubt and a speaker without a name."""
    parts = [said(text, 7.0 * number, 0.4, speaker) for number, (speaker, text) in enumerate(LINES)]
    sure = {word: 0.1 + 0.02 * number for number, word in enumerate(DOUBTFUL)}
    parts = [
        part.with_words(
            tuple(replace(word, probability=sure.get(word.text.strip(" .,"), 0.99)) for word in part.words)
        )
        for part in parts
    ]
    found = talk(*parts, SPEAKER_00="Ann", SPEAKER_01="Speaker 2")
    speakers = (found.speakers[0], Speaker("SPEAKER_01", "Speaker 2"))
    episode = replace(found.episode, title="Roses")
    made = replace(
        found,
        episode=episode,
        chapters=Chapters(FROM_FEED, (Chapter(0.0, "Hello"), Chapter(14.0, "Roses"))),
        speakers=speakers,
        audio=replace(found.audio, path="audio.mp3", seconds=30.0),
    )
    return replace(made, **changes)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("library")


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory, sample_wav: Path) -> bytes:
    return encode(cut(sample_wav, 0, 30), tmp_path_factory.mktemp("audio") / "audio.mp3").read_bytes()


@pytest.fixture(scope="module")
def app(app_server: Callable[..., Running], library: Path) -> Running:
    return app_server(library)


@pytest.fixture
def episode(request: pytest.FixtureRequest, library: Path, audio: bytes) -> str:
    """A new episode, by its address."""
    return add(library, request.node.name, conversation(), audio)


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[Watched]:
    """The owner's window, which keeps styles and scripts from page to page."""
    with watched(browser) as found:
        yield found


@pytest.fixture
def seen(window: Watched, app: Running, episode: str) -> Iterator[Watched]:
    visit(window.page, app.url, episode)
    yield window
    assert window.faults == []


@pytest.fixture
def page(seen: Watched) -> Page:
    return seen.page


def add(library: Path, name: str, transcript: Transcript, audio: bytes = b"") -> str:
    folder = library / "show" / name.replace("[", "-").rstrip("]")
    publish(transcript, folder, ["json"])
    if audio:
        (folder / "audio.mp3").write_bytes(audio)
    return f"show/{folder.name}"


def visit(page: Page, url: str, episode: str) -> None:
    page.goto(f"{url}/episodes/{episode}?token={TOKEN}")
    words(page, 0).wait_for()


def sign_in(page: Page, app: Running, role: str) -> None:
    app.program(role)
    answer = page.request.post(
        f"{app.url}/api/v1/login", data={"name": role, "password": PASSWORD}, headers={"Origin": app.url}
    )
    assert answer.ok, answer.text()


def words(page: Page, number: int) -> Locator:
    return page.locator("#transcript .words").nth(number)


def texts(page: Page) -> list[str]:
    return page.locator("#transcript .words").all_text_contents()


def names(page: Page) -> list[str]:
    return page.locator("#transcript .name").all_text_contents()


def click(page: Page, paragraph: int, word: str) -> None:
    page.mouse.click(*page.evaluate(MIDDLE, [paragraph, word]))


def selected(page: Page) -> str:
    found: str = page.evaluate("getSelection().toString()")
    return found


def saved(page: Page) -> None:
    page.locator("#state[data-state=saved]").wait_for()
    page.wait_for_function(
        "() => !Object.keys(localStorage).some((key) => key.startsWith('episcribe-edit '))"
    )


def shows(page: Page, paragraph: int, text: str) -> None:
    page.wait_for_function(
        "([number, text]) => document.querySelectorAll('#transcript .words')[number]?.textContent === text",
        arg=[paragraph, text],
    )


def kept(library: Path, episode: str) -> Transcript:
    """The episode as the library has it by now."""
    return read.load(library / episode)


def said_by_now(library: Path, episode: str) -> str:
    return "".join(word.text for word in kept(library, episode).words).strip()


def expected(*faults: str) -> Callable[[Watched], None]:
    def forgive(seen: Watched) -> None:
        seen.faults = [fault for fault in seen.faults if not any(one in fault for one in faults)]

    return forgive


def test_a_word_is_fixed_by_a_click_typing_and_enter(page: Page, library: Path, episode: str) -> None:
    click(page, 1, "plaisir")
    assert selected(page) == "plaisir"
    page.keyboard.type("pleasure")
    page.keyboard.press("Enter")
    assert texts(page)[1] == "Thank you, it is a pleasure to be here."
    assert len(texts(page)) == 4
    saved(page)
    word = next(word for word in kept(library, episode).words if word.text == " pleasure")
    assert (word.start, word.end) == pytest.approx((9.0, 9.4), abs=0.05)
    click(page, 1, "pleasure")
    page.keyboard.type("x")
    page.keyboard.press("Escape")
    assert texts(page)[1] == "Thank you, it is a pleasure to be here."
    click(page, 1, "Thank")
    click(page, 1, "Thank")
    assert selected(page) == ""


def test_enter_splits_backspace_joins_and_both_are_undone(page: Page, library: Path, episode: str) -> None:
    click(page, 2, "And")
    page.keyboard.press("Enter")
    both = ["Today we talk about roses.", "And then about the rain in spring."]
    assert texts(page)[2:4] == both
    page.keyboard.type("Well. ")
    page.keyboard.press("Control+s")
    saved(page)
    assert texts(page)[3] == "Well. And then about the rain in spring."
    page.keyboard.press("Control+z")
    shows(page, 3, both[1])
    page.keyboard.press("Home")
    page.keyboard.press("Backspace")
    assert texts(page)[2] == " ".join(both)
    assert page.evaluate("getSelection().anchorOffset") == len(both[0]) + 1
    saved(page)
    page.keyboard.press("Control+z")
    shows(page, 3, both[1])
    page.keyboard.press("Control+z")
    shows(page, 2, " ".join(both))
    page.keyboard.press("Control+Shift+z")
    shows(page, 3, both[1])
    page.keyboard.press("Control+y")
    shows(page, 2, " ".join(both))
    saved(page)
    assert page.locator("#redo").is_disabled()
    assert said_by_now(library, episode) == " ".join(text for _, text in LINES)


def test_a_speaker_is_renamed_everywhere_and_a_paragraph_given_away(
    page: Page, library: Path, episode: str
) -> None:
    page.locator("#transcript .name").nth(1).click()
    page.keyboard.type("Bob")
    page.keyboard.press("Enter")
    assert names(page) == ["Ann", "Bob", "Ann", "Bob"]
    saved(page)
    assert kept(library, episode).name_of("SPEAKER_01") == "Bob"
    page.locator("#transcript .name").nth(2).click()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert names(page)[:3] == ["Ann", "Bob", "Bob"]
    click(page, 0, "show")
    page.keyboard.press("Control+Enter")
    page.get_by_label("Only in this paragraph").check()
    page.locator("#who-name").fill(EVIL)
    page.keyboard.press("Enter")
    assert names(page)[0] == EVIL
    assert selected(page) == "show"
    saved(page)
    found = kept(library, episode)
    assert [found.name_of(one.speaker) for one in found.segments][:3] == [EVIL, "Bob", "Bob"]


def test_find_and_replace_reaches_all_paragraphs(page: Page, library: Path, episode: str) -> None:
    click(page, 0, "rain")
    page.keyboard.press("Control+f")
    assert page.locator("#query").input_value() == "rain"
    page.locator("#found", has_text="2 hits").wait_for()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.locator("#found", has_text="2 of 2").wait_for()
    page.locator("#replacement").fill("snow")
    page.keyboard.press("Enter")
    shows(page, 2, LINES[2][1].replace("rain", "snow"))
    page.locator("#query").fill("roses")
    page.get_by_label("Match case").check()
    page.locator("#found", has_text="1 hit").wait_for()
    page.get_by_label("Match case").uncheck()
    page.locator("#replacement").fill("Tulips")
    page.get_by_role("button", name="Replace all").click()
    shows(page, 3, LINES[3][1].replace("Roses", "Tulips"))
    page.keyboard.press("Escape")
    page.locator("#find").wait_for(state="hidden")
    saved(page)
    assert "Tulips" in kept(library, episode).segments[2].text
    page.get_by_role("button", name="Undo").click()
    shows(page, 3, LINES[3][1])


def test_ten_doubtful_words_are_reviewed_without_a_mouse(page: Page, library: Path, episode: str) -> None:
    page.locator("#open-review").focus()
    page.keyboard.press("Enter")
    for number, doubt in enumerate(("plaisir", "gardens", "rain")):
        page.locator("#review-text", has_text=doubt).wait_for()
        assert selected(page).startswith(doubt)
        if number == 0:
            page.keyboard.type("pleasure")
        page.keyboard.press("Enter")
    for _ in range(7):
        page.keyboard.press("Enter")
    page.locator("#review-progress", has_text="10 of ").wait_for()
    saved(page)
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "review"
    left = page.locator("#review-text").text_content()
    page.keyboard.press("n")  # single keys work outside the text
    page.wait_for_function("(left) => document.querySelector('#review-text').textContent !== left", arg=left)
    found = kept(library, episode)
    assert found.segments[1].text == "Thank you, it is a pleasure to be here."
    assert [word.probability for word in found.words if word.text.strip(" .") in ("gardens", "roses")] == [
        1.0,
        1.0,
    ]


def test_a_voice_without_a_name_is_named_or_skipped_in_review(
    browser: Browser, app: Running, library: Path, audio: bytes
) -> None:
    part = said(" ".join(["and so on"] * 9), 0.0, 0.4, "SPEAKER_01")
    first = replace(part.words[0], probability=0.1)
    part = part.with_words((first, *(replace(word, probability=0.99) for word in part.words[1:])))
    made = replace(talk(part, SPEAKER_01="Speaker 2"), speakers=(Speaker("SPEAKER_01", "Speaker 2"),))
    episode = add(library, "unnamed", made, audio)
    with watched(browser) as found:
        page = found.page
        visit(page, app.url, episode)
        page.locator("#open-review").click()
        page.locator("#review-text", has_text="Speaker 2").wait_for()
        assert page.locator("#review-confirm").is_hidden()
        assert page.evaluate("document.activeElement.id") == "who-name"
        page.keyboard.press("Enter")
        page.locator("#review-text", has_text="and").wait_for()
        assert selected(page) == "and"
        page.keyboard.press("Alt+ArrowUp")
        page.locator("#who-name:focus").wait_for()
        page.keyboard.type("Bob")
        page.keyboard.press("Enter")
        page.locator("#review-text", has_text="and").wait_for()
        assert selected(page) == "and"
        saved(page)
    assert kept(library, episode).name_of("SPEAKER_01") == "Bob"


def test_the_keyboard_plays_and_leaves(page: Page) -> None:
    words(page, 0).focus()
    page.keyboard.press("Tab")
    page.wait_for_function("() => document.documentElement.classList.contains('playing')")
    page.keyboard.press("Tab")
    page.wait_for_function("() => !document.documentElement.classList.contains('playing')")
    page.keyboard.press("Control+ArrowRight")
    assert page.evaluate("getSelection().anchorNode.parentElement.textContent") == LINES[1][1]
    page.wait_for_function("() => Math.abs(document.querySelector('audio').currentTime - 7) < 0.1")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("getSelection().anchorOffset") == len(LINES[0][1])
    page.keyboard.press("ArrowDown")
    assert page.evaluate("getSelection().anchorNode.parentElement.textContent") == LINES[1][1]
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "seek"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.tagName") == "A"
    assert page.locator("#transcript [tabindex='0']").count() == 3


def test_edits_wait_in_the_browser_while_the_server_is_away(
    browser: Browser, app: Running, library: Path, audio: bytes
) -> None:
    episode = add(library, "away", conversation(), audio)
    socket = listen("127.0.0.1", 0)
    port = socket.getsockname()[1]
    config = replace(app.config, url=f"http://127.0.0.1:{port}")
    with watched(browser) as found:
        page = found.page
        with _served(AppServer(create_app(config), socket)):
            visit(page, config.url, episode)
        click(page, 1, "plaisir")
        page.keyboard.type("pleasure")
        page.keyboard.press("Enter")
        page.locator("#state", has_text="Kept in this browser").wait_for()
        click(page, 2, "And")
        page.keyboard.press("Enter")
        click(page, 3, "then")
        page.keyboard.type("later")
        page.keyboard.press("Enter")
        after = [
            LINES[0][1],
            LINES[1][1].replace("plaisir", "pleasure"),
            "Today we talk about roses.",
            "And later about the rain in spring.",
            LINES[3][1],
        ]
        assert texts(page) == after
        with _served(AppServer(create_app(config), listen("127.0.0.1", port))):
            page.reload()
            words(page, 4).wait_for()
            assert texts(page) == after
            saved(page)
            assert texts(page) == after
        assert kept(library, episode).segments[1].text == after[1]
        expected("Failed to load resource")(found)


def test_who_edits_the_same_word_is_asked_and_nothing_is_lost(
    browser: Browser, app: Running, library: Path, episode: str, page: Page, seen: Watched
) -> None:
    with watched(browser) as other:
        sign_in(other.page, app, "editor")
        other.page.goto(f"{app.url}/episodes/{episode}")
        words(other.page, 1).wait_for()
        click(page, 1, "plaisir")
        page.keyboard.type("pleas")
        click(other.page, 1, "plaisir")
        other.page.keyboard.type("delight")
        other.page.keyboard.press("Enter")
        saved(other.page)
        page.keyboard.type("ure")
        page.keyboard.press("Enter")
        panel = page.locator(".conflict")
        panel.wait_for()
        assert "editor" in (panel.locator(".told").text_content() or "")
        shows(page, 1, LINES[1][1].replace("plaisir", "delight"))
        page.reload()  # both versions are still there
        panel.wait_for()
        assert panel.locator("dd").all_text_contents() == [
            LINES[1][1].replace("plaisir", one) for one in ("pleasure", "delight")
        ]
        page.get_by_role("button", name="Keep mine").click()
        shows(other.page, 1, LINES[1][1].replace("plaisir", "pleasure"))
        saved(page)
        assert panel.count() == 0
    expected("status of 409")(seen)


def test_edits_of_others_come_in_while_one_types(
    page: Page, app: Running, library: Path, episode: str
) -> None:
    click(page, 1, "here")
    page.keyboard.type("there")
    editor = app.program("editor")
    address = f"/api/v1/episodes/{episode}"
    told = editor.get(address).json()

    def edit(op: str, **do: Any) -> None:
        assert editor.post(f"{address}/edits", json={"op": op, "do": do}).status_code == 200

    edit("a", do="text", paragraph=told["paragraphs"][0]["id"], text="Welcome to the show.")
    edit("b", do="rename", speaker="SPEAKER_01", was="Speaker 2", name="Bob")
    edit(
        "c", do="text", paragraph=told["paragraphs"][1]["id"], text=LINES[1][1].replace("Thank you", "Thanks")
    )
    shows(page, 0, "Welcome to the show.")
    page.wait_for_function("() => document.querySelectorAll('#transcript .name')[1].textContent === 'Bob'")
    page.keyboard.type("fore")
    page.keyboard.press("Enter")
    wanted = LINES[1][1].replace("here", "therefore").replace("Thank you", "Thanks")
    shows(page, 1, wanted)
    saved(page)
    assert kept(library, episode).segments[1].text == wanted


def test_what_changed_before_the_page_listened_is_shown(browser: Browser, app: Running, episode: str) -> None:
    editor, address = app.program("editor"), f"/api/v1/episodes/{episode}"

    def late(route: Route) -> None:
        told = editor.get(address).json()["paragraphs"][0]
        do = {"do": "text", "paragraph": told["id"], "text": "Welcome."}
        assert editor.post(f"{address}/edits", json={"op": "before", "do": do}).status_code == 200
        route.continue_()

    with watched(browser) as found:
        found.page.route("**/events", late, times=1)
        visit(found.page, app.url, episode)
        shows(found.page, 0, "Welcome.")


def chapters(page: Page) -> list[str]:
    return page.locator("#chapter-list a").all_text_contents()


def chapters_become(page: Page, *wanted: str) -> None:
    page.wait_for_function(
        "(wanted) => [...document.querySelectorAll('#chapter-list a')].map((a) => a.textContent).join('|') === wanted",
        arg="|".join(wanted),
    )


def test_chapters_are_heard_kept_and_corrected(
    window: Watched, app: Running, library: Path, audio: bytes
) -> None:
    proposed = Chapters(PROPOSED, (Chapter(0.0, "Gardens"), Chapter(14.0, "Roses", by="a model")), "minilm")
    episode, page = add(library, "chapters", conversation(chapters=proposed), audio), window.page
    visit(page, app.url, episode)
    assert page.locator("#chapters-note").is_visible()
    assert page.locator(".chapter-head").all_text_contents() == ["Gardensproposed", "Rosesproposed"]
    page.locator("#chapter-list a").nth(1).click()
    page.wait_for_function("() => document.documentElement.classList.contains('playing')")
    page.locator("#chapter-list li:nth-child(2) a[aria-current=true]").wait_for()
    assert "Roses" in (page.locator("#seek").get_attribute("aria-valuetext") or "")
    page.keyboard.press("k")
    page.keyboard.press("<")
    page.keyboard.press("<")
    page.locator("#chapter-list li:nth-child(1) a[aria-current=true]").wait_for()
    page.keyboard.press(">")
    page.locator("#chapter-list li:nth-child(2) a[aria-current=true]").wait_for()
    page.locator("#ahead").click()
    page.locator("#chapters-keep").focus()
    page.keyboard.press("Enter")
    saved(page)
    assert kept(library, episode).chapters.source == BY_USER
    assert page.locator("#chapters-note").is_hidden()
    assert page.locator(".chapter-head").all_text_contents() == ["Gardens", "Roses"]

    page.locator("#chapter-list button").nth(1).click()
    assert violations(page) == []
    page.keyboard.type(" On  roses ")
    page.locator("#chapter-now").click()  # where it is
    page.keyboard.press("Enter")
    saved(page)
    moved = kept(library, episode).chapters.chapters[1]
    assert (moved.title, moved.start) == ("On roses", 24.0)
    assert page.evaluate("document.activeElement.ariaLabel") == "Edit chapter: On roses"
    page.locator("#transcript .name").nth(1).click()
    page.locator("#who-chapter").click()
    page.keyboard.type("A pleasure")
    page.keyboard.press("Enter")
    now = chapters(page)
    assert [now[0], now[1]] == ["00:00Gardens", "00:07A pleasure"]
    page.locator(".chapter-head button", has_text="Gardens").click()
    page.locator("#chapter-remove").click()
    chapters_become(page, *now[1:])
    page.locator("#undo").click()
    chapters_become(page, *now)
    page.locator("#redo").click()
    chapters_become(page, *now[1:])
    saved(page)
    found = kept(library, episode).chapters.chapters
    assert [(one.start, one.title) for one in found] == [(7.0, "A pleasure"), (moved.start, "On roses")]

    page.locator("#chapter-add").click()
    page.locator("#chapter-start").fill("0:07")
    page.keyboard.press("Enter")  # without a title
    page.locator("#chapter-title").fill("Twice")
    page.keyboard.press("Enter")
    assert page.locator("#chapter-start:invalid").is_visible()
    page.keyboard.press("Escape")

    folder = library / episode
    made = corrections.load(folder)
    publish(read.load_record(folder), folder, ["json"], (*made[:-1], replace(made[-1], end=99.0)))
    page.locator("#chapters-other", has_text="Made for audio of 01:39; this plays").wait_for()
    page.locator("#chapters-keep").click()
    page.locator("#chapters-other").wait_for(state="hidden")
    saved(page)
    assert not read.load_corrected(folder).made_for
    page.locator("#chapters-told").click()
    chapters_become(page, "00:00Gardens", "00:14Roses")
    assert page.locator("#chapters-note").is_visible()
    assert window.faults == []


def test_chapters_of_others_come_in_and_what_no_longer_fits_is_refused(
    page: Page, app: Running, library: Path, episode: str, seen: Watched
) -> None:
    editor, address = app.program("editor"), f"/api/v1/episodes/{episode}"
    page.context.set_offline(True)
    page.locator("#chapter-list button").nth(1).click()
    page.keyboard.type("Thorns\n")
    page.locator("#chapter-list button").nth(0).click()
    page.keyboard.type("Welcome\n")
    chapters_become(page, "00:00Welcome", "00:14Thorns")
    theirs = {"was": {"start": 14, "title": "Roses"}, "now": {"start": 15, "title": "Their roses"}}
    answer = editor.post(f"{address}/edits", json={"op": "x", "do": {"do": "chapter", **theirs}})
    assert answer.status_code == 200
    page.context.set_offline(False)
    chapters_become(page, "00:00Welcome", "00:15Their roses")
    saved(page)
    found = kept(library, episode).chapters
    assert [(one.start, one.title) for one in found.chapters] == [(0.0, "Welcome"), (15.0, "Their roses")]
    page.locator("#undo").click()
    chapters_become(page, "00:00Hello", "00:15Their roses")
    expected("status of 409", "Failed to load resource")(seen)


def test_readers_read_and_hear(browser: Browser, app: Running, episode: str) -> None:
    with watched(browser) as found:
        page = found.page
        sign_in(page, app, "reader")
        page.goto(f"{app.url}/episodes/{episode}#t=15")
        words(page, 0).wait_for()
        page.locator("#now", has_text="00:15").wait_for()
        assert page.locator("[contenteditable]").count() == 0
        assert chapters(page) == ["00:00Hello", "00:14Roses"]
        assert page.locator("#chapter-part button, .chapter-head button").count() == 0
        assert page.locator("#undo, #redo, #open-review, #state").locator("visible=true").count() == 0
        assert page.locator("#transcript .name:enabled").count() == 0
        page.locator("#transcript a").nth(1).focus()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "00:14"
        page.keyboard.press("Enter")
        page.wait_for_function("() => document.documentElement.classList.contains('playing')")
        page.keyboard.press("k")
        click(page, 3, "sun")
        page.wait_for_function("() => document.documentElement.classList.contains('playing')")
        page.keyboard.press("Control+f")
        assert page.locator("#replace-part").is_hidden()


def test_words_and_names_of_strangers_are_text(browser: Browser, app: Running, library: Path) -> None:
    base = conversation()
    segments = tuple(
        segment.with_words(tuple(replace(word, text=f" {EVIL}") for word in segment.words[:2]))
        for segment in base.segments
    )
    episode = replace(base.episode, title=EVIL, show=EVIL)
    evil = replace(
        base, episode=episode, segments=segments, warnings=(EVIL,),
        chapters=Chapters(FROM_NOTES, (Chapter(1.0, EVIL, by=EVIL),)),
        summary=Summary(EVIL, (SummarySentence(EVIL, 2.0),)),
        speakers=tuple(replace(one, name=EVIL) for one in base.speakers),
    )  # fmt: skip
    address = add(library, "evil", unsure(evil, 1))
    with watched(browser) as found:
        visit(found.page, app.url, address)
        page = found.page
        assert page.locator("h1").text_content() == EVIL
        assert texts(page)[0] == f"{EVIL} {EVIL}"
        assert page.locator("#chapter-list bdi, .chapter-head button").all_text_contents() == [EVIL, EVIL]
        assert page.locator("#summary-text").text_content() == f"{EVIL} "
        page.locator("#open-review").click()
        page.locator("#review-text").wait_for()
        page.locator("#transcript .name").nth(0).click()
        assert page.locator("#episode img").count() == 0
        assert page.title().startswith("<img")


def test_input_methods_compose_undisturbed(page: Page, app: Running, library: Path, episode: str) -> None:
    click(page, 1, "plaisir")
    session = page.context.new_cdp_session(page)
    session.send("Input.imeSetComposition", {"text": "か", "selectionStart": 1, "selectionEnd": 1})
    editor, address = app.program("editor"), f"/api/v1/episodes/{episode}"
    told = editor.get(address).json()["paragraphs"]
    do = {"do": "speaker", "paragraph": told[1]["id"], "name": "Cleo"}
    assert editor.post(f"{address}/edits", json={"op": "x", "do": do}).status_code == 200
    page.wait_for_function("() => document.querySelectorAll('#transcript .name')[1].textContent === 'Cleo'")
    session.send("Input.imeSetComposition", {"text": "かん", "selectionStart": 2, "selectionEnd": 2})
    session.send("Input.insertText", {"text": "感"})
    page.keyboard.press("Enter")
    assert texts(page)[1] == LINES[1][1].replace("plaisir", "感")
    saved(page)
    assert kept(library, episode).segments[1].text == texts(page)[1]


def test_what_others_write_meanwhile_is_put_beside_what_was_composed(
    page: Page, app: Running, seen: Watched, episode: str
) -> None:
    editor, address = app.program("editor"), f"/api/v1/episodes/{episode}"
    session = page.context.new_cdp_session(page)

    def compose(op: str, find: str, replace: str) -> str:
        """A syllable is composed over "plaisir" while another's edit comes in."""
        click(page, 1, "plaisir")
        session.send("Input.imeSetComposition", {"text": "か", "selectionStart": 1, "selectionEnd": 1})
        told = editor.get(address).json()["paragraphs"][1]
        text = "".join(told["words"]).replace(find, replace)
        do = {"do": "text", "paragraph": told["id"], "text": text}
        with page.expect_event("console", lambda said: op in said.text):
            page.evaluate(TELL_PATCHES, [episode, op])
            assert editor.post(f"{address}/edits", json={"op": op, "do": do}).status_code == 200
        session.send("Input.insertText", {"text": "感"})
        return text

    compose("apart", "Thank you", "Thanks")
    page.keyboard.press("Enter")
    shows(page, 1, "Thanks, it is a 感 to be here.")
    saved(page)
    page.keyboard.press("Control+z")
    shows(page, 1, "Thanks, it is a plaisir to be here.")
    saved(page)
    theirs = compose("same", "plaisir", "delight")
    page.keyboard.press("Enter")
    panel = page.locator(".conflict")
    panel.wait_for()
    assert panel.locator("dd").all_text_contents() == ["Thanks, it is a 感 to be here.", theirs]
    shows(page, 1, theirs)
    click(page, 0, "show")
    saved(page)
    assert "".join(editor.get(address).json()["paragraphs"][1]["words"]) == theirs
    expected("status of 409")(seen)


def test_a_new_session_loses_no_edit(browser: Browser, app: Running, library: Path, episode: str) -> None:
    with watched(browser) as found:
        page = found.page
        sign_in(page, app, "editor")
        page.goto(f"{app.url}/episodes/{episode}")
        words(page, 1).wait_for()
        sign_in(page, app, "editor")  # as in another tab
        click(page, 1, "plaisir")
        page.keyboard.type("pleasure")
        page.keyboard.press("Enter")
        saved(page)
        assert kept(library, episode).segments[1].text == LINES[1][1].replace("plaisir", "pleasure")
        page.context.clear_cookies()
        click(page, 0, "gardens")
        page.keyboard.type("parks")
        page.keyboard.press("Enter")
        page.locator("#state[data-state=signed-out]").wait_for()
        sign_in(page, app, "editor")
        page.keyboard.press("Control+s")
        saved(page)
        assert kept(library, episode).segments[0].text == LINES[0][1].replace("gardens", "parks")
        expected("Failed to load resource")(found)


def test_scripts_without_spaces_are_edited_by_the_letter(
    browser: Browser, app: Running, library: Path
) -> None:
    line = "今日は良い天気です。"
    part = said(" ".join(line[:-1]), 0.0, 0.4, "SPEAKER_00")
    letters = tuple(replace(word, text=word.text.strip()) for word in part.words)
    part = part.with_words((*letters[:-1], replace(letters[-1], text="す。")))
    episode = add(library, "japanese", talk(part, SPEAKER_00="Ann"))
    samples = ["Go to 東京, now", "กำที่บ้าน", "スーパー123円、ok。", "人々の한국어 말", '"良い" 天気']
    with watched(browser) as found:
        page = found.page
        visit(page, app.url, episode)
        assert texts(page) == [line]
        page.context.set_offline(True)
        click(page, 0, "良")
        assert selected(page) == "良"
        page.keyboard.type("好")
        page.keyboard.press("Enter")
        assert texts(page) == [line.replace("良", "好")]
        click(page, 0, "天")
        assert selected(page) == "天"
        page.keyboard.press("Enter")
        assert texts(page) == ["今日は好い", "天気です。"]
        page.context.set_offline(False)
        saved(page)
        assert texts(page) == ["今日は好い", "天気です。"]
        assert said_by_now(library, episode) == "今日は好い天気です。"
        ours = page.evaluate(f"async (all) => all.map((await {TEXT}).units)", samples)
        assert ours == [word_units(sample) for sample in samples]
        expected("Failed to load resource", "ERR_INTERNET_DISCONNECTED")(found)


def test_a_speaker_who_was_added_offline_is_renamed(
    page: Page, seen: Watched, library: Path, episode: str
) -> None:
    page.context.set_offline(True)
    page.locator("#transcript .name").nth(0).click()
    page.get_by_label("Only in this paragraph").check()
    page.locator("#who-name").fill("Cleo")
    page.keyboard.press("Enter")
    page.locator("#transcript .name").nth(0).click()
    page.locator("#who-name").fill("Cleopatra")
    page.keyboard.press("Enter")
    assert names(page)[0] == "Cleopatra"
    page.context.set_offline(False)
    saved(page)
    assert names(page) == ["Cleopatra", "Speaker 2", "Ann", "Speaker 2"]
    found = kept(library, episode)
    assert found.name_of(found.segments[0].speaker) == "Cleopatra"
    expected("Failed to load resource")(seen)


def test_words_are_found_where_they_were_said(page: Page) -> None:
    line = {"id": "a", "words": ["so", " it", " is", " so"], "starts": [0, 1000, 2000, 3000]}
    places = page.evaluate(
        f"async (all) => {{ const text = await {TEXT}; return all.map((one) => text.occurrence(...one)); }}",
        [[{"id": "b", "words": ["so"], "starts": [start]}, line] for start in (100, 2900)],
    )
    assert places == [0, 9]


def test_what_was_refused_is_neither_undone_nor_done_again(
    page: Page, app: Running, seen: Watched, episode: str
) -> None:
    click(page, 1, "plaisir")
    page.keyboard.type("pleasure")
    page.keyboard.press("Enter")
    saved(page)
    editor, address = app.program("editor"), f"/api/v1/episodes/{episode}"
    told = editor.get(address).json()["paragraphs"][1]
    do = {"do": "text", "paragraph": told["id"], "text": LINES[1][1].replace("plaisir", "delight")}
    assert editor.post(f"{address}/edits", json={"op": "over", "do": do}).status_code == 200
    shows(page, 1, LINES[1][1].replace("plaisir", "delight"))
    page.keyboard.press("Control+z")
    page.locator("#peek", has_text="Not done").wait_for()
    saved(page)
    assert page.locator("#redo").is_disabled()
    text = "x " * 10_500  # more than a paragraph takes
    page.evaluate(PASTE, text)
    page.locator("#peek", has_text="20,000").wait_for()
    assert texts(page)[1] == LINES[1][1].replace("plaisir", "delight")
    expected("status of 409")(seen)


def test_older_browsers_read_and_review(browser: Browser, app: Running, episode: str) -> None:
    with watched(browser, viewport={"width": 360, "height": 700}, locale="de-DE") as found:
        page = found.page
        page.add_init_script(
            "for (const name of ['requestIdleCallback', 'cancelIdleCallback', 'Highlight']) delete window[name];"
            "delete CSS.highlights;"
        )
        visit(page, app.url, episode)
        box = words(page, 0).bounding_box()
        assert box is not None
        assert box["y"] < 400  # what tells of the episode is folded
        page.locator("#about > summary").click()
        page.locator("#speakers li").nth(1).wait_for()
        assert page.evaluate("!CSS.highlights && document.documentElement.scrollWidth <= innerWidth")
        assert "plaisir" in (words(page, 1).get_attribute("aria-description") or "")
        page.locator("#open-review").click()
        page.locator("#review-text", has_text="plaisir").wait_for()
        told = page.evaluate(
            f"async () => (await {FRAME}).api('POST', '/queue', {{}}).catch((one) => one.message)"
        )
        assert told.startswith("Das geht so nicht: ")
        expected("Failed to load resource")(found)


def test_what_waits_in_the_browser_is_told(page: Page, app: Running, episode: str) -> None:
    page.evaluate(
        """(episode) => {
          const conflict = {op: "b", by: "", detail: "", mine: "Mine", base: [], theirs: []};
          localStorage.setItem(`episcribe-conflict owner ${episode} a`, "null");
          localStorage.setItem(`episcribe-conflict owner ${episode} b`, JSON.stringify(conflict));
          localStorage.setItem("episcribe-edit owner show/elsewhere 1-1 c", "{}");
        }""",
        episode,
    )
    page.reload()
    page.locator(".conflict", has_text="Mine").wait_for()
    page.goto(f"{app.url}/")
    page.locator("#unsent a", has_text="show/elsewhere").wait_for()
    assert page.locator(f'#unsent a[href$="/{episode}"]').is_visible()
    page.evaluate("localStorage.clear()")


def test_a_link_opens_at_its_second_and_is_made(page: Page, app: Running, episode: str) -> None:
    page.goto("about:blank")
    page.goto(f"{app.url}/episodes/{episode}#t=21.5")
    words(page, 0).wait_for()
    page.locator("#now", has_text="00:21").wait_for()
    assert page.locator("#transcript section.now .words").text_content() == LINES[3][1]
    page.locator("#chapter-list a").nth(1).click()
    page.locator("#now", has_text="00:14").wait_for()
    page.locator("#transcript a").nth(2).click()
    page.wait_for_function("() => document.querySelector('audio').currentTime >= 14")
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Copy a link to this moment").click()
    page.wait_for_function("() => /#t=14/.test(location.hash)")
    assert json.loads(page.evaluate("JSON.stringify(document.querySelector('audio').preservesPitch)"))


def test_many_paragraphs_lie_in_one_text_each(browser: Browser, app: Running, library: Path) -> None:
    lines = [
        said(f"Paragraph {number} says something.", number * 3.0, 0.4, f"SPEAKER_0{number % 2}")
        for number in range(400)
    ]
    episode = add(library, "many", talk(*lines, SPEAKER_00="Ann", SPEAKER_01="Bob"))
    with watched(browser, viewport={"width": 360, "height": 700}) as found:
        page = found.page
        visit(page, app.url, episode)
        assert page.locator("#transcript .words").count() == 400
        assert page.evaluate(
            "[...document.querySelectorAll('#transcript .words')].every((one) => one.childNodes.length === 1)"
        )
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.keyboard.press("Control+f")
        page.keyboard.type("Paragraph 399")
        page.keyboard.press("Enter")
        page.wait_for_function(IN_SIGHT)


def test_it_is_downloaded_as_whatever_one_chooses(page: Page) -> None:
    page.locator("#file-part summary").click()
    page.get_by_label("Format").select_option(label="SubRip captions (.srt)")
    page.get_by_label("Cut for").wait_for()
    page.get_by_label("Format").select_option(label="Word document (.docx)")
    page.get_by_label("Cut for").wait_for(state="hidden")
    page.get_by_label("Names").select_option(label="Without names")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "roses.docx"
    texts = [one.text for one in Document(str(download.value.path())).paragraphs]
    assert ("Welcome to the show on gardens and rain." in texts, "Ann (00:00)" in texts) == (True, False)
    assert violations(page) == []
