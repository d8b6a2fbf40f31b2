"""The queue as people see and change it: what they added, in which order, how far each is, what is to stop."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, and_, case, func, insert, or_, select, update

from flows.schedule.plan import ListedEpisode, Place, in_line, published_at
from flows.schedule.rows import ACTIVE, changed, encoded, held_by, listed, listed_where
from flows.schedule.store import FRESH, Store
from flows.schedule.tables import database_time, episodes, insert_or_leave, progress
from models.record import identity
from models.record.errors import InputError
from models.record.transcript import Episode

LIVE = ("waiting", *ACTIVE)
WAITING = ("waiting", "queued")  # those that have a place
ENDED = ("done", "failed", "cancelled")
SKIPPED = "skipped"
OWNER = "owner"  # of the machine: who uses its command line, or has the token of an app that runs on it
WORDS = 300  # characters of what was heard last


@dataclass(frozen=True, slots=True)
class Step:
    """How far a run is: its stage, the share of the whole run, seconds left where known, the words heard last."""

    stage: str = ""
    share: float = 0.0
    seconds_left: float | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """An episode in the queue: its place among those that wait, 1 being next, and how far the work on it is."""

    listed: ListedEpisode
    place: int | None = None
    step: Step | None = None


class RunningError(InputError):
    """What somebody wants to change is worked on right now."""


# What people do


def add(
    store: Store, episode: Episode, *, show: str = "", options: Mapping[str, Any], by: str
) -> ListedEpisode:
    """Have an episode processed, with options of its own; returns it as listed.

    One that the store knows already, by its id or as an item of the show, is not added twice: what waits gets these
    options, and what has ended is done again. RunningError for what is worked on.
    """
    with store.begin() as connection:
        return add_within(connection, episode, show=show, options=options, by=by)


def add_within(
    connection: Connection, episode: Episode, *, show: str = "", options: Mapping[str, Any], by: str
) -> ListedEpisode:
    """The same, within a transaction of the store."""
    now = database_time(connection)
    own = {"options": json.dumps(options) if options else "", "added_by": by}
    known = _known(connection, episode, show)
    if known is None:
        moment = published_at(episode)
        row = {
            "id": episode.id,
            "show": show,
            "guid": episode.id,
            "published_at": min(moment, now) if moment > 0 else now,
            "record": encoded(episode),
            "backlog": False,
            "state": "waiting",
            "found_at": now,
        }
        if insert_or_leave(connection, episodes, **row, **own):
            return _one(connection, episode.id)
        known = _one(connection, episode.id)  # somebody else was faster
    waits = episodes.c.state.in_(WAITING)
    again = {
        "found_at": case((waits, episodes.c.found_at), else_=now),
        "priority": case((waits, episodes.c.priority), else_=0.0),
        "record": encoded(replace(episode, id=known.id)),
    }
    busy = and_(episodes.c.state == "running", episodes.c.lease_until >= now)
    if not changed(
        connection, and_(episodes.c.id == known.id, ~busy), **{**FRESH, "next_try_at": now, **again, **own}
    ):
        raise RunningError(
            f"{known.episode.title!r} is worked on right now: cancel it, or add it again once it is done"
        )
    return _one(connection, known.id)


def cancel(store: Store, episode_id: str) -> ListedEpisode:
    """Want an episode no longer: what waits is cancelled at once, and whoever works on it stops soon.

    InputError where there is no such episode, or nothing to stop.
    """
    with store.begin() as connection:
        known = _one(connection, episode_id)
        now = database_time(connection)
        waits = and_(episodes.c.id == episode_id, episodes.c.state.in_(WAITING))
        if not changed(connection, waits, state="cancelled", lease_until=0.0, done_at=now):
            works = and_(episodes.c.id == episode_id, episodes.c.state == "running")
            if not changed(connection, works, cancel=1):
                raise InputError(f"{known.episode.title!r} is {known.state}: there is nothing to cancel")
        return _one(connection, episode_id)


def move(store: Store, episode_id: str, *, before: str = "", last: bool = False) -> ListedEpisode:
    """Put an episode that waits first, last, or before another one; InputError where either doesn't wait."""
    with store.begin() as connection:
        line = _line(connection)
        moved = _among(line, episode_id)
        rest = [one for one in line if one.id != episode_id]
        if last:
            ranks = {episode_id: min([0.0, *(one.priority for one in rest)]) - 1.0}
        elif not before:
            ranks = {episode_id: max([0.0, *(one.priority for one in rest)]) + 1.0}
        elif before != episode_id:
            # Those in front of that one stay there, in their order: each gets a higher priority than the next.
            at = rest.index(_among(rest, before))
            in_front = enumerate([moved, *reversed(rest[:at])], 1)
            ranks = {one.id: rest[at].priority + steps for steps, one in in_front}
        else:
            ranks = {}
        was = {one.id: one.priority for one in line}
        for one, priority in sorted(
            ranks.items()
        ):  # in one order, so that no two who move wait for each other
            if priority != was[one] and not _rank(connection, one, priority) and one == episode_id:
                raise _not_waiting(one)
        return _one(connection, episode_id)


def _rank(connection: Connection, episode_id: str, priority: float) -> bool:
    """Give what still waits a priority; its run, whose turn comes by when it was made, is to be made anew."""
    waits = and_(episodes.c.id == episode_id, episodes.c.state.in_(WAITING))
    return changed(connection, waits, priority=priority, state="waiting", lease_until=0.0)


def known(store: Store, episode: Episode, show: str = "") -> ListedEpisode | None:
    """What the store has as this episode, by its id or as an item of the show."""
    with store.look() as connection:
        return _known(connection, episode, show)


