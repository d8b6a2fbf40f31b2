"""Files of chapters: the format as it is specified, and as programs write it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from audio.feeds.json_chapters import read_chapters
from models.record.errors import InputError
from models.record.transcript import MAX_CHAPTERS, Chapter

URL = "https://a.example/show/1.json"


def read(*chapters: Any) -> list[Chapter]:
    told = {"version": "1.2.0", "chapters": list(chapters)}
    return list(read_chapters(json.dumps(told).encode(), URL))


def test_all_that_the_format_has_is_read() -> None:
    found = read(
        {"startTime": 0, "title": "Intro", "endTime": 61.5},
        {"startTime": 61.5, "title": "A &amp; B", "img": "b.jpg", "url": "https://b.example/?x=1"},
        {"startTime": 70, "img": "/c.jpg", "toc": False, "location": {"name": "Paris", "geo": "geo:1,2"}},
    )
    assert found == [
        Chapter(0.0, "Intro", 61.5),
        Chapter(61.5, "A & B", None, "https://b.example/?x=1", "https://a.example/show/b.jpg"),
        Chapter(70.0, "", None, "", "https://a.example/c.jpg", listed=False),
    ]


@pytest.mark.parametrize(
    ("written", "start"),
    [("90", 90.0), ("1:30", 90.0), ("00:01:30.500", 90.5), (90, 90.0), (90.25, 90.25), (" 90 ", 90.0)],
)
def test_times_are_read_as_programs_write_them(written: Any, start: float) -> None:
    assert read({"startTime": written, "title": "A"}) == [Chapter(start, "A")]


@pytest.mark.parametrize("start", [-1, True, "soon", [], {}, float("nan"), float("inf"), 10**400, "-5", None])
def test_what_has_no_time_is_left_out(start: Any) -> None:
    assert read({"startTime": 5, "title": "A"}, {"startTime": start, "title": "B"}) == [Chapter(5.0, "A")]


def test_the_first_may_leave_out_that_it_begins_at_zero() -> None:
    assert read({"title": "A"}, {"title": "B"}, {"startTime": 9, "title": "C"}) == [
        Chapter(0.0, "A"),
        Chapter(9.0, "C"),
    ]


@pytest.mark.parametrize("toc", [False, "false", 0, "no"])
def test_those_in_no_table_of_contents_are_not_listed(toc: Any) -> None:
    assert read({"startTime": 1, "title": "A", "toc": toc}) == [Chapter(1.0, "A", listed=False)]


@pytest.mark.parametrize(("told", "title"), [(True, ""), (None, ""), ([], ""), (1984, "1984")])
def test_what_is_no_text_is_no_title(told: Any, title: str) -> None:
    assert [one.title for one in read({"startTime": 0, "title": told})] == [title]


def test_addresses_are_of_the_web() -> None:
    found = read(
        {"startTime": 1, "title": "A", "url": "javascript:alert(1)", "img": "data:image/png;base64,x"}
    )
    assert found == [Chapter(1.0, "A")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_are_told_apart(encoding: str) -> None:
    text = '{"version": "1.2.0", "chapters": [{"startTime": 0, "title": "Begrüßung\\u0000"}]}'
    assert read_chapters(text.encode(encoding), URL) == (Chapter(0.0, "Begrüßung"),)


def test_the_list_of_podlove_is_read() -> None:
    told = [{"start": "00:00:00.000", "title": "Intro", "href": "https://b.example", "image": ""}]
    assert read_chapters(json.dumps(told).encode(), URL) == (Chapter(0.0, "Intro", url="https://b.example"),)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html></html>",
        b"{}",
        b'{"chapters": 3}',
        b"[" * 100_000,
        b"3",
        b'{"chapters": null}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_file_of_chapters_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="chapters"):
        read_chapters(data, URL)


def test_odd_entries_are_passed_over_and_there_is_an_end() -> None:
    assert read(None, "x", 3, [], {"startTime": 1, "title": {"a": 1}}) == [Chapter(1.0, "", listed=False)]
    assert len(read(*({"startTime": n, "title": "A"} for n in range(MAX_CHAPTERS + 9)))) == MAX_CHAPTERS
