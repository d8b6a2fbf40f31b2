"""Lines of times that people and programs write, whatever their format asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

ARROW = "-->"
SRT_POINT, VTT_POINT = ",", "."

_STAMP = r"([-−+]?)(?:([0-9]{1,9})[ \t]?:[ \t]?)?([0-9]{1,9})[ \t]?:[ \t]?([0-9]{1,9})(?:[ \t]?([.,:;])[ \t]?([0-9]*))?"
_SEPARATOR = r"(-->|[-–—−=~→⇒>]+(?:[ \t]+[-–—>]+)*)"
_TIMING = re.compile(rf"\s*({_STAMP})[ \t]*{_SEPARATOR}[ \t]*({_STAMP})(.*)")
_STRICT = {
    SRT_POINT: re.compile(r"[0-9]{2}:[0-5][0-9]:[0-5][0-9],[0-9]{3}"),
    VTT_POINT: re.compile(r"(?:[0-9]{2,}:)?[0-5][0-9]:[0-5][0-9]\.[0-9]{3}"),
}
_POINT_NAMES = {",": "a comma", ".": "a point", ":": "a colon", ";": "a semicolon"}
_CLEARLY_TIMES = 2  # times with hours and milliseconds need no arrow head to be told from text


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time as it is written, and what it is most likely meant to be, in ms."""

    text: str
    sign: str
    hours: str
    minutes: str
    seconds: str
    point: str
    fraction: str

    @property
    def ms(self) -> int:
        """The time; below 0 where it says so."""
        minutes = int(self.hours or "0") * 60 + int(self.minutes)
        ms = (minutes * 60 + int(self.seconds)) * 1000 + int(self.fraction[:3].ljust(3, "0"))
        return -ms if self.sign in ("-", "−") and self.sign else ms

    def faults(self, point: str) -> Iterator[str]:
        """Why the format with this decimal mark doesn't take it; nothing if it does."""
        if _STRICT[point].fullmatch(self.text):
            return
        if self.sign:
            yield "a sign before the time" if self.sign == "+" else "a time below 0"
        yield from self._faulty_hours(point)
        for name, part in (("minutes", self.minutes), ("seconds", self.seconds)):
            if len(part) != 2:
                yield f"{name} of {_digits(part)}"
            elif int(part) > 59:
                yield f"{name} over 59"
        yield from self._faulty_fraction(point)
        if re.search(r"\s", self.text):
            yield "spaces inside a time"

    def _faulty_hours(self, point: str) -> Iterator[str]:
        if not self.hours and point == SRT_POINT:
            yield "no hours"
        elif len(self.hours) == 1:
            yield "hours of one digit"
        elif len(self.hours) > 2 and point == SRT_POINT:
            yield "hours over 99" if int(self.hours) > 99 else f"hours of {_digits(self.hours)}"

    def _faulty_fraction(self, point: str) -> Iterator[str]:
        if not self.fraction:
            yield "no milliseconds"
            return
        if self.point != point:
            yield f"{_POINT_NAMES[self.point]} instead of {_POINT_NAMES[point]}"
        if len(self.fraction) != 3:
            yield f"milliseconds of {_digits(self.fraction)}"


@dataclass(frozen=True, slots=True)
class Timing:
    """A line of times: start, what stands between, end, and what follows."""

    start: Stamp
    separator: str
    end: Stamp
    rest: str

    @property
    def plain(self) -> bool:
        """Whether it has the arrow that both formats know."""
        return self.separator == ARROW

    def faults(self, point: str) -> list[str]:
        """Why the format with this decimal mark doesn't take its times and its arrow."""
        found = [*self.start.faults(point), *self.end.faults(point)]
        if not self.plain:
            found.append(f"{self.separator!r} instead of '{ARROW}'")
        return list(dict.fromkeys(found))


def timing(line: str) -> Timing | None:
    """What a line says if it is one of times, in whatever spelling; else None.

    >>> found = timing("0:00:01.5 -> 0:00:03")
    >>> found and (found.start.ms, found.end.ms, found.separator)
    (1500, 3000, '->')
    >>> timing("9:00 - 17:00") is None
    True
    """
    match = _TIMING.match(line)
    if not match:
        return None
    groups = [group or "" for group in match.groups()]
    found = Timing(Stamp(*groups[:7]), groups[7], Stamp(*groups[8:15]), groups[15])
    return found if found.plain or _is_meant(found) else None


def _is_meant(found: Timing) -> bool:
    """Whether a line with another arrow is one of times rather than text such as opening hours."""
    precise = [bool(stamp.hours) + bool(stamp.fraction) for stamp in (found.start, found.end)]
    least = 1 if re.search("[>→⇒]", found.separator) else _CLEARLY_TIMES
    return min(precise) >= least and not found.rest.strip()


def told(faults: Sequence[str], line: str) -> str:
    """Faults of a line of times in one message, with the line.

    >>> told(["no hours", "a point instead of a comma"], "01.5 --> 02.5 ")
    "no hours, a point instead of a comma in '01.5 --> 02.5'"
    """
    return f"{', '.join(faults)} in {line.strip()!r}"


def _digits(part: str) -> str:
    return f"{len(part)} digit{'s' * (len(part) != 1)}"
