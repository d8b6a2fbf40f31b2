"""Chapters in a file of their own, as podcast:chapters links to them: JSON Chapters 1.2, and what hosts make of it.

https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/examples/chapters/jsonChapters.md
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from audio.feeds.text import parse_time, single_line
from audio.transfer.addresses import absolute
from models.record.errors import InputError
from models.record.transcript import MAX_CHAPTERS, Chapter

# The format's own names, and Podlove's for the same.
_START, _END = ("startTime", "start"), ("endTime", "end")
_URL, _IMAGE = ("url", "href"), ("img", "image")
_FALSE = ("false", "no", "0")


def read_chapters(data: bytes, url: str) -> tuple[Chapter, ...]:
    """The chapters in a file that lies at `url`, as they are told. InputError where it is no such file.

    Numbers may be strings or times such as 1:02:03. What has no time is left out, but for the first one: programs
    that omit what is 0 omit that. Chapters without a title only show a picture or a link.
    """
    try:
        told = json.loads(data.decode(json.detect_encoding(data), errors="replace"))
    except (ValueError, RecursionError):
        raise InputError("no JSON, so no chapters") from None
    entries = told.get("chapters") if isinstance(told, dict) else told
    if not isinstance(entries, list):
        raise InputError("JSON without a list of chapters")
    return tuple(_chapters(entries[:MAX_CHAPTERS], url))


def _chapters(entries: list[Any], url: str) -> Iterator[Chapter]:
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict):
            continue
        start = _seconds(_first(entry, _START))
        if start is None and number == 0 and _first(entry, _START) is None:
            start = 0.0
        if start is not None:
            title = single_line(_text(entry.get("title")))
            yield Chapter(
                start,
                title,
                _seconds(_first(entry, _END)),
                absolute(url, _text(_first(entry, _URL))),
                absolute(url, _text(_first(entry, _IMAGE))),
                listed=bool(title) and _is_listed(entry.get("toc", True)),
            )


def _first(entry: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((entry[name] for name in names if entry.get(name) is not None), None)


def _text(value: Any) -> str:
    """What is text or a number, as text; "" for all else."""
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _is_listed(toc: Any) -> bool:
    return toc if isinstance(toc, bool) else _text(toc).strip().lower() not in _FALSE


def _seconds(value: Any) -> float | None:
    if isinstance(value, str):
        return parse_time(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        seconds = float(value)
    except OverflowError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
