"""What was found, what is being done and what was done: the memory behind schedules and workers.

A file of SQLite (in WAL mode) for one machine, or PostgreSQL for many; the same few statements on both.
An episode is waiting, queued (handed to a worker), running, done, failed (given up), cancelled, or skipped (older than
was asked for). Whoever works on one holds a lease, which must be renewed, and that others take over
once it has run out. Files are published within the transaction that marks an episode done, after a check that
the lease still holds, so however a process ends, an episode's effect comes once.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, and_, case, delete, func, insert, or_, select, text, update

from flows.schedule import totals
from flows.schedule.happenings import note
from flows.schedule.plan import (
    NOT_FOLLOWED,
    FeedState,
    ListedEpisode,
    Plan,
    in_line,
    is_ahead,
    plan,
    published_at,
    sort_moments,
)
from flows.schedule.rows import (
    ACTIVE,
    change,
    changed,
    encoded,
    feed_state,
    held_by,
    listed_where,
    new_row,
    spend,
)
from flows.schedule.rules import ALL, EpisodeRules, length_key
from flows.schedule.tables import (
    create_tables,
    database_errors,
    database_time,
    insert_or_leave,
    open_engine,
)
from flows.schedule.tables import episodes as _episodes
from flows.schedule.tables import feeds as _feeds
from flows.schedule.tables import lengths as _lengths
from models.record.errors import EpiscribeError, InputError, InterruptedRun
from models.record.transcript import Episode
from outputs.text.terminal import printable

MAX_PAUSE = 6 * 3600  # seconds between two attempts
MAX_TRIED = 16  # fingerprints that are remembered of what waits for settings
RELEASE_SECONDS = (
    60.0  # between an attempt and the next with other settings, after the second; then twice as long
)
MAX_ERROR_CHARS = 500
PATIENCE = 10  # failures of a feed before it is left alone for a while
MAX_FEED_PAUSE = 86_400.0  # seconds

FRESH = {
    "state": "waiting",
    "attempts": 0,
    "error": "",
    "cancel": 0,
    "done_at": None,
    "waits_for": "",
}
"""An episode that is to be done, whatever has come of it before; `next_try_at` is now."""


class LostLeaseError(EpiscribeError):
    """Another worker has taken the episode over: what we made of it must not be published."""


class Store:
    """The tables, opened. Safe to use from several threads and processes."""

    def __init__(self, place: str) -> None:
        self.place = place
        self._engine = open_engine(place)
        self._reader = self._engine.execution_options(reads_only=True)
        with database_errors(place):
            create_tables(self._engine)

    @property
    def is_of_one_machine(self) -> bool:
        """Whether all who use it are on one machine."""
        return self._engine.dialect.name == "sqlite"

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction; what goes wrong in it is an EpiscribeError, and nothing of it is kept."""
        with database_errors(self.place), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """Reading only, which waits for nobody."""
        with database_errors(self.place), self._reader.begin() as connection:
            yield connection

    # Feeds

    def feed(self, show: str, url: str) -> FeedState:
        """What is remembered of a show's feed; of no use once the user has given another address."""
        with self.look() as connection:
            row = connection.execute(select(_feeds).where(_feeds.c.show == show)).mappings().first()
        if row is None or row["url"] != url:
            return FeedState(show, url)
        return feed_state(row)

    def feeds(self) -> list[FeedState]:
        """All that were ever read, by name."""
        with self.look() as connection:
            rows = connection.execute(select(_feeds).order_by(_feeds.c.show)).mappings().all()
        return [feed_state(row) for row in rows]

    def preview(
        self,
        state: FeedState,
        found: Sequence[Episode],
        *,
        back_fill: int,
        new_per_poll: int,
        rules: EpisodeRules = ALL,
    ) -> Plan:
        """What `record_reading` would change."""
        with self.look() as connection:
            return _planned(connection, state.show, found, back_fill, new_per_poll, rules)

    def record_reading(
        self,
        state: FeedState,
        found: Sequence[Episode],
        *,
        back_fill: int,
        new_per_poll: int,
        rules: EpisodeRules = ALL,
        pause: float = 0.0,
    ) -> Plan:
        """Remember a reading of a feed together with what it said, or neither.

        found: its episodes, newest first; none where it was unchanged. pause: seconds for which the feed can be left
        alone. Returns what came of it.
        """
        with self.begin() as connection:
            now = database_time(connection)
            _lock_feed(connection, state)
            _adopt_renamed(connection, state)
            made = _planned(connection, state.show, found, back_fill, new_per_poll, rules)
            if made.added:
                backlog = not _has_episodes(connection, state.show)
                moments = sort_moments(found, now)
                rows = [new_row(listed, now, moments, backlog=backlog) for listed in made.added]
                connection.execute(insert(_episodes), rows)
            for episode in made.changed:
                known = published_at(episode) > -math.inf and not is_ahead(episode, now)
                moved = {"published_at": published_at(episode)} if known else {}
                change(connection, episode.id, record=encoded(episode), **moved)
            freed = {"lease_until": 0.0, "next_try_at": now, "waits_for": ""}
            for one in made.judged:
                still = or_(_episodes.c.state == "skipped", _waits(now))
                same = and_(_episodes.c.id == one.id, _episodes.c.added_by == "", still)
                changed(connection, same, state=one.state, error=one.error, **freed)
            connection.execute(
                update(_feeds)
                .where(_feeds.c.show == state.show)
                .values(
                    url=state.url,
                    moved_to=state.moved_to,
                    etag=state.validators.etag,
                    last_modified=state.validators.last_modified,
                    title=state.title,
                    polled_at=now,
                    failures=0,
                    next_poll_at=now + pause if pause else 0.0,
                    error="",
                    ended_at=None,
                )
            )
        return made

    def record_failed_reading(
        self, state: FeedState, reason: str, pause: float = 0.0, *, gone: bool = False
    ) -> None:
        """Remember that a feed could not be read, and to leave it alone for `pause` seconds.

        gone: whether its server says that it is gone for good.
        """
        with self.begin() as connection:
            _lock_feed(connection, state)
            now = database_time(connection)
            connection.execute(
                update(_feeds)
                .where(_feeds.c.show == state.show)
                .values(
                    url=state.url,
                    moved_to=state.moved_to,
                    failures=case((_feeds.c.url == state.url, _feeds.c.failures + 1), else_=1),
                    next_poll_at=now + pause,
                    error=printable(reason)[:MAX_ERROR_CHARS],
                    ended_at=now if gone and state.ended_at is None else state.ended_at,
                )
            )

    # Episodes

    def due(self, max_attempts: int) -> list[ListedEpisode]:
        """Episodes that somebody should work on now, in the order of `flows.schedule.plan.in_line`.

        Those whose lease has run out are among them, unless it was their last attempt: they have failed.
        """
        return [listed for listed in self.line(max_attempts) if not listed.held]

    def line(self, max_attempts: int) -> list[ListedEpisode]:
        """What is due as in `due`, and what is handed out already and not worked on yet; in order."""
        with self.begin() as connection:
            now = database_time(connection)
            lapsed = and_(_episodes.c.state.in_(ACTIVE), _episodes.c.lease_until < now)
            cut_off = and_(lapsed, _episodes.c.state == "running")
            connection.execute(
                update(_episodes)
                .where(cut_off, _episodes.c.cancel == 1)
                .values(state="cancelled", cancel=0, done_at=now)
            )
            given_up = connection.execute(
                update(_episodes)
                .where(cut_off, _episodes.c.attempts >= max_attempts)
                .values(
                    state="failed",
                    error=func.coalesce(func.nullif(_episodes.c.error, ""), "the worker was cut off")
                    + f"; given up after {max_attempts} attempts",
                    done_at=now,
                )
                .returning(_episodes.c.id, _episodes.c.error)
            )
            note(connection, "given_up", given_up.tuples().all())
            ready = and_(_episodes.c.state == "waiting", _episodes.c.next_try_at <= now)
            queued = _episodes.c.state == "queued"
            live = and_(_episodes.c.state == "running", _episodes.c.lease_until >= now)
            busy = connection.execute(select(_episodes.c.added_by).where(live)).scalars()
            found = {one.id: one for one in listed_where(connection, or_(ready, queued, lapsed))}
            return [found[at.id] for at in in_line((one.place for one in found.values()), Counter(busy))]

    def bustle(self) -> tuple[float, ...]:
        """Numbers that change whenever there may be something new to hand out; cheap to ask for."""
        with self.look() as connection:
            now = database_time(connection)
            ready = and_(_episodes.c.state == "waiting", _episodes.c.next_try_at <= now)
            lapsed = and_(_episodes.c.state.in_(ACTIVE), _episodes.c.lease_until < now)
            numbers = (
                func.count(),
                func.sum(_episodes.c.found_at),
                func.sum(_episodes.c.priority),
                func.sum(_episodes.c.handed_out),
            )
            due = connection.execute(select(*numbers).where(or_(ready, lapsed))).one()
            live = and_(_episodes.c.state.in_(ACTIVE), ~lapsed)
            active = connection.execute(select(func.count()).where(live)).scalar_one()
        return (*(float(number or 0.0) for number in due), float(active))

    def active(self) -> int:
        """How many episodes are handed out or worked on."""
        with self.look() as connection:
            live = and_(_episodes.c.state.in_(ACTIVE), _episodes.c.lease_until >= database_time(connection))
            count = select(func.count()).select_from(_episodes).where(live)
            return int(connection.execute(count).scalar_one())

    def hand_out(self, listed: ListedEpisode, run: str, number: int, seconds: float) -> bool:
        """Note that an episode, as `listed`, is handed out for the `number`-th time; False if it has changed."""
        with self.begin() as connection:
            return changed(
                connection,
                and_(
                    _episodes.c.id == listed.id,
                    _episodes.c.state == listed.state,
                    _episodes.c.owner == listed.owner,
                    _episodes.c.handed_out == listed.handed_out,
                ),
                state="queued",
                handed_out=number,
                owner=run,
                lease_until=database_time(connection) + seconds,
            )

    def still_queued(self, listed: ListedEpisode, seconds: float) -> None:
        """Leave an episode that waits for a worker in the queue."""
        with self.begin() as connection:
            held = and_(_episodes.c.id == listed.id, _episodes.c.owner == listed.owner)
            queued = and_(held, _episodes.c.state == "queued")
            changed(connection, queued, lease_until=database_time(connection) + seconds)

    def recall(self, listed: ListedEpisode) -> bool:
        """Take back an episode that was handed out, as `listed`, and that nobody works on yet."""
        with self.begin() as connection:
            held = and_(_episodes.c.id == listed.id, _episodes.c.owner == listed.owner)
            return changed(
                connection, and_(held, _episodes.c.state == "queued"), state="waiting", lease_until=0.0
            )

    def lease(self, episode_id: str, owner: str, lease_seconds: float) -> ListedEpisode | None:
        """Take an episode to work on it; None where it is done, given up, or somebody else's."""
        with self.begin() as connection:
            now = database_time(connection)
            lapsed = and_(_episodes.c.state == "running", _episodes.c.lease_until < now)
            free = or_(_episodes.c.state.in_(("waiting", "queued")), and_(lapsed, _episodes.c.cancel == 0))
            mine = changed(
                connection,
                and_(_episodes.c.id == episode_id, free),
                state="running",
                owner=owner,
                attempts=_episodes.c.attempts + 1,
                claimed_at=now,
                lease_until=now + lease_seconds,
            )
            return listed_where(connection, _episodes.c.id == episode_id)[0] if mine else None

    def renew(self, episode_id: str, owner: str, lease_seconds: float) -> bool:
        """Keep a lease; False where it is lost."""
        with self.begin() as connection:
            return changed(
                connection, held_by(episode_id, owner), lease_until=database_time(connection) + lease_seconds
            )

    @contextmanager
    def finishing(self, episode_id: str, owner: str) -> Iterator[Finished]:
        """Within, publish: the episode is done if that succeeds, and nobody else can publish meanwhile.

        Set the `folder` and `warnings` of what is yielded. LostLeaseError where the lease no longer holds,
        InterruptedRun where the episode was cancelled.
        """
        with self.begin() as connection:
            held = select(_episodes.c.show, _episodes.c.cancel).where(held_by(episode_id, owner))
            row = connection.execute(held.with_for_update()).first()
            if row is None:
                raise LostLeaseError("another worker has taken this episode over: it is left to that one")
            if row.cancel:
                raise InterruptedRun("cancelled")
            _lock_show(connection, row.show)
            finished = Finished()
            yield finished
            warnings = printable("; ".join(finished.warnings))[:MAX_ERROR_CHARS]
            values = {"folder": finished.folder, "warnings": warnings, "waits_for": ""}
            now = database_time(connection)
            spend(connection, episode_id, owner, state="done", error="", done_at=now, **values)
            words, speakers = finished.doubtful
            note(connection, "done", [(episode_id, "")], words=words, speakers=speakers)

    def fail(self, episode_id: str, owner: str, reason: str, *, pause: float | None) -> bool:
        """Give an episode back after a failed attempt; False where the lease was lost.

        pause: seconds until the next attempt, None to give the episode up. One that was to be cancelled is.
        """
        with self.begin() as connection:
            now = database_time(connection)
            unwanted = _episodes.c.cancel == 1
            if not spend(
                connection,
                episode_id,
                owner,
                state=case((unwanted, "cancelled"), else_="failed" if pause is None else "waiting"),
                next_try_at=0.0 if pause is None else now + pause,
                error=case((unwanted, ""), else_=printable(reason)[:MAX_ERROR_CHARS]),
                done_at=case((unwanted, now), else_=now if pause is None else None),
                waits_for="",
            ):
                return False
            if self._state(connection, episode_id) != "cancelled":
                told = printable(reason)[:MAX_ERROR_CHARS]
                note(connection, "given_up" if pause is None else "failed", [(episode_id, told)])
            return True

    def hold_back(
        self,
        listed: ListedEpisode,
        owner: str,
        reason: str,
        *,
        pause: float,
        waits_for: str,
        alike: bool,
        counts: bool = False,
    ) -> bool:
        """Give an episode back that its settings failed; it waits for others, or `pause` seconds.

        waits_for: their fingerprint, which is remembered with those that failed it before. alike: so do all that have
        the same settings and no failure of their own. counts: whether this was an attempt as any other. What is held
        back again as it was is no news. False where the lease was lost.
        """
        with self.begin() as connection:
            now = database_time(connection)
            unwanted = _episodes.c.cancel == 1
            told = printable(reason)[:MAX_ERROR_CHARS]
            held = select(_episodes.c.waits_for, _episodes.c.error, _episodes.c.options)
            before = connection.execute(held.where(held_by(listed.id, owner)).with_for_update()).first()
            if before is None:
                return False
            tried = _with_another(before.waits_for, waits_for)
            waiting = {"next_try_at": now + pause, "waits_for": tried}
            attempts = _episodes.c.attempts
            spend(
                connection,
                listed.id,
                owner,
                state=case((unwanted, "cancelled"), else_="waiting"),
                attempts=attempts if counts else case((attempts > 0, attempts - 1), else_=0),
                error=case((unwanted, ""), else_=told),
                done_at=case((unwanted, now), else_=None),
                **waiting,
            )
            if alike:
                _lock_show(connection, listed.show)
                same = and_(_episodes.c.show == listed.show, _episodes.c.options == before.options)
                not_begun = and_(_episodes.c.state.in_(("waiting", "queued")), _episodes.c.id != listed.id)
                new = and_(_episodes.c.waits_for == "", _episodes.c.error == "")
                together = and_(_episodes.c.waits_for == before.waits_for, _episodes.c.waits_for != "")
                others = update(_episodes).where(same, not_begun, or_(new, together))
                connection.execute(others.values(error=told, **waiting))
            if self._state(connection, listed.id) == "cancelled":
                pass
            elif (before.waits_for, before.error) == (tried, told):
                totals.add(connection, totals.OUTCOMES, {"held_back": 1})
            else:
                note(connection, "held_back", [(listed.id, told)])
            return True

    def _state(self, connection: Connection, episode_id: str) -> str | None:
        return connection.execute(select(_episodes.c.state).where(_episodes.c.id == episode_id)).scalar()

    def waiting_for_settings(self) -> list[tuple[str, dict[str, Any], str]]:
        """What those that wait for other settings have in common: show, own options, and what they were tried with.

        What is to be tried again anyway, since it was released, is not among them.
        """
        told = (_episodes.c.show, _episodes.c.options, _episodes.c.waits_for)
        waits = and_(_episodes.c.state == "waiting", _episodes.c.waits_for != "", _episodes.c.error != "")
        with self.look() as connection:
            rows = connection.execute(select(*told).where(waits).distinct())
            return [(row.show, json.loads(row.options or "{}"), row.waits_for) for row in rows]

    def release(self, show: str, tried: str, now: str) -> None:
        """Let those of a show go on that were `tried` with some settings, since they are `now` others.

        That is at once, and from the second time on after a pause that doubles, so whatever changes without end, or
        looks another way to each who looks, costs few attempts.
        """
        with self.begin() as connection:
            _lock_show(connection, show)
            moment = database_time(connection)
            waits = and_(_episodes.c.show == show, _episodes.c.waits_for == tried, _episodes.c.error != "")
            attempt = select(func.max(_episodes.c.claimed_at)).where(waits)
            last = connection.execute(attempt).scalar() or 0.0
            then = max(moment, last + pause_between_settings(len(tried.split())))
            released = update(_episodes).where(waits, _episodes.c.state == "waiting")
            tried = _with_another(tried, now)
            connection.execute(released.values(next_try_at=then, waits_for=tried, error=""))

    def end_cancelled(self, episode_id: str, owner: str) -> bool:
        """Note that the work on an episode was stopped since nobody wants it; False where the lease was lost."""
        with self.begin() as connection:
            now = database_time(connection)
            return spend(connection, episode_id, owner, state="cancelled", error="", done_at=now)

    def pass_over(self, episode: Episode, owner: str, reason: str, seconds: float) -> bool:
        """Skip an episode whose audio, so long as that was found to be, its show's rules don't take.

        False where the lease was lost. One that was to be cancelled is.
        """
        with self.begin() as connection:
            unwanted = _episodes.c.cancel == 1
            mine = spend(
                connection,
                episode.id,
                owner,
                state=case((unwanted, "cancelled"), else_="skipped"),
                error=case((unwanted, ""), else_=printable(reason)[:MAX_ERROR_CHARS]),
                waits_for="",
            )
            if mine:
                _, told = length_key(episode)
                connection.execute(delete(_lengths).where(_lengths.c.episode == episode.id))
                connection.execute(insert(_lengths).values(episode=episode.id, told=told, seconds=seconds))
            return mine

    def skip_unfollowed(self, followed: Iterable[str]) -> None:
        """Skip what waits of shows that are not `followed`, and that nobody added.

        Once its feed is read again, it waits again.
        """
        with self.begin() as connection:
            waits = _waits(database_time(connection))
            left = and_(_episodes.c.added_by == "", _episodes.c.show.not_in(list(followed)))
            skipped = update(_episodes).where(waits, left)
            connection.execute(skipped.values(state="skipped", error=NOT_FOLLOWED, lease_until=0.0))

    def retry(self, prefix: str, by: str = "") -> ListedEpisode:
        """Have another go at the episode whose id begins with `prefix`, whatever has come of it.

        by: who wants it, and counts as who added it where a feed listed it: so it is done also where its show is not
        followed any more. InputError where there is no such episode, more than one, or somebody is at work on it.
        """
        with self.begin() as connection:
            found = (
                listed_where(connection, _episodes.c.id.startswith(prefix, autoescape=True)) if prefix else []
            )
            if len(found) != 1:
                raise InputError(
                    f"{len(found) or 'no'} episodes have an id that begins with {prefix!r}: see episcribe status"
                )
            (listed,) = found
            now = database_time(connection)
            busy = and_(_episodes.c.state == "running", _episodes.c.lease_until >= now)
            wanted = {**FRESH, "next_try_at": now, "added_by": listed.added_by or by}
            if not changed(connection, and_(_episodes.c.id == listed.id, ~busy), **wanted):
                raise InputError(f"a worker is on {listed.episode.title!r} right now")
            return listed

    def episodes(self, shows: Iterable[str] | None = None) -> list[ListedEpisode]:
        """All episodes, or those of some shows, newest first."""
        with self.look() as connection:
            wanted = text("1=1") if shows is None else _episodes.c.show.in_(list(shows))
            return listed_where(connection, wanted)

    def counts_by_show(self) -> dict[str, int]:
        """How many episodes are known of each show that has any."""
        counted = select(_episodes.c.show, func.count()).group_by(_episodes.c.show)
        with self.look() as connection:
            return dict(connection.execute(counted).tuples().all())

    def episode(self, episode_id: str) -> ListedEpisode | None:
        """The episode with this id."""
        with self.look() as connection:
            return next(iter(listed_where(connection, _episodes.c.id == episode_id)), None)


