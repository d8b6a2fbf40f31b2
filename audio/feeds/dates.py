"""Dates as feeds write them. One that can't be read for sure is none: never a wrong one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

MAX_DATE_CHARS = 100
EARLIEST_YEAR = 1860  # of the first sound recordings
MAX_OFFSET = 14 * 60  # minutes from UTC that a clock on Earth may be
_MONTH_NAMES = (
    "jan january|feb february|mar march|apr april|may|jun june|jul july|aug august|sep sept september|oct october"
    "|nov november|dec december"
)
_MONTHS = {name: number for number, names in enumerate(_MONTH_NAMES.split("|"), 1) for name in names.split()}
_DAY_NAMES = "mon monday tue tues tuesday wed weds wednesday thu thur thurs thursday fri friday sat saturday sun sunday"
_DAYS = frozenset(_DAY_NAMES.split())
# Hours from UTC. Where a name means different times to different people, RFC 822 decides, or else what most mean.
# With one that isn't here, a date can't be read.
_ZONE_HOURS = (
    "est=-5 edt=-4 cst=-6 cdt=-5 mst=-7 mdt=-6 pst=-8 pdt=-7 akst=-9 akdt=-8 hst=-10 ast=-4 adt=-3 nst=-3.5"
    " ndt=-2.5 brt=-3 art=-3 west=1 bst=1 cet=1 cest=2 met=1 mest=2 mez=1 mesz=2 eet=2 eest=3 sast=2 msk=3 ist=5.5"
    " pkt=5 ict=7 wib=7 pht=8 hkt=8 sgt=8 awst=8 jst=9 kst=9 acst=9.5 acdt=10.5 aest=10 aedt=11 nzst=12 nzdt=13"
    " gmt=0 utc=0 ut=0 z=0 wet=0 idt=3 brst=-2 clt=-4 clst=-3 cot=-5 pet=-5 vet=-4 uyt=-3 trt=3 myt=8 wita=8 wit=9"
    " wat=1 eat=3 cat=2 hdt=-9 sst=-11 chst=10 gst=4 npt=5.75 mmt=6.5 uzt=5 get=4 amt=4 azt=4"
)
_ZONES = {name: float(hours) for name, hours in (zone.split("=") for zone in _ZONE_HOURS.split())}
_OFFSET = re.compile(r"(?:gmt|utc?|z)?([+-])(\d\d?):?(\d\d)?", re.IGNORECASE)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?(am|pm)?", re.IGNORECASE)
_NUMERIC = re.compile(r"(\d{1,4})([/.-])(\d{1,2})\2(\d{1,4})")
_ISO = re.compile(r"(\d{4}-?\d{2}-?\d{2})[Tt_](\d{2}:?\d{2}.*)")
_GLUED = re.compile(r"(?<=:\d\d)([.,]\d{1,9})?(?=[A-Za-z+-])")  # 10:00:00GMT
_WEEKDAY = re.compile(r"([^\W\d_]{2,12})\.?,\s*")  # in any language
_EPOCH = re.compile(r"(\d{9,10})(\d{3})?(?:\.\d+)?")
_COMPACT = re.compile(
    r"((?:19|20)\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])([0-5]\d)([0-5]\d)?"
)
_HAS_MONTH = re.compile(rf"\b(?:{_MONTH_NAMES.replace(' ', '|')})\b", re.IGNORECASE)
_ZONE_BESIDE = re.compile(r"\(([A-Za-z]{2,5})\)")  # 10:00 (EST)
_FIRST_EPOCH, _LAST_EPOCH = 946_684_800, 4_102_444_800  # 2000 and 2100
_ZERO_DAYS = 2 * 86_400.0  # around 1970: what programs write that know no date, in any zone


def parse_date(written: str | None) -> datetime | None:
    """The moment that is meant, with the offset it was written with; UTC where none is.

    Midnight for a date without a time. None for what is no date, or may be two (04/05/2024), and for the very
    beginning of 1970, which is what programs write that know none.

    >>> str(parse_date("Thu, 25 Apr 2024 24:12:03 GMT")), str(parse_date("Sat May 16 2020 9:00 GMT-0400 (EDT)"))
    ('2024-04-26 00:12:03+00:00', '2020-05-16 09:00:00-04:00')
    >>> [parse_date(text) for text in ("04/05/2024", "yesterday", "Wed, 27 May 2020 34:50:00 -0400")]
    [None, None, None]
    """
    text = " ".join((written or "").split())[:MAX_DATE_CHARS]
    try:
        when = _epoch(text) or _parts(text)
        return when if when is not None and abs(when.timestamp()) > _ZERO_DAYS else None
    except (ValueError, OverflowError, OSError):
        return None


def _epoch(text: str) -> datetime | None:
    """Seconds or milliseconds since 1970; or all figures of a date and a time in a row."""
    if compact := _COMPACT.fullmatch(text):
        year, month, day, hour, minute, second = (int(part or 0) for part in compact.groups())
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    found = _EPOCH.fullmatch(text)
    seconds = int(found[1]) if found else 0
    return datetime.fromtimestamp(seconds, UTC) if _FIRST_EPOCH <= seconds < _LAST_EPOCH else None


def _parts(text: str) -> datetime | None:
    """A date of words and numbers; None where a part of it is not understood."""
    weekday = _WEEKDAY.match(text)
    if weekday and (weekday[1].lower() not in _MONTHS or _HAS_MONTH.search(text, weekday.end())):
        text = text[weekday.end() :]  # Mar is Tuesday in some languages
    iso = _ISO.fullmatch(text)
    text = f"{_dashed(iso[1])} {_with_colons(iso[2])}" if iso else text
    words = re.sub(r"\([^()]*\)", " ", _GLUED.sub(r"\1 ", text)).replace(",", " ").split()
    offset, rest = _offset(words)
    beside = _ZONE_BESIDE.search(text)
    if len(rest) == len(words) and beside and beside[1].lower() in _ZONES:
        offset, rest = _offset([*words, beside[1]])
    words = rest
    clock, words = _clock(words)
    if offset is None or clock is None:
        return None
    day = _day(words)
    if day is None:
        return None
    return day.replace(tzinfo=timezone(offset) if offset else UTC) + clock


def _dashed(date: str) -> str:
    return date if "-" in date else f"{date[:4]}-{date[4:6]}-{date[6:]}"


def _with_colons(clock: str) -> str:
    """The time of an ISO date as others write it: 10:00:00 +02:00."""
    return re.sub(r"^(\d{2})(\d{2})(\d{2})?(?!\d)", lambda part: ":".join(filter(None, part.groups())), clock)


def _offset(words: Sequence[str]) -> tuple[timedelta | None, list[str]]:
    """The offset from UTC, and the words without it; None where there is one that can't be."""
    rest, found, names = list[str](), list[timedelta](), list[timedelta]()
    for number, word in enumerate(words):
        before_it = any(_CLOCK.match(one) for one in words[:number])
        numeric = _OFFSET.fullmatch(word)
        if numeric and before_it:
            hours, minutes = int(numeric[2]), int(numeric[3] or 0)
            total = (hours * 60 + minutes) * (-1 if numeric[1] == "-" else 1)
            if abs(total) > MAX_OFFSET or minutes > 59:
                return None, rest
            found.append(timedelta(minutes=total))
        elif before_it and re.fullmatch(r"[A-Za-z]{1,5}", word) and word.lower() not in _WORDS:
            if word.lower() not in _ZONES:
                return None, rest
            names.append(timedelta(hours=_ZONES[word.lower()]))
        else:
            rest.append(word)
    if len(set(found)) > 1 or (not found and len(set(names)) > 1):
        return None, rest
    return (found or names or [timedelta()])[0], rest  # a number goes before a name beside it


