"""Times as the formats print them.

A time is rounded once, here, to whole milliseconds; everything after that is integer arithmetic.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from models.record.errors import InputError


def milliseconds(seconds: float) -> int:
    """Whole milliseconds nearest to a time in seconds.

    >>> milliseconds(1.2345678)
    1235
    """
    return round(seconds * 1000)


def whole_ms(seconds: float) -> float:
    """A time in seconds, rounded to whole milliseconds.

    >>> whole_ms(0.1 + 0.2)
    0.3
    """
    return milliseconds(seconds) / 1000


def utc(seconds: float) -> str:
    """A moment, in seconds since 1970, as ISO 8601 in UTC.

    >>> utc(1767247200.25)
    '2026-01-01T06:00:00Z'
    """
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")


def srt_time(seconds: float) -> str:
    """The time stamp of SubRip: hours, minutes, seconds, and a comma before the milliseconds.

    >>> srt_time(3661.0256)
    '01:01:01,026'
    """
    return _stamp(seconds, ",")


def vtt_time(seconds: float) -> str:
    """The time stamp of WebVTT, always with hours.

    >>> vtt_time(59.9996)
    '00:01:00.000'
    """
    return _stamp(seconds, ".")


def clock(seconds: float) -> str:
    """The time as show notes print it: mm:ss, and h:mm:ss from one hour on.

    The second is the one that is running, never the next one, so that a player which seeks to it
    misses nothing.

    >>> clock(75.9)
    '01:15'
    >>> clock(3675)
    '1:01:15'
    """
    minutes, second = divmod(max(0, milliseconds(seconds)) // 1000, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute:02}:{second:02}"


def duration(seconds: float) -> str:
    """How long something takes, in the two largest units, as a sentence has it.

    >>> duration(23.4), duration(231), duration(240), duration(3900), duration(7200)
    ('23 s', '3 min 51 s', '4 min', '1 h 5 min', '2 h')
    """
    whole = round(seconds)
    if whole >= 3600:
        parts = ((whole // 3600, "h"), (whole % 3600 // 60, "min"))
    else:
        parts = ((whole // 60, "min"), (whole % 60, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"


def parse_time(text: str) -> float:
    """The seconds that a person writes as 83.5, 1:23.5 or 1:02:03; InputError for anything else.

    >>> parse_time("83.5"), parse_time("1:23.5"), parse_time("1:02:03")
    (83.5, 83.5, 3723.0)
    """
    if not re.fullmatch(r"(\d{1,6}:){0,2}\d{1,6}(\.\d{1,6})?", text.strip()):
        raise InputError(f"{text!r} is no time: write it as 83.5, 1:23 or 1:02:03")
    seconds = 0.0
    for part in text.strip().split(":"):
        seconds = seconds * 60 + float(part)
    return seconds


def fragment_seconds(seconds: float) -> str:
    """The time as media fragments name it: seconds, no digit more than it takes, never below 0.

    >>> fragment_seconds(75.2), fragment_seconds(3600), fragment_seconds(-0.1)
    ('75.2', '3600', '0')
    """
    return f"{max(0, milliseconds(seconds)) / 1000:.3f}".rstrip("0").rstrip(".")


def _stamp(seconds: float, point: str) -> str:
    rest, ms = divmod(max(0, milliseconds(seconds)), 1000)
    minutes, second = divmod(rest, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours:02}:{minute:02}:{second:02}{point}{ms:03}"
