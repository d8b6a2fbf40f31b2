"""An episode to read, hear, correct and review."""

from __future__ import annotations

import asyncio
import gzip
import json
import mimetypes
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, Response, StreamingResponse

from flows.library.audio import find_audio
from flows.web import hub
from flows.web.access import Caller, Editor, Reader
from flows.web.desk import Desk, topic
from flows.web.episodes import config_of, folder_of
from flows.web.etags import HEADERS, etag, not_modified, tagged
from flows.web.paging import Paging
from flows.web.problems import ProblemError
from models.record.errors import InputError
from outputs.library import read
from outputs.library.editing import ConflictError
from outputs.text.translations import translations_of


@asynccontextmanager
async def life(app: FastAPI) -> AsyncIterator[None]:
    """The desk lasts as long as the app."""
    app.state.desk = Desk(app.state.hub)
    app.state.desk.start()
    yield
    await asyncio.to_thread(app.state.desk.close)


router = APIRouter(tags=["transcripts"], lifespan=life)
PLACE = "/episodes/{show}/{name}"


def desk_of(request: Request) -> Desk:
    """The desk of the app that answers."""
    desk: Desk = request.app.state.desk
    return desk


def place_of(request: Request, show: str, name: str) -> Path:
    """The folder of the episode that an address names; 404 where there is none."""
    return folder_of(config_of(request), show, name)


Folder = Annotated[Path, Depends(place_of)]
OnDesk = Annotated[Desk, Depends(desk_of)]


@router.get(PLACE, response_model=dict[str, Any])
def episode(request: Request, caller: Reader, show: str, name: str, folder: Folder, desk: OnDesk) -> Response:
    """All of an episode that can be read and edited."""
    session = desk.refreshed(folder)
    own = {
        "episode": f"{show}/{name}",
        "audio": _audio(request, folder) is not None,
        "editable": caller.may("editor"),
        "translations": list(translations_of(session.record)),
    }
    with session.lock:
        told = {**own, "undo": session.undoable(user_of(request, caller))}
        tag = etag(json.dumps([session.revision, told]))
        known = not_modified(request, tag)
        kept = desk.kept_page(tag)
        page = {} if known or kept else {**session.page(), **told}
    return known or _compressed(request, kept or desk.keep_page(tag, page), tag)


def _compressed(request: Request, data: bytes, tag: str) -> Response:
    """JSON that is gzipped already, for whoever takes that."""
    headers = {**HEADERS, "ETag": tag, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
    else:
        data = gzip.decompress(data)
    return Response(data, headers=headers, media_type="application/json")


@router.post(PLACE + "/edits", response_model=dict[str, Any])
def edit(
    request: Request,
    caller: Editor,
    folder: Folder,
    desk: OnDesk,
    op: Annotated[str, Body()],
    do: Annotated[dict[str, Any], Body()],
) -> Response:
    """Do an edit, once however often it is sent; 409 where what it is for is not as it was."""
    try:
        patch = desk.edit(folder, op, user_of(request, caller), do)
    except ConflictError as error:
        session = desk.session(folder)
        own = error.by == user_of(request, caller)
        raise ProblemError(
            409,
            "conflict",
            str(error),
            by="" if own else error.by or "",
            own=own,
            revision=session.revision,
            at=error.at,
            paragraphs=error.paragraphs,
            speakers=session.speakers,
        ) from None
    return Response(json.dumps(patch), media_type="application/json")


@router.get(PLACE + "/review", response_model=dict[str, Any])
def review(request: Request, caller: Reader, folder: Folder, desk: OnDesk, paging: Paging) -> Response:
    """What is in doubt, the most doubtful first."""
    session = desk.refreshed(folder)
    with session.lock:
        tag = etag(f"{session.revision} {request.url.query}")
        if (known := not_modified(request, tag)) is not None:
            return known
        items, told = session.review(), {"revision": session.revision, **session.doubts}
    page = {**paging.slice(items).model_dump(), **told}
    answer = tagged(request, json.dumps(page).encode(), tag=tag)
    answer.headers.update(paging.response.headers)
    return answer


@router.get(PLACE + "/events", responses=hub.EVENTS)
async def events(request: Request, caller: Reader, folder: Folder, desk: OnDesk) -> StreamingResponse:
    """Server-sent events: "hello" {revision} first, "present" {users} who have it open, "patch" of edits, "reload"."""

    async def greeting() -> list[dict[str, Any]]:
        session = await asyncio.to_thread(desk.refreshed, folder)  # it may have changed before we listened
        return [{"event": "hello", "revision": session.revision}, desk.present(folder)]

    await asyncio.to_thread(desk.refreshed, folder)  # one that can't be read is told so
    answer = hub.stream(request, topic(folder), greeting)
    told = answer.body_iterator

    async def attended() -> AsyncIterator[Any]:
        with desk.attended(folder, caller.name):
            async for event in told:
                yield event

    answer.body_iterator = attended()
    return answer


@router.get(
    PLACE + "/audio",
    response_class=FileResponse,
    responses={200: {"content": {"audio/*": {}}, "description": "The audio."}},
)
def audio(request: Request, caller: Reader, folder: Folder) -> Response:
    """The audio, or the part of it that is asked for."""
    found = _audio(request, folder)
    if found is None:
        raise HTTPException(404, "the audio of this episode is not kept here")
    kind = mimetypes.guess_type(found.name)[0] or "application/octet-stream"
    return FileResponse(found, media_type=kind)


def _audio(request: Request, folder: Path) -> Path | None:
    try:
        return find_audio(folder, read.load_audio(folder), config_of(request).audio)
    except InputError:
        return None


def user_of(request: Request, caller: Caller) -> str:
    """Who edits; nobody by name where one episode is edited from the command line."""
    return "" if config_of(request).only is not None else caller.name
