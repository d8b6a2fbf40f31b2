"""The queue as people see and change it: what they added, in which order, how far each is, what is to stop."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, and_, func, insert, or_, select, update

from flows.schedule.plan import ListedEpisode, in_line, published_at
from flows.schedule.rows import ACTIVE, change, changed, encoded, held_by, listed, listed_where
from flows.schedule.store import FRESH, Store
from flows.schedule.tables import database_time, episodes, progress
from models.record import identity
from models.record.errors import InputError
from models.record.transcript import Episode

LIVE = ("waiting", *ACTIVE)
ENDED = ("done", "failed", "cancelled")
SKIPPED = "skipped"
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


# What people do


def add(
    store: Store, episode: Episode, *, show: str = "", options: Mapping[str, Any], by: str
) -> ListedEpisode:
    """Have an episode processed, with options of its own; returns it as listed.

    One that the store knows already, by its id or as an item of the show, is not added twice: what waits gets these
    options, what has ended is done again, and what is worked on goes on as it is.
    """
    with store.begin() as connection:
        now = database_time(connection)
        known = _known(connection, episode, show)
        own = {"options": json.dumps(options) if options else "", "added_by": by}
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
            connection.execute(insert(episodes).values(**row, **own))
            return _one(connection, episode.id)
        if not (known.state == "running" and known.held):
            again = {} if known.state in ("waiting", "queued") else {"found_at": now, "priority": 0.0}
            record = {"record": encoded(replace(episode, id=known.id))}
            change(connection, known.id, **{**FRESH, **again, **record, **own})
        return _one(connection, known.id)


def cancel(store: Store, episode_id: str) -> ListedEpisode:
    """Want an episode no longer: what waits is cancelled at once, and whoever works on it stops soon.

    InputError where there is no such episode, or nothing to stop.
    """
    with store.begin() as connection:
        known = _one(connection, episode_id)
        now = database_time(connection)
        waits = and_(episodes.c.id == episode_id, episodes.c.state.in_(("waiting", "queued")))
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
            _rank(connection, moved, min([0.0, *(one.priority for one in rest)]) - 1.0)
        elif not before:
            _rank(connection, moved, max([0.0, *(one.priority for one in rest)]) + 1.0)
        elif before != episode_id:
            # Those in front of that one stay there, in their order: each gets a higher priority than the next.
            at = rest.index(_among(rest, before))
            for steps, one in enumerate([moved, *reversed(rest[:at])], 1):
                _rank(connection, one, rest[at].priority + steps)
        return _one(connection, episode_id)


def _rank(connection: Connection, one: ListedEpisode, priority: float) -> None:
    """Give an episode a priority; its run, whose turn comes by when it was made, is to be made anew."""
    again = {"state": "waiting", "lease_until": 0.0} if one.priority != priority else {}
    change(connection, one.id, priority=priority, **again)


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


def _line(connection: Connection) -> list[ListedEpisode]:
    """What waits, handed out or not, also after a failure; in order."""
    busy = connection.execute(select(episodes.c.added_by).where(episodes.c.state == "running")).scalars()
    waiting = episodes.c.state.in_(("waiting", "queued"))
    return in_line(listed_where(connection, waiting), Counter(busy))


def _among(line: Sequence[ListedEpisode], episode_id: str) -> ListedEpisode:
    for one in line:
        if one.id == episode_id:
            return one
    raise InputError(f"{episode_id} is not waiting: only what waits has a place")


# How it stands


def standing(store: Store) -> list[Standing]:
    """All that is worked on, then all that waits, in order."""
    with store.look() as connection:
        now = database_time(connection)
        joined = select(episodes, *_step_columns()).outerjoin(progress, progress.c.episode == episodes.c.id)
        rows = connection.execute(joined.where(episodes.c.state == "running").order_by(episodes.c.claimed_at))
        running = [Standing(listed(row, now), step=_step(row)) for row in rows.mappings()]
        return [*running, *(Standing(one, place) for place, one in enumerate(_line(connection), 1))]


def standing_of(store: Store, ids: Iterable[str]) -> list[Standing]:
    """Those with these ids; InputError for one that there isn't."""
    wanted = list(ids)
    live = {one.listed.id: one for one in standing(store)}
    with store.look() as connection:
        return [live.get(one) or Standing(_one(connection, one)) for one in wanted]


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
