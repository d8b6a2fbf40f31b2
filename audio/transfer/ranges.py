"""Where the bytes of a response belong in its file, and of how many it is the whole (RFC 9110, 14.4 and 15.3.7).

A server may send less than was asked for, all of it although a range was asked for, or another version of the file.
What it says of the total decides when a file is complete.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

_RANGE = re.compile(r"\s*bytes[ =:]\s*(?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18}|\*)\s*", re.IGNORECASE)

Place = Literal["start", "continuation", "complete", "useless"]


@dataclass(frozen=True, slots=True)
class ContentRange:
    """Bytes from `start` to before `end` of a file of `total` bytes, None: not said; no bytes with a 416."""

    start: int
    end: int
    total: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """What has arrived of a file: its first `size` bytes, and what its server said of the whole.

    `total` is how many there are to be, None: not said.
    """

    size: int = 0
    etag: str = ""
    last_modified: str = ""
    total: int | None = None

    @property
    def validator(self) -> str:
        """What vouches for every byte, fit for If-Range, or ""."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified

    def headers(self) -> dict[str, str]:
        """What asks for the rest, if the file is still the same."""
        condition = {"If-Range": self.validator} if self.validator else {}
        return {"Range": f"bytes={self.size}-", **condition}


def content_range(written: str) -> ContentRange | None:
    """A Content-Range header, or None for nonsense.

    >>> content_range("bytes 0-499/1234")
    ContentRange(start=0, end=500, total=1234)
    >>> content_range("bytes */1234")
    ContentRange(start=0, end=0, total=1234)
    >>> content_range("bytes 500-400/1234")
    """
    match = _RANGE.fullmatch(written)
    if match is None:
        return None
    start, end = (int(match[1]), int(match[2]) + 1) if match[1] else (0, 0)
    total = None if match[3] == "*" else int(match[3])
    sound = (end > start or not match[1]) and (total is None or end <= total)
    return ContentRange(start, end, total) if sound else None


def place_of(status: int, headers: Mapping[str, str], part: Part) -> Place:
    """Where a response belongs that was asked for with `part` in hand (or none of it).

    "start": at the beginning of the file. "continuation": right after the part. "complete": nowhere, the part is all
    there is. "useless": neither, or it is of another version of the file than the part.
    """
    told = content_range(headers.get("Content-Range", ""))
    if status not in (206, 416):
        length = headers.get("Content-Length", "")
        # No more than we have, although there is more: one that cuts, or another version to be asked for by itself.
        short = part.size and length.isdecimal() and int(length) <= part.size < (part.total or 0)
        return "useless" if short else "start"
    if status == 416:
        return (
            "complete"
            if part.size and _ends_there(told, part) and _same_version(headers, part)
            else "useless"
        )
    if told is None or headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
        return "useless"
    if told.start == 0:
        # One that brings no more than the last one did would be asked for without end.
        return "start" if told.end > part.size else "useless"
    same = _same_version(headers, part) and _agree(told.total, part.total)
    return "continuation" if told.start == part.size and same else "useless"


def _ends_there(told: ContentRange | None, part: Part) -> bool:
    """Whether a refused range tells that the file ends where the part does."""
    totals = {total for total in (told.total if told else None, part.total) if total is not None}
    return totals == {part.size}


def _same_version(headers: Mapping[str, str], part: Part) -> bool:
    """Whether nothing that was said then and now tells two versions; what was not said can't."""
    now = headers.get("ETag", ""), headers.get("Last-Modified", "")
    if now[0] and part.etag:
        return now[0].removeprefix("W/") == part.etag.removeprefix("W/")
    return _agree(now[1] or None, part.last_modified or None)


def _agree(one: object, other: object) -> bool:
    return one is None or other is None or one == other
