"""The chapters that an audio file holds itself: of ID3 tags, and what ffmpeg tells of MP4, Matroska, Ogg and FLAC."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryFile

from audio.media import ffmpeg, id3
from models.record.errors import InputError
from models.record.transcript import Chapter

MAX_BYTES = 8 << 20  # of what ffmpeg tells
FEWEST = 2  # with a title: fewer divide nothing
_SECTION = re.compile(r"^\[([A-Z]+)\]$")
_LINE = re.compile(r"(?:[^\\\n]|\\.)+", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_PAIR = re.compile(r"((?:[^\\=]|\\.)*)=(.*)", re.DOTALL)


def chapters(path: str | os.PathLike[str]) -> tuple[Chapter, ...]:
    """The chapters of a file on its own time line, in order of time; () where it has none. InputError: no media.

    Pictures in the file are not told, for they have no address.
    """
    file = ffmpeg.check_file(path)
    with file.open("rb") as opened:
        tagged = opened.read(3) == b"ID3"
    found = id3.chapters(file) if tagged else ()
    return found if _titled(found) >= FEWEST else max(found, _by_ffmpeg(file), key=_titled)


def _titled(found: Sequence[Chapter]) -> int:
    return sum(bool(chapter.title) for chapter in found)


def _by_ffmpeg(file: Path) -> tuple[Chapter, ...]:
    found = ffmpeg.streams(file)
    begin = found.begin if found.stamped else 0.0
    output = ("-map_metadata:g", "-1", "-map_chapters", "0", "-f", "ffmetadata", "pipe:1")
    command = ffmpeg.command(file, "-v", "error", "-copyts", *output)
    with TemporaryFile() as written:  # there may be more than the memory takes
        try:
            subprocess.run(
                command,
                stdout=written,
                stderr=subprocess.DEVNULL,
                timeout=ffmpeg.PROBE_TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise InputError(f"{file}: reading its chapters took over {ffmpeg.PROBE_TIMEOUT} s") from None
        written.seek(0)
        told = written.read(MAX_BYTES).decode("utf-8", errors="replace")
    read = (_chapter(pairs, begin) for pairs in _sections(told, "CHAPTER"))
    return tuple(sorted(filter(None, read), key=lambda chapter: chapter.start))


def _chapter(pairs: Mapping[str, str], begin: float) -> Chapter | None:
    try:
        unit = Fraction(pairs["TIMEBASE"])
        start, end = (float(int(pairs[name]) * unit) - begin for name in ("START", "END"))
    except (LookupError, ValueError, ArithmeticError):
        return None
    return Chapter(max(0.0, start), pairs.get("title", ""), end if end > start else None)


def _sections(text: str, wanted: str) -> Iterator[dict[str, str]]:
    """The sections with a name in ffmpeg's metadata format (https://ffmpeg.org/ffmpeg-formats.html#Metadata)."""
    pairs: dict[str, str] | None = None
    for line in _LINE.findall(text):
        if heading := _SECTION.match(line):
            if pairs is not None:
                yield pairs
            pairs = {} if heading[1] == wanted else None
        elif pairs is not None and (pair := _PAIR.fullmatch(line)):
            pairs.setdefault(*(_ESCAPED.sub(r"\1", part) for part in pair.groups()))
    if pairs is not None:
        yield pairs