@dataclass(slots=True)
class Finished:
    """Where the files of an episode went, and what its user should know of them.

    doubtful: the shares of its words and of its talk that are in doubt, as `outputs.library.review.doubtful` has them.
    """

    folder: str = ""
    warnings: tuple[str, ...] = ()
    doubtful: tuple[float, float] = (0.0, 0.0)


@cache
def open_store(place: str) -> Store:
    """The store at a path or SQLAlchemy URL, opened once in a process. EpiscribeError where it can't be."""
    return Store(place)


def pause_after(attempts: int, first: float) -> float:
    """Seconds to wait after so many failed attempts: `first`, four times as long each further time."""
    return float(min(MAX_PAUSE, first * 4.0 ** (max(attempts, 1) - 1)))


def pause_between_settings(tried: int) -> float:
    """Seconds from an attempt to the next with other settings, after so many were tried.

    >>> [pause_between_settings(tried) for tried in (1, 2, 3, 10, 16)]
    [0.0, 60.0, 120.0, 15360.0, 21600.0]
    """
    return 0.0 if tried < 2 else min(float(MAX_PAUSE), RELEASE_SECONDS * 2.0 ** (tried - 2))


def _with_another(tried: str, now: str) -> str:
    """Fingerprints with one more, unless it is among them."""
    known = tried.split()
    return tried if now in known else " ".join([*known, now][-MAX_TRIED:])


