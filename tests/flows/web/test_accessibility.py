"""Every page for everybody: WCAG 2.2 AA, light and dark, at 360 px, in German; and their pictures for the docs."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flows.schedule.queue import Step
from flows.web import catalogs
from tests.browser import violations, watched
from tests.flows.shows import clip
from tests.flows.web.composed_library import HOSTILE, LONG, WORKER, composed_app, put, work
from tests.flows.web.conftest import Running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FilePayload, Page, ViewportSize

DOCS = Path(__file__).parents[3] / "docs" / "web"
LARGEST = 120_000  # bytes of a picture in the docs
LARGE: ViewportSize = {"width": 1200, "height": 800}
SMALL: ViewportSize = {"width": 360, "height": 740}
PSEUDO = "xa"  # a language of which every text stands between ⟦ and ⟧


@pytest.fixture(scope="module")
def app(
    app_server: Callable[..., Running], tmp_path_factory: pytest.TempPathFactory, sample_wav: Path
) -> Iterator[Running]:
    with composed_app(app_server, tmp_path_factory.mktemp("app"), sample_wav) as running:
        running.program("editor")
        running.client.post("/api/v1/webhooks", json={"url": "http://127.0.0.1:9/a-hook-with-a-long-address"})
        for title in (LONG, HOSTILE, "حديث اليوم"):
            put(running, title)
        work(running, put(running, "Fails"), Step())
        running.store.fail(first_of(running, "Fails"), WORKER, "there is no sound in it", pause=None)
        work(running, put(running, LONG), Step("transcribe", 0.4, 900.0, "and then she said"))
        yield running


def file(name: str, number: int) -> FilePayload:
    """What somebody chooses to upload."""
    return {"name": name, "mimeType": "audio/wav", "buffer": clip(number)}


def first_of(app: Running, title: str) -> str:
    return next(one.id for one in app.store.episodes() if one.episode.title == title)


def library(page: Page, url: str) -> None:
    page.goto(f"{url}/")
    page.locator("#episodes > li").nth(6).wait_for()
    page.locator("#running progress").wait_for()


def nothing_found(page: Page, url: str) -> None:
    page.goto(f"{url}/?q=zzz")
    page.locator("#empty button").wait_for()


def search(page: Page, url: str) -> None:
    page.goto(f"{url}/search?q=wool")
    page.locator(".hit button").first.click()
    page.locator("#player").wait_for()


def episode(page: Page, url: str) -> None:
    page.goto(f"{url}/episodes/strangers/2026-11-16-both-from-chicago")
    page.locator("#transcript .words").nth(3).wait_for()
    page.locator("#open-review").wait_for()


def review(page: Page, url: str) -> None:
    episode(page, url)
    page.locator("#open-review").click()
    page.locator("#review-text:not(:empty)").wait_for()


def add(page: Page, url: str) -> None:
    page.goto(f"{url}/add")
    page.locator("#options .field").first.wait_for(state="attached")
    page.locator("#options summary").click()
    page.locator("#choose").set_input_files([file(f"{LONG[:60]}{number}.wav", number) for number in (1, 2)])
    page.locator("[name=together][value=yes]").check()
    page.locator("#uploads progress[hidden]").nth(1).wait_for(state="attached")


def follow(page: Page, url: str) -> None:
    page.goto(f"{url}/add?kind=feed")
    page.locator("#send").click()
    page.locator("#feed .problem:not(:empty)").wait_for()


def queue(page: Page, url: str) -> None:
    page.goto(f"{url}/queue")
    page.locator("#ended .card").first.wait_for()


def queue_asks(page: Page, url: str) -> None:
    queue(page, url)
    page.locator("#now button").last.click()
    page.locator("dialog").wait_for()


def publish(page: Page, url: str) -> None:
    page.goto(f"{url}/publish")
    page.locator(".card form button:not([type])").first.click()
    page.locator(".card .primary:not([hidden])").first.wait_for()
    page.locator(".card details").first.click()


def settings(page: Page, url: str) -> None:
    page.goto(f"{url}/settings")
    page.locator("#users li").first.wait_for()
    page.locator("#webhooks summary").click()


def settings_ask(page: Page, url: str) -> None:
    settings(page, url)
    page.locator("#users > .body > p button").click()
    page.locator("dialog").wait_for()


def missing(page: Page, url: str) -> None:
    page.goto(f"{url}/nowhere")


def signing_in(page: Page, url: str) -> None:
    page.context.clear_cookies()
    page.goto(f"{url}/login")
    page.locator("form").wait_for()


STATES = (
    library,
    nothing_found,
    search,
    review,
    add,
    follow,
    queue,
    queue_asks,
    publish,
    settings,
    settings_ask,
    missing,
    signing_in,
)


@pytest.mark.slow
def test_pages_are_accessible_light_and_dark_and_fit_360_pixels(browser: Browser, app: Running) -> None:
    found, wide = [], []
    with watched(browser, reduced_motion="reduce") as seen:  # no colour is on its way to another
        page = seen.page
        page.goto(app.token_url)
        for show in STATES:
            page.emulate_media(color_scheme="light")
            page.set_viewport_size(LARGE)
            show(page, app.url)
            found += [f"{show.__name__}: {one}" for one in violations(page)]
            page.emulate_media(color_scheme="dark")
            page.set_viewport_size(SMALL)
            if page.locator(".menu").is_visible() and not page.locator("dialog").count():
                page.locator(".menu").click()
            found += [f"{show.__name__}, small and dark: {one}" for one in violations(page)]
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wide.append(show.__name__)
        seen.faults[:] = [one for one in seen.faults if "status of 404" not in one]  # of what is missing
    assert found == []
    assert wide == []


def test_german_pages_are_in_german(browser: Browser, app: Running) -> None:
    with watched(browser, locale="de-DE") as seen:
        seen.page.goto(app.token_url)
        seen.page.get_by_role("heading", name="Bibliothek").wait_for()
        assert seen.page.locator("html").get_attribute("lang") == "de"
        seen.page.locator("time", has_text="9. Nov. 2026").or_(
            seen.page.locator("time", has_text="09.11.2026")
        ).wait_for()


# What is said in no language: names and titles, code, dates, and what Intl writes.
UNSAID = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), parent = walker.currentNode.parentElement;
    if (!/\\p{L}/u.test(text) || text.includes("⟦")) continue;
    if (parent.closest("bdi, code, time, mark, script, [lang], #hits p, .taken")) continue;
    if (/^[\\d.,\\s]+(hr|min|sec|kB|MB|byte|%)?(, [\\d]+ min)?$/.test(text)) continue;
    found.push(text);
  }
  for (const one of document.querySelectorAll(":is([aria-label], [placeholder], [title]):not(#transcript *)")) {
    const text = one.getAttribute("aria-label") ?? one.getAttribute("placeholder") ?? one.getAttribute("title");
    if (/\\p{L}/u.test(text) && !text.includes("⟦") && text !== "https://") found.push(text);
  }
  return [...new Set(found)];
}"""
# Of these tests: titles in lists of choices, what the API tells, and who added something.
DATA = (
    "Strangers",
    "Night",
    "Grüne",
    "<b>",
    "حديث",
    LONG[:20],
    "there is no sound",
    "and then she",
    "127.0.0.1",
    "editor",
    "Anna",
    "hans",
    "hant",
    "latn",
    "cyrl",
    "fast",
    "best",
    "all",
    "off",
    "mix",
    "separate",
)


