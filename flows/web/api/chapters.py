"""An episode's chapters as one thing: read whole, and set whole by whoever has seen what there is."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Header, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from flows.web.access import Caller, Editor, Reader
from flows.web.api.transcripts import PLACE, Folder, OnDesk, user_of
from flows.web.etags import etag, matches, tagged
from flows.web.problems import ProblemError
from models.record.transcript import MAX_CHAPTERS
from outputs.library.editing import ConflictError, EditingSession

router = APIRouter(tags=["chapters"])
CHAPTERS = PLACE + "/chapters"
IfMatch = Annotated[
    str | None,
    Header(description="The ETag of the chapters that are to be replaced, or * for whichever there are."),
]
RESPONSES: dict[int | str, dict[str, Any]] = {
    412: {"description": "The chapters are others by now."},
    428: {"description": "If-Match is missing."},
}  # fmt: skip


class ChapterTold(BaseModel):
    """A part of an episode; times in seconds."""

    model_config = ConfigDict(extra="forbid")
    start: float
    title: str
    end: float | None = Field(None, description="None: it lasts to the next one, or to the end.")
    url: str = Field("", description="A page about it.")
    image: str = Field("", description="The address of a picture.")
    listed: bool = Field(True, description="Whether it is in the table of contents.")
    by: str = Field("", description="The language model that wrote its title.")


class NewChapters(BaseModel):
    """The chapters that an episode is to have."""

    model_config = ConfigDict(extra="forbid")
    chapters: list[ChapterTold] = Field(max_length=MAX_CHAPTERS)


class ChaptersTold(BaseModel):
    """The chapters that are shown."""

    source: str = Field(
        description="user, proposed, or where they were told: file, feed, audio, notes; empty where there are none."
    )
    engine: str = Field(description="The model that proposed them.")
    chapters: list[ChapterTold]
    beyond_the_end: list[ChapterTold] = Field(
        description="A person's that begin when the audio is over: not shown."
    )
    made_for: float | None = Field(
        description="Seconds of the audio for which a person made them, where this is over 15 s longer or shorter."
    )


@router.get(CHAPTERS, response_model=ChaptersTold)
def chapters(request: Request, caller: Reader, folder: Folder, desk: OnDesk) -> Response:
    """The chapters that are shown, and who says so."""
    return _answer(request, desk.refreshed(folder))


@router.put(CHAPTERS, response_model=ChaptersTold, responses=RESPONSES)
def set_chapters(
    request: Request,
    caller: Editor,
    folder: Folder,
    desk: OnDesk,
    given: NewChapters,
    if_match: IfMatch = None,
) -> Response:
    """Have these chapters and no others, whatever a feed tells or is proposed from now on."""
    listed = [one.model_dump() for one in given.chapters]
    return _become(request, caller, desk.refreshed(folder), desk, listed, if_match)


@router.delete(CHAPTERS, response_model=ChaptersTold, responses=RESPONSES)
def reset_chapters(
    request: Request, caller: Editor, folder: Folder, desk: OnDesk, if_match: IfMatch = None
) -> Response:
    """Go back to the chapters that were told or proposed."""
    return _become(request, caller, desk.refreshed(folder), desk, None, if_match)


def _become(
    request: Request, caller: Caller, session: EditingSession, desk: OnDesk, listed: Any, if_match: str | None
) -> Response:
    if if_match is None:
        raise ProblemError(428, "precondition", "send the ETag of the chapters as If-Match, or * for any")
    was = session.chapters_tag
    do = {"do": "chapters", "chapters": listed, **({} if if_match.strip() == "*" else {"was": was})}
    try:
        if not matches(if_match, etag(was)):
            raise ConflictError("the chapters have changed meanwhile", None, 0, [])
        desk.edit(session.folder, uuid4().hex, user_of(request, caller), do)
    except ConflictError as error:
        raise ProblemError(412, "conflict", str(error)) from None
    return _answer(request, session)


def _answer(request: Request, session: EditingSession) -> Response:
    with session.lock:
        shown, waiting, tag = session.chapters, session.waiting_chapters, etag(session.chapters_tag)
        made_for = session.chapters_made_for
    told = ChaptersTold(
        source=shown.source,
        engine=shown.engine,
        chapters=[ChapterTold(**asdict(one)) for one in shown.chapters],
        beyond_the_end=[ChapterTold(**asdict(one)) for one in waiting],
        made_for=made_for,
    )
    return tagged(request, told.model_dump_json().encode(), tag=tag)
