"""Prefect for a single local run: no server to start by hand, nothing reported anywhere.

Where the user has configured a Prefect server, flows go there. Otherwise a temporary one runs on
loopback, with its database in Episcribe's cache folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from flows.server import TemporaryServer
from models.files import cache_folder

os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_LOCAL_STORAGE_PATH", str(cache_folder() / "results"))

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
def local_run() -> Iterator[None]:
    """Settings under which flows called in this process run with the least ado.

    A configured server is used as it is. For a temporary one, log upload and heartbeat are off, since
    nobody watches them and each flow run would end with a second's wait.
    """
    if has_server():
        yield
        return
    cache_folder().mkdir(parents=True, exist_ok=True)
    database = f"sqlite+aiosqlite:///{cache_folder() / 'prefect.db'}"
    with TemporaryServer({**SERVER_ENVIRONMENT, "PREFECT_API_DATABASE_CONNECTION_URL": database}) as server:
        from prefect.settings import (
            PREFECT_API_URL,
            PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
            PREFECT_LOGGING_TO_API_ENABLED,
            temporary_settings,
        )

        import flows.episode  # noqa: F401  (imported while the server starts)

        server.wait()
        with temporary_settings(
            {
                PREFECT_API_URL: server.api_url,
                PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
                PREFECT_LOGGING_TO_API_ENABLED: False,
            }
        ):
            yield
