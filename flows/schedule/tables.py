"""The tables behind the store, in an SQLite file or on PostgreSQL, and how they are opened."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from models.record.errors import EpiscribeError, InputError

# What leads from each version of the tables to the next; a change of them adds one.
MIGRATIONS = (
    ("ALTER TABLE episodes ADD COLUMN warnings TEXT NOT NULL DEFAULT ''",),
    (
        "ALTER TABLE episodes ADD COLUMN options TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE episodes ADD COLUMN priority DOUBLE PRECISION NOT NULL DEFAULT 0",
        "ALTER TABLE episodes ADD COLUMN added_by TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE episodes ADD COLUMN cancel INTEGER NOT NULL DEFAULT 0",
    ),
    (
        "ALTER TABLE feeds ADD COLUMN ended_at DOUBLE PRECISION",
        "ALTER TABLE episodes ADD COLUMN waits_for TEXT NOT NULL DEFAULT ''",
        "UPDATE feeds SET etag = '', last_modified = ''",  # what they say of types is not known yet
    ),
)
VERSION = 1 + len(MIGRATIONS)
BUSY_SECONDS = 30  # to wait for another process's transaction

_tables = MetaData()
_meta = Table("episcribe", _tables, Column("version", Integer, nullable=False))
feeds = Table(
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
    Column("ended_at", Float),  # when its server said that it is gone for good
)
episodes = Table(
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
    Column("warnings", Text, nullable=False, default=""),  # of the files in it
    Column("found_at", Float, nullable=False),
    Column("done_at", Float),  # or failed, or was cancelled
    Column("options", Text, nullable=False, default=""),  # of this episode alone, as JSON; "": the show's
    Column("priority", Float, nullable=False, default=0.0),  # higher is handed out earlier
    Column("added_by", Text, nullable=False, default=""),  # the user of the app; "" where a feed listed it
    Column("cancel", Integer, nullable=False, default=0),  # 1: whoever works on it is to stop
    Column("waits_for", Text, nullable=False, default=""),  # fingerprints of settings that failed it
    UniqueConstraint("show", "guid"),
)
lengths = Table(  # of audio that was decoded and then passed over by the rules of its show
    "lengths",
    _tables,
    Column("episode", Text, primary_key=True),
    Column("told", Text, nullable=False),  # of it then, without which this means nothing
    Column("seconds", Float, nullable=False),
)
progress = Table(  # how far the runs are that go on now
    "progress",
    _tables,
    Column("episode", Text, primary_key=True),
    Column("stage", Text, nullable=False),
    Column("share", Float, nullable=False, default=0.0),  # of the whole run, 0 to 1
    Column("seconds_left", Float),
    Column("words", Text, nullable=False, default=""),  # that were heard last
    Column("updated_at", Float, nullable=False),
)
users = Table(
    "users",
    _tables,
    Column("name", Text, primary_key=True),
    Column("password", Text, nullable=False),  # as argon2 writes a hash
    Column("role", Text, nullable=False),  # reader, editor, admin
    Column("language", Text, nullable=False, default=""),
    Column("created_at", Float, nullable=False),
)
sessions = Table(  # of browsers
    "sessions",
    _tables,
    Column("hash", Text, primary_key=True),  # SHA-256 of what the cookie holds
    Column("user", Text, nullable=False, index=True),
    Column("created_at", Float, nullable=False),
    Column("seen_at", Float, nullable=False),
)
tokens = Table(  # of programs
    "tokens",
    _tables,
    Column("id", Text, primary_key=True),
    Column("hash", Text, nullable=False, unique=True),  # SHA-256 of the token
    Column("user", Text, nullable=False, index=True),
    Column("label", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("used_at", Float),
)
login_attempts = Table(
    "login_attempts",
    _tables,
    Column("who", Text, primary_key=True),  # a name or an address
    Column("failures", Integer, nullable=False),
    Column("last_at", Float, nullable=False),
)
uploads = Table(
    "uploads",
    _tables,
    Column("id", Text, primary_key=True),
    Column("user", Text, nullable=False),
    Column("name", Text, nullable=False),  # as its sender calls the file
    Column("size", BigInteger, nullable=False),  # bytes
    Column("sha256", Text, nullable=False, default=""),  # once it is whole
    Column("episode", Text, nullable=False, default=""),  # that it became
    Column("changed_at", Float, nullable=False),
)
idempotency = Table(  # answers to requests that may come twice
    "idempotency",
    _tables,
    Column("key", Text, primary_key=True),  # user and the key that the request bears
    Column("request", Text, nullable=False),  # SHA-256 of what was asked
    Column("status", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", Float, nullable=False),
)
webhooks = Table(
    "webhooks",
    _tables,
    Column("id", Text, primary_key=True),
    Column("user", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("events", Text, nullable=False),  # comma-separated
    Column("created_at", Float, nullable=False),
)
deliveries = Table(  # of webhooks
    "deliveries",
    _tables,
    Column("id", Text, primary_key=True),
    Column("webhook", Text, nullable=False, index=True),
    Column("event", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False),  # waiting, delivered, failed
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_try_at", Float, nullable=False, default=0.0),
    Column("answer", Text, nullable=False, default=""),
    Column("created_at", Float, nullable=False),
)
happenings = Table(  # what became of episodes, in order
    "happenings",
    _tables,
    Column("id", Integer, primary_key=True),
    Column("event", Text, nullable=False),
    Column("episode", Text, nullable=False),
    Column("moment", Float, nullable=False, index=True),
    Column("error", Text, nullable=False, default=""),
    Column("words", Float, nullable=False, default=0.0),  # the share of them in doubt
    Column("speakers", Float, nullable=False, default=0.0),  # the share of the talk with such a speaker
    sqlite_autoincrement=True,  # a number is never used again
)
readers = Table(  # of happenings: webhooks, and addresses that notices go to
    "readers",
    _tables,
    Column("name", Text, primary_key=True),
    Column("last", Integer, nullable=False),  # that was told
    Column("attempts", Integer, nullable=False, default=0),  # at telling what came after
    Column("next_try_at", Float, nullable=False, default=0.0),
)
totals = Table(  # sums since the store was made
    "totals",
    _tables,
    Column("name", Text, primary_key=True),
    Column("label", Text, primary_key=True),
    Column("value", Float, nullable=False),
)

local_files = Table(  # that are episodes
    "local_files",
    _tables,
    Column("machine", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("stamp", Text, nullable=False),  # changes when the file does
    Column("episode", Text, nullable=False, index=True),
)


@contextmanager
def database_errors(place: str) -> Iterator[None]:
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


def open_engine(place: str) -> Engine:
    """For a path or an SQLAlchemy URL. InputError where it is neither, or its driver is missing."""
    url = place if "://" in place else f"sqlite:///{Path(place).absolute()}"
    url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    try:
        # Without a pool: processes are forked and killed here, and no statement is in a hurry.
        engine = create_engine(url, poolclass=NullPool)
    except ImportError as error:
        raise InputError(f"the store needs {error.name}: pip install -e '.[scale]' in the checkout") from None
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


def create_tables(engine: Engine) -> None:
    """Make the tables where there are none, bring older ones up to date; refuse those of a newer Episcribe."""
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
        elif version < VERSION:
            for migration in MIGRATIONS[version - 1 :]:
                for statement in migration:
                    connection.execute(text(statement))
            connection.execute(update(_meta).values(version=VERSION))


def database_time(connection: Connection) -> float:
    """Seconds since 1970, by the clock of the database, which all workers share."""
    if connection.dialect.name == "postgresql":
        return float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
    return time.time()


def insert_or_leave(connection: Connection, table: Table, **values: Any) -> bool:
    """Insert a row unless there is one with its key; whether it was inserted. Waits for others who insert it."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as dialects_insert
    else:
        from sqlalchemy.dialects.sqlite import insert as dialects_insert  # type: ignore[assignment]
    added = dialects_insert(table).values(**values).on_conflict_do_nothing()
    # Counted rows of an INSERT are not told by every driver.
    return connection.execute(added.returning(*table.primary_key)).first() is not None
