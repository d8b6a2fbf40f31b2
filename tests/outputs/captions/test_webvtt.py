"""WebVTT: what lint counts as shown is what a real browser shows; each fault has its line."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.record.transcript import Transcript
from outputs.captions.encoding import read_captions
from outputs.captions.lint import lint_file
from outputs.captions.profiles import PROFILES, SINGLE_LINE, VTT, Profile
from outputs.captions.webvtt import read
from outputs.formats import vtt
from outputs.text.direction import undirected
from tests.browser import open_browser
from tests.outputs.samples import said, talk, transcripts

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# Loads a file as <track> does, and says what came of it.
CUES_OF = """async data => {
  const video = document.createElement('video'), track = document.createElement('track');
  track.kind = 'captions';
  track.src = 'data:text/vtt;base64,' + data;
  track.track.mode = 'showing';
  const loaded = new Promise(done => { track.onload = () => done(true); track.onerror = () => done(false); });
  video.append(track);
  document.body.append(video);
  const cues = await loaded ? [...track.track.cues] : [];
  video.remove();
  return cues.map(cue => {
    const shown = cue.getCueAsHTML();
    const voices = [...shown.querySelectorAll('[title]')].map(voice => voice.title);
    return [Math.round(cue.startTime * 1000), Math.round(cue.endTime * 1000), shown.textContent, voices];
  });
}"""
Shown = list[tuple[int, int, str, tuple[str, ...]]]


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    browser: Browser
    with open_browser() as browser:
        found = browser.new_page()
        found.set_content("<p>captions")
        yield found


def by_browser(page: Page, data: bytes) -> Shown:
    """The cues that the browser makes of a file, in order of time, text without marks of direction, and voices."""
    found = page.evaluate(CUES_OF, base64.b64encode(data).decode())
    # Chromium keeps line breaks within a voice's name, which the specification takes for spaces.
    voices = [tuple(filter(None, (re.sub("[\t\n\f ]+", " ", name) for name in names))) for *_, names in found]
    return sorted(
        (a, b, undirected(text), names) for (a, b, text, _), names in zip(found, voices, strict=True)
    )


def by_us(data: bytes) -> Shown:
    captions = read_captions(data, ".vtt").captions
    return sorted((c.start, c.end, "\n".join(c.lines), c.voices) for c in captions)


GOOD = """WEBVTT

00:01.000 --> 00:03.000
Good morning.

