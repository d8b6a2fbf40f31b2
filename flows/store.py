"""What was found, what is being done and what was done: the memory behind schedules and workers.

A file of SQLite (in WAL mode) for one machine, or PostgreSQL for many; the same few statements on both.
An episode is waiting, queued (handed to a worker), running, done, failed (given up), or skipped (older than
was asked for). Whoever works on one holds a claim: a lease that must be renewed, and that others take over
once it has run out. Files are published within the transaction that marks an episode done, after a check that
the claim still holds, so however a process ends, an episode's effect comes once.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    MetaData,
    RowMapping,
    Table,
    Text,
    UniqueConstraint,
    and_,
    create_engine,
    delete,
    event,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from audio.web import Validators
from flows.progress import printable
from models.errors import EpiscribeError, InputError
from models.transcript import Chapter, Episode, Person, TranscriptLink

VERSION = 1  # of the tables; a change of them adds a migration
BUSY_SECONDS = 30  # to wait for another process's transaction
MAX_PAUSE = 6 * 3600  # seconds between two attempts
MAX_ERROR_CHARS = 500

_tables = MetaData()
_meta = Table("episcribe", _tables, Column("version", Integer, nullable=False))
_feeds = Table(
    "feeds",
    _tables,
    Column("show", Text, primary_key=True),
    Column("url", Text, nullable=False),  # as the user gave it
    Column("moved_to", Text, nullable=False, default=""),
    Column("etag", Text, nullable=False, default=""),
    Column("last_modified", Text, nullable=False, default=""),
    Column("title", Text, nullable=False, default=""),
    Column("polled_at", Float),
    Column("failures", Integer, nullable=False, default=0),  # since it was last read
    Column("next_poll_at", Float, nullable=False, default=0.0),
    Column("error", Text, nullable=False, default=""),
)
_episodes = Table(
    "episodes",
    _tables,
    Column("id", Text, primary_key=True),
    Column("show", Text, nullable=False),
    Column("guid", Text, nullable=False),
    Column("published_at", Float, nullable=False),  # seconds since 1970, to sort by
    Column("record", Text, nullable=False),  # the Episode as JSON
    Column("backlog", Boolean, nullable=False),  # was there already when the show was added
    Column("state", Text, nullable=False, index=True),
    Column("attempts", Integer, nullable=False, default=0),
    Column("handed_out", Integer, nullable=False, default=0),  # times; part of the idempotency key
    Column("owner", Text, nullable=False, default=""),  # the run that has it, or is to have it
    Column("lease_until", Float, nullable=False, default=0.0),
    Column("next_try_at", Float, nullable=False, default=0.0),
    Column("claimed_at", Float),
    Column("seconds", Float, nullable=False, default=0.0),  # spent on all attempts
    Column("error", Text, nullable=False, default=""),
    Column("folder", Text, nullable=False, default=""),
    Column("found_at", Float, nullable=False),
    Column("done_at", Float),
    UniqueConstraint("show", "guid"),
)
ACTIVE = ("queued", "running")
TOO_MANY = "more new episodes in one poll than limits.new_per_poll allows"


class LostClaimError(EpiscribeError):
    """Another worker has taken the episode over: what we made of it must not be published."""


@dataclass(frozen=True, slots=True)
class FeedMemory:
    """What is remembered of a feed between two polls."""

    show: str
    url: str
    moved_to: str = ""
    validators: Validators = field(default_factory=Validators)
    title: str = ""
    polled_at: float | None = None
    failures: int = 0
    next_poll_at: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """An episode as the store knows it."""

    show: str
    episode: Episode
    state: str
    attempts: int = 0
    handed_out: int = 0
    owner: str = ""
    error: str = ""
    seconds: float = 0.0
    folder: str = ""
    lease_until: float = 0.0

    @property
    def id(self) -> str:
        """The episode's id."""
        return self.episode.id


@dataclass(frozen=True, slots=True)
class Plan:
    """What one reading of a feed changes: episodes to add with their states, and records to bring up to date."""

    added: tuple[Listed, ...] = ()
    changed: tuple[Episode, ...] = ()
    promoted: tuple[Episode, ...] = ()

    @property
    def taken(self) -> tuple[Episode, ...]:
        """Episodes that are to be processed now and were not before, newest first."""
        waiting = [listed.episode for listed in self.added if listed.state == "waiting"]
        return tuple(sorted((*waiting, *self.promoted), key=published_at, reverse=True))


