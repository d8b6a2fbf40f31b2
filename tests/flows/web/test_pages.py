"""The pages of the app in a real browser: what a podcaster does there, by mouse and by keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flows.schedule.queue import Step
from tests.audio.server import Server
from tests.browser import Watched, watched
from tests.flows.shows import clip, serve_show
from tests.flows.web.composed_library import HOSTILE, WORKER, composed_app, put, work
from tests.flows.web.conftest import Running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route


@pytest.fixture(scope="module")
def app(
    app_server: Callable[..., Running], tmp_path_factory: pytest.TempPathFactory, sample_wav: Path
) -> Iterator[Running]:
    with composed_app(app_server, tmp_path_factory.mktemp("app"), sample_wav) as running:
        yield running


@pytest.fixture
def seen(browser: Browser, app: Running) -> Iterator[Watched]:
    with watched(browser) as found:
        found.page.goto(app.token_url)
        yield found


@pytest.fixture
def page(seen: Watched) -> Page:
    return seen.page


def forgive(seen: Watched, fault: str) -> None:
    """Browsers call what a server refuses an error, also where that was to be."""
    seen.faults[:] = [one for one in seen.faults if fault not in one]


def titles(page: Page, where: str) -> list[str]:
    return page.locator(f"{where} .title").all_inner_texts()


def test_the_library_is_filtered_sorted_and_opened(page: Page, app: Running) -> None:
    page.goto(app.url)
    page.locator("#episodes > li").nth(6).wait_for()
    assert titles(page, "#episodes")[:2] == ["Both from Chicago", "The sound of fog"]
    assert "The Night Programme" in page.locator("#episodes > li").nth(1).inner_text()
    assert "42 min" in page.locator("#episodes > li").nth(1).inner_text()
    page.get_by_label("Filter by title").fill("moo")
    page.locator("#found", has_text="1 episode").wait_for()
    assert titles(page, "#episodes") == ["Über Moose und Farne"]
    page.get_by_label("Filter by title").fill("nothing of this name")
    page.get_by_role("button", name="Show all").click()
    page.locator("#episodes > li").nth(6).wait_for()
    page.get_by_label("Show", exact=True).select_option("night-programme")
    page.get_by_label("Order").select_option("title")
    page.locator("#found", has_text="2 episodes").wait_for()
    assert titles(page, "#episodes") == ["Tea at four in the morning", "The sound of fog"]
    page.reload()
    page.locator("#found", has_text="2 episodes").wait_for()
    page.get_by_role("link", name="The sound of fog").click()
    page.wait_for_url(f"{app.url}/episodes/night-programme/2026-11-09-fog")


def test_a_search_hit_plays_where_it_was_said(page: Page, app: Running) -> None:
    page.goto(f"{app.url}/search")
    page.get_by_label("Words").fill("originally chicago")
    page.locator("#found", has_text="passages").wait_for()
    hit = page.locator(".hit").first
    assert {word.lower().strip(".") for word in hit.locator("mark").all_inner_texts()} >= {
        "originally",
        "chicago",
    }
    address = hit.get_by_role("link").get_attribute("href")
    assert address is not None
    start = float(address.partition("#t=")[2])
    hit.get_by_role("button").click()
    page.locator('.hit button[aria-pressed="true"]').wait_for()
    assert start <= page.evaluate("document.querySelector('audio').currentTime") < start + 5
    hit.get_by_role("button").click()
    page.locator('.hit button[aria-pressed="false"]').first.wait_for()
    page.get_by_label("Speaker").fill("Diane")
    page.locator("#found", has_text="1 passage").wait_for()
    assert page.locator(".hit .who").all_inner_texts() == ["Diane"]


def test_a_search_by_meaning_has_an_address(page: Page, app: Running) -> None:
    page.goto(f"{app.url}/search")
    page.get_by_label("By meaning").check()
    page.get_by_label("Words").fill("a city in Illinois")
    page.locator("#found", has_text="The passages that fit best").wait_for()
    assert titles(page, "#hits")[0] == "Both from Chicago"
    assert "meaning=true" in page.url
    page.reload()
    page.locator("#found", has_text="The passages that fit best").wait_for()
    assert page.get_by_label("By meaning").is_checked()
    page.get_by_label("By meaning").uncheck()
    page.locator("#found", has_text="0 passages").wait_for()


def test_an_upload_goes_on_after_it_was_interrupted_and_the_page_closed(
    page: Page, seen: Watched, app: Running, tmp_path: Path
) -> None:
    file = tmp_path / "interview.wav"
    file.write_bytes(clip(1, 20.0) * 14)  # of two pieces; what comes after the first clip nobody hears
    sent: list[int] = []

    def cut(route: Route) -> None:
        """Let the first piece pass, and cut the line after it."""
        sent.append(int(route.request.headers["upload-offset"]))
        route.continue_() if len(sent) == 1 else route.abort()

    page.route(
        "**/api/v1/uploads/*",
        lambda route: cut(route) if route.request.method == "PATCH" else route.continue_(),
    )
    page.goto(f"{app.url}/add")
    page.locator("#choose").set_input_files(file)
    page.locator("#uploads", has_text="Interrupted").wait_for()
    page.close()
    page = seen.page.context.new_page()
    page.goto(f"{app.url}/add")
    assert "uploaded on an earlier visit" in page.locator("#unfinished").inner_text()
    page.on(
        "request",
        lambda request: (
            sent.append(int(request.headers["upload-offset"])) if request.method == "PATCH" else None
        ),
    )
    page.locator("#choose").set_input_files(file)
    page.locator("#uploads", has_text="Uploaded").wait_for()
    assert sent[0] == 0
    assert all(sent[1:]), "nothing that had come was sent again"
    page.get_by_role("button", name="Add to the queue").click()
    page.wait_for_url(f"{app.url}/queue")
    page.locator("#waiting", has_text="interview").wait_for()
    page.goto(f"{app.url}/add")
    assert page.locator("#unfinished").inner_text() == ""
    forgive(seen, "ERR_FAILED")


def test_tracks_are_added_by_keyboard_alone(page: Page, app: Running, tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.wav" for name in ("ann", "bo")]
    for number, file in enumerate(files):
        file.write_bytes(clip(number + 3))
    page.goto(f"{app.url}/add")
    keys = page.keyboard
    tab_to(page, "#choose")
    with page.expect_file_chooser() as chooser:
        keys.press("Space")
    chooser.value.set_files(files)
    page.locator("#uploads li", has_text="Uploaded").nth(1).wait_for()
    tab_to(page, "[name=together]")
    keys.press("ArrowDown")
    tab_to(page, "[name=title]")
    keys.type("A talk")
    keys.press("Tab")
    keys.type("Ann Ö.")
    tab_to(page, "summary")
    keys.press("Enter")
    tab_to(page, "[name=option-language]")
    keys.type("en")
    keys.press("Enter")
    page.wait_for_url(f"{app.url}/queue")
    page.locator("#waiting", has_text="A talk").wait_for()
    (added,) = [one for one in app.store.episodes() if one.episode.title == "A talk"]
    assert added.options["language"] == "en"
    assert next(track.partition("=")[0] for track in added.options["track"]) == "Ann Ö."


def tab_to(page: Page, selector: str) -> None:
    for _ in range(80):
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} is not to be reached by Tab")


def test_files_are_dropped_anywhere_and_taken_back(page: Page, seen: Watched, app: Running) -> None:
    page.goto(f"{app.url}/add")
    dropped = page.evaluate_handle("""() => {
      const data = new DataTransfer();
      data.items.add(new File(["no audio"], "<b>notes</b>.txt"));
      return data;
    }""")
    page.locator("h1").dispatch_event("dragenter", {"dataTransfer": dropped})
    assert page.locator("#over").is_visible()
    page.locator("h1").dispatch_event("drop", {"dataTransfer": dropped})
    assert not page.locator("#over").is_visible()
    assert page.locator("#uploads bdi").inner_text() == "<b>notes</b>.txt"
    page.locator("#uploads .bad").wait_for()
    forgive(seen, "status of 415")
    page.get_by_role("button", name="Remove <b>notes</b>.txt").click()
    page.locator("#uploads li").wait_for(state="detached")
    page.get_by_role("button", name="Add to the queue").click()
    page.get_by_role("alert").get_by_text("Choose a recording first").wait_for()


def test_a_show_is_followed_after_its_feed_was_seen(page: Page, app: Running, server: Server) -> None:
    feed = serve_show(server, [1, 2, 3])
    page.goto(f"{app.url}/add")
    page.get_by_text("Follow a show").click()
    page.get_by_role("button", name="Follow this show").click()
    page.get_by_text("This is needed.").wait_for()
    page.get_by_label("Address of the feed").fill(feed)
    page.get_by_label("Older episodes").fill("2")
    page.get_by_text("Which episodes").click()
    page.get_by_label("Not those with this in the title").fill("trailer, clip 2")
    page.get_by_label("Kinds of episodes").select_option("No trailers")
    page.get_by_role("button", name="Follow this show").click()
    page.get_by_role("dialog", name="Short Show").wait_for()
    assert page.locator("dialog .taken p:first-child").all_inner_texts() == ["Clip 3", "Clip 1"]
    page.get_by_text("1 is passed over.").wait_for()
    assert app.client.get("/api/v1/feeds").json()["items"] == []
    page.get_by_role("dialog").get_by_role("button", name="Follow this show").click()
    page.wait_for_url(f"{app.url}/queue")
    page.locator("#waiting", has_text="Clip 3").wait_for()
    page.goto(f"{app.url}/settings")
    page.locator("#shows li", has_text="Short Show").get_by_role("button").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop following").click()
    page.get_by_text("You follow no show.").wait_for()


def test_the_queue_moves_by_itself_and_by_its_buttons(page: Page, app: Running) -> None:
    page.goto(f"{app.url}/queue")
    first, second = put(app, "First of two"), put(app, HOSTILE)
    page.locator("#waiting .card").filter(has_text="First of two").wait_for()
    other = page.locator("#waiting .card").filter(has_text="<script>")
    other.wait_for()
    with page.expect_response("**/move"):
        other.get_by_role("button", name="Move to the top").press("Enter")
    page.locator("#waiting .card").first.filter(has_text="<script>").wait_for()
    assert page.evaluate("document.activeElement.closest('.card').dataset.id") == second
    work(app, first, Step("transcribe", 0.43, 1320.0, "and then she said"))
    running = page.locator("#now .card").filter(has_text="43%")
    running.wait_for()
    assert "Transcribing" in running.inner_text()
    assert "22 min left" in running.inner_text()
    assert "… and then she said" in running.inner_text()
    assert running.get_by_role("progressbar").get_attribute("value") == "0.43"
    app.store.fail(first, WORKER, "there is no sound in it", pause=None)
    page.locator("#said", has_text="First of two failed").wait_for(state="attached")
    ended = page.locator("#ended .card").filter(has_text="First of two")
    assert "there is no sound in it" in ended.inner_text()
    ended.get_by_role("button", name="Try again").click()
    page.locator("#waiting .card").filter(has_text="First of two").wait_for()
    other.get_by_role("button", name="Cancel").click()
    page.locator("#ended .card").filter(has_text="<script>").wait_for()


def test_publishing_shows_first_what_will_change(page: Page, app: Running) -> None:
    page.goto(f"{app.url}/publish")
    card = page.locator(".card", has_text="The whole library as a site")
    card.get_by_role("button", name="Show what will change").click()
    card.get_by_role("button", name="Build the site").wait_for()
    assert not app.client.get("/api/v1/publish").json()["site_built_at"]
    assert re.search(r"New\s+\d+", card.inner_text())
    card.get_by_role("button", name="Build the site").click()
    card.get_by_text("Done.").wait_for()
    assert app.client.get("/api/v1/publish").json()["site_built_at"]


def test_a_user_makes_a_token_and_changes_language_colours_and_password(
    browser: Browser, app: Running
) -> None:
    password, newer = "a password of Kim", "another password of Kim"
    app.client.post("/api/v1/users", json={"name": "kim", "password": password, "role": "editor"})
    with watched(browser) as seen:
        page = seen.page
        page.goto(f"{app.url}/settings")
        page.locator("[name=name]").fill("kim")
        page.locator("[name=password]").fill(password)
        page.locator("[name=password]").press("Enter")
        page.wait_for_url(f"{app.url}/settings")
        assert page.get_by_role("heading", name="Users").count() == 0
        page.get_by_role("button", name="New token").click()
        page.get_by_label("What it is for").fill("backup")
        page.get_by_role("button", name="Make the token").click()
        token = page.get_by_role("dialog", name="Token for backup").get_by_role("textbox").input_value()
        program = app.stranger(headers={"Authorization": f"Bearer {token}"})
        assert program.get("/api/v1/me").json()["name"] == "kim"
        page.get_by_role("button", name="Close").click()
        page.locator("#tokens li", has_text="backup").get_by_role("button", name="Remove").click()
        page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        page.get_by_text("You have no tokens.").wait_for()
        page.get_by_role("button", name="Change the password").click()
        page.get_by_label("Password until now").fill("wrong")
        page.get_by_label("New password").fill(newer)
        page.get_by_role("button", name="Change it").click()
        page.get_by_text("This isn’t your password.").wait_for()
        page.get_by_label("Password until now").fill(password)
        page.get_by_role("button", name="Change it").click()
        page.get_by_role("dialog").wait_for(state="detached")
        page.get_by_label("Colours").select_option("dark")
        page.get_by_label("Language").select_option("de")
        page.get_by_role("heading", name="Einstellungen").wait_for()
        assert page.evaluate("[document.documentElement.lang, document.documentElement.dataset.theme]") == [
            "de",
            "dark",
        ]
        forgive(seen, "status of 403")


def test_webhooks_are_kept(page: Page, app: Running) -> None:
    page.goto(f"{app.url}/settings")
    page.get_by_role("button", name="Add a webhook").click()
    page.get_by_label("Address").fill("http://127.0.0.1:9/hook")
    page.get_by_label("has failed").uncheck()
    page.get_by_role("button", name="Add it").click()
    secret = page.get_by_role("dialog", name="Secret of the webhook").get_by_role("textbox")
    assert secret.input_value().startswith("whsec_")
    page.get_by_role("button", name="Close").click()
    page.locator("#webhooks summary").click()
    page.get_by_text("Nothing was told").wait_for()
    (hook,) = app.client.get("/api/v1/webhooks").json()["items"]
    assert hook["events"] == ["episode.done"]


def test_titles_and_names_of_strangers_are_text(seen: Watched, app: Running) -> None:
    page = seen.page
    page.locator("#episodes > li").nth(6).wait_for()
    shown = page.locator("#episodes bdi").all_text_contents()
    assert any(one.startswith("<script>alert(1)</script><img src=x onerror=alert(2)>") for one in shown)
    assert "<b>Bob</b>" in shown
    page.goto(f"{app.url}/search?q=wool")
    page.locator(".hit").nth(1).wait_for()
    assert (
        "<b>Bob</b>" in page.locator("#hits").inner_text() or "=cmd()" in page.locator("#hits").inner_text()
    )
    assert page.locator("main script, main img, main b").count() == 0


def test_motion_is_reduced_where_it_is_asked_for(browser: Browser, app: Running) -> None:
    with watched(browser, reduced_motion="reduce") as seen:
        seen.page.goto(app.token_url)
        moving = """[...document.querySelectorAll("*")].map((one) => getComputedStyle(one)).filter(
          (style) => style.transitionDuration !== "0s" || style.animationName !== "none").length"""
        assert seen.page.evaluate(moving) == 0