00:04.000 --> 00:06.000
Let us begin.
"""
# What stands in a file instead of what, the faults that it makes, and how many cues are shown.
# Kinds of whishper 81, pysubs2 PR 47, and what else browsers and the specification do not take.
SHAPES = [
    ("", "", [], 2),
    ("WEBVTT", "\ufeffWEBVTT", [], 2),
    ("WEBVTT", "WEBVTT - a title", [], 2),
    ("WEBVTT", "WEBVTT\nKind: captions\nLanguage: en", [], 2),
    ("\n", "\r\n", [], 2),
    ("\n", "\r", [], 2),
    ("WEBVTT\n\n", "", ["1 header"], 0),
    ("WEBVTT", "WEBVTTfoo", ["1 header"], 0),
    ("WEBVTT", "WEBVT", ["1 header"], 0),
    ("WEBVTT", "webvtt", ["1 header"], 0),
    ("WEBVTT", " WEBVTT", ["1 header"], 0),
    ("WEBVTT", "\n\nWEBVTT", ["1 header"], 0),
    ("WEBVTT", "\ufeff\ufeffWEBVTT", ["1 header"], 0),
    (GOOD, "<!doctype html>\n<html>\n<!-- gone -->\n</html>", ["1 header"], 0),
    (GOOD, '{"error":\n\n"no"}', ["1 header"], 0),
    (GOOD, "", ["1 header"], 0),
    (GOOD, "1\n00:00:01,000 --> 00:00:02,000\nHi.\n", ["1 header", "2 time-format"], 0),
    ("WEBVTT\n\n", "WEBVTT\n", ["2 header"], 2),
    ("WEBVTT\n\n", "WEBVTT\n1\n", ["3 header"], 2),
    ("WEBVTT\n\n", "WEBVTT\nSTYLE\n::cue {}\n\n", ["2 header", "3 header"], 2),
    ("01.000", "01,000", ["3 time-format"], 1),
    ("00:01.000", "0:00:01.000", ["3 time-format"], 2),
    ("00:01.000", "0:01.000", ["3 time-format"], 1),
    ("00:01.000", "00:1.000", ["3 time-format"], 1),
    ("01.000", "01", ["3 time-format"], 1),
    ("01.000", "01.00", ["3 time-format"], 1),
    ("01.000", "01.0000", ["3 time-format"], 1),
    ("00:01.000", "-00:01.000", ["3 time-format"], 1),
    ("00:03.000", "00:60:03.000", ["3 time-format"], 1),
    ("00:03.000", "00:00:60.000", ["3 time-format"], 1),
    ("00:03.000", "60:03.000", ["3 time-format"], 1),
    ("00:03.000", "100:00:03.000", [], 2),
    ("00:01.000", "soon", ["3 time-format"], 1),
    ("01.000 --> 00", "01.000-->00", ["3 time-format"], 2),
    ("01.000 -->", "01.000 ->", ["3 time-format"], 1),
    ("00:01", " 00:01", ["3 time-format"], 2),
    ("03.000", "03.000 align:start line:-1 position:10%,line-left size:50%", [], 2),
    ("03.000", "03.000align:start", ["3 time-format"], 2),
    ("03.000", "03.000 align:middle", ["3 cue-setting"], 2),
    ("03.000", "03.000 align: start", ["3 cue-setting", "3 cue-setting"], 2),
    ("03.000", "03.000 size:150% line:up color:red", ["3 cue-setting"] * 3, 2),
    ("03.000", "03.000 region:up", ["3 cue-setting"], 2),
    ("03.000", "03.000 X1:10 X2:20", ["3 cue-setting"] * 2, 2),
    ("\n\n00:04", "\n00:04", ["5 blank-line"], 2),
    ("\n\n00:04", "\n \n00:04", ["5 blank-line", "6 blank-line"], 2),
    ("morning.", "morning,\n\neveryone.", ["6 lost-text"], 2),
    ("morning.", "morning --> and\nevening.", ["4 arrow"], 2),
    ("Good morning.", "<v Ann>Good <b.loud>morning</b>.", [], 2),
    ("Good morning.", "<v>Good morning.", ["4 markup"], 2),
    ("Good morning.", "<v Ann\nLee>Good\n<x>morning</x>.", ["6 markup"] * 2, 2),
    ("Good morning.", "Good\n<i>morning.", ["5 markup"], 2),
    ("Good morning.", "Good morning.</i>", ["4 markup"], 2),
    ("Good morning.", "Q&A at 1 < 2", ["4 markup"] * 2, 2),
    ("Good morning.", "Q&amp;A at 1 &lt; 2 &#8212; 3&nbsp;> 2", [], 2),
    ("Good morning.", "Good &mourning; &amp morning", ["4 markup"] * 2, 2),
    ("Good morning.", "I <3 it, <00:02.000>you", ["4 markup"], 2),
    ("Good morning.", "<c>karaoke</c> <00:02.000><c>words</c>", [], 2),
    ("Good morning.", "<ruby>漢<rt>kan</ruby> <lang ja>字</lang>", [], 2),
    ("Good morning.", "<v Ann><lang de>Guten\nMorgen.</lang>", [], 2),
    ("Good morning.", "<lang de>Guten Morgen.", ["4 markup"], 2),
    ("Good morning.", "<lang>Guten</lang> <lang German>Morgen.</lang>", ["4 markup"] * 2, 2),
    ("Good morning.\n", "", [], 2),
    ("\n\n00:04", "\n\nNOTE see\nthis\n\n00:04", [], 2),
    ("WEBVTT\n", "WEBVTT\n\nSTYLE\n::cue { color: red }\n\nREGION\nid:up\n", [], 2),
    ("\n\n00:04", "\n\nSTYLE\n::cue { color: red }\n\n00:04", ["6 late-block"], 2),
    ("\n\n00:04", "\n\nREGION\nid:up\n\n00:04", ["6 late-block"], 2),
    ("\n\n00:04", "\n\nNOTE\n00:04", ["7 comment"], 2),
    ("\n\n00:04", "\n\nnote to self\n\n00:04", ["6 lost-text"], 2),
    ("\n\n00:04", "\n\n2\nnote to self\n00:04", ["6 lost-text"], 2),
]


def shaped(old: str, new: str) -> str:
    return GOOD.replace(old, new, -1 if old == "\n" else 1) if old else GOOD


@pytest.mark.parametrize(("old", "new", "expected", "shown"), SHAPES)
def test_each_fault_has_its_line(old: str, new: str, expected: list[str], shown: int) -> None:
    found = read(shaped(old, new))
    assert [f"{fault.line} {fault.rule}" for fault in found.faults] == expected
    assert len(found.captions) == shown


def test_a_browser_shows_what_lint_counts(page: Page) -> None:
    for old, new, _, count in SHAPES:
        text = shaped(old, new)
        assert (text, by_us(text.encode())) == (text, by_browser(page, text.encode()))
        assert len(by_us(text.encode())) == count


@pytest.mark.parametrize(
    ("data", "expected", "shown"),
    [
        (GOOD.encode("utf-16"), "line 1: encoding: UTF-16", 2),
        (GOOD.encode("utf-16-be"), "line 1: encoding: UTF-16", 0),
        (GOOD.replace("Good", "Schöne").encode("latin-1"), "line 4: encoding: not UTF-8", 2),
    ],
)
def test_other_encodings(page: Page, tmp_path: Path, data: bytes, expected: str, shown: int) -> None:
    path = tmp_path / "a.vtt"
    path.write_bytes(data)
    count, (fault,) = lint_file(path, VTT)
    assert str(fault).startswith(expected)
    assert (count, by_us(data)) == (shown, by_browser(page, data))


PIECES = [
    *(
        "WEBVTT",
        "\n",
        "\n\n",
        "\r\n",
        "\r",
        " ",
        "\t",
        "\0",
        "\f",
        "\ufeff",
        "é字\u00a0\u2028",
        "{\\an8}",
        ">",
    ),
    *("00:01.000 --> 00:02.000", "00:03.000 --> 00:01.000", "0:00:01.000-->1:00:03.000 line:0%", "-->"),
    *("00:01,000 --> 00:02,000", "00:01.00 --> 00:02.000", "75:01.000 --> 76:02.000", "a --> b", "hello"),
    *("NOTE", "STYLE", "REGION", "::cue{}", "id:a", "1", "<3", "a < b", "&", "&amp;", "&amp", "&notit;"),
    *(
        "<v Ann>",
        "<v>",
        "</v>",
        "<v.loud\tAnn\nLee>",
        "<v A&amp;B>",
        "<v\u00a0Bob>",
        "<i>",
        "</i>",
        "<b.x y>",
    ),
    *(
        "</b>",
        "<foo>",
        "<>",
        "</>",
        "<ruby>",
        "<rt>",
        "</rt>",
        "</ruby>",
        "<lang en>",
        "<00:01.000>",
        "&#128;",
    ),
]
files = st.tuples(
    st.sampled_from(["WEBVTT\n\n", "WEBVTT\n", "WEBVTT\n\n00:01.000 --> 00:02.000\n", ""]),
    st.lists(st.sampled_from(PIECES), max_size=25).map("".join),
    st.sampled_from([b"", b"", b"\xe4", b"\xe5\xad"]),
).map(lambda parts: (parts[0] + parts[1]).encode() + parts[2])
in_browser = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@given(data=files)
@in_browser
def test_a_browser_shows_what_lint_counts_in_any_file(page: Page, data: bytes) -> None:
    assert by_us(data) == by_browser(page, data)


@given(transcript=transcripts(), profile=st.sampled_from(list(PROFILES.values())))
@settings(in_browser, max_examples=60)
def test_a_browser_shows_all_that_we_write(page: Page, transcript: Transcript, profile: Profile) -> None:
    data = vtt.render(transcript, profile).encode()
    assert read_captions(data, ".vtt").faults == ()
    assert by_us(data) == by_browser(page, data)


def test_lines_that_are_joined_run_no_words_together() -> None:
    # podlove/webvtt-parser PR 5: an importer joins the lines of a cue with nothing between.
    transcript = talk(
        said("I need the design. Okay, I thought, you know, I heard a beat. This is Diane in New Jersey.")
    )
    joined = ["".join(caption.lines) for caption in read(vtt.render(transcript, SINGLE_LINE)).captions]
    assert " ".join(joined) == transcript.segments[0].text.strip()
