"""What became of episodes, in the order in which it happened: what webhooks, notices and figures are told from.

It is written by the transaction in which it happens, so it does not matter who worked on an episode, nor whether
anybody was there to tell of it. Whoever tells has a name and remembers by it how far it has come.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, text, update

from flows.schedule import totals
from flows.schedule.rows import decoded
from flows.schedule.tables import database_time, episodes, happenings, insert_or_leave, readers
from models.record.transcript import Episode

Event = Literal["done", "failed", "held_back", "given_up"]
"""An episode is done; an attempt failed and there will be another; it waits for other settings; it is given up."""
KEEP_SECONDS = 30 * 24 * 3600.0
MANY = 1000  # that are read at once


@dataclass(frozen=True, slots=True)
class Happening:
    """What became of an episode at a moment, in seconds since 1970; `episode`, `folder` and `warnings` as they are now.

    words, speakers: of what is done, the shares of its words and of its talk that are in doubt, 0 to 1.
    """

    id: int
    event: Event
    moment: float
    error: str
    words: float
    speakers: float
    show: str
    episode: Episode
    folder: str
    warnings: str

    @property
    def place(self) -> str | None:
        """Its folder in the library, `show/episode`, where it is done."""
        done = self.event == "done" and self.folder
        return "/".join(PurePath(self.folder).parts[-2:]) if done else None


def note(
    connection: Connection,
    event: Event,
    found: Iterable[tuple[str, str]],
    *,
    words: float = 0.0,
    speakers: float = 0.0,
) -> None:
    """Note what became of episodes, given by id and error. The last that a transaction does.

    One transaction at a time comes to it, so that all are in order, and who reads misses none.
    """
    now = database_time(connection)
    rows = [
        {
            "event": event,
            "episode": episode,
            "moment": now,
            "error": error,
            "words": words,
            "speakers": speakers,
        }
        for episode, error in found
    ]
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(4712)"))
    connection.execute(insert(happenings), rows)
    connection.execute(delete(happenings).where(happenings.c.moment < now - KEEP_SECONDS))
    totals.add(connection, totals.OUTCOMES, {event: len(rows)})


def since(connection: Connection, last: int) -> list[Happening]:
    """What happened after the one with the number `last`, as many as are read at once."""
    names = ("show", "record", "folder", "warnings")
    wanted = (
        select(happenings, *(episodes.c[name] for name in names))
        .join(episodes, episodes.c.id == happenings.c.episode)
        .where(happenings.c.id > last)
        .order_by(happenings.c.id)
        .limit(MANY)
    )
    return [_happening(row) for row in connection.execute(wanted).mappings()]


def latest(connection: Connection) -> int:
    """The number of what happened last, 0 where nothing has."""
    return int(connection.execute(select(func.coalesce(func.max(happenings.c.id), 0))).scalar_one())


def moment_after(connection: Connection, last: int) -> float | None:
    """When the first happened after the one with the number `last`, in seconds since 1970; None where none has."""
    wanted = select(happenings.c.moment).where(happenings.c.id > last).order_by(happenings.c.id).limit(1)
    return connection.execute(wanted).scalar()


def reader_of(connection: Connection, name: str) -> RowMapping | None:
    """How far a reader has come: its `last`, `attempts` and `next_try_at`; None of a new one."""
    return connection.execute(select(readers).where(readers.c.name == name)).mappings().one_or_none()


def has_news(connection: Connection, reader: str) -> bool:
    """Whether something happened that a reader has not come to, or it is a new one."""
    known = reader_of(connection, reader)
    return known is None or latest(connection) > known["last"]


def read_to(connection: Connection, reader: str, begin: int | None = None) -> RowMapping:
    """How far a reader has come, held until the transaction ends.

    begin: after which number a new one begins; without it, with what happens from now on.
    """
    insert_or_leave(connection, readers, name=reader, last=latest(connection) if begin is None else begin)
    held = select(readers).where(readers.c.name == reader).with_for_update()
    return connection.execute(held).mappings().one()


def move(connection: Connection, reader: str, last: int) -> None:
    """Remember how far a reader has come, and that nothing is in its way; not where it has come as far already."""
    moved = update(readers).where(readers.c.name == reader, readers.c.last < last)
    connection.execute(moved.values(last=last, attempts=0, next_try_at=0.0))


def _happening(row: RowMapping) -> Happening:
    names = ("id", "event", "moment", "error", "words", "speakers", "show", "folder", "warnings")
    return Happening(episode=decoded(row["record"]), **{name: row[name] for name in names})
