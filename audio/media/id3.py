"""Chapters in ID3 tags, as MP3 files have them, with the links and the table of contents that ffmpeg doesn't tell.

https://id3.org/id3v2-chapters-1.0, for tags of version 2.3 and 2.4 (https://id3.org/id3v2.4.0-structure).
"""

from __future__ import annotations

import os
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from models.record.transcript import MAX_CHAPTERS, Chapter

HEADER = 10  # bytes, of a tag and of a frame
MAX_BYTES = 64 << 20  # of all tags of a file: pictures of chapters are in them
MAX_TAGS = 16  # of a file
MAX_FRAMES = 5000  # of a tag ...
MAX_INNER = 20  # ... and of a chapter, which has a title, a link and a picture
MAX_PACKED = 8 << 20  # bytes of a file's compressed frames, once they are unpacked, ...
MAX_UNPACKED = 1 << 18  # ... and of one of them
MAX_TEXT = 8192  # bytes of a title or link
UNTOLD = 0xFFFFFFFF  # ms; a time that isn't known
_FRAME_ID = re.compile(rb"[A-Z][A-Z0-9]{3}")
_UNDOUBLED = re.compile(
    rb"\xff[\xe0-\xff]"
)  # what looks like sound to old players: some only say that there is none
_ENCODINGS = ("latin-1", "utf-16", "utf-16-be", "utf-8")


@dataclass(frozen=True, slots=True)
class _Contents:
    """A table of contents: what it has, which may be further tables, and whether it is the outermost."""

    children: tuple[bytes, ...]
    top: bool


def syncsafe(data: bytes) -> int:
    """A number of which each byte has seven bits.

    >>> syncsafe(b"\\x00\\x00\\x02\\x01")
    257
    """
    number = 0
    for byte in data:
        number = number << 7 | byte & 0x7F
    return number


def chapters(path: str | os.PathLike[str]) -> tuple[Chapter, ...]:
    """The chapters in the tags at the beginning of a file, in order of time; none where there are none.

    Of several tables of contents the outermost counts; chapters that it doesn't lead to are not `listed`. Of tags
    that have a chapter of one name the first counts; in one tag such are as many chapters.
    """
    found, tables = dict[tuple[bytes, int], Chapter](), dict[bytes, _Contents]()
    unpacking = _Unpacking()
    for tag in islice(_tags(path), MAX_TAGS):
        met = Counter[bytes]()
        for frame in islice(_frames(tag.frames, tag.version), MAX_FRAMES):
            if frame.name == b"CHAP" and len(found) < MAX_CHAPTERS:
                element, _, rest = unpacking.content(frame, tag.doubled).partition(b"\0")
                if chapter := _chapter(rest, tag.version, unpacking):
                    found.setdefault((element, met[element]), chapter)
                    met[element] += 1
            elif frame.name == b"CTOC" and len(tables) < MAX_CHAPTERS:
                element, _, rest = unpacking.content(frame, tag.doubled).partition(b"\0")
                if len(rest) >= 2:
                    children = tuple(rest[2:].split(b"\0", rest[1])[: rest[1]])
                    tables.setdefault(element, _Contents(children, bool(rest[0] & 2)))
    elements = {element for element, _ in found}
    listed = _listed(tables) & elements or elements
    told = (replace(chapter, listed=element in listed) for (element, _), chapter in found.items())
    return tuple(sorted(told, key=lambda chapter: chapter.start))


def _listed(tables: Mapping[bytes, _Contents]) -> set[bytes]:
    """What a table leads to, over any others."""
    tops = [element for element, table in tables.items() if table.top] or list(tables)
    seen, waiting = set[bytes](), tops
    while waiting:
        element = waiting.pop()
        if element not in seen:
            seen.add(element)
            waiting += tables[element].children if element in tables else ()
    return seen


def _chapter(body: bytes, version: int, unpacking: _Unpacking) -> Chapter | None:
    """A chapter by what follows its name: two times in ms, two offsets in bytes, and frames of its own."""
    if len(body) < 16:
        return None
    start, end = (int.from_bytes(body[at : at + 4], "big") for at in (0, 4))
    if start == UNTOLD:
        return None
    inner = dict[bytes, bytes]()
    for frame in islice(_frames(body[16:], version), MAX_INNER):
        if (frame.name == b"TIT2" or frame.name.startswith(b"W")) and frame.name not in inner:
            inner[frame.name] = unpacking.content(frame)[:MAX_TEXT]
    title = _text(inner.get(b"TIT2", b""))
    close = end / 1000 if start < end < UNTOLD else None
    return Chapter(start / 1000, title, close, _link(inner))