def _known(connection: Connection, episode: Episode, show: str) -> ListedEpisode | None:
    same = listed_where(connection, episodes.c.id == episode.id)
    if same or not show:
        return same[0] if same else None
    items = listed_where(connection, episodes.c.show == show)
    pairs = identity.pair_up([episode], [item.episode for item in items])
    return items[pairs[0]] if pairs else None


def _one(connection: Connection, episode_id: str) -> ListedEpisode:
    found = listed_where(connection, episodes.c.id == episode_id)
    if not found:
        raise InputError(f"the queue has no episode {episode_id}")
    return found[0]


def _line(connection: Connection) -> list[Place]:
    """What waits, handed out or not, also after a failure; in order, and of each no more than tells the order."""
    busy = connection.execute(select(episodes.c.added_by).where(episodes.c.state == "running")).scalars()
    column = episodes.c
    told = (column.id, column.state, column.priority, column.added_by, column.found_at, column.published_at)
    rows = connection.execute(select(*told).where(column.state.in_(WAITING)))
    return in_line((Place(*row) for row in rows), Counter(busy))


def _among(line: Sequence[Place], episode_id: str) -> Place:
    for one in line:
        if one.id == episode_id:
            return one
    raise _not_waiting(episode_id)


def _not_waiting(episode_id: str) -> InputError:
    return InputError(f"{episode_id} is not waiting: only what waits has a place")


# How it stands


def standing(
    store: Store, limit: int = 100, *, start: int = 0, states: Sequence[str] = LIVE
) -> list[Standing]:
    """What is worked on, then what waits, in order: at most `limit` of those in `states`, from the `start`-th on."""
    with store.look() as connection:
        running = select(episodes.c.id).where(episodes.c.state == "running")
        busy = connection.execute(running.order_by(episodes.c.claimed_at, episodes.c.id)).scalars()
        wanted: list[tuple[str, int | None]] = [(one, None) for one in busy] if "running" in states else []
        wanted += [(one.id, at) for at, one in enumerate(_line(connection), 1) if one.state in states]
        return _standing(connection, dict(wanted[start : start + limit]))


def standing_of(store: Store, ids: Iterable[str]) -> list[Standing]:
    """Those with these ids; InputError for one that there isn't."""
    wanted = list(ids)
    with store.look() as connection:
        places: dict[str, int | None] = {one.id: at for at, one in enumerate(_line(connection), 1)}
        found = _standing(connection, {one: places.get(one) for one in wanted})
    if missing := set(wanted) - {one.listed.id for one in found}:
        raise InputError(f"the queue has no episode {min(missing)}")
    return found


def _standing(connection: Connection, places: Mapping[str, int | None]) -> list[Standing]:
    """Those with these ids, in this order, with these places."""
    now = database_time(connection)
    joined = select(episodes, *_step_columns()).outerjoin(progress, progress.c.episode == episodes.c.id)
    rows = connection.execute(joined.where(episodes.c.id.in_(list(places)))).mappings()
    found = {row["id"]: row for row in rows}
    return [
        Standing(listed(found[one], now), place, _step(found[one]) if place is None else None)
        for one, place in places.items()
        if one in found
    ]


def ended(
    store: Store, limit: int, *, states: Sequence[str] = ENDED, after: tuple[float, str] | None = None
) -> list[Standing]:
    """What is finished, the last first, at most `limit`; `after` the `moment_of` and id of one of them."""
    at = _moment()
    wanted: list[Any] = [episodes.c.state.in_(states)]
    if after is not None:
        moment, episode_id = after
        wanted.append(or_(at < moment, and_(at == moment, episodes.c.id > episode_id)))
    with store.look() as connection:
        now = database_time(connection)
        rows = connection.execute(
            select(episodes).where(*wanted).order_by(at.desc(), episodes.c.id).limit(limit)
        )
        return [Standing(listed(row, now)) for row in rows.mappings()]


def moment_of(one: ListedEpisode) -> float:
    """By what `ended` sorts: seconds since 1970."""
    return next(at for at in (one.done_at, one.started_at, one.found_at) if at is not None)


def _moment() -> Any:
    return func.coalesce(episodes.c.done_at, episodes.c.claimed_at, episodes.c.found_at)


def counts(store: Store) -> dict[str, int]:
    """How many episodes are in each state; cheap."""
    with store.look() as connection:
        found = connection.execute(select(episodes.c.state, func.count()).group_by(episodes.c.state))
        return {row.state: row[1] for row in found}


def _step_columns() -> list[Any]:
    return [progress.c[name].label(f"now_{name}") for name in ("stage", "share", "seconds_left", "words")]


def _step(row: Any) -> Step | None:
    if row["now_stage"] is None:
        return None
    return Step(row["now_stage"], row["now_share"], row["now_seconds_left"], row["now_words"])


# How those who work tell


def report(store: Store, episode_id: str, owner: str, step: Step | None) -> bool:
    """Tell how far the work on an episode is, None for no change; returns whether to go on with it."""
    with store.look() as connection:
        row = connection.execute(select(episodes.c.cancel).where(held_by(episode_id, owner))).first()
    if row is None or row.cancel:
        return row is None  # a lease that was lost is found out about when it counts
    if step is not None:
        with store.begin() as connection:
            if connection.execute(select(episodes.c.id).where(held_by(episode_id, owner))).first():
                values = {
                    "stage": step.stage,
                    "share": step.share,
                    "seconds_left": step.seconds_left,
                    "words": step.words[:WORDS],
                    "updated_at": database_time(connection),
                }
                mine = progress.c.episode == episode_id
                if not connection.execute(update(progress).where(mine).values(**values)).rowcount:
                    connection.execute(insert(progress).values(episode=episode_id, **values))
    return True