def published_at(episode: Episode) -> float:
    """Seconds since 1970; without a date, before all others."""
    return datetime.fromisoformat(episode.published).timestamp() if episode.published else -math.inf


def plan(
    show: str, known: Sequence[Listed], found: Sequence[Episode], *, back_fill: int, new_per_poll: int
) -> Plan:
    """What a feed's episodes (newest first) mean beside those that are known already.

    The first reading puts all into the backlog, of which the newest `back_fill` are taken. Later ones take
    what is new, at most `new_per_poll`; the rest is kept as skipped. An episode that comes again under another
    guid, with title and date as before, while its old guid is gone from the feed, is not new.
    """
    by_guid = {listed.episode.guid: listed for listed in known}
    listed_guids = {episode.guid for episode in found}
    gone = {
        (listed.episode.title, listed.episode.published)
        for listed in known
        if listed.episode.guid not in listed_guids and listed.episode.published
    }
    new = [e for e in found if e.guid not in by_guid and (e.title, e.published) not in gone]
    taken = new_per_poll if known else back_fill
    added = tuple(
        Listed(show, episode, "waiting")
        if number < taken
        else Listed(show, episode, "skipped", error=TOO_MANY if known else "")
        for number, episode in enumerate(new)
    )
    changed = tuple(
        replace(episode, id=by_guid[episode.guid].id)
        for episode in found
        if episode.guid in by_guid and _outdated(by_guid[episode.guid], episode)
    )
    return Plan(added, changed)


def _outdated(listed: Listed, episode: Episode) -> bool:
    """Whether the record of an episode still to be done differs from what the feed says now."""
    return listed.state != "done" and replace(episode, id=listed.id) != listed.episode


