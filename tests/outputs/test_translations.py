"""Translations in all that is published: files, page, site, feed, and after corrections."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import webvtt

from models.record.cropping import crop
from models.record.transcript import Transcript, Translation
from outputs.captions import webvtt as browsers
from outputs.formats import episode_json, plain_text, vtt
from outputs.formats.registry import FORMATS, TRANSLATED, is_our_file
from outputs.library import read, write
from outputs.library.corrections import NAME, SPEAKER, WORDS, Correction, apply_corrections
from outputs.publishing.feed import feed_entry
from outputs.publishing.site import build_site
from outputs.text.translations import notice, translated, translations_of
from tests.browser import open_browser, watched
from tests.outputs.samples import said, talk

if TYPE_CHECKING:
    from playwright.sync_api import Browser

EVIL = "Ann --> <c>\n\nNOTE x"
SUBTITLES = {one.translated_name("en") for one in TRANSLATED}


def bilingual(engine: str = "Whisper base", language: str = "en") -> Transcript:
    german = talk(
        said("Wo liegt die Insel?", 1),
        said("Im Norden.", 4, speaker="SPEAKER_01"),
        language="de",
        SPEAKER_00="Ann",
        SPEAKER_01="Bob",
    )
    english = (said("Where is the island?", 1), said("In the north.", 4, speaker="SPEAKER_01"))
    return replace(german, translations=(Translation(language, engine, english),))


def published(folder: Path, transcript: Transcript, formats: tuple[str, ...] = tuple(FORMATS)) -> set[str]:
    return {path.name for path in write.publish(transcript, folder, formats)}


def test_subtitles_and_text_are_beside_the_others_and_come_again_from_the_record(tmp_path: Path) -> None:
    assert (
        published(tmp_path, bilingual())
        == {one.file_name for one in FORMATS.values() if not one.needs} | SUBTITLES
    )
    first = {name: (tmp_path / name).read_bytes() for name in SUBTITLES}
    assert b"<v Ann>Where is the island?" in first["transcript.en.vtt"]
    assert b"Im Norden" not in b"".join(first.values())
    assert published(tmp_path, read.load_record(tmp_path), ("srt",)) == {
        "transcript.srt",
        "transcript.en.srt",
        "episode.json",
    }
    assert {name: (tmp_path / name).read_bytes() for name in SUBTITLES} == first


def test_formats_are_rendered_side_by_side_the_same(tmp_path: Path) -> None:
    one, many = tmp_path / "one", tmp_path / "many"
    write.publish(bilingual(), one, FORMATS)
    write.publish(bilingual(), many, FORMATS, processes=2)
    assert {p.name: p.read_bytes() for p in one.iterdir()} == {p.name: p.read_bytes() for p in many.iterdir()}


@pytest.mark.parametrize("language", ["../../etc/x", "e n", "", "xx.vtt/../y"])
def test_a_language_that_is_none_names_no_file(language: str, tmp_path: Path) -> None:
    folder = tmp_path / "show" / "episode"
    assert published(folder, bilingual(language=language)) == {
        one.file_name for one in FORMATS.values() if not one.needs
    }
    assert [path.name for path in tmp_path.iterdir()] == ["show"]


def test_a_translation_says_that_it_is_one() -> None:
    transcript = bilingual("model\n--> <v x>")
    english = translated(transcript, transcript.translations[0])
    assert notice(transcript) == ""
    assert notice(english) == "Machine translation by model --> <v x>"
    assert plain_text.render(english).startswith("Machine translation by model --> <v x>\n\nAnn (00:01)\n")
    assert not plain_text.render(transcript).startswith("Machine")
    text = vtt.render(english)
    assert "\nNOTE Machine translation by model --&gt; &lt;v x&gt;\n\n" in text
    reading = browsers.read(text)
    assert [caption.voices for caption in reading.captions] == [("Ann",), ("Bob",)]
    assert reading.faults == ()


def test_hostile_names_and_words_stay_text(tmp_path: Path) -> None:
    transcript = bilingual().renamed("SPEAKER_00", EVIL)
    hostile = (said("--> <script> &amp;", 1), said("1", 4, speaker="SPEAKER_01"))
    transcript = replace(transcript, translations=(Translation("en", "x", hostile),))
    published(tmp_path, transcript)
    reading = browsers.read((tmp_path / "transcript.en.vtt").read_text(encoding="utf-8"))
    assert [caption.lines for caption in reading.captions] == [("--> <script> &amp;",), ("1",)]
    assert reading.faults == ()
    assert len(webvtt.read(tmp_path / "transcript.en.vtt").captions) == 2
    assert (tmp_path / "transcript.en.srt").read_text(encoding="utf-8").count("-->") == 2


def test_names_and_sayers_that_were_corrected_are_those_of_the_translation() -> None:
    transcript = bilingual()
    words = transcript.segments[1].words
    change = Correction(SPEAKER, 4.0, 4.6, tuple(word.text for word in words), speaker="SPEAKER_00")
    named = Correction(NAME, speaker="SPEAKER_00", now="Anna")
    found = apply_corrections(transcript, [change, named]).transcript
    english = translated(found, translations_of(found)["en"])
    assert [(one.speaker, one.text) for one in english.segments] == [
        ("SPEAKER_00", "Where is the island?"),
        ("SPEAKER_00", "In the north."),
    ]
    assert plain_text.render(english).count("Anna (") == 1
    assert episode_json.load(episode_json.render(found)) == found


def test_what_was_deleted_is_not_told_in_the_translation() -> None:
    """Neither where others speak about then nor where it ends the episode."""
    transcript = bilingual()
    told = [one.text for one in transcript.translations[0].segments]
    for number, segment in enumerate(transcript.segments):
        gone = Correction(WORDS, segment.start, segment.end, tuple(word.text for word in segment.words))
        (english,) = apply_corrections(transcript, [gone]).transcript.translations
        assert [one.text for one in english.segments] == told[:number] + told[number + 1 :]


def test_a_clip_has_its_part_of_them() -> None:
    (english,) = crop(bilingual(), 3.5, 6.0).translations
    assert [(one.text, one.start) for one in english.segments] == [("In the north.", 0.5)]


def test_files_of_languages_that_are_gone_are_removed_and_what_can_not_be_fails_nothing(
    tmp_path: Path,
) -> None:
    published(tmp_path, bilingual())
    (tmp_path / "transcript.fr.srt").mkdir()
    (tmp_path / "transcript.old.srt").touch()
    write.remove_translations(tmp_path, ["en", "fr"])
    there = {path.name for path in tmp_path.iterdir()}
    assert not SUBTITLES & there
    assert there >= {"transcript.srt", "transcript.fr.srt", "transcript.old.srt"}


def test_which_files_are_ours() -> None:
    assert all(map(is_our_file, [*SUBTITLES, "transcript.srt", "episode.json"]))
    assert not any(map(is_our_file, ["notes.txt", "transcript.en.json", "transcript.a.b.srt", "audio.mp3"]))


def test_the_feed_gets_them_after_what_was_said() -> None:
    there = (
        "transcript.vtt",
        "transcript.srt",
        "transcript.en.vtt",
        "transcript.en.srt",
        "transcript.en.txt",
    )
    entry = feed_entry(bilingual(), "show/one", there)
    assert entry.files == (("vtt", ""), ("srt", ""), ("vtt", "en"), ("srt", "en"))


def test_the_site_has_them_and_none_of_an_earlier_one(tmp_path: Path) -> None:
    library, out = tmp_path / "library", tmp_path / "site"
    published(library / "show" / "one", bilingual())
    build_site(library, out)
    there = {path.name for path in (out / "show" / "one").iterdir()}
    assert there >= SUBTITLES
    write.publish(replace(bilingual(), translations=()), library / "show" / "one", FORMATS)
    build_site(library, out)
    assert {path.name for path in (out / "show" / "one").iterdir()} == there - SUBTITLES


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as found:
        yield found


def test_the_page_offers_the_translation_as_captions(browser: Browser, tmp_path: Path) -> None:
    published(tmp_path, bilingual(), ("html",))
    text = (tmp_path / "transcript.html").read_text(encoding="utf-8")
    (subtitles,) = re.findall(r'<track kind="subtitles"[^>]* srclang="en" src="[^"]*base64,([^"]*)"', text)
    assert b"Where is the island?" in base64.b64decode(subtitles)
    with watched(browser) as found:
        page = found.page
        page.goto((tmp_path / "transcript.html").as_uri())
        page.get_by_label("Language of captions").select_option("1")
        assert page.locator("#caption").get_attribute("lang") == "en"
        modes = "() => [...document.getElementById('audio').textTracks].map((track) => track.mode)"
        assert page.evaluate(modes) == ["disabled", "hidden"]
        page.wait_for_function("() => document.getElementById('audio').textTracks[1].cues.length === 2")
        page.reload()
        assert page.locator("#cc-language").input_value() == "1"
        page.get_by_label("Language of captions").select_option("0")
        assert page.evaluate(modes) == ["hidden", "disabled"]
