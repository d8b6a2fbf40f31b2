"""`episcribe serve` and `episcribe worker`: the schedule, and the hands for what it starts.

`serve` connects to the Prefect server that is configured, or starts one with a database that lasts. It
registers the schedule and two work pools, one for polls, so that they never wait behind long episodes, and one
for episodes, and works in both. A `worker` on any other machine works in the second.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from flows import keeping, logs
from flows.local.prefect_server import HOST, TemporaryServer
from flows.local.prefect_session import has_server
from flows.schedule import settings as configuration
from flows.schedule.notices import telling
from flows.schedule.settings import CONFIG_VARIABLE, Settings, config_path
from flows.schedule.store import open_store
from flows.schedule.uploads import Uploads
from models.record.errors import EpiscribeError, InputError
from models.runtime.cache import cache_folder

if TYPE_CHECKING:
    from flows.schedule.worker import WarmWorker

POLL_POOL, POLL = "episcribe-polls", "scheduled"
EPISODE_POOL, EPISODES = "episcribe", "queued"
EPISODES_DEPLOYMENT = f"process-episode/{EPISODES}"
VACUUM = "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED"
QUERY_SECONDS = 2.0  # between two looks for runs, and for episodes, that are due
SWEEP_SECONDS = 3600.0  # between two looks for what nobody needs any more, of uploads and in the cache folder


def serve(settings: Settings, at_once: int, *, without_shows: bool = False) -> None:
    """Register the schedule and do what it starts, `at_once` episodes at a time, until stopped.

    at_once: 0 leaves all episodes to workers. without_shows: begin also where no show is followed, since episodes are
    added by the app. EpiscribeError where there is no server to be had.
    """
    if not (settings.shows or without_shows):
        raise InputError(f"no shows in {config_path()}: episcribe feeds add URL")
    stop = "" if without_shows else "; stop with Ctrl-C"
    with _server() as api_url:
        _say(f"Prefect: {api_url.removesuffix('/api')}")
        _say(f"polls at {settings.schedule}; episodes at once: {at_once}{stop}")
        with telling(_say, at_end=False):
            _until_stopped(_serve(settings, at_once))


def work(at_once: int, name: str | None = None) -> None:
    """Take episodes from the configured Prefect server, `at_once` at a time, until stopped."""
    if not has_server():
        raise InputError("a worker needs a server: set PREFECT_API_URL to the one that episcribe serve uses")

    async def start() -> None:
        await asyncio.gather(_worker(EPISODE_POOL, at_once, name).start(printer=_say), _keep_within_budgets())

    _until_stopped(start())


async def register(settings: Settings) -> None:
    """Make the work pools and deployments, or bring them up to date."""
    from prefect import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectAlreadyExists
    from prefect.types.entrypoint import EntrypointType
    from prefect.workers.process import ProcessWorker

    from flows.episode import process_episode
    from flows.schedule.poll import poll_feeds

    async with get_client() as client:
        for pool in (POLL_POOL, EPISODE_POOL):
            template = ProcessWorker.get_default_base_job_template()
            with suppress(ObjectAlreadyExists):
                await client.create_work_pool(
                    WorkPoolCreate(name=pool, type=ProcessWorker.type, base_job_template=template)
                )
    polls = await poll_feeds.ato_deployment(
        POLL,
        cron=settings.schedule,
        parameters={"deployment": EPISODES_DEPLOYMENT},
        work_pool_name=POLL_POOL,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    episodes = await process_episode.ato_deployment(
        EPISODES, work_pool_name=EPISODE_POOL, entrypoint_type=EntrypointType.MODULE_PATH
    )
    for deployment in (polls, episodes):
        await deployment.aapply()


async def _serve(settings: Settings, at_once: int) -> None:
    from prefect.deployments import arun_deployment

    await register(settings)
    await arun_deployment(f"poll-feeds/{POLL}", timeout=0, as_subflow=False)  # the first poll is now
    workers = [_worker(POLL_POOL, 1)]
    if at_once:
        workers.append(_worker(EPISODE_POOL, at_once))
    await asyncio.gather(_watch_store(), *(worker.start(printer=lambda *_: None) for worker in workers))


async def _watch_store() -> None:
    """Hand out what is due as soon as it is: what people add or order can't wait for the next poll."""
    handed_out, swept, failure = None, 0.0, ""
    while True:
        try:
            handed_out = await asyncio.to_thread(_hand_out_after, handed_out)
            if time.monotonic() > swept:
                await asyncio.to_thread(_sweep)
                swept = time.monotonic() + SWEEP_SECONDS
            failure = ""
        except Exception as error:  # the store or the server can't be reached now: another time it can
            if str(error) != failure:
                _say(f"episodes can't be handed out now: {error}")
            failure = str(error)
        await asyncio.sleep(QUERY_SECONDS)


def _hand_out_after(seen: tuple[float, ...] | None) -> tuple[float, ...]:
    """Hand out what is due where anything has changed since the store looked as `seen`; how it looked before."""
    from flows.schedule.fingerprint import release
    from flows.schedule.poll import hand_out

    settings = configuration.current()
    store = open_store(settings.store)
    release(settings, store)
    now = store.bustle()
    if now != seen:
        hand_out(settings, store, EPISODES_DEPLOYMENT)
    return now  # and not how it looks by now: what was added meanwhile is seen as a change next time


def _sweep() -> None:
    settings = configuration.load()
    Uploads(settings, open_store(settings.store)).sweep()
    keeping.sweep(settings.cache.budgets())


async def _keep_within_budgets() -> None:
    """What `_watch_store` does beside `serve`, where there are only hands."""
    while True:
        with suppress(Exception):  # what can't be read or removed now can another time
            await asyncio.to_thread(lambda: keeping.sweep(configuration.load().cache.budgets()))
        await asyncio.sleep(SWEEP_SECONDS)


def _worker(pool: str, at_once: int, name: str | None = None) -> WarmWorker:
    from flows.schedule.worker import WarmWorker

    return WarmWorker(work_pool_name=pool, limit=at_once, name=name)


def _until_stopped(work: object) -> None:
    """Run until Ctrl-C or SIGTERM, which end it alike."""
    from prefect.settings import PREFECT_WORKER_QUERY_SECONDS, get_current_settings, temporary_settings

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if config_path().exists():
        os.environ[CONFIG_VARIABLE] = str(config_path().absolute())
    query = (
        {} if "PREFECT_WORKER_QUERY_SECONDS" in os.environ else {PREFECT_WORKER_QUERY_SECONDS: QUERY_SECONDS}
    )
    with temporary_settings(query):
        # The processes of the runs know what we know.
        os.environ.update(get_current_settings().to_environment_variables(exclude_unset=True))
        try:
            asyncio.run(work)  # type: ignore[arg-type]
        except KeyboardInterrupt:
            _say("stopped; what was under way is taken up again next time")


def _say(text: str, *_: object) -> None:
    logs.say(text, event="serve")


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
    environment = {
        "PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{database}",
        # Finished runs go after 90 days, or what PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD says in seconds.
        VACUUM: os.environ.get(VACUUM, "true"),
    }
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
