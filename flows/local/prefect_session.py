"""Prefect for a single local run: no server to start by hand, nothing reported anywhere.

Where the user has configured a Prefect server, flows go there. Otherwise a temporary one runs on
loopback. Its database lasts as long as it does, so runs at the same time don't meet and the parameters of
a run, which may hold a login, stay nowhere.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from flows.local.prefect_server import HOST, TemporaryServer
from models.runtime.cache import cache_folder

SERVER_ENVIRONMENT = {
    "PREFECT_UI_ENABLED": "0",
    "PREFECT__SERVER_EPHEMERAL": "1",  # none of the background services: no schedules, no telemetry
    "PREFECT__SERVER_FINAL": "1",
}
READY_DATABASE = {
    # A copy of a database that a server of this version has made holds all that these would look for.
    "PREFECT_SERVER_DATABASE_MIGRATE_ON_START": "0",
    "PREFECT_API_BLOCKS_REGISTER_ON_START": "0",
}


def has_server() -> bool:
    """Whether a Prefect API is configured by environment or profile."""
    from prefect.settings import PREFECT_API_URL

    return bool(PREFECT_API_URL.value())


@contextmanager
def prefect_session(meanwhile: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Settings under which flows called in this process run with the least ado.

    A configured server is used as it is. For a temporary one, events, log upload and heartbeat are off,
    since nobody watches them and a run would end with waiting for them. meanwhile: what needs no server, done while
    it starts; an error of it is the session's.
    """
    with ExitStack() as stack:
        # Whether one is configured is known when Prefect is imported, and a temporary one takes as long to start.
        configured = bool(os.environ.get("PREFECT_API_URL")) or ("prefect" in sys.modules and has_server())
        begun = None if configured else stack.enter_context(_temporary_server())
        meanwhile()
        _import_flows()
        if begun is None or has_server():
            stack.close()
        else:
            begun.wait()
            os.environ["NO_PROXY"] = ",".join(filter(None, (os.environ.get("NO_PROXY"), HOST)))
            stack.enter_context(_settings(begun.api_url))
        yield


def _import_flows() -> None:
    """Import our flows, and what Prefect imports at the latest when one runs."""
    for name in (
        "flows.episode",
        "fastapi.encoders",
        "prefect.flow_engine",
        "prefect.task_engine",
        "prefect.utilities.visualization",
    ):
        import_module(name)


class _OwnServer(TemporaryServer):
    """A server with a database of its own, which the first one makes and all others have a copy of."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._fresh = not _from_template(database)
        url = f"sqlite+aiosqlite:///{database}"
        environment = {**SERVER_ENVIRONMENT, "PREFECT_API_DATABASE_CONNECTION_URL": url}
        super().__init__(environment if self._fresh else {**environment, **READY_DATABASE})

    def wait(self) -> None:
        """As of any server; the first of a version leaves its database to all later ones."""
        super().wait()
        if self._fresh:
            _keep_template(self._database)


@contextmanager
def _temporary_server() -> Iterator[_OwnServer]:
    with tempfile.TemporaryDirectory(prefix="episcribe-", ignore_cleanup_errors=True) as folder:
        server = _OwnServer(Path(folder) / "prefect.db")
        with server:
            yield server


@contextmanager
def _settings(api_url: str) -> Iterator[None]:
    from prefect.events.clients import NullEventsClient
    from prefect.events.worker import EventsWorker
    from prefect.settings import (
        PREFECT_API_URL,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        PREFECT_LOGGING_TO_API_ENABLED,
        temporary_settings,
    )

    EventsWorker.set_client_override(NullEventsClient)
    with temporary_settings(
        {
            PREFECT_API_URL: api_url,
            PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
            PREFECT_LOGGING_TO_API_ENABLED: False,
        }
    ):
        yield


def session_address() -> str:
    """Of the API that flows called here report to."""
    from prefect.settings import PREFECT_API_URL

    return str(PREFECT_API_URL.value())


_joined = ExitStack()  # what lasts as long as this process


def join_session(api_url: str) -> None:
    """Have flows called in this process report to the server of another one's session, from now on."""
    if not has_server():
        os.environ["NO_PROXY"] = ",".join(filter(None, (os.environ.get("NO_PROXY"), HOST)))
        _joined.enter_context(_settings(api_url))
    _import_flows()


def _template() -> Path:
    return cache_folder() / f"prefect-{version('prefect')}.db"


def _from_template(database: Path) -> bool:
    """Begin with a copy of an empty database with all tables, which takes seconds to make anew."""
    try:
        shutil.copyfile(_template(), database)
    except FileNotFoundError:
        return False
    return True


def _keep_template(database: Path) -> None:
    """Keep a copy of the database as the server has just made it."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    part = _template().with_name(f".{secrets.token_hex(4)}.part")
    with closing(sqlite3.connect(database)) as made, closing(sqlite3.connect(part)) as copy:
        made.backup(copy)
    part.replace(_template())


def make_database_template() -> None:
    """Make the empty database ahead of the first run, which is then as fast as all others."""
    if not _template().exists():
        with prefect_session():
            pass


if __name__ == "__main__":
    make_database_template()
