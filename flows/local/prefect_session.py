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
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path

from flows.local.prefect_server import HOST, TemporaryServer
from models.runtime.cache import cache_folder

SERVER_ENVIRONMENT = {
    "PREFECT_UI_ENABLED": "0",
    "PREFECT__SERVER_EPHEMERAL": "1",  # none of the background services: no schedules, no telemetry
    "PREFECT__SERVER_FINAL": "1",
}


def has_server() -> bool:
    """Whether a Prefect API is configured by environment or profile."""
    from prefect.settings import PREFECT_API_URL

    return bool(PREFECT_API_URL.value())


@contextmanager
def prefect_session() -> Iterator[None]:
    """Settings under which flows called in this process run with the least ado.

    A configured server is used as it is. For a temporary one, events, log upload and heartbeat are off,
    since nobody watches them and a run would end with waiting for them.
    """
    if has_server():
        yield
        return
    os.environ["NO_PROXY"] = ",".join(filter(None, (os.environ.get("NO_PROXY"), HOST)))
    with tempfile.TemporaryDirectory(prefix="episcribe-", ignore_cleanup_errors=True) as folder:
        database = Path(folder) / "prefect.db"
        fresh = not _from_template(database)
        url = f"sqlite+aiosqlite:///{database}"
        with TemporaryServer({**SERVER_ENVIRONMENT, "PREFECT_API_DATABASE_CONNECTION_URL": url}) as server:
            import flows.episode  # noqa: F401  (imported while the server starts)

            server.wait()
            if fresh:
                _keep_template(database)
            with _settings(server.api_url):
                yield


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