class Store:
    """The tables, opened. Safe to use from several threads and processes."""

    def __init__(self, place: str) -> None:
        self.place = place
        self._engine = _engine(place)
        self._reader = self._engine.execution_options(reads_only=True)
        with _told(place):
            _prepare(self._engine)

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        with _told(self.place), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _look(self) -> Iterator[Connection]:
        """Reading only, which waits for nobody."""
        with _told(self.place), self._reader.begin() as connection:
            yield connection

    # Feeds

    def feed(self, show: str, url: str) -> FeedMemory:
        """What is remembered of a show's feed; of no use once the user has given another address."""
        with self._look() as connection:
            row = connection.execute(select(_feeds).where(_feeds.c.show == show)).mappings().first()
        if row is None or row["url"] != url:
            return FeedMemory(show, url)
        return _memory(row)

    def feeds(self) -> list[FeedMemory]:
        """All that were ever read, by name."""
        with self._look() as connection:
            rows = connection.execute(select(_feeds).order_by(_feeds.c.show)).mappings().all()
        return [_memory(row) for row in rows]

    def preview(
        self, memory: FeedMemory, found: Sequence[Episode], *, back_fill: int, new_per_poll: int
    ) -> Plan:
        """What `read` would change."""
        with self._look() as connection:
            return _planned(connection, memory.show, found, back_fill, new_per_poll)

    def read(
        self, memory: FeedMemory, found: Sequence[Episode], *, back_fill: int, new_per_poll: int
    ) -> Plan:
        """Remember a reading of a feed together with what it said, or neither.

        found: its episodes, newest first; none where it was unchanged. Returns what came of it.
        """
        with self._begin() as connection:
            now = _now(connection)
            _lock_feed(connection, memory)
            _adopt_renamed(connection, memory)
            made = _planned(connection, memory.show, found, back_fill, new_per_poll)
            if made.added:
                backlog = not _has_episodes(connection, memory.show)
                rows = [_new_row(listed, now, backlog=backlog) for listed in made.added]
                connection.execute(insert(_episodes), rows)
            for episode in made.changed:
                _update(connection, episode.id, record=_encoded(episode), published_at=_sortable(episode))
            for episode in made.promoted:
                _update(connection, episode.id, state="waiting")
            connection.execute(
                update(_feeds)
                .where(_feeds.c.show == memory.show)
                .values(
                    url=memory.url,
                    moved_to=memory.moved_to,
                    etag=memory.validators.etag,
                    last_modified=memory.validators.last_modified,
                    title=memory.title,
                    polled_at=now,
                    failures=0,
                    next_poll_at=0.0,
                    error="",
                )
            )
        return made

    def unreadable(self, memory: FeedMemory, reason: str, pause: float) -> None:
        """Remember that a feed could not be read, and to leave it alone for `pause` seconds."""
        with self._begin() as connection:
            _lock_feed(connection, memory)
            connection.execute(
                update(_feeds)
                .where(_feeds.c.show == memory.show)
                .values(
                    url=memory.url,
                    moved_to=memory.moved_to,
                    failures=_feeds.c.failures + 1,
                    next_poll_at=_now(connection) + pause,
                    error=printable(reason)[:MAX_ERROR_CHARS],
                )
            )

    # Episodes

    def due(self, max_attempts: int) -> list[Listed]:
        """Episodes that somebody should work on now, newest first.

        Those whose claim has run out are among them, unless it was their last attempt: they have failed.
        """
        with self._begin() as connection:
            now = _now(connection)
            lapsed = and_(_episodes.c.state.in_(ACTIVE), _episodes.c.lease_until < now)
            connection.execute(
                update(_episodes)
                .where(lapsed, _episodes.c.state == "running", _episodes.c.attempts >= max_attempts)
                .values(
                    state="failed",
                    error=func.coalesce(func.nullif(_episodes.c.error, ""), "the worker was cut off")
                    + f"; given up after {max_attempts} attempts",
                )
            )
            ready = and_(_episodes.c.state == "waiting", _episodes.c.next_try_at <= now)
            return _listed(connection, or_(ready, lapsed))

    def active(self) -> int:
        """How many episodes are handed out or worked on."""
        with self._look() as connection:
            live = and_(_episodes.c.state.in_(ACTIVE), _episodes.c.lease_until >= _now(connection))
            count = select(func.count()).select_from(_episodes).where(live)
            return int(connection.execute(count).scalar_one())

    def hand_out(self, listed: Listed, run: str, number: int, seconds: float) -> bool:
        """Note that an episode, as `listed`, is handed out for the `number`-th time; False if it has changed."""
        with self._begin() as connection:
            return _changed(
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
                lease_until=_now(connection) + seconds,
            )

    def still_queued(self, listed: Listed, seconds: float) -> None:
        """Leave an episode that waits for a worker in the queue."""
        with self._begin() as connection:
            held = and_(_episodes.c.id == listed.id, _episodes.c.owner == listed.owner)
            queued = and_(held, _episodes.c.state == "queued")
            _changed(connection, queued, lease_until=_now(connection) + seconds)

    def claim(self, episode_id: str, owner: str, lease_seconds: float) -> Listed | None:
        """Take an episode to work on it; None where it is done, given up, or somebody else's."""
        with self._begin() as connection:
            now = _now(connection)
            lapsed = and_(_episodes.c.state == "running", _episodes.c.lease_until < now)
            free = or_(_episodes.c.state.in_(("waiting", "queued")), lapsed)
            mine = _changed(
                connection,
                and_(_episodes.c.id == episode_id, free),
                state="running",
                owner=owner,
                attempts=_episodes.c.attempts + 1,
                claimed_at=now,
                lease_until=now + lease_seconds,
            )
            return _listed(connection, _episodes.c.id == episode_id)[0] if mine else None

    def renew(self, episode_id: str, owner: str, lease_seconds: float) -> bool:
        """Keep a claim; False where it is lost."""
        with self._begin() as connection:
            return _changed(
                connection, _held(episode_id, owner), lease_until=_now(connection) + lease_seconds
            )

    @contextmanager
    def finishing(self, episode_id: str, owner: str) -> Iterator[Finished]:
        """Within, publish: the episode is done if that succeeds, and nobody else can publish meanwhile.

        Set the `folder` of what is yielded. LostClaimError where the claim no longer holds.
        """
        with self._begin() as connection:
            held = select(_episodes.c.show).where(_held(episode_id, owner)).with_for_update()
            row = connection.execute(held).first()
            if row is None:
                raise LostClaimError("another worker has taken this episode over: it is left to that one")
            _lock_show(connection, row.show)
            finished = Finished()
            yield finished
            _spend(connection, episode_id, owner, state="done", folder=finished.folder, error="")
            _update(connection, episode_id, done_at=_now(connection))

    def fail(self, episode_id: str, owner: str, reason: str, *, pause: float | None) -> bool:
        """Give an episode back after a failed attempt; False where the claim was lost.

        pause: seconds until the next attempt, None to give the episode up.
        """
        with self._begin() as connection:
            state = "failed" if pause is None else "waiting"
            then = 0.0 if pause is None else _now(connection) + pause
            reason = printable(reason)[:MAX_ERROR_CHARS]
            return _spend(connection, episode_id, owner, state=state, next_try_at=then, error=reason)

    def retry(self, prefix: str) -> Listed:
        """Have another go at the episode whose id begins with `prefix`, whatever has come of it.

        InputError where there is no such episode, more than one, or somebody is at work on it.
        """
        with self._begin() as connection:
            found = _listed(connection, _episodes.c.id.startswith(prefix, autoescape=True)) if prefix else []
            if len(found) != 1:
                raise InputError(
                    f"{len(found) or 'no'} episodes have an id that begins with {prefix!r}: see episcribe status"
                )
            (listed,) = found
            busy = and_(_episodes.c.state == "running", _episodes.c.lease_until >= _now(connection))
            fresh = {"state": "waiting", "attempts": 0, "next_try_at": 0.0, "error": "", "owner": ""}
            if not _changed(connection, and_(_episodes.c.id == listed.id, ~busy), **fresh):
                raise InputError(f"a worker is on {listed.episode.title!r} right now")
            return listed

    def episodes(self, shows: Iterable[str] | None = None) -> list[Listed]:
        """All episodes, or those of some shows, newest first."""
        with self._look() as connection:
            wanted = text("1=1") if shows is None else _episodes.c.show.in_(list(shows))
            return _listed(connection, wanted)

    def episode(self, episode_id: str) -> Listed | None:
        """The episode with this id."""
        with self._look() as connection:
            return next(iter(_listed(connection, _episodes.c.id == episode_id)), None)


