"""`episcribe serve`: the schedule and the work, on one machine, until stopped.

Two runners, so that polls never wait behind long episodes: one for polls, one for episodes, each run in a
process of its own. Where a Prefect server is configured it is used; otherwise one is started, with a
database that lasts, and ends with us.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from flows.orchestration import has_server
from flows.server import HOST, TemporaryServer
from flows.settings import CONFIG_VARIABLE, Settings, config_path
from models.errors import EpiscribeError, InputError
from models.files import cache_folder

POLL = "scheduled"
EPISODES = "queued"
EPISODES_DEPLOYMENT = f"process-episode/{EPISODES}"
QUERY_SECONDS = 2.0  # between two looks for runs that are due


def serve(settings: Settings, at_once: int) -> None:
    """Register the schedule and run what it starts. EpiscribeError where there is no server to be had."""
    if not settings.shows:
        raise InputError(f"no shows in {config_path()}: episcribe feeds add URL")
    if config_path().exists():
        os.environ[CONFIG_VARIABLE] = str(config_path().absolute())  # for the processes of the runs
    with _server() as api_url:
        print(f"Prefect: {api_url.removesuffix('/api')}", flush=True)
        print(f"polls at {settings.schedule}; {at_once} at once; stop with Ctrl-C", flush=True)
        try:
            asyncio.run(_serve(settings, at_once))
        except KeyboardInterrupt:
            print("stopped; what was under way is taken up again next time", flush=True)


@contextmanager
def _server() -> Iterator[str]:
    """The address of a Prefect API with services, such as a scheduler, and settings that lead there."""
    from prefect.settings import PREFECT_API_URL, PREFECT_SERVER_API_PORT, temporary_settings

    if has_server():
        yield str(PREFECT_API_URL.value())
        return
    port = PREFECT_SERVER_API_PORT.value()
    _require_free(port)
    cache_folder().mkdir(parents=True, exist_ok=True)
    database = cache_folder() / "prefect-server.db"
    environment = {"PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{database}"}
    with TemporaryServer(environment, port) as server:
        server.wait()
        with temporary_settings({PREFECT_API_URL: server.api_url}):
            yield server.api_url


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        if probe.connect_ex((HOST, port)) == 0:
            raise EpiscribeError(
                f"port {port} is taken: set PREFECT_API_URL if that is your Prefect server, "
                "else another PREFECT_SERVER_API_PORT"
            )


async def _serve(settings: Settings, at_once: int) -> None:
    from prefect.deployments import arun_deployment
    from prefect.deployments.runner import EntrypointType
    from prefect.runner import Runner

    from flows.episode import process_episode
    from flows.poll import poll_feeds

    polls = Runner(name="episcribe-polls", limit=1, query_seconds=QUERY_SECONDS)
    episodes = Runner(name="episcribe-episodes", limit=at_once, query_seconds=QUERY_SECONDS)
    await polls.aadd_deployment(
        await poll_feeds.ato_deployment(
            POLL,
            cron=settings.schedule,
            parameters={"deployment": EPISODES_DEPLOYMENT},
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
    )
    await episodes.aadd_deployment(
        await process_episode.ato_deployment(EPISODES, entrypoint_type=EntrypointType.MODULE_PATH)
    )
    await arun_deployment(f"poll-feeds/{POLL}", timeout=0, as_subflow=False)  # the first poll is now
    await asyncio.gather(polls.start(), episodes.start())
