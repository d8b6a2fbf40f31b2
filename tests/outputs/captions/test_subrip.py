"""SubRip by whomever: all text is kept, and each fault is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.record.errors import InputError
from outputs.captions.caption import Fault
from outputs.captions.encoding import read_captions
from outputs.captions.lint import lint_file
from outputs.captions.profiles import PODCAST
from outputs.captions.subrip import read

GOOD = """1
00:00:01,000 --> 00:00:03,000
Good morning.

2
00:00:04,000 --> 00:00:06,000
Let us begin then.
"""
BOTH = [("Good morning.",), ("Let us begin then.",)]


def faults(text: str) -> list[str]:
    return [f"{fault.line} {fault.rule}" for fault in read(text).faults]


def lines(text: str) -> list[tuple[str, ...]]:
    return [caption.lines for caption in read(text).captions]


def test_good_files_have_no_faults() -> None:
    for text in (GOOD, GOOD.rstrip("\n"), GOOD.replace("\n", "\r\n"), "\ufeff" + GOOD, "", GOOD + "\n\n"):
        assert (faults(text), lines(text)) == ([], BOTH if text else [])


# The kinds are those of cdown/srt 55, Subtitle Edit 2147 and what their readers met beside them.
@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("01,000 -->", "01,000 ->", ["2 time-format"]),
        ("01,000 -->", "01,000 -- >", ["2 time-format"]),
        ("01,000 -->", "01,000 –>", ["2 time-format"]),
        ("01,000 -->", "01,000 →", ["2 time-format"]),
        ("01,000", "01.000", ["2 time-format"]),
        ("01,000", "01", ["2 time-format"]),
        ("01,000", "01,00", ["2 time-format"]),
        ("01,000", "01:000", ["2 time-format"]),
        ("01,000", "1,000", ["2 time-format"]),
        ("00:00:01,000", "0:00:01,000", ["2 time-format"]),
        ("00:00:01,000", "00:01,000", ["2 time-format"]),
        ("00:00:01,000", "00: 00: 01, 000", ["2 time-format"]),
        ("00:00:01,000", "-00:00:01,000", ["2 time-format"]),
        ("00:00:04,000 --> 00:00:06,000", "100:00:04,000 --> 100:00:06,000", ["6 time-format"]),
        ("03,000", "03,000 X1:100 X2:200 Y1:10 Y2:20", ["2 after-times"]),
        ("03,000", "03,000 ", ["2 spaces"]),
        ("1\n", "1 \n", ["1 spaces"]),
        ("morning.", "morning. \t", ["3 spaces"]),
        ("\n\n", "\n \n", ["4 spaces"]),
        ("1\n", "", ["1 number"]),
        ("2\n", "", ["5 number"]),
        ("2\n", "1\n", ["5 number"]),
        ("2\n", "7\n", ["5 number"]),
        ("1\n", "9\n", ["5 number"]),
        ("2\n", "two\n", ["5 number"]),
        ("\n\n", "\n", ["4 blank-line"]),
        ("\n\n2\n", "\n", ["4 number", "4 blank-line"]),
        ("1\n", "1\nnote to self\n", ["2 lost-text"]),
        ("1\n", "1\n\n", ["3 number", "1 lost-text"]),
        ("1\n", "A film\n\n1\n", ["1 lost-text"]),
        ("000\n", "000\n\n", ["3 blank-line", "8 blank-line"]),
        ("\n\n", "\r\n\r", ["4 line-ends"]),
        ("\n", "\r", ["1 line-ends"]),
        ("\n", "\r\r\n", ["1 line-ends"]),
    ],
)
def test_each_fault_has_its_line_and_hides_no_text(old: str, new: str, expected: list[str]) -> None:
    text = GOOD.replace(old, new) if old in ("\n", "000\n") else GOOD.replace(old, new, 1)
    assert sorted(faults(text)) == sorted(expected)
    assert lines(text) == BOTH


def test_all_numbers_missing() -> None:
    text = "".join(line for line in GOOD.splitlines(keepends=True) if not line.strip().isdigit())
    assert (faults(text), lines(text)) == (["1 number", "4 number"], BOTH)


def test_a_blank_line_within_a_cue_hides_nothing() -> None:
    text = GOOD.replace("Good morning.", "Good morning,\n\neveryone\n \nwho is here.")
    assert faults(text) == ["4 blank-line", "6 blank-line", "6 spaces"]
    assert lines(text) == [("Good morning,", "everyone", "who is here."), BOTH[1]]


def test_one_cue_whose_times_say_nothing_hides_no_other() -> None:
    text = GOOD.replace("00:00:01,000", "soon")
    assert lines(text) == BOTH[1:]
    assert [str(fault) for fault in read(text).faults] == [
        "line 2: time-format: can't read the times in 'soon --> 00:00:03,000'"
    ]


def test_times_are_what_was_meant() -> None:
    text = GOOD.replace("00:00:01,000", "-0:00:01").replace("00:00:06,000", "100:61:06.5")
    assert [(c.start, c.end) for c in read(text).captions] == [
        (-1000, 3000),
        (4000, (100 * 60 + 61) * 60_000 + 6500),
    ]


def test_text_that_looks_like_times_or_numbers_is_text() -> None:
    text = GOOD.replace("Good morning.", "10:30 - 11:00\n5\n00:00:01,000 → 00:00:02,000\n9:00 -> 17:00")
    assert faults(text) == []
    assert lines(text)[0] == ("10:30 - 11:00", "5", "00:00:01,000 → 00:00:02,000", "9:00 -> 17:00")


def test_markup_is_no_text() -> None:
    marked = '{\\an8}<font color="#ff0000">Good</font> <I>morning.</i>'
    text = GOOD.replace("Good morning.", marked).replace("then", "<then> {yes}")
    assert (faults(text), lines(text)) == ([], [("Good morning.",), ("Let us begin <then> {yes}.",)])


@pytest.mark.parametrize(
    ("data", "expected", "first"),
    [
        (GOOD.replace("Good", "Schöne").encode("cp1252"), "line 3: encoding: not UTF-8", "Schöne morning."),
        (GOOD.replace("Good", "“Good”").encode("cp1252"), "line 3: encoding: not UTF-8", "“Good” morning."),
        (
            GOOD.replace("Good", "你好").encode() + b"We know \xff.\n",
            "line 8: encoding: not UTF-8",
            "你好 morning.",
        ),
        (GOOD.encode("utf-16"), "line 1: encoding: UTF-16", "Good morning."),
        (GOOD.encode("utf-16-be"), "line 1: encoding: UTF-16", "Good morning."),
        (GOOD.encode("utf-16-le"), "line 1: encoding: UTF-16", "Good morning."),
    ],
)
def test_other_encodings_are_told_and_read(tmp_path: Path, data: bytes, expected: str, first: str) -> None:
    path = tmp_path / "a.srt"
    path.write_bytes(data)
    count, (fault,) = lint_file(path, PODCAST)
    assert (count, read_captions(data, ".srt").captions[0].lines) == (2, (first,))
    assert str(fault).startswith(expected)


def test_a_file_of_another_format_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a.srt"
    path.write_text("WEBVTT\n\n00:01.000 --> 00:03.000\nGood morning.\n")
    assert [str(fault) for fault in lint_file(path, PODCAST)[1]] == [
        "line 1: suffix: WebVTT in a file called .srt: players go by the name"
    ]


PIECES = [
    *GOOD.splitlines(keepends=True),
    "\n",
    "\n\n",
    "\r",
    "text\n",
    "a --> b\n",
    "-->\n",
    "-> \n",
    "3\n",
    "x",
]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_no_text_goes_without_a_word(text: str) -> None:
    try:
        found = read(text)
    except InputError:
        return
    count = len(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    assert all(1 <= fault.line <= count for fault in found.faults)
    shown = "\n".join(line for caption in found.captions for line in caption.lines)
    lost = any(fault.rule in ("lost-text", "number") or "can't read" in fault.what for fault in found.faults)
    for words in ("Good morning.", "Let us begin then.", "text"):
        assert shown.count(words) == text.count(words) or lost


def test_faults_print_their_line() -> None:
    assert str(Fault(3, "number", "7 after 7")) == "line 3: number: 7 after 7"
