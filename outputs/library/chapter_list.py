"""A person's list of chapters: what each edit makes of it, and how it lies over an episode.

A chapter is known by when it begins, in whole milliseconds, and by its title.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from itertools import islice, pairwise
from typing import Any

from models.record.errors import InputError
from models.record.transcript import BY_USER, MAX_CHAPTERS, Chapter, Chapters
from outputs.text.addresses import web_address
from outputs.text.characters import one_line
from outputs.text.times import clock, milliseconds, whole_ms

MAX_TITLE = 500  # characters
MAX_ADDRESS = 2000
MAX_BY = 200  # characters of the name of a language model
SLACK = 15.0  # s by which audio may differ from that for which chapters were made; an ad is longer
MAX_SECONDS = 1_000_000.0  # eleven days: what nobody records


def laid_over(chapters: Iterable[Chapter], seconds: float) -> Chapters:
    """What is shown of a person's chapters in an episode of `seconds`; 0 where its length isn't known."""
    end = _end(seconds)
    shown = (one for one in chapters if one.start < end)
    return Chapters(
        BY_USER, tuple(replace(one, end=None) if one.end and one.end >= end else one for one in shown)
    )


def beyond(chapters: Iterable[Chapter], seconds: float) -> tuple[Chapter, ...]:
    """Those that begin when an episode of `seconds` is over."""
    return tuple(one for one in chapters if one.start >= _end(seconds))


def is_other(made_for: float, seconds: float) -> bool:
    """Whether audio of `seconds` is other than that for which chapters were made, by its length; 0: not known."""
    return bool(made_for and seconds) and abs(seconds - made_for) > SLACK


def in_order(chapters: Iterable[Chapter]) -> tuple[Chapter, ...]:
    """Chapters by time, on whole milliseconds; one that lasts to the next, or longer, does so wherever that is moved.

    >>> [(one.title, one.end) for one in in_order([Chapter(60, "Rain", 90), Chapter(0, "Roses", 60)])]
    [('Roses', None), ('Rain', 90.0)]
    """
    exact = (
        replace(one, start=whole_ms(one.start), end=None if one.end is None else whole_ms(one.end))
        for one in chapters
    )
    found = sorted(exact, key=lambda one: one.start)
    after = {id(one): later.start for one, later in pairwise([one for one in found if one.listed])}
    return tuple(
        one
        if one.end is None or one.start < one.end < after.get(id(one), math.inf)
        else replace(one, end=None)
        for one in found
    )


def own(chapters: Iterable[Chapter]) -> tuple[Chapter, ...]:
    """Chapters that others told or proposed, as a person's list may have them: without what it can't hold."""
    found = dict[tuple[int, bool], Chapter]()
    for one in (one for one in chapters if is_seconds(one.start)):
        title = _known_by(one.title)
        made = replace(
            one,
            title=title,
            end=one.end if is_seconds(one.end) else None,
            url=one.url if _is_address(one.url) else "",
            image=one.image if _is_address(one.image) else "",
            by=one.by[:MAX_BY],
        )
        if title or not one.listed:
            found.setdefault((milliseconds(one.start), one.listed), made)
    return in_order(islice(found.values(), MAX_CHAPTERS))


def checked(chapters: Iterable[Chapter]) -> tuple[Chapter, ...]:
    """Chapters that a person gives, in order of time. InputError for what no list of chapters is."""
    found = in_order(replace(one, title=shown_title(one.title)) for one in chapters)
    if len(found) > MAX_CHAPTERS:
        raise InputError(f"an episode has at most {MAX_CHAPTERS} chapters, not {len(found)}")
    for one in found:
        if (not one.title and one.listed) or len(one.title) > MAX_TITLE:
            raise InputError(
                f"the title of a chapter has 1 to {MAX_TITLE} characters, {one.title[:40]!r} has not"
            )
    for before, after in pairwise(one for one in found if one.listed):
        if before.start == after.start:
            raise InputError(f"there are two chapters at {clock(after.start)}")
    return found


def index_of(chapters: Sequence[Chapter], start: float, title: str) -> int | None:
    """Where the chapter is that begins at `start`, in seconds, under this title; None where there is none."""
    wanted = milliseconds(start), _known_by(title)
    known = ((milliseconds(one.start), _known_by(one.title)) for one in chapters)
    return next((at for at, one in enumerate(known) if one == wanted), None)


def retold(was: Chapter, start: float, title: str) -> Chapter:
    """A chapter that begins at another time, or has another title, which is then a person's."""
    return replace(was, start=whole_ms(start), title=title, by=was.by if title == was.title else "")


def shown_title(title: str) -> str:
    """A title on one line.

    >>> shown_title(" Gale\\n Dewey ")
    'Gale Dewey'
    """
    return one_line(title).strip()


def encoded(chapters: Iterable[Chapter]) -> list[dict[str, Any]]:
    """Chapters as JSON has them: start, title, and what else is not as usual. Times in seconds."""
    return [
        {
            entry.name: whole_ms(value) if isinstance(value, float) else value
            for entry in fields(Chapter)
            if (value := getattr(one, entry.name)) != entry.default
        }
        for one in chapters
    ]


def decoded(told: object) -> tuple[Chapter, ...]:
    """The chapters that `encoded` told, in its order. InputError for anything else."""
    if not isinstance(told, list) or len(told) > MAX_CHAPTERS:
        raise InputError(f"chapters are a list of up to {MAX_CHAPTERS}")
    return tuple(map(_decoded, told))


def _decoded(told: object) -> Chapter:
    if not isinstance(told, Mapping) or not {"start", "title"} <= told.keys() <= _MAY_BE.keys():
        raise InputError(f"a chapter has start and title, and may have {', '.join(list(_MAY_BE)[2:])}")
    for name, value in told.items():
        if not _MAY_BE[name](value):
            raise InputError(f"a chapter can't have {str(value)[:40]!r} as its {name}")
    times = {name: float(told[name]) for name in ("start", "end") if told.get(name) is not None}
    return Chapter(**{**told, **times})


def _known_by(title: str) -> str:
    return shown_title(title)[:MAX_TITLE].rstrip()


def _end(seconds: float) -> float:
    return whole_ms(seconds) or math.inf


def is_seconds(value: object) -> bool:
    """Whether it is a time that an episode may have."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MAX_SECONDS


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_address(value: object) -> bool:
    """Whether it is one of the web, or none: others would run or read what they shouldn't when they are clicked."""
    return isinstance(value, str) and len(value) <= MAX_ADDRESS and web_address(value) == value


_MAY_BE: Mapping[str, Callable[[object], bool]] = {
    "start": is_seconds,
    "title": _is_text,
    "end": lambda value: value is None or is_seconds(value),
    "url": _is_address,
    "image": _is_address,
    "listed": lambda value: isinstance(value, bool),
    "by": lambda value: isinstance(value, str) and len(value) <= MAX_BY,
}
