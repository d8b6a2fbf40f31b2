"""An episode to read, hear, correct and review."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, Response, StreamingResponse

from flows.library.audio import find_audio
from flows.web import hub
from flows.web.access import Caller, Editor, Reader
from flows.web.desk import Desk
from flows.web.episodes import config_of, folder_of
from flows.web.problems import ProblemError
from models.record.errors import InputError
from outputs.library.editing import ConflictError, EditingSession


@asynccontextmanager
async def life(app: FastAPI) -> AsyncIterator[None]:
    """The desk lasts as long as the app."""
    app.state.desk = Desk(app.state.hub)
    yield


router = APIRouter(tags=["transcripts"], lifespan=life)
PLACE = "/episodes/{show}/{name}"


def session_of(request: Request, show: str, name: str) -> EditingSession:
    """The editing of the episode that an address names; 404 where there is none."""
    desk: Desk = request.app.state.desk
    return desk.session(folder_of(config_of(request), show, name))


Session = Annotated[EditingSession, Depends(session_of)]


@router.get(PLACE)
def episode(request: Request, caller: Reader, show: str, name: str, session: Session) -> Response:
    """All of an episode that can be read and edited."""
    session.refresh()
    page = {
        "episode": f"{show}/{name}",
        "audio": _audio(request, session) is not None,
        "editable": caller.may("editor"),
        **session.page(_user(request, caller)),
    }
    return Response(json.dumps(page), media_type="application/json")


@router.post(PLACE + "/edits")
def edit(
    request: Request,
    caller: Editor,
    show: str,
    name: str,
    session: Session,
    op: Annotated[str, Body()],
    do: Annotated[dict[str, Any], Body()],
) -> dict[str, Any]:
    """Do an edit, once however often it is sent; 409 where what it is for is not as it was."""
    try:
        patch = session.edit(op, _user(request, caller), do)
    except ConflictError as error:
        raise ProblemError(
            409,
            "conflict",
            str(error),
            by=error.by,
            revision=session.revision,
            at=error.at,
            paragraphs=error.paragraphs,
            speakers=session.page()["speakers"],
        ) from None
    shared = {name: value for name, value in patch.items() if name != "undo"}
    request.app.state.hub.publish(_topic(session), shared)
    return patch


@router.get(PLACE + "/review")
def review(caller: Reader, session: Session) -> dict[str, Any]:
    """What is in doubt, the most doubtful first."""
    return {"items": session.review(), "next": None, **session.doubts}


@router.get(PLACE + "/events")
async def events(request: Request, caller: Reader, session: Session) -> StreamingResponse:
    """What changes, as it does."""
    return hub.stream(request, _topic(session))


@router.get(PLACE + "/audio")
def audio(request: Request, caller: Reader, session: Session) -> Response:
    """The audio, or the part of it that is asked for."""
    found = _audio(request, session)
    if found is None:
        raise HTTPException(404, "the audio of this episode is not kept here")
    kind = mimetypes.guess_type(found.name)[0] or "application/octet-stream"
    return FileResponse(found, media_type=kind)


def _audio(request: Request, session: EditingSession) -> Any:
    try:
        return find_audio(session.folder, session.record, config_of(request).audio)
    except InputError:
        return None


def _user(request: Request, caller: Caller) -> str:
    """Who edits: nobody else does who edits one episode from the command line."""
    return "" if config_of(request).only is not None else caller.name


def _topic(session: EditingSession) -> str:
    return f"episode {session.folder}"