def _link(frames: Mapping[bytes, bytes]) -> str:
    """The page that a chapter links to: what its users wrote (WXXX), or any other frame with an address."""
    if own := frames.get(b"WXXX", b""):
        wide = own[0] in (1, 2)
        rest = own[1:]
        end = next((at for at in range(0, len(rest), 2) if rest[at : at + 2] == b"\0\0"), len(rest))
        address = rest[end + 2 :] if wide else rest.partition(b"\0")[2]
    else:
        address = next((data for name, data in frames.items() if name.startswith(b"W")), b"")
    return address.split(b"\0")[0].decode("latin-1")


def _text(data: bytes) -> str:
    """The first value of a text frame."""
    if not data or data[0] >= len(_ENCODINGS):
        return ""
    return data[1:].decode(_ENCODINGS[data[0]], errors="replace").split("\0")[0]


@dataclass(frozen=True, slots=True)
class _Tag:
    """A tag's version and frames, and whether in the content of all of them bytes were doubled for old players."""

    version: int
    frames: bytes
    doubled: bool


def _tags(path: str | os.PathLike[str]) -> Iterator[_Tag]:
    """The tags with which a file begins."""
    left = MAX_BYTES
    with Path(path).open("rb") as file:
        while len(head := file.read(HEADER)) == HEADER and head[:3] == b"ID3" and left > 0:
            version, flags, size = head[3], head[5], syncsafe(head[6:])
            data = file.read(min(size, left))
            file.seek(size - len(data), os.SEEK_CUR)
            left -= size
            if version not in (3, 4):
                continue
            doubled = bool(flags & 0x80)
            if doubled and version == 3:
                data = _synchronised(data)
            if flags & 0x40:
                told = data[:4]
                data = data[syncsafe(told) if version == 4 else 4 + int.from_bytes(told, "big") :]
            yield _Tag(version, data, doubled and version == 4)


def _synchronised(data: bytes) -> bytes:
    return data.replace(b"\xff\0", b"\xff")


@dataclass(frozen=True, slots=True)
class _Frame:
    """A frame as it is written: `packed` is that it is compressed, `doubled` as in a `_Tag`."""

    name: bytes
    body: bytes
    packed: bool
    doubled: bool


def _frames(data: bytes, version: int) -> Iterator[_Frame]:
    """The frames, as far as they can be read; those that are encrypted are passed over."""
    at = 0
    while _FRAME_ID.fullmatch(data[at : at + 4]) and at + HEADER <= len(data):
        size, flags = _size(data, at, version), data[at + 9]
        body = data[at + HEADER : at + HEADER + size]
        packed, secret, grouped = (0x80, 0x40, 0x20) if version == 3 else (0x08, 0x04, 0x40)
        sized = flags & packed if version == 3 else flags & 0x01
        if not flags & secret:
            body = body[(4 if sized else 0) + (1 if flags & grouped else 0) :]
            doubled = version == 4 and bool(flags & 0x02)
            yield _Frame(data[at : at + 4], body, bool(flags & packed), doubled)
        at += HEADER + size


class _Unpacking:
    """Unpacks a file's frames as long as they are not made to fill the memory, or to take forever."""

    def __init__(self) -> None:
        self._left = MAX_PACKED

    def content(self, frame: _Frame, doubled: bool = False) -> bytes:
        """What a frame holds, once it is unpacked, b"" for what is damaged; `doubled`: as its tag says."""
        doubled = frame.doubled or (doubled and not _UNDOUBLED.search(frame.body))
        body = _synchronised(frame.body) if doubled else frame.body
        if not frame.packed:
            return body
        most = min(MAX_UNPACKED, self._left)
        try:
            unpacked = zlib.decompressobj().decompress(body, most) if most else b""
        except zlib.error:
            unpacked = b""
            self._left -= most
        self._left -= len(unpacked)
        return unpacked


def _size(data: bytes, at: int, version: int) -> int:
    """How long a frame is. Some programs write sizes into 2.4 as into 2.3: where only these lead on, they count."""
    told = data[at + 4 : at + 8]
    plain, safe = int.from_bytes(told, "big"), syncsafe(told)
    if version == 3 or plain == safe or any(byte & 0x80 for byte in told):
        return plain

    def leads_on(size: int) -> bool:
        end = at + HEADER + size
        following = data[end : end + 4]
        return (
            end == len(data)
            or following == bytes(len(following)) != b""
            or bool(_FRAME_ID.fullmatch(following))
        )

    return plain if leads_on(plain) and not leads_on(safe) else safe