@dataclass(slots=True)
class Finished:
    """Where the files of an episode went."""

    folder: str = ""


@cache
def open_store(place: str) -> Store:
    """The store at a path or SQLAlchemy URL, opened once in a process. EpiscribeError where it can't be."""
    return Store(place)


def pause_after(attempts: int, first: float) -> float:
    """Seconds to wait after so many failed attempts: `first`, four times as long each further time."""
    return float(min(MAX_PAUSE, first * 4.0 ** (max(attempts, 1) - 1)))


@contextmanager
def _told(place: str) -> Iterator[None]:
    """What goes wrong in the database as an error of ours, without the login in its address."""
    try:
        yield
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise EpiscribeError(f"the store {_shown(place)} can't be used: {reason}") from error


def _shown(place: str) -> str:
    from sqlalchemy.engine import make_url

    with suppress(SQLAlchemyError):
        return make_url(place).render_as_string(hide_password=True) if "://" in place else place
    return "in the settings"


def _engine(place: str) -> Engine:
    url = place if "://" in place else f"sqlite:///{Path(place).absolute()}"
    url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    try:
        # Without a pool: processes are forked and killed here, and no statement is in a hurry.
        engine = create_engine(url, poolclass=NullPool)
    except ImportError as error:
        raise InputError(f"the store needs {error.name}: pip install 'episcribe[scale]'") from None
    except SQLAlchemyError as error:
        raise InputError(
            f"the store {_shown(place)} is neither a path nor an SQLAlchemy URL: {error}"
        ) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver leaves BEGIN to us
    for pragma in (f"busy_timeout={BUSY_SECONDS * 1000}", "journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later could not wait for others: it would fail.
    reads_only = connection.get_execution_options().get("reads_only", False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


def _prepare(engine: Engine) -> None:
    """Make the tables where there are none; refuse those of a newer Episcribe."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(4711)"))  # two workers start at once
        _tables.create_all(connection)
        version = connection.execute(select(_meta.c.version)).scalar()
        if version is None:
            connection.execute(insert(_meta).values(version=VERSION))
        elif version > VERSION:
            raise EpiscribeError(
                f"the store was made by a newer Episcribe (tables {version}): update this one"
            )


def _now(connection: Connection) -> float:
    """Seconds since 1970, by the clock of the database, which all workers share."""
    if connection.dialect.name == "postgresql":
        return float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
    return time.time()


def _lock_feed(connection: Connection, memory: FeedMemory) -> None:
    """Make sure that a feed has a row, and that no other poll of it goes on at the same time."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as insert_or_leave
    else:
        from sqlalchemy.dialects.sqlite import insert as insert_or_leave  # type: ignore[assignment]
    row = insert_or_leave(_feeds).values(show=memory.show, url=memory.url)
    connection.execute(row.on_conflict_do_nothing())
    connection.execute(select(_feeds.c.show).where(_feeds.c.show == memory.show).with_for_update())


def _adopt_renamed(connection: Connection, memory: FeedMemory) -> None:
    """What was known of this feed under another name of the show is known under the new one."""
    former = select(_feeds.c.show).where(_feeds.c.url == memory.url, _feeds.c.show != memory.show)
    names = list(connection.execute(former).scalars())
    connection.execute(update(_episodes).where(_episodes.c.show.in_(names)).values(show=memory.show))
    connection.execute(delete(_feeds).where(_feeds.c.show.in_(names)))


def _lock_show(connection: Connection, show: str) -> None:
    """Let nobody else choose a folder for an episode of this show; SQLite locks all of the store anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(show))))


def _planned(
    connection: Connection, show: str, found: Sequence[Episode], back_fill: int, new_per_poll: int
) -> Plan:
    rows = _listed(connection, _episodes.c.show == show)
    made = plan(show, rows, found, back_fill=back_fill, new_per_poll=new_per_poll)
    backlog = _listed(connection, and_(_episodes.c.show == show, _episodes.c.backlog))
    promoted = [listed.episode for listed in backlog[:back_fill] if listed.state == "skipped"]
    return replace(made, promoted=tuple(promoted))


def _has_episodes(connection: Connection, show: str) -> bool:
    return connection.execute(select(_episodes.c.id).where(_episodes.c.show == show)).first() is not None


def _listed(connection: Connection, wanted: Any) -> list[Listed]:
    rows = connection.execute(
        select(_episodes).where(wanted).order_by(_episodes.c.published_at.desc(), _episodes.c.id)
    ).mappings()
    return [
        Listed(
            show=row["show"],
            episode=_decoded(row["record"]),
            state=row["state"],
            attempts=row["attempts"],
            handed_out=row["handed_out"],
            owner=row["owner"],
            error=row["error"],
            seconds=row["seconds"],
            folder=row["folder"],
            lease_until=row["lease_until"],
        )
        for row in rows
    ]


def _memory(row: RowMapping) -> FeedMemory:
    names = ("show", "url", "moved_to", "title", "polled_at", "failures", "next_poll_at", "error")
    validators = Validators(row["etag"], row["last_modified"])
    return FeedMemory(validators=validators, **{name: row[name] for name in names})


def _new_row(listed: Listed, now: float, *, backlog: bool) -> dict[str, Any]:
    return {
        "id": listed.id,
        "show": listed.show,
        "guid": listed.episode.guid,
        "published_at": _sortable(listed.episode),
        "record": _encoded(listed.episode),
        "backlog": backlog,
        "state": listed.state,
        "error": listed.error,
        "found_at": now,
    }


def _sortable(episode: Episode) -> float:
    return max(published_at(episode), -1e12)  # no database likes infinity


def _held(episode_id: str, owner: str) -> Any:
    return and_(_episodes.c.id == episode_id, _episodes.c.owner == owner, _episodes.c.state == "running")


def _spend(connection: Connection, episode_id: str, owner: str, **values: Any) -> bool:
    """Change an episode that is held by `owner`, and add up the time that was spent on it."""
    spent = _episodes.c.seconds + (_now(connection) - _episodes.c.claimed_at)
    return _changed(connection, _held(episode_id, owner), seconds=spent, lease_until=0.0, **values)


def _changed(connection: Connection, where: Any, **values: Any) -> bool:
    """Whether one row met the condition and was changed."""
    return connection.execute(update(_episodes).where(where).values(**values)).rowcount == 1


def _update(connection: Connection, episode_id: str, **values: Any) -> None:
    _changed(connection, _episodes.c.id == episode_id, **values)


def _encoded(episode: Episode) -> str:
    # Titles may hold lone surrogates, which no database takes: JSON's escapes carry them.
    return json.dumps(asdict(episode))


def _decoded(text: str) -> Episode:
    record = json.loads(text)
    kinds = {"people": Person, "transcripts": TranscriptLink, "chapters": Chapter}
    parts = {name: tuple(kind(**part) for part in record[name]) for name, kind in kinds.items()}
    return Episode(**{**record, **parts})