def _clock(words: Sequence[str]) -> tuple[timedelta | None, list[str]]:
    """The time of day, and the words without it; midnight where none is told, None where it can't be."""
    rest, found = list[str](), list[re.Match[str]]()
    half = next((word.lower() for word in words if re.fullmatch(r"[ap]\.?m\.?", word, re.IGNORECASE)), "")
    for word in words:
        match = _CLOCK.fullmatch(word)
        if match:
            found.append(match)
        elif word.lower() != half:
            rest.append(word)
    if not found:
        return (None if half else timedelta()), rest
    hours, minutes, seconds = int(found[0][1]), int(found[0][2]), int(found[0][3] or 0)
    half = (half or found[0][4] or "").lower().replace(".", "")
    if half:
        if not 1 <= hours <= 12:
            return None, rest
        hours = hours % 12 + (12 if half == "pm" else 0)
    # 24 is the first hour of the next day to some programs, and 60 the last second to a clock with a leap second.
    if len(found) > 1 or hours > 24 or minutes > 59 or seconds > 60:
        return None, rest
    return timedelta(hours=hours, minutes=minutes, seconds=min(seconds, 59)), rest


def _day(words: Sequence[str]) -> datetime | None:
    """Midnight of a day such as 2 January 2024, Jan 2 2024, 2024-01-02 or 2024/1/2."""
    words = [word.lower().rstrip(".") for word in words]
    words = [word for word in words if word not in _DAYS | {"at"}]
    if any(word.startswith(("-", "+")) for word in words):
        return None  # a year before our time, as some programs write for no date
    if len(words) == 1 and (numeric := _NUMERIC.fullmatch(words[0])):
        return _numeric_day(numeric[1], numeric[2], numeric[3], numeric[4])
    words = [part for word in words for part in word.split("-") if part]
    months = [_MONTHS[word] for word in words if word in _MONTHS]
    numbers = [re.sub(r"^(\d{1,2})(st|nd|rd|th)$", r"\1", word) for word in words if word not in _MONTHS]
    if len(months) != 1 or len(numbers) != 2 or not all(re.fullmatch(r"\d{1,4}", part) for part in numbers):
        return None
    day, year = sorted(numbers, key=len) if len(numbers[0]) > 2 else numbers
    return datetime(_year(year), months[0], int(day))


def _numeric_day(first: str, sign: str, middle: str, last: str) -> datetime | None:
    if len(first) == 4:
        return datetime(_year(first), int(middle), int(last))
    if len(last) != 4:
        return None
    day, month = int(first), int(middle)
    if sign in "/-":  # 03/20/2024 is American, 20/03/2024 is not, and 03/04/2024 may be either
        if day <= 12 and month <= 12 and day != month:
            return None
        day, month = (month, day) if month > 12 else (day, month)
    return datetime(_year(last), month, day)


def _year(written: str) -> int:
    """The year, of two digits too: 49 is 2049, 50 is 1950 (RFC 5322)."""
    if len(written) == 2:
        return int(written) + (2000 if int(written) < 50 else 1900)
    if len(written) != 4 or int(written) < EARLIEST_YEAR:
        raise ValueError(written)
    return int(written)


_WORDS = frozenset(_MONTHS) | _DAYS | {"am", "pm"}
