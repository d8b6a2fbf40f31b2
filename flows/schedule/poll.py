"""The flow on a schedule: find what is new in all feeds, and see that each episode gets processed.

Without a deployment the episodes are processed here, one after the other. With one, each becomes a run of it,
for workers anywhere. Either way the store decides who works on what, so polls may overlap, be killed, or be
late: no episode is done twice, and none is forgotten.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from prefect import flow, get_client, get_run_logger, task
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.runtime import flow_run
from prefect.states import Cancelled, Crashed

from audio.transfer.addresses import redacted
from flows import keeping
from flows.episode import process_episode
from flows.finding import EXTRACTED
from flows.schedule import feed_reading
from flows.schedule import settings as configuration
from flows.schedule.artifacts import ProgressBar, show_table
from flows.schedule.feed_reading import FeedReading
from flows.schedule.fingerprint import release
from flows.schedule.local_files import elsewhere, is_local
from flows.schedule.plan import ListedEpisode
from flows.schedule.settings import Settings
from flows.schedule.store import Store, open_store
from flows.schedule.uploads import is_sent
from models.record.errors import EpiscribeError, InputError
from outputs.text.terminal import printable

LATE_SECONDS = 300
ADDED = "added"  # a tag of runs of what people added that is of no show
MAX_NUMBERS = 100  # finished runs to step over before a fresh key is found


@task(name="read-feeds", persist_result=False)
def read_feeds(shows: list[str]) -> list[FeedReading]:
    """Read the feeds of these shows; a feed that fails is one of the readings."""
    settings = configuration.load()
    store = open_store(settings.store)
    bar = ProgressBar("poll-progress", "feeds read")
    return feed_reading.read_feeds(settings, store, shows, bar)


@flow(name="poll-feeds", persist_result=False)
def poll_feeds(shows: list[str] | None = None, deployment: str | None = None) -> dict[str, Any]:
    """Look for new episodes and have them processed.

    shows: names from episcribe.toml, default all of them. deployment: "flow/deployment" to which episodes are
    handed as runs; without one they are processed within this run. Returns how many feeds could not be read,
    which episodes were found, and which were started, with how that went. Failures of feeds and of episodes are
    in the store and in the tables of this run; they do not make it fail. A run that comes late, as many may
    after an outage, leaves the feeds to the next one.
    """
    settings = configuration.load()
    store = open_store(settings.store)
    if shows is None:
        resting = feed_reading.shows_to_leave_alone(settings, store)
        names = [] if _late() else [name for name in settings.shows if name not in resting]
    else:
        names = [name for name in shows if settings.show(name)]
    readings = read_feeds(names)
    show_table("poll-feeds", [_feed_row(reading) for reading in readings], "What the feeds said")
    for reading in readings:
        for warning in reading.warnings:
            get_run_logger().warning("%s: %s", reading.show, printable(warning))
    release(settings, store)
    started = hand_out(settings, store, deployment) if deployment else process_due(settings, store)
    show_table("poll-episodes", started, "Episodes that were started")
    keeping.sweep(settings.cache.budgets())
    return {
        "feeds": len(readings),
        "unreadable": {reading.show: reading.error for reading in readings if reading.error},
        "new": [episode.id for reading in readings if reading.plan for episode in reading.plan.taken],
        "started": started,
    }


def _late() -> bool:
    due = flow_run.scheduled_start_time
    return due is not None and (datetime.now(UTC) - due).total_seconds() > LATE_SECONDS


def _feed_row(reading: FeedReading) -> dict[str, Any]:
    taken = reading.plan.taken if reading.plan else ()
    state = reading.error or ("unchanged" if reading.unchanged else "read")
    return {"show": reading.show, "new": len(taken), "state": state}


def process_due(settings: Settings, store: Store) -> list[dict[str, Any]]:
    """Process what is due here and now, one after the other, at most as many as the queue holds."""
    started: dict[str, dict[str, Any]] = {}
    bar = ProgressBar("poll-episodes-progress", "episodes processed")
    store.skip_unfollowed(settings.shows)
    absent = elsewhere(store)
    while len(started) < settings.limits.queue:
        left = absent | started.keys()
        due = [listed for listed in store.due(settings.limits.attempts) if listed.id not in left]
        if not due:
            break
        state = process_episode(**parameters_of(due[0], settings), return_state=True)
        started[due[0].id] = {**_episode_row(due[0]), "state": state.name, "error": _reason(store, due[0])}
        bar(len(started), len(started) + len(due) - 1)
    return list(started.values())


def parameters_of(listed: ListedEpisode, settings: Settings) -> dict[str, Any]:
    """For a run of `process_episode`. The address is there to be read by people: without its secrets."""
    try:
        source = redacted(listed.episode.audio_url.removeprefix(EXTRACTED))
    except InputError:  # the run itself will say so, and other episodes go on
        told = listed.episode.audio_url
        files = "a file" if is_local(told) else "files that were sent" if is_sent(listed) else ""
        source = files or "an address that can't be used"
    show = listed.show if listed.show in settings.shows else ""
    options = settings.run_options_for(show, listed.options)
    return {"source": source, "options": options, "episode_id": listed.id}


def _episode_row(listed: ListedEpisode) -> dict[str, Any]:
    return {"id": listed.id, "show": listed.show, "episode": listed.episode.title}


def _reason(store: Store, listed: ListedEpisode) -> str:
    now = store.episode(listed.id)
    return now.error if now else ""


def hand_out(settings: Settings, store: Store, deployment: str) -> list[dict[str, Any]]:
    """Make due episodes runs of a deployment, in order, as many as the queue has room for.

    Workers take runs in the order in which they were made. So where something was put before others that are handed
    out and not begun, the runs of those are taken back, and made anew behind it.
    """
    limits = settings.limits
    store.skip_unfollowed(settings.shows)
    absent = elsewhere(store)  # for runs where those files are
    line = [listed for listed in store.line(limits.attempts) if listed.id not in absent]
    beside = limits.queue - store.active()  # room without taking anything back
    room = beside + sum(listed.held for listed in line)
    started, overtaken = list[dict[str, Any]](), False
    for listed in line:
        if listed.held and not (overtaken and _taken_back(listed, store)):
            room -= 1  # it stays where it is, or begins just now
            continue
        overtakes = overtaken or bool(listed.added_by or listed.priority)
        if room <= 0 or (beside <= 0 and not overtakes):
            continue
        overtaken, beside, room = overtakes, beside - 1, room - 1
        if not listed.held and _still_waits(listed):
            store.still_queued(listed, limits.queue_seconds)
            continue
        if listed.state == "waiting" and listed.owner:
            _withdrawn(listed.owner)  # it was put elsewhere in the line, or tried again
        try:
            run, number = _run_for(listed, settings, deployment)
        except PrefectHTTPStatusError as error:  # of this episode alone, such as parameters too long
            started.append({**_episode_row(listed), "state": "Refused", "error": str(error)})
            continue
        # Only now is it noted: were we killed in between, the next poll would get the same run again.
        free = replace(listed, state="waiting") if listed.held else listed
        store.hand_out(free, str(run.id), number, limits.queue_seconds)
        started.append({**_episode_row(listed), "state": "Queued", "error": ""})
    return started


def _taken_back(listed: ListedEpisode, store: Store) -> bool:
    """Whether a run that was not begun is taken back, so that its episode waits again."""
    return _withdrawn(listed.owner) and store.recall(listed)


def _withdrawn(run: str) -> bool:
    """Whether a run is not going to begin, since it is cancelled now, or had ended."""
    with get_client(sync_client=True) as client:
        try:
            state = client.read_flow_run(UUID(run)).state
        except ObjectNotFound:
            return True
        if state is not None and state.is_scheduled():
            why: Any = Cancelled(message="something else goes first; the episode is handed out again")
            client.set_flow_run_state(UUID(run), why, force=True)
            return True
        return state is None or state.is_final()


def _run_for(listed: ListedEpisode, settings: Settings, deployment: str) -> tuple[FlowRun, int]:
    """The run for the next handing out of an episode, and its number.

    The number is part of the idempotency key: two polls that hand out the same get the same run.
    """
    parameters = parameters_of(listed, settings)
    parameters["options"] = parameters["options"].model_dump(mode="json")
    for number in range(listed.handed_out + 1, listed.handed_out + MAX_NUMBERS):
        try:
            run: Any = run_deployment(
                deployment,
                parameters=parameters,
                timeout=0,
                as_subflow=False,
                idempotency_key=f"{listed.id}:{number}",
                flow_run_name=listed.episode.title[:100] or listed.id,
                tags=[listed.show or ADDED],
            )
        except ObjectNotFound:
            raise EpiscribeError(f"there is no deployment {deployment}: start episcribe serve") from None
        if run.state is None or not run.state.is_final():
            return run, number
    raise EpiscribeError(f"episode {listed.id} was handed out {MAX_NUMBERS} times and is not done")


def _still_waits(listed: ListedEpisode) -> bool:
    """Whether the run that an episode was handed to is still to come.

    A run that claims to go on although the lease has run out was killed: it is called crashed, so that it
    no longer takes the place of others.
    """
    if not listed.owner or listed.state == "waiting":
        return False
    with get_client(sync_client=True) as client:
        try:
            state = client.read_flow_run(UUID(listed.owner)).state
        except ObjectNotFound:
            return False
        if state is None or state.is_final():
            return False
        if state.is_scheduled():
            return listed.state == "queued"
        client.set_flow_run_state(
            UUID(listed.owner),
            Crashed(message="the worker fell silent; the episode is handed out again"),
            force=True,
        )
    return False