def feed_pause(failures: int) -> float:
    """Seconds to leave a feed alone after so many failures in a row: in the end a fifth of the time that it has failed.

    >>> [round(feed_pause(failures) / 60) for failures in (1, 9, 15, 20, 25, 30, 50)]
    [0, 0, 28, 87, 265, 808, 1440]
    """
    return 0.0 if failures < PATIENCE else min(MAX_FEED_PAUSE, 60 * 1.25 ** min(failures, 40))


def _lock_feed(connection: Connection, state: FeedState) -> None:
    """Make sure that a feed has a row, and that no other poll of it goes on at the same time."""
    insert_or_leave(connection, _feeds, show=state.show, url=state.url)
    connection.execute(select(_feeds.c.show).where(_feeds.c.show == state.show).with_for_update())


def _adopt_renamed(connection: Connection, state: FeedState) -> None:
    """What was known of this feed under another name of the show is known under the new one."""
    former = select(_feeds.c.show).where(_feeds.c.url == state.url, _feeds.c.show != state.show)
    names = list(connection.execute(former).scalars())
    connection.execute(update(_episodes).where(_episodes.c.show.in_(names)).values(show=state.show))
    connection.execute(delete(_feeds).where(_feeds.c.show.in_(names)))


def _lock_show(connection: Connection, show: str) -> None:
    """Let nobody else choose a folder for an episode of this show; SQLite locks all of the store anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(show))))


def _waits(now: float) -> Any:
    """Whether an episode waits for somebody to work on it: `ListedEpisode.waits`."""
    lapsed = and_(_episodes.c.state == "running", _episodes.c.lease_until < now)
    return or_(_episodes.c.state.in_(("waiting", "queued")), lapsed)


def _planned(
    connection: Connection,
    show: str,
    found: Sequence[Episode],
    back_fill: int,
    new_per_poll: int,
    rules: EpisodeRules,
) -> Plan:
    of_show = _episodes.c.show == show
    backlog = connection.execute(select(_episodes.c.id).where(of_show, _episodes.c.backlog)).scalars()
    measured = select(_lengths).join(_episodes, _episodes.c.id == _lengths.c.episode).where(of_show)
    return plan(
        show,
        listed_where(connection, of_show),
        found,
        back_fill=back_fill,
        new_per_poll=new_per_poll,
        rules=rules,
        backlog=set(backlog),
        lengths={(row.episode, row.told): row.seconds for row in connection.execute(measured)},
    )


def _has_episodes(connection: Connection, show: str) -> bool:
    return connection.execute(select(_episodes.c.id).where(_episodes.c.show == show)).first() is not None
