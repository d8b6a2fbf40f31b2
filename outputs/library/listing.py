"""Lists of a library's shows and episodes, out of its index: no record is read for them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outputs.library.folders import library_episodes
from outputs.library.index import About, NoIndexError, reading
from outputs.text.tokens import tokens

# What is sorted by, and whether what has most of it comes first.
SORTS = {"date": ("minute", True), "title": ("titled", False), "doubt": ("doubt", True)}
Position = tuple[str | int, str]


@dataclass(frozen=True, slots=True)
class ListedShow:
    """A show: its folder, its title as in its newest episode, how many episodes it has and their seconds."""

    place: str
    title: str
    episodes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Listed:
    """An episode in a list. `folder` is relative to the library."""

    folder: str
    show: str
    title: str
    published: str
    about: About


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which episodes to list: `place` is the folder of a show, `title` and `speaker` are beginnings of words."""

    place: str = ""
    title: str = ""
    speaker: str = ""
    doubtful: bool = False


def list_shows(library: Path) -> list[ListedShow]:
    """All shows by title."""
    statement = "SELECT place, show, max(minute), count(*), sum(seconds) FROM episodes GROUP BY place"
    rows = _rows(library, statement)
    shows = (ListedShow(place, title or place, count, seconds) for place, title, _, count, seconds in rows)
    return sorted(shows, key=lambda show: (tokens(show.title), show.place))


def list_episodes(
    library: Path, wanted: Wanted, sort: str = "date", limit: int = 50, after: Position | None = None
) -> tuple[list[Listed], Position | None]:
    """Episodes in order of `sort`, one of SORTS, and from where the rest begins; None where that is all.

    after: what came of it the last time.
    """
    column, falling = SORTS[sort]
    conditions, values = _conditions(wanted)
    if after is not None:
        conditions.append(f"({column} {'<' if falling else '>'} ? OR ({column} = ? AND folder > ?))")
        values += [after[0], *after]
    statement = (
        f"SELECT {column}, folder, show, title, published, about FROM episodes "
        f"WHERE {' AND '.join(conditions) or 'TRUE'} "
        f"ORDER BY {column} {'DESC' if falling else 'ASC'}, folder LIMIT ?"
    )
    rows = _rows(library, statement, (*values, limit + 1))
    listed = [
        Listed(folder, show, title, published, _about(text))
        for _, folder, show, title, published, text in rows
    ]
    more = len(rows) > limit
    return listed[:limit], (rows[limit - 1][0], rows[limit - 1][1]) if more else None


def unread(library: Path) -> int:
    """How many episodes of a library its index does not know yet, as its last look tells; all before the first."""
    missing = _rows(library, "SELECT episodes FROM missing")
    return missing[0][0] if missing and missing[0][0] is not None else len(library_episodes(library))


def _rows(library: Path, statement: str, values: Sequence[Any] = ()) -> list[Any]:
    """What the index answers; nothing where there is none yet."""
    try:
        with reading(library) as index:
            return index.execute(statement, values).fetchall()
    except NoIndexError:
        return []


def _conditions(wanted: Wanted) -> tuple[list[str], list[Any]]:
    conditions, values = list[str](), list[Any]()
    if wanted.place:
        conditions.append("place = ?")
        values.append(wanted.place)
    for column, text in (("titled", wanted.title), ("named", wanted.speaker)):
        for token in tokens(text):
            conditions.append(f"{column} LIKE ?")  # tokens hold no sign that means something to LIKE
            values.append(f"% {token}%")
    if wanted.doubtful:
        conditions.append("doubt > 0")
    return conditions, values


def _about(text: str) -> About:
    about = json.loads(text)
    for name in ("languages", "speakers", "doubts"):
        about[name] = tuple(about[name])
    return About(**about)
