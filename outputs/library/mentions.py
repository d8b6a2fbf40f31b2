"""Who says what, how often and when: every place in a library where a term is said, by the index of its words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from models.naming.speakers import is_numbered
from models.record.errors import InputError
from outputs.library.index import reading
from outputs.library.search import Hit, Wanted, in_chapters, occurrences, phrase_of, rows_with_all


@dataclass(frozen=True, slots=True)
class EpisodeMentions:
    """Where somebody says it in one episode, in order of time."""

    folder: str
    show: str
    title: str
    published: str
    said: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class PersonMentions:
    """Where a person says it, the earliest episode first; `name` is "" for all whom nobody named."""

    name: str
    episodes: tuple[EpisodeMentions, ...]

    @property
    def count(self) -> int:
        """How often."""
        return sum(len(episode.said) for episode in self.episodes)


@dataclass(frozen=True, slots=True)
class Mentions:
    """Who says a term: those who do most often first, those without a name last."""

    term: str
    people: tuple[PersonMentions, ...]

    @property
    def count(self) -> int:
        """How often it is said in all."""
        return sum(person.count for person in self.people)

    @property
    def folders(self) -> tuple[str, ...]:
        """The episodes in which it is said, relative to the library, by name."""
        return tuple(sorted({episode.folder for person in self.people for episode in person.episodes}))


def mentions(library: Path, term: str, wanted: Wanted | None = None, most: int | None = None) -> Mentions:
    """Everywhere that `term` is said, words in a row, the last of which may end in a star; see `search.search`.

    The index is taken as it is: see `search.update`. Raises InputError for a term without words, for a date in
    `wanted` that is none, a library without an index, or a term that more than `most` passages have.
    """
    found = sorted(
        _said(library, term, wanted or Wanted(), most), key=lambda hit: (hit.published, hit.folder)
    )
    people: dict[str, list[Hit]] = {}
    for hit in found:
        people.setdefault("" if is_numbered(hit.speaker) else hit.speaker, []).append(hit)
    told = [PersonMentions(name, tuple(_by_episode(hits))) for name, hits in people.items()]
    return Mentions(term, tuple(sorted(told, key=lambda one: (not one.name, -one.count, one.name))))


def _said(library: Path, term: str, wanted: Wanted, most: int | None) -> Iterator[Hit]:
    phrase = phrase_of(term)
    with reading(library) as index:
        rows = rows_with_all(index, [phrase], wanted)
        if most is not None and len(rows) > most:
            raise InputError(f"{term!r} is said in {len(rows)} passages: ask for a show, a speaker or a time")
        yield from in_chapters(index, (hit for row in rows for hit in occurrences(index, row, phrase)))


def _by_episode(hits: list[Hit]) -> Iterator[EpisodeMentions]:
    for folder, group in groupby(hits, key=lambda hit: hit.folder):
        said = tuple(sorted(group, key=lambda hit: hit.seconds))
        yield EpisodeMentions(folder, said[0].show, said[0].title, said[0].published, said)
