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
from flows.web.etags import HEADERS, etag, not_modified
from flows.web.problems import ProblemError
from models.record.errors import InputError
from outputs.library.editing import ConflictError, EditingSession


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


@router.get(PLACE)
def episode(request: Request, caller: Reader, show: str, name: str, folder: Folder, desk: OnDesk) -> Response:
    """All of an episode that can be read and edited."""
    session = desk.refreshed(folder)
    own = {
        "episode": f"{show}/{name}",
        "audio": _audio(request, session) is not None,
        "editable": caller.may("editor"),
    }
    with session.lock:
        told = {**own, "undo": session.undoable(_user(request, caller))}
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


@router.post(PLACE + "/edits")
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
        patch = desk.edit(folder, op, _user(request, caller), do)
    except ConflictError as error:
        session = desk.session(folder)
        raise ProblemError(
            409,
            "conflict",
            str(error),
            by=error.by,
            revision=session.revision,
            at=error.at,
            paragraphs=error.paragraphs,
            speakers=session.speakers,
        ) from None
    return Response(json.dumps(patch), media_type="application/json")


@router.get(PLACE + "/review")
def review(caller: Reader, folder: Folder, desk: OnDesk) -> Response:
    """What is in doubt, the most doubtful first."""
    session = desk.refreshed(folder)
    with session.lock:
        told = {"items": session.review(), "next": None, "revision": session.revision, **session.doubts}
    return Response(json.dumps(told), media_type="application/json")


@router.get(PLACE + "/events")
async def events(request: Request, caller: Reader, folder: Folder, desk: OnDesk) -> StreamingResponse:
    """What changes, as it does, and who else has the episode open."""

    async def there() -> dict[str, Any]:
        return desk.present(folder)

    answer = hub.stream(request, topic(folder), there)
    told = answer.body_iterator

    async def attended() -> AsyncIterator[Any]:
        with desk.attended(folder, caller.name):
            async for event in told:
                yield event

    answer.body_iterator = attended()
    return answer


@router.get(PLACE + "/audio")
def audio(request: Request, caller: Reader, folder: Folder, desk: OnDesk) -> Response:
    """The audio, or the part of it that is asked for."""
    found = _audio(request, desk.refreshed(folder))
    if found is None:
        raise HTTPException(404, "the audio of this episode is not kept here")
    kind = mimetypes.guess_type(found.name)[0] or "application/octet-stream"
    return FileResponse(found, media_type=kind)


def _audio(request: Request, session: EditingSession) -> Path | None:
    try:
        return find_audio(session.folder, session.record, config_of(request).audio)
    except InputError:
        return None


def _user(request: Request, caller: Caller) -> str:
    """Who edits; nobody by name where one episode is edited from the command line."""
    return "" if config_of(request).only is not None else caller.name
