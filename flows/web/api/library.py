"""What is in the library: shows and episodes, out of its index, which a process beside the app keeps up to date."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query, Request, Response
from pydantic import BaseModel, Field

from flows.web.access import Reader
from flows.web.cursors import cursor_of, position_of
from flows.web.episodes import config_of
from models.record.errors import InputError
from outputs.formats.html import KEPT_AUDIO
from outputs.library.listing import Listed, Wanted, list_episodes, list_shows, unread

router = APIRouter(tags=["library"])

Limit = Annotated[int, Query(ge=1, le=200, description="Items at most.")]
Cursor = Annotated[str, Query(description="`next` of the page before.")]
Place = Annotated[str, Query(alias="show", max_length=300, description="Folder of a show.")]


class ShowSummary(BaseModel):
    """A show of the library."""

    show: str = Field(description="Its folder, which other routes take as `show`.")
    title: str
    episodes: int
    seconds: float = Field(description="Length of all its episodes.")


class Doubts(BaseModel):
    """How much of an episode is doubtful and was not reviewed."""

    words: int
    speakers: int
    names: int


class EpisodeSummary(BaseModel):
    """An episode as lists tell it."""

    episode: str = Field(description="Its address in the API, `show/episode`.")
    id: str
    show: str = Field(description="Title of the show.")
    title: str
    published: str = Field(description="ISO 8601; empty where unknown.")
    seconds: float
    language: str = Field(description="ISO 639-1, empty where nothing is said.")
    languages: list[str] = Field(description="All that are spoken, the most spoken first.")
    speakers: list[str] = Field(description="Names of those who speak.")
    words: int
    doubts: Doubts
    reviewed: int = Field(description="Doubtful items that were confirmed or corrected.")
    changed_at: datetime = Field(description="When it was last written or corrected.")
    audio: bool = Field(description="Whether its audio is there.")


class ShowList(BaseModel):
    """A page of shows."""

    items: list[ShowSummary]
    next: str | None


class EpisodeList(BaseModel):
    """A page of episodes."""

    items: list[EpisodeSummary]
    next: str | None
    unread: int = Field(description="Episodes that are in the library and not yet in its lists.")


@router.get("/shows", response_model=ShowList)
def shows(request: Request, caller: Reader, limit: Limit = 200, cursor: Cursor = "") -> Response:
    """The shows of the library, by title."""
    skip = offset_of(cursor)
    found = list_shows(library_of(request))
    items = [
        ShowSummary(show=one.place, title=one.title, episodes=one.episodes, seconds=one.seconds)
        for one in found[skip : skip + limit]
    ]
    more = cursor_of(skip + limit) if len(found) > skip + limit else None
    return _unless_known(request, ShowList(items=items, next=more))


@router.get("/episodes", response_model=EpisodeList)
def episodes(
    request: Request,
    caller: Reader,
    show: Place = "",
    q: Annotated[str, Query(max_length=300, description="Beginnings of words of the title.")] = "",
    speaker: Annotated[
        str, Query(max_length=300, description="Beginnings of words of a speaker's name.")
    ] = "",
    doubtful: Annotated[bool, Query(description="Only those with something to review.")] = False,
    sort: Literal["date", "title", "doubt"] = "date",
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Response:
    """The episodes of the library: the newest first, by title, or the most doubtful first."""
    library = library_of(request)
    after = None
    if cursor:
        after = position_of(cursor)
        if not isinstance(after, list) or len(after) != 2:
            raise InputError("this cursor is not one of a list of episodes")
    found, more = list_episodes(
        library, Wanted(show, q, speaker, doubtful), sort, limit, tuple(after or ()) or None
    )
    heard = _downloads()
    answer = EpisodeList(
        items=[_summary(one, library, heard) for one in found],
        next=cursor_of(more) if more else None,
        unread=unread(library),
    )
    return _unless_known(request, answer)


def library_of(request: Request) -> Path:
    """The library of the app; 404 where the app is about one episode."""
    config = config_of(request)
    if config.only is not None:
        raise HTTPException(404, "this app is about one episode, not a library")
    return config.library


def offset_of(cursor: str) -> int:
    """How many items a cursor says to leave out."""
    skip = position_of(cursor) if cursor else 0
    if type(skip) is not int or skip < 0:
        raise InputError("this cursor is not one of this list")
    return skip


def _summary(listed: Listed, library: Path, heard: frozenset[str]) -> EpisodeSummary:
    about = listed.about
    words, speakers, names = about.doubts
    kept = Path(about.audio)
    there = kept.stem == KEPT_AUDIO and (library / listed.folder / kept.name).is_file()
    return EpisodeSummary(
        episode=listed.folder,
        id=about.id,
        show=listed.show,
        title=listed.title,
        published=listed.published,
        seconds=about.seconds,
        language=about.language,
        languages=list(about.languages),
        speakers=list(about.speakers),
        words=about.words,
        doubts=Doubts(words=words, speakers=speakers, names=names),
        reviewed=about.reviewed,
        changed_at=datetime.fromtimestamp(about.changed, UTC),
        audio=there or about.sha256 in heard or kept.is_file(),
    )


def _downloads() -> frozenset[str]:
    """Digests of the audio that was downloaded here."""
    from flows.steps import downloads_folder

    try:
        return frozenset(file.stem for file in downloads_folder().iterdir())
    except OSError:
        return frozenset()


def _unless_known(request: Request, answer: BaseModel) -> Response:
    """The answer, or 304 for a caller who has it already."""
    body = answer.model_dump_json().encode()
    tag = f'W/"{hashlib.sha256(body).hexdigest()[:20]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in [one.strip() for one in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)
