from __future__ import annotations

from dataclasses import replace

import pytest

from outputs.captions.lint import parse
from outputs.captions.profiles import PODCAST
from outputs.formats import html, srt, vtt
from outputs.text.direction import directed, is_right_to_left, undirected
from tests.outputs.samples import said, talk


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("مرحبا", "ar", True),
        ("قال Anne: iPhone 15 Pro Max", "ar", True),
        ("iPhone 15 Pro", "ar", False),
        ("He said שלום.", "en", False),
        ("He said שלום.", "", False),
        ("הוא אמר Hi.", "", True),
        ("مرحبا بكم", "en", True),  # whatever the language is taken for
        ("2024!", "fa", False),
        ("字幕", "zh", False),
    ],
)
def test_which_way_a_text_runs(text: str, language: str, expected: bool) -> None:
    assert is_right_to_left(text, language) is expected


def test_lines_are_marked_where_players_would_go_wrong() -> None:
    assert directed(["Apple قالت", "نعم."], "ar") == ["\u202bApple قالت\u202c", "\u202bنعم.\u202c"]
    assert directed(["Ann: Apple قالت"], "ar") == ["\u202bAnn:\u200f Apple قالت\u202c"]
    assert directed(["דנה: Hello there,", "Ann."], "en") == ["\u202aדנה:\u200e Hello there,\u202c", "Ann."]
    assert directed(["He said שלום."], "en") == ["He said שלום."]


def test_marks_are_no_text() -> None:
    lines = ["Ann: Apple قالت", "نعم: 100%."]
    assert [undirected(line) for line in directed(lines, "ar")] == lines


def test_captions_are_read_back_without_marks() -> None:
    transcript = talk(said("Apple قالت إن هاتف iPhone متاح الآن!"), language="ar", SPEAKER_00="Ann")
    for fmt, writer in (("srt", srt), ("vtt", vtt)):
        text = writer.render(transcript, PODCAST)
        assert "\u202bAnn:\u200f Apple" in text
        (cue,) = parse(text, fmt)
        assert " ".join(cue.lines) == "Ann: Apple قالت إن هاتف iPhone متاح الآن!"


def test_a_paragraph_of_the_page_runs_as_it_is_read() -> None:
    arabic, english = said("Apple قالت نعم.", speaker="A"), said("He said שלום to us.", 3.0, speaker="B")
    page = html.render(talk(replace(arabic, language="ar"), english, A="Ann", B="Bob"))
    assert '<p dir="rtl" lang="ar"> <span data-t="0">Apple<' in page
    assert '<p dir="ltr"> <span data-t="3">He<' in page
