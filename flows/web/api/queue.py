"""What is to be processed: added, watched while it goes on, cancelled, tried again, put in order."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from audio.transfer.addresses import redacted
from flows.finding import EXTRACTED
from flows.schedule import additions, queue
from flows.schedule.queue import ENDED, LIVE, SKIPPED, RunningError, Standing
from flows.schedule.uploads import SCHEME
from flows.web import fetching, queue_watch
from flows.web.access import Editor, Reader
from flows.web.config import WebConfig
from flows.web.episodes import config_of
from flows.web.hub import EVENTS, stream
from flows.web.idempotency import RESPONSES, Once
from flows.web.paging import Page, Paging, bad_cursor
from flows.web.problems import ProblemError
from models.record.errors import InputError

CONFLICT = {
    "description": f"{RESPONSES[409]['description']} Or: what is to be added is worked on right now (running)."
}
State = Literal["waiting", "queued", "running", "done", "failed", "skipped", "cancelled"]

router = APIRouter(tags=["queue"])


class Queued(BaseModel):
    """An episode that is to be processed, is, or was. Moments are seconds since 1970."""

    id: str
    show: str = Field(description="title of the show; empty for what is of none")
    title: str
    source: str = Field(description="address without its secrets; empty for files that were sent")
    state: State
    stage: str = Field(
        description="download, decode, diarise, transcribe, overlaps, translate, chapters, publish, or cancelling"
    )
    share: float | None = Field(description="of the whole run, 0 to 1")
    seconds_left: float | None
    words: str = Field(description="that were heard last")
    attempts: int
    error: str
    warnings: list[str]
    episode: str | None = Field(description="where it is in the library: show/episode")
    added_by: str = Field(description="user who added it, or tried it again; empty where a feed listed it")
    added_at: float
    started_at: float | None
    done_at: float | None
    position: int | None = Field(description="place among those that wait, 1 being next")


class Addition(BaseModel):
    """What to process: an address, or files that were sent, each an episode or all of them tracks of one."""

    model_config = ConfigDict(extra="forbid")

    source: str | None = Field(None, max_length=4000, description="address of audio or of a feed")
    episode: str = Field(
        "latest", max_length=500, description="of a feed: latest, a guid, or N, 1 being the newest"
    )
    uploads: list[str] = Field([], max_length=100, description="ids of uploads")
    together: bool = Field(False, description="whether the files are tracks of one episode")
    names: dict[str, str] = Field({}, description="who speaks on a track, by the id of its upload")
    title: str = Field("", max_length=500)
    options: dict[str, Any] = Field({}, description="of GET /options, by name")


class Added(BaseModel):
    """What is in the queue now."""

    items: list[Queued]


class Move(BaseModel):
    """Where to: "first", "last", or before another that waits."""

    model_config = ConfigDict(extra="forbid")

    to: Literal["first", "last"] | dict[Literal["before"], str]


class Option(BaseModel):
    """An option of an episode: `type` is text, number, flag, list or choice."""

    name: str
    type: str
    choices: list[str]
    default: Any
    help: str


@router.get("/queue")
def list_queue(
    request: Request,
    caller: Reader,
    paging: Paging,
    state: Annotated[list[State] | None, Query(description="only these; default all but skipped")] = None,
) -> Page[Queued]:
    """What is worked on, then what waits, in order, then what has ended, the last first."""
    config = config_of(request)
    wanted: list[str] = [*state] if state else [*LIVE, *ENDED]
    start, after = _from(paging.after)
    page = queue.standing(config.store, paging.limit, start=start, states=wanted) if after is None else []
    ended: list[Standing] = []
    if (room := paging.limit - len(page)) > 0:
        finished = [one for one in (*ENDED, SKIPPED) if one in wanted]
        ended = queue.ended(config.store, room, states=finished, after=after)
    told = [told_of(config, one) for one in (*page, *ended)]
    if len(told) < paging.limit:
        return paging.answer(told)
    if ended:
        last = ended[-1].listed
        return paging.answer(told, [queue.moment_of(last), last.id])
    return paging.answer(told, start + len(page))


def _from(after: Any) -> tuple[int, tuple[float, str] | None]:
    """Where a page begins: by position among what goes on, or behind something that has ended."""
    if after is None or (isinstance(after, int) and after >= 0):
        return after or 0, None
    if isinstance(after, list) and [type(part) for part in after] == [float, str]:
        return 0, (after[0], after[1])
    raise bad_cursor()


@router.get("/queue/events", response_class=StreamingResponse, responses=EVENTS)
async def watch_queue(request: Request, caller: Reader) -> StreamingResponse:
    """Server-sent events: "queue" {items, waiting, counts}; then "item" for one, "gone" {id}, "line" {waiting, counts}.

    "queue" comes first, and where much changed. It has what is worked on, the next 100 that wait and the last 50 that
    ended; waiting: ids, the next first; counts: by state, of all. An item leaves out its position.
    """
    return stream(request, queue_watch.TOPIC, queue_watch.of(request.app, told_of).first)


@router.post(
    "/queue",
    status_code=202,
    response_model=Added,
    responses={**RESPONSES, **fetching.RESPONSES, 409: CONFLICT},
)
async def add(request: Request, caller: Editor, addition: Addition, once: Once) -> Response:
    """Have an address or files processed; what the queue has already is done again, with these options.

    What is worked on right now is refused (409, problem "running"), with all that was to be added beside it.
    """
    config = config_of(request)

    def act() -> Added:
        settings = config.settings_now()
        if (addition.source is None) == (not addition.uploads):
            raise InputError("give a source, an address, or uploads: one of the two")
        if addition.source is not None:
            added = [
                additions.add_address(
                    settings,
                    config.store,
                    addition.source,
                    addition.episode,
                    title=addition.title,
                    options=addition.options,
                    by=caller.name,
                )
            ]
        else:
            added = additions.add_uploads(
                settings,
                config.store,
                addition.uploads,
                together=addition.together,
                names=addition.names,
                title=addition.title,
                options=addition.options,
                by=caller.name,
            )
        ids = dict.fromkeys(one.id for one in added)
        return Added(items=[told_of(config, one) for one in queue.standing_of(config.store, ids)])

    try:
        if addition.source is None:
            return await run_in_threadpool(once, act)
        return await fetching.fetches_of(request).do(partial(once, act))
    except RunningError as error:
        raise ProblemError(409, "running", str(error)) from None


@router.get("/queue/{episode_id}")
def one_queued(request: Request, caller: Reader, episode_id: str) -> Queued:
    """One of them."""
    return _now(config_of(request), episode_id)


@router.post("/queue/{episode_id}/cancel")
def cancel(request: Request, caller: Editor, episode_id: str) -> Queued:
    """Stop it, or take it back; the work of others goes on."""
    config = config_of(request)
    _now(config, episode_id)
    queue.cancel(config.store, episode_id)
    return _now(config, episode_id)


@router.post("/queue/{episode_id}/retry")
def retry(request: Request, caller: Editor, episode_id: str) -> Queued:
    """Have another go at it, whatever has come of it."""
    config = config_of(request)
    _now(config, episode_id)
    config.store.retry(episode_id, caller.name)
    return _now(config, episode_id)


@router.post("/queue/{episode_id}/move")
def move(request: Request, caller: Editor, episode_id: str, move: Move) -> Queued:
    """Put it first, last, or before another one that waits."""
    config = config_of(request)
    _now(config, episode_id)
    before = move.to["before"] if isinstance(move.to, dict) else ""
    queue.move(config.store, episode_id, before=before, last=move.to == "last")
    return _now(config, episode_id)


@router.get("/options")
def options(caller: Reader) -> list[Option]:
    """What may be chosen for an episode, by the names of the command line."""
    return [Option(**described) for described in additions.described_options()]


def _now(config: WebConfig, episode_id: str) -> Queued:
    try:
        (one,) = queue.standing_of(config.store, [episode_id])
    except InputError as error:
        raise HTTPException(404, str(error)) from None
    return told_of(config, one)


def told_of(config: WebConfig, one: Standing) -> Queued:
    """An episode of the queue as the API tells it."""
    listed, step = one.listed, one.step
    running = listed.state == "running"
    return Queued(
        id=listed.id,
        show=listed.episode.show or listed.show,
        title=listed.episode.title,
        source=_shown(listed.episode.audio_url),
        state=listed.state,
        stage="cancelling" if listed.cancelling else step.stage if step else "",
        share=step.share if step else (0.0 if running else None),
        seconds_left=step.seconds_left if step else None,
        words=step.words if step else "",
        attempts=listed.attempts,
        error=listed.error,
        warnings=[listed.warnings] if listed.warnings else [],
        episode=_address(config, listed.folder) if listed.state == "done" else None,
        added_by=listed.added_by,
        added_at=listed.found_at,
        started_at=listed.started_at,
        done_at=listed.done_at,
        position=one.place,
    )


def _shown(address: str) -> str:
    if not address or address.startswith(SCHEME):
        return ""
    try:
        return redacted(address.removeprefix(EXTRACTED))
    except InputError:
        return ""


def _address(config: WebConfig, folder: str) -> str | None:
    """The address in the app of an episode's folder; None where that isn't in the library."""
    path = Path(folder)
    if not folder or path.parent.parent.absolute() != config.library.absolute():
        return None
    return f"{path.parent.name}/{path.name}"
