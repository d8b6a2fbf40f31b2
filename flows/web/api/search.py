"""Search over every word of the library."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from flows.web.access import Reader
from flows.web.api.library import Place, library_of
from flows.web.paging import Page, Paging, bad_cursor
from outputs.library.index import NoIndexError
from outputs.library.search import COUNTED, Hit, SearchResult, search

router = APIRouter(tags=["search"])


class SearchHit(BaseModel):
    """A passage in which the words are said."""

    episode: str = Field(description="Its address in the API, `show/episode`.")
    show: str = Field(description="Title of the show.")
    title: str
    published: str
    speaker: str
    seconds: float = Field(description="When the first of the words is said.")
    text: str
    marks: list[tuple[int, int]] = Field(
        description="Where the words are in the text: from and to, in UTF-16 units as JavaScript counts."
    )


class SearchHits(Page[SearchHit]):
    """A page of hits."""

    count: int = Field(description=f"Hits in all; {COUNTED + 1} stands for more than {COUNTED}.")


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
) -> SearchHits:
    """Passages with all the words: those with the words in a row first, then the newest."""
    skip = 0 if paging.after is None else paging.after
    if type(skip) is not int or not 0 <= skip <= COUNTED:
        raise bad_cursor()
    library, limit = library_of(request), paging.limit
    try:
        found = search(library, q, speaker, limit=limit, place=show, since=since, until=until, skip=skip)
    except NoIndexError:
        found = SearchResult((), 0)
    more = skip + limit if skip + limit < min(found.count, COUNTED) else None
    page = paging.answer([_told(hit) for hit in found.hits], more)
    return SearchHits(items=page.items, next=page.next, count=found.count)


def _told(hit: Hit) -> SearchHit:
    return SearchHit(
        episode=hit.folder,
        show=hit.show,
        title=hit.title,
        published=hit.published,
        speaker=hit.speaker,
        seconds=hit.seconds,
        text=hit.text,
        marks=[(_units(hit.text[:start]), _units(hit.text[:stop])) for start, stop in hit.marks],
    )


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