def test_no_text_is_outside_of_the_catalogs(browser: Browser, app: Running, tmp_path: Path) -> None:
    for language in catalogs.languages():
        (tmp_path / f"{language}.json").write_text(
            (catalogs.FOLDER / f"{language}.json").read_text("utf-8"), "utf-8"
        )
    pseudo = {key: f"⟦{text}⟧" for key, text in catalogs.catalog("en").items()}
    (tmp_path / f"{PSEUDO}.json").write_text(json.dumps(pseudo), "utf-8")
    with pytest.MonkeyPatch.context() as patch, watched(browser) as seen:
        patch.setattr(catalogs, "FOLDER", tmp_path)
        catalogs.languages.cache_clear()
        try:
            seen.page.goto(app.token_url)
            seen.page.context.set_extra_http_headers({"Accept-Language": PSEUDO})
            unsaid = []
            for show in STATES[:-1]:
                show(seen.page, app.url)
                unsaid += [
                    f"{show.__name__}: {one}"
                    for one in seen.page.evaluate(UNSAID)
                    if not one.startswith(DATA)
                ]
            assert unsaid == []
        finally:
            catalogs.languages.cache_clear()
            seen.faults[:] = [one for one in seen.faults if "status of 404" not in one]


@pytest.mark.slow
def test_pictures_for_the_docs(
    browser: Browser, app_server: Callable[..., Running], sample_wav: Path, tmp_path: Path
) -> None:
    folder = DOCS if os.environ.get("EPISCRIBE_SCREENSHOTS") else tmp_path
    folder.mkdir(exist_ok=True)
    with (
        composed_app(app_server, tmp_path / "app", sample_wav, strangers=False) as app,
        watched(browser) as seen,
    ):
        work(
            app,
            put(app, "Letters to a lighthouse", show="The Night Programme"),
            Step("transcribe", 0.62, 240.0, "and the second letter is written on the back of a timetable"),
        )
        for title in ("A walk along the old railway", "Bread, and how it sounds"):
            put(app, title, by="Mara", show="The Night Programme")
        page = seen.page
        page.goto(app.token_url)
        library_of_few(page, app.url)
        picture(page, folder / "library.png")
        page.goto(f"{app.url}/search?q=chicago")
        page.locator(".hit").nth(1).wait_for()
        picture(page, folder / "search.png")
        episode(page, app.url)
        picture(page, folder / "episode.png")
        review(page, app.url)
        picture(page, folder / "review.png")
        page.goto(f"{app.url}/add")
        page.locator("#choose").set_input_files([file("mara.wav", 1), file("jon.wav", 2)])
        page.locator("[name=together][value=yes]").check()
        page.locator("#uploads progress[hidden]").nth(1).wait_for(state="attached")
        picture(page, folder / "add.png")
        page.goto(f"{app.url}/queue")
        page.locator("#waiting .card").nth(1).wait_for()
        picture(page, folder / "queue.png")
        page.goto(f"{app.url}/settings")
        page.locator("#users .body p").first.wait_for()
        picture(page, folder / "settings.png")


def library_of_few(page: Page, url: str) -> None:
    page.goto(f"{url}/")
    page.locator("#episodes > li").nth(3).wait_for()
    page.locator("#running progress").wait_for()


def picture(page: Page, target: Path) -> None:
    """A picture with few colours, so that it is small; there must be something in it."""
    from PIL import Image

    page.mouse.move(0, 0)
    taken = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    small = taken.quantize(128, dither=Image.Dither.NONE)
    small.save(target, optimize=True)
    assert len(small.getcolors() or ()) > 20, f"{target.name} is blank"
    assert target.stat().st_size < LARGEST
