"""Search over every word of the library, or by meaning."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from flows.library.searching import searcher
from flows.web.access import Reader
from flows.web.api.library import Place, library_of
from flows.web.paging import Page, Paging, bad_cursor
from outputs.library import mentions as library_mentions
from outputs.library.index import NoIndexError
from outputs.library.search import COUNTED, Hit, SearchResult, Wanted

router = APIRouter(tags=["search"])


class SearchHit(BaseModel):
    """A passage in which the words are said."""

    episode: str = Field(description="Its address in the API, `show/episode`.")
    show: str = Field(description="Title of the show.")
    title: str
    published: str
    speaker: str
    chapter: str = Field(description="Title of the chapter in which that is, empty where there is none.")
    seconds: float = Field(description="When the first of the words is said.")
    text: str
    marks: list[tuple[int, int]] = Field(
        description="Where the words are in the text: from and to, in UTF-16 units as JavaScript counts."
    )


class SearchHits(Page[SearchHit]):
    """A page of hits."""

    count: int = Field(
        description=f"Hits in all; {COUNTED + 1} stands for more than {COUNTED}. By meaning: those that were ranked."
    )
    waiting: int = Field(
        description="Episodes that are not found by meaning yet, but by their words only: they are being embedded."
    )


@router.get("/search")
def search_words(
    request: Request,
    caller: Reader,
    paging: Paging,
    q: Annotated[
        str,
        Query(
            max_length=500,
            description='Words; "a phrase" in quotes; the begin* of a word, of 3 letters or more.',
        ),
    ],
    speaker: Annotated[str, Query(max_length=300, description="Words of a speaker's name.")] = "",
    show: Place = "",
    since: Annotated[
        str, Query(max_length=40, description="Published on this day (ISO 8601) or later.")
    ] = "",
    until: Annotated[str, Query(max_length=40, description="Published on this day or before.")] = "",
    meaning: Annotated[
        bool, Query(description="Passages that are about `q`, or have words of it, the best first.")
    ] = False,
) -> SearchHits:
    """Passages with all the words: those with the words in a row first, then the newest. Or by meaning."""
    skip = 0 if paging.after is None else paging.after
    if type(skip) is not int or not 0 <= skip <= COUNTED:
        raise bad_cursor()
    library, limit = library_of(request), paging.limit
    found, waiting = SearchResult((), 0), 0
    with suppress(NoIndexError):
        look, waiting = searcher(library, meaning=meaning)
        found = look(library, q, speaker, limit=limit, place=show, since=since, until=until, skip=skip)
    more = skip + limit if skip + limit < min(found.count, COUNTED) else None
    page = paging.answer([_told(hit) for hit in found.hits], more)
    return SearchHits(items=page.items, next=page.next, count=found.count, waiting=waiting)


MOST = 10_000  # passages that are looked through for mentions
TIMES = 100  # told of an episode


class Mention(BaseModel):
    """A place where it is said."""

    seconds: float
    chapter: str = Field(description="Title of the chapter in which that is, empty where there is none.")


class EpisodeMentions(BaseModel):
    """Where somebody says it in one episode."""

    episode: str = Field(description="Its address in the API, `show/episode`.")
    show: str = Field(description="Title of the show.")
    title: str
    published: str
    count: int
    said: list[Mention] = Field(description=f"The first {TIMES} places.")


class PersonMentions(BaseModel):
    """Where a person says it."""

    name: str = Field(description="Empty for all whom nobody named.")
    count: int
    episodes: list[EpisodeMentions] = Field(description="The earliest first.")


class Mentions(BaseModel):
    """Who says a term, how often and when."""

    count: int
    people: list[PersonMentions] = Field(description="Those who say it most often first.")


@router.get("/mentions")
def mentions_of(
    request: Request,
    caller: Reader,
    q: Annotated[str, Query(max_length=500, description="Words in a row; the begin* of the last.")],
    speaker: Annotated[str, Query(max_length=300, description="Words of a speaker's name.")] = "",
    show: Place = "",
    since: Annotated[
        str, Query(max_length=40, description="Published on this day (ISO 8601) or later.")
    ] = "",
    until: Annotated[str, Query(max_length=40, description="Published on this day or before.")] = "",
) -> Mentions:
    """Who says a term, how often and when."""
    wanted = Wanted(speaker, place=show, since=since, until=until)
    try:
        found = library_mentions.mentions(library_of(request), q, wanted, MOST)
    except NoIndexError:
        return Mentions(count=0, people=[])
    return Mentions(count=found.count, people=[_person(one) for one in found.people])


def _person(person: library_mentions.PersonMentions) -> PersonMentions:
    return PersonMentions(
        name=person.name,
        count=person.count,
        episodes=[
            EpisodeMentions(
                episode=one.folder,
                show=one.show,
                title=one.title,
                published=one.published,
                count=len(one.said),
                said=[Mention(seconds=hit.seconds, chapter=hit.chapter) for hit in one.said[:TIMES]],
            )
            for one in person.episodes
        ],
    )


def _told(hit: Hit) -> SearchHit:
    return SearchHit(
        episode=hit.folder,
        show=hit.show,
        title=hit.title,
        published=hit.published,
        speaker=hit.speaker,
        chapter=hit.chapter,
        seconds=hit.seconds,
        text=hit.text,
        marks=[(_units(hit.text[:start]), _units(hit.text[:stop])) for start, stop in hit.marks],
    )


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
