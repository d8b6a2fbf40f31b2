"""Chapters in audio files: ID3 tags of every make, and the other containers by ffmpeg."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.media import id3
from audio.media.chapters import chapters
from models.record.errors import InputError
from models.record.transcript import MAX_CHAPTERS, Chapter

Write = Callable[..., Path]
UNSET = 0xFFFFFFFF
META = """;FFMETADATA1
[CHAPTER]
TIMEBASE=1/1000
START=0
END=1500
title=Intro \\= \\; \\\\ on two\\
lines
[CHAPTER]
TIMEBASE=1/1000
START=1500
END=3000
title=[CHAPTER]\\
START\\=7
[CHAPTER]
TIMEBASE=1/1000
START=3000
END=4000
title=Ende ü
"""
NAMED = ["-metadata", "CHAPTER000=00:00:00.000", "-metadata", "CHAPTER000NAME=Intro \\"]
NAMED += ["-metadata", "CHAPTER001=00:00:01.500", "-metadata", "CHAPTER001NAME=Ende ü"]
SINE = ["-f", "lavfi", "-i", "sine=d=4"]


def safe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def frame(name: str, body: bytes, version: int = 4, flags: int = 0, plain_size: bool = False) -> bytes:
    size = safe(len(body)) if version == 4 and not plain_size else len(body).to_bytes(4, "big")
    return name.encode() + size + bytes((0, flags)) + body


def text(name: str, value: str, encoding: int = 3, version: int = 4) -> bytes:
    coded = value.encode(("latin-1", "utf-16", "utf-16-be", "utf-8")[encoding])
    return frame(name, bytes((encoding,)) + coded, version)


def chap(name: str, start: int, end: int, *inner: bytes, version: int = 4, **more: bool) -> bytes:
    times = b"".join(number.to_bytes(4, "big") for number in (start, end, UNSET, UNSET))
    return frame("CHAP", name.encode() + b"\0" + times + b"".join(inner), version, **more)


def ctoc(name: str, *children: str, top: bool = True, version: int = 4) -> bytes:
    listed = b"".join(child.encode() + b"\0" for child in children)
    return frame("CTOC", name.encode() + b"\0" + bytes((top << 1 | 1, len(children))) + listed, version)


def tag(*frames: bytes, version: int = 4, flags: int = 0) -> bytes:
    body = b"".join(frames) + bytes(10)
    return b"ID3" + bytes((version, 0, flags)) + safe(len(body)) + body


@pytest.fixture
def tagged(tmp_path: Path) -> Callable[[bytes], tuple[Chapter, ...]]:
    """The chapters of a file that begins with these bytes."""

    def read(data: bytes) -> tuple[Chapter, ...]:
        path = tmp_path / "tagged.mp3"
        path.write_bytes(data + b"\xff\xfb\x90\x64" + bytes(500))
        return id3.chapters(path)

    return read


Tagged = Callable[[bytes], tuple[Chapter, ...]]


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("encoding", [0, 1, 3])
def test_titles_and_links_of_tags(tagged: Tagged, version: int, encoding: int) -> None:
    wide = "utf-16" if encoding == 1 else "latin-1"
    about = bytes((encoding,)) + "chapter url".encode(wide) + (b"\0\0" if encoding == 1 else b"\0")
    link = frame("WXXX", about + b"https://a.example/", version)
    picture = frame("APIC", b"\0image/png\0\0\0" + bytes(300), version)
    title = text("TIT2", "Müsli", encoding, version)
    found = tagged(tag(chap("c0", 1000, 2000, picture, title, link, version=version), version=version))
    assert found == (Chapter(1.0, "Müsli", 2.0, "https://a.example/"),)


def test_they_are_in_order_of_time_and_listed_by_the_outermost_table(tagged: Tagged) -> None:
    frames = [chap(f"c{n}", at, at, text("TIT2", f"T{n}")) for n, at in enumerate((9000, 0, 4000, 5000))]
    tables = [ctoc("part", "c3", top=False), ctoc("toc", "c0", "part", "c1", "gone")]
    found = tagged(tag(*frames, *tables))
    assert [(one.start, one.title, one.listed) for one in found] == [
        (0.0, "T1", True),
        (4.0, "T2", False),
        (5.0, "T3", True),
        (9.0, "T0", True),
    ]
    assert {one.end for one in found} == {None}  # as they begin and end at once


@pytest.mark.parametrize("tables", [(), (ctoc("toc", "x", "y"),), (ctoc("a", "b"), ctoc("b", "a"))])
def test_without_a_table_that_leads_to_any_all_are_listed(tagged: Tagged, tables: tuple[bytes, ...]) -> None:
    assert [one.listed for one in tagged(tag(chap("c0", 0, 1, text("TIT2", "A")), *tables))] == [True]


def test_tags_that_keep_to_no_standard(tagged: Tagged) -> None:
    """iTunes writes sizes into version 4 as into version 3; others write several tags, or a second title."""
    long = "a" * 300
    inner = frame("TIT2", b"\3" + long.encode(), plain_size=True)
    other = chap("c1", 5000, UNSET, text("TIT2", "B\0C"), text("TIT2", "D"))
    first = tag(chap("c0", 0, 5000, inner, plain_size=True), other)
    assert tagged(first + tag(chap("c0", 7, 9), chap("c2", 9000, 1, text("TIT2", "E")))) == (
        Chapter(0.0, long, 5.0),
        Chapter(5.0, "B"),
        Chapter(9.0, "E"),
    )


def test_packed_grouped_and_secret_frames(tagged: Tagged) -> None:
    body = b"\3Packed"
    packed = frame("TIT2", b"\7" + bytes(4) + zlib.compress(body), flags=0x49)
    old = frame("TIT2", len(body).to_bytes(4, "big") + b"\7" + zlib.compress(body), 3, flags=0xA0)
    assert [one.title for one in tagged(tag(chap("c", 0, 1, packed)))] == ["Packed"]
    assert [one.title for one in tagged(tag(chap("c", 0, 1, old, version=3), version=3))] == ["Packed"]
    assert [one.title for one in tagged(tag(chap("c", 0, 1, frame("TIT2", b"x", flags=0x04))))] == [""]


def test_bytes_that_were_doubled_for_old_players(tagged: Tagged) -> None:
    plain = chap("c0", 255, 0xFF00, text("TIT2", "A", version=3), version=3)
    assert tagged(tag(plain.replace(b"\xff", b"\xff\0"), version=3, flags=0x80)) == (
        Chapter(0.255, "A", 65.28),
    )


@pytest.mark.parametrize("doubled", [True, False])
@pytest.mark.parametrize("flags", [0, 2])
def test_bytes_that_were_doubled_in_frames_as_the_tag_says(tagged: Tagged, doubled: bool, flags: int) -> None:
    body = chap("c0", 255, 0xFF00, text("TIT2", "Müsli", 1))[10:]
    if doubled or flags:
        body = body.replace(b"\xff", b"\xff\0")
    found = tagged(tag(frame("CHAP", body, flags=flags), flags=0x80))
    assert found == (Chapter(0.255, "Müsli", 65.28),)


def test_chapters_of_one_name_are_as_many_and_listed_with_it(tagged: Tagged) -> None:
    frames = [chap("", at, at + 9, text("TIT2", f"T{at}")) for at in (0, 9, 18)]
    found = tagged(tag(*frames, chap("x", 27, 36, text("TIT2", "X")), ctoc("toc", "")))
    assert [(one.title, one.listed) for one in found] == [
        ("T0", True),
        ("T9", True),
        ("T18", True),
        ("X", False),
    ]


def packed(name: str, body: bytes) -> bytes:
    return frame(name, len(body).to_bytes(4, "big") + zlib.compress(body, 9), 3, flags=0x80)


def test_packed_chapters_in_which_more_is_packed_end(tagged: Tagged) -> None:
    links = b"".join(packed(f"W{number:03}", bytes(262_000)) for number in range(20))
    bomb = packed("CHAP", b"c\0" + bytes(16) + links)
    title = text("TIT2", "A", version=3)
    found = tagged(tag(chap("a", 0, 9, title, version=3), *[bomb] * 4900, version=3))
    assert found[0].title == "A"


def test_titles_do_not_fill_the_memory(tagged: Tagged) -> None:
    title = packed("TIT2", b"\3" + "\U0001f600".encode() * 65_000)
    found = tagged(
        tag(*(chap(f"c{at}", at, at + 1, title, version=3) for at in range(MAX_CHAPTERS)), version=3)
    )
    assert sum(len(one.title) for one in found) < 1_000_000


@given(st.binary(max_size=200), st.integers(0, 200), st.sampled_from([3, 4]))
@settings(max_examples=100, deadline=None)
def test_whatever_a_tag_holds_is_read_or_passed_over(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int, version: int
) -> None:
    whole = tag(chap("c0", 0, 9, text("TIT2", "A")), ctoc("t", "c0"), version=version)
    path = tmp_path_factory.getbasetemp() / "noise.mp3"
    path.write_bytes(whole[:at] + noise + whole[at + len(noise) :])
    assert all(one.start >= 0 for one in id3.chapters(path))


@pytest.mark.parametrize("name", ["a.mp3", "a.m4a", "a.mka", "a.aiff"])
def test_what_ffmpeg_writes_is_read_back(make_media: Write, tmp_path: Path, name: str) -> None:
    (tmp_path / "meta").write_text(META, encoding="utf-8")
    more = ["-write_id3v2", "1"] if name.endswith("aiff") else []
    path = make_media(name, *SINE, "-i", str(tmp_path / "meta"), "-map_metadata", "1", "-map", "0", *more)
    assert [(one.start, one.title) for one in chapters(path)] == [
        (0.0, "Intro = ; \\ on two\nlines"),
        (1.5, "[CHAPTER]\nSTART=7"),
        (3.0, "Ende ü"),
    ]


@pytest.mark.parametrize("name", ["a.flac", "a.ogg", "a.opus"])
def test_chapters_in_comments_are_read(make_media: Write, name: str) -> None:
    path = make_media(name, *SINE, *NAMED)
    assert [(one.start, one.title) for one in chapters(path)] == [(0.0, "Intro \\"), (1.5, "Ende ü")]


def test_files_without_chapters_and_what_is_no_sound(write_wav: Write, tmp_path: Path) -> None:
    assert chapters(write_wav(np.zeros(800))) == ()
    (tmp_path / "b.mp3").write_bytes(b"no sound at all" * 99)
    for gone in ("b.mp3", "c.mp3"):
        with pytest.raises(InputError):
            chapters(tmp_path / gone)
