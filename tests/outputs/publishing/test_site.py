"""The site in a real browser, from a real web server: lists, search, links to the second."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from models.record.errors import InputError
from models.record.transcript import FROM_FEED, Chapter, Chapters, Transcript
from outputs.formats.registry import FORMATS
from outputs.library.write import keep_audio, publish
from outputs.publishing.site import INDEX, MARKER, build_site, site_files
from tests.browser import Watched, open_browser, watched
from tests.outputs.pages.test_page import EVIL, serving
from tests.outputs.samples import CONVERSATION, said, talk

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


def german() -> Transcript:
    found = talk(
        said("Willkommen zurück in der Sendung über Züge.", 0.5),
        said("Ich freue mich auf die Bahnhöfe.", 75.2, speaker="SPEAKER_01"),
        language="de",
        SPEAKER_00="Änne",
        SPEAKER_01="Jürgen & Söhne",
    )
    about = replace(
        found.episode, id="de", show="Zug um Zug", title="Auf Reisen", published="2026-02-01T00:00:00Z"
    )
    return replace(found, episode=about)


def evil() -> Transcript:
    found = talk(said(f"Elephants {EVIL} walk.", 1), SPEAKER_00=EVIL)
    return replace(found, episode=replace(found.episode, id="evil", show=EVIL, title=EVIL))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, sample_wav: Path) -> Path:
    library = tmp_path_factory.mktemp("library")
    pilot = library / "the-show" / "2026-01-01-pilot"
    name = keep_audio(sample_wav, pilot)
    chapters = Chapters(FROM_FEED, (Chapter(0.0, "Greetings"), Chapter(6.0, "Roses & thorns")))
    kept = replace(CONVERSATION.audio, path=name)
    publish(replace(CONVERSATION, audio=kept, chapters=chapters), pilot, FORMATS)
    publish(german(), library / "zug-um-zug" / "2026-02-01-auf-reisen", FORMATS)
    publish(evil(), library / "evil" / "evil", [])
    (library / "evil" / "damaged").mkdir()
    (library / "evil" / "damaged" / "episode.json").write_text("{")
    return library


@pytest.fixture(scope="module")
def site(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    built = build_site(library, out)
    assert (built.shows, built.episodes, list(built.skipped)) == (3, 3, ["evil/damaged"])
    return out


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as found:
        yield found


@pytest.fixture(scope="module")
def web(site: Path) -> Iterator[str]:
    with serving(site) as address:
        yield address


@pytest.fixture
def seen(browser: Browser, web: str) -> Iterator[Watched]:
    with watched(browser) as found:
        found.page.goto(f"{web}/index.html")
        yield found
        assert all(url.startswith((web, "data:", "blob:")) for url in found.requests)


def look_for(page: Page, words: str, told: str) -> None:
    page.get_by_role("searchbox").fill(words)
    page.locator("#found", has_text=told).wait_for()


def test_files_keep_their_places(site: Path, library: Path) -> None:
    pilot = site / "the-show" / "2026-01-01-pilot"
    for_all = {entry.file_name for name, entry in FORMATS.items() if name not in ("episode", "rttm")}
    assert {path.name for path in pilot.iterdir()} == for_all | {"audio.wav"}
    theirs = (library / "the-show" / "2026-01-01-pilot" / "transcript.html").read_text()
    assert 'href="../index.html"' in (pilot / "transcript.html").read_text()
    assert 'href="../index.html"' not in theirs
    assert "Access-Control-Allow-Origin: *" in (site / "_headers").read_text()


def test_lists_shows_and_episodes_the_newest_first(seen: Watched) -> None:
    page = seen.page
    assert page.locator(".cards a").all_text_contents() == [EVIL, "The Show", "Zug um Zug"]
    assert page.locator(".rows a").all_text_contents() == ["Auf Reisen", "Pilot & co", EVIL]
    page.get_by_role("link", name="Zug um Zug").click()
    assert page.locator("h1").text_content() == "Zug um Zug"
    assert page.locator(".rows a").all_text_contents() == ["Auf Reisen"]
    page.get_by_role("link", name="Auf Reisen").click()
    assert page.locator("h1").text_content() == "Auf Reisen"
    page.get_by_role("link", name="All episodes").click()
    page.get_by_role("link", name="All shows").click()
    assert page.locator("h1").text_content() == "Transcripts"


def test_a_chapter_is_found_by_its_title(seen: Watched) -> None:
    page = seen.page
    look_for(page, "thorns", "1 episode")
    assert page.locator("#hits .at").inner_text() == "00:06\nRoses & thorns."
    page.locator("#hits .at a").click()
    assert page.locator("main h2").all_inner_texts() == ["Greetings\n00:00", "Roses & thorns\n00:06"]
    assert page.evaluate("episcribe.position()") == 6


def test_a_hit_leads_to_the_second(seen: Watched) -> None:
    page = seen.page
    look_for(page, "coughs", "1 episode")
    assert page.locator("#hits mark").all_text_contents() == ["coughs."]
    moment = page.locator("#hits .at a")
    assert moment.text_content() == "00:09"
    moment.click()
    page.wait_for_url("**/the-show/2026-01-01-pilot/transcript.html#t=9")
    assert page.locator("span.now").text_content() == "Somebody"
    assert page.locator("#now").text_content() == "00:09"


def test_all_languages_are_searched(seen: Watched) -> None:
    look_for(seen.page, "Bahnhof", "1 episode")  # found by its stem, which only the German index knows
    assert (
        seen.page.locator("#hits .at").text_content() == "01:15Jürgen & SöhneIch freue mich auf die Bahnhöfe."
    )
    look_for(seen.page, "welcome", "1 episode")


def test_an_episode_in_two_languages_is_found_in_each_and_told_once(browser: Browser, tmp_path: Path) -> None:
    mixed = talk(
        said("Ada waited for the trains.", 1, language="en"),
        said("Ada mag die alten Bahnhöfe.", 5, language="de"),
        SPEAKER_00="Ann",
    )
    publish(mixed, tmp_path / "library" / "the-show" / "pilot", FORMATS)
    build_site(tmp_path / "library", tmp_path / "site")
    with serving(tmp_path / "site") as address, watched(browser) as found:
        page, times = found.page, found.page.locator("#hits .at a")
        page.goto(f"{address}/index.html")
        look_for(page, "Ada", "1 episode")
        assert page.locator("#hits h3").all_text_contents() == ["Pilot & co"]
        assert times.all_text_contents() == ["00:01", "00:05"]
        for stem, word, time in (("waiting train", "trains", "00:01"), ("Bahnhof", "Bahnhöfe", "00:05")):
            page.get_by_role("searchbox").fill(stem)
            page.locator("#hits mark", has_text=word).wait_for()
            assert times.all_text_contents() == [time]
        assert times.get_attribute("href") == "/the-show/pilot/transcript.html#t=5"
        look_for(page, "Pilot", "1 episode")


def test_filters_by_speaker_and_show(seen: Watched) -> None:
    page = seen.page
    look_for(page, "hello", "1 episode")
    page.get_by_label("Speaker").select_option("Änne")
    page.locator("#found", has_text="No hits").wait_for()
    page.get_by_label("Speaker").select_option("Bob")
    page.locator("#found", has_text="1 episode").wait_for()
    page.get_by_label("Show").select_option("Zug um Zug")
    page.locator("#found", has_text="No hits").wait_for()


def test_a_search_has_an_address(seen: Watched, web: str) -> None:
    look_for(seen.page, "coughs", "1 episode")
    assert seen.page.url == f"{web}/index.html?q=coughs"
    seen.page.reload()
    seen.page.locator("#found", has_text="1 episode").wait_for()


def test_a_show_s_page_searches_that_show(browser: Browser, web: str) -> None:
    with watched(browser) as found:
        found.page.goto(f"{web}/the-show/index.html")
        look_for(found.page, "Willkommen", "No hits")
        look_for(found.page, "welcome", "1 episode")
        assert found.page.locator("#hits .at a").get_attribute("href") == (
            "/the-show/2026-01-01-pilot/transcript.html#t=0.5"
        )


def test_text_from_strangers_is_only_text(seen: Watched) -> None:
    page = seen.page
    look_for(page, "elephants", "1 episode")
    assert page.locator("#hits h3").text_content() == EVIL
    assert EVIL in (page.locator("#hits .at").text_content() or "")
    assert page.locator("img, #hits script, main script").count() == 0
    page.locator("#hits h3 a").click()
    page.wait_for_url("**/transcript.html*")
    assert page.locator("h1").text_content() == EVIL


def test_without_scripts_and_on_a_phone(browser: Browser, web: str) -> None:
    with watched(browser, java_script_enabled=False, viewport={"width": 320, "height": 600}) as found:
        found.page.goto(f"{web}/index.html")
        assert found.page.locator("#find-form").is_hidden()
        assert "Searching needs JavaScript" in found.page.locator("noscript").inner_text()
        assert found.page.get_by_role("link", name="Auf Reisen").is_visible()


def test_built_again_it_follows_the_library(tmp_path: Path) -> None:
    library, out = tmp_path / "library", tmp_path / "site"
    publish(CONVERSATION, library / "a" / "one", FORMATS)
    publish(german(), library / "b" / "two", FORMATS)
    assert build_site(library, out, dry_run=True).changes.unchanged == 0
    assert not out.exists()
    assert build_site(library, out).episodes == 2
    index = (out / INDEX).stat().st_ino
    theirs = ("CNAME", "about/index.html", "a/notes.txt", ".git/config")
    for name in theirs:
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text("theirs")
    again = build_site(library, out).changes
    assert (again.added, again.changed, again.removed) == ((), (), ())
    assert (out / INDEX).stat().st_ino == index
    (library / "b" / "two" / "episode.json").unlink()
    publish(CONVERSATION.renamed("SPEAKER_00", "Anne"), library / "a" / "one", FORMATS)
    planned = build_site(library, out, dry_run=True).changes
    assert {"b/index.html", "b/two/transcript.html"} < set(planned.removed)
    assert {"a/one/transcript.html", "index.html", INDEX} < set(planned.changed)
    assert (out / "b").exists()
    built = build_site(library, out)
    assert (built.episodes, built.changes) == (1, planned)
    assert not (out / "b").exists()
    assert all((out / name).read_text() == "theirs" for name in theirs)
    assert [name for name in site_files(out) if "/." in f"/{name}"] == []
    assert "Anne" in (out / "a" / "one" / "transcript.html").read_text()
    assert {path.name for path in out.iterdir() if path.name.startswith(".")} == {MARKER, ".git"}


def test_a_show_may_be_called_as_the_index_is(tmp_path: Path) -> None:
    publish(CONVERSATION, tmp_path / "library" / "pagefind" / "pilot", [])
    build_site(tmp_path / "library", tmp_path / "site")
    assert (tmp_path / "site" / "pagefind" / "pilot" / "transcript.html").exists()
    assert (tmp_path / "site" / "pagefind" / "index.html").exists()


def test_what_is_there_is_not_lost(tmp_path: Path) -> None:
    library = tmp_path / "library"
    publish(CONVERSATION, library / "a" / "one", FORMATS)
    (tmp_path / "theses").mkdir()
    (tmp_path / "theses" / "thesis.tex").write_text("years of work")
    for out in (tmp_path / "theses", library, tmp_path, library / "a" / "one" / "episode.json"):
        with pytest.raises(InputError):
            build_site(library, out)
    assert (tmp_path / "theses" / "thesis.tex").read_text() == "years of work"
    with pytest.raises(InputError, match="no such folder"):
        build_site(tmp_path / "none", tmp_path / "site")
