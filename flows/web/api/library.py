"""What is in the library: shows and episodes, out of its index, which a process beside the app keeps up to date."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Request, Response
from pydantic import BaseModel, Field

from flows.library.audio import downloads_folder
from flows.web.access import Reader
from flows.web.episodes import config_of
from flows.web.etags import tagged
from flows.web.paging import Page, Paged, Paging, bad_cursor
from outputs.formats.html import KEPT_AUDIO
from outputs.library import listing
from outputs.library.index import NoIndexError
from outputs.library.listing import Listed, Position, Wanted, unread

router = APIRouter(tags=["library"])

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


class EpisodePage(Page[EpisodeSummary]):
    """A page of episodes."""

    unread: int = Field(description="Episodes that are in the library and not yet in its lists.")


@router.get("/shows", response_model=Page[ShowSummary])
def list_shows(request: Request, caller: Reader, paging: Paging) -> Response:
    """The shows of the library, by title."""
    found = list[ShowSummary]()
    with suppress(NoIndexError):
        found = [
            ShowSummary(show=one.place, title=one.title, episodes=one.episodes, seconds=one.seconds)
            for one in listing.list_shows(library_of(request))
        ]
    return _told(paging, paging.slice(found))


@router.get("/episodes", response_model=EpisodePage)
def list_episodes(
    request: Request,
    caller: Reader,
    paging: Paging,
    show: Place = "",
    q: Annotated[str, Query(max_length=300, description="Beginnings of words of the title.")] = "",
    speaker: Annotated[
        str, Query(max_length=300, description="Beginnings of words of a speaker's name.")
    ] = "",
    doubtful: Annotated[bool, Query(description="Only those with something to review.")] = False,
    sort: Literal["date", "title", "doubt"] = "date",
) -> Response:
    """The episodes of the library: the newest first, by title, or the most doubtful first."""
    library, wanted = library_of(request), Wanted(show, q, speaker, doubtful)
    missing = unread(library)  # before they are listed: who is told of none has seen all
    after, found, more = _position(paging.after, sort), list[Listed](), None
    with suppress(NoIndexError):
        found, more = listing.list_episodes(library, wanted, sort, paging.limit, after)
    heard = _downloads()
    page = paging.answer([_summary(one, library, heard) for one in found], more)
    return _told(paging, EpisodePage(items=page.items, next=page.next, unread=missing))


def library_of(request: Request) -> Path:
    """The library of the app; 404 where the app is about one episode."""
    config = config_of(request)
    if config.only is not None:
        raise HTTPException(404, "this app is about one episode, not a library")
    return config.library


def _position(after: Any, sort: str) -> Position | None:
    """Where a list goes on, as a cursor says it."""
    kind = str if sort == "title" else int
    if after is None:
        return None
    if (
        not isinstance(after, list)
        or len(after) != 2
        or type(after[0]) is not kind
        or type(after[1]) is not str
    ):
        raise bad_cursor()
    return after[0], after[1]


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
    try:
        return frozenset(file.stem for file in downloads_folder().iterdir())
    except OSError:
        return frozenset()


def _told(paging: Paged, page: BaseModel) -> Response:
    """A page, or 304 for who has it."""
    answer = tagged(paging.request, page.model_dump_json().encode())
    answer.headers.update(paging.response.headers)
    return answer
