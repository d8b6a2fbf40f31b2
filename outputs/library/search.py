"""Full-text search over the transcripts of a library, by its index (`outputs.library.index`).

Words are compared without case and accents. In scripts without spaces each character is a word of the
index and what is searched for is a phrase of them, so any part of a sentence is found.
"""

from __future__ import annotations

import re
import sqlite3
from array import array
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from models.record.errors import InputError
from outputs.library.index import (
    PASSAGE_BITS,
    WORD_SEPARATOR,
    first_passage,
    minute_of,
    reading,
    show_token,
    update,
)
from outputs.text.characters import one_line
from outputs.text.times import fragment_seconds, milliseconds
from outputs.text.tokens import tokens

__all__ = ["COUNTED", "Hit", "SearchResult", "query_terms", "search", "update"]

NEAR = 8  # words that may lie between words that are looked for, to count as near
MIN_STARRED = 3  # letters before a star: fewer begin so many words that looking takes long
LIMIT = 20
COUNTED = 1000  # hits are counted up to here
MINUTES_A_DAY = 24 * 60
FEW = 50  # passages: words that no more have are looked for, however small the library
COMMON = 0.1  # of all passages: words that more have say little
RANKED = 30_000  # passages: no more are weighed by their words
LAST = 2**63 - 1  # no passage has a higher number
Terms = Sequence[tuple[list[str], bool]]
_QUERY = re.compile(r'"([^"]*)"?|(\S+)')


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage in which the words are found.

    `folder` is the episode's, relative to the library; `seconds` is when the first of the words is said;
    `marks` are the places of the words in `text`, as pairs of offsets. `chapter` is the title of the chapter in which
    that is, "" where there is none.
    """

    folder: str
    show: str
    title: str
    published: str
    speaker: str
    seconds: float
    text: str
    marks: tuple[tuple[int, int], ...]
    chapter: str = ""

    @property
    def link(self) -> str:
        """The address of the moment on the episode's page, relative to the library."""
        return f"{self.folder}/transcript.html#t={fragment_seconds(self.seconds)}"


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits, the best first, and how many passages there are in all (COUNTED + 1 means more)."""

    hits: tuple[Hit, ...]
    count: int


def search(
    library: Path,
    query: str,
    speaker: str = "",
    show: str = "",
    limit: int = LIMIT,
    *,
    place: str = "",
    since: str = "",
    until: str = "",
    skip: int = 0,
) -> SearchResult:
    """Passages with all words of `query`, in quotes a phrase, with a star the beginning of a word (3 letters or more).

    Those with the words side by side come first, then those with them near each other; the newest first.
    `speaker` and `show` are words of their names, `place` is the folder of a show. since, until: dates or times
    (ISO 8601) between which an episode was published, the day or minute of `until` included. The first `skip` hits
    are left out. The index is taken as it is: see `update`. Raises InputError for a query without words, a date that
    is none, or a library without an index.
    """
    terms = query_terms(query)
    wanted = Wanted(speaker, show, place, since, until)
    queries = [f"words : ({one}){wanted.where}" for one in _tiers(terms)]
    with reading(library) as index:
        rows = _rows(index, queries, wanted.span, skip + limit)[skip:]
        count = _count(index, queries[-1], wanted.span)
        hits = (hit_of(index, row, terms) for row in rows)
        return SearchResult(tuple(in_chapters(index, hits)), count)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched: `speaker`, `show`, `place`, `since` and `until` as `search` takes them."""

    speaker: str = ""
    show: str = ""
    place: str = ""
    since: str = ""
    until: str = ""

    @property
    def where(self) -> str:
        """What an FTS5 query goes on with."""
        filters = [
            ("speaker", tokens(self.speaker)),
            ("show", tokens(self.show)),
            ("show", [show_token(self.place)] * bool(self.place)),
        ]
        return "".join(f' AND {column} : "{" ".join(words)}"' for column, words in filters if words)

    @property
    def span(self) -> tuple[int, int]:
        """The lowest and highest number of passages between the dates. InputError for what is no date."""
        return _span(self.since, self.until)


def rows_with_any(index: sqlite3.Connection, terms: Terms, wanted: Wanted, limit: int) -> list[int]:
    """Passages with any of one or more terms, the best first: those that have the most of what few have (BM25)."""
    query = f"words : ({' OR '.join(_phrase(*term) for term in terms)}){wanted.where}"
    statement = (
        "SELECT rowid FROM found WHERE found MATCH ? AND rowid BETWEEN ? AND ? "
        "ORDER BY rank, rowid DESC LIMIT ?"
    )
    return [row for (row,) in index.execute(statement, (query, *wanted.span, limit))]


def telling(index: sqlite3.Connection, terms: Terms) -> Terms:
    """The terms with rare words: what very many passages have says little, and weighing them all takes long."""
    index.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.vocabulary USING fts5vocab(main, found, col)")
    statement = "SELECT doc FROM temp.vocabulary WHERE term = ? AND col = 'words'"
    ((passages,),) = index.execute("SELECT count(*) FROM passages")
    counted = []
    for term in terms:
        counts = [(index.execute(statement, (word,)).fetchone() or (0,))[0] for word in term[0]]
        counted.append((min(counts), term))
    found, ranked = list[tuple[list[str], bool]](), 0
    for count, term in sorted(counted, key=lambda one: one[0]):
        ranked += count
        if count > max(FEW, passages * COMMON) or ranked > RANKED:
            break
        found.append(term)
    return found


def _span(since: str, until: str) -> tuple[int, int]:
    """The lowest and highest number that a passage of that time may have."""
    first = first_passage(_minute(since)) if since else 0
    after = _minute(until) + (1 if "T" in until or " " in until else MINUTES_A_DAY) if until else None
    known = first_passage(1) if until else 0  # what has no date was not published before one
    return max(first, known), LAST if after is None else min(first_passage(after) - 1, LAST)


def _minute(moment: str) -> int:
    minute = minute_of(moment)
    if not minute:
        raise InputError(f"{moment!r} is no date: write it as 2026-01-31")
    return minute


def query_terms(query: str) -> list[tuple[list[str], bool]]:
    """The phrases of a query as tokens, and whether the last token is only the beginning of a word.

    Raises InputError where there are none.
    """
    found = []
    for quoted, bare in _QUERY.findall(one_line(query)):
        words = tokens(quoted or bare)
        if words:
            found.append((words, bare.endswith("*") and len(words[-1]) >= MIN_STARRED))
    if not found:
        raise InputError(f"nothing to search for in {query!r}: give words")
    return found


def phrase_of(term: str) -> tuple[list[str], bool]:
    """All words of a term as one phrase, and whether the last is only the beginning of a word. InputError for none."""
    terms = query_terms(term)
    return [word for words, _ in terms for word in words], terms[-1][1]


def _phrase(words: Sequence[str], starred: bool) -> str:
    return f'"{" ".join(words)}"{"*" if starred else ""}'


def _tiers(terms: Terms) -> list[str]:
    """FTS5 queries from the strictest to the loosest, which finds all."""
    together = " ".join(_phrase(*term) for term in terms)
    everywhere = " AND ".join(_phrase(*term) for term in terms)
    if len(terms) == 1:
        return [everywhere]
    in_a_row = _phrase([word for words, _ in terms for word in words], terms[-1][1])
    return [in_a_row, f"NEAR({together}, {NEAR})", everywhere]


def _rows(index: sqlite3.Connection, queries: Iterable[str], span: tuple[int, int], limit: int) -> list[int]:
    """Passages that answer the queries, the first query first; of an episode in order of time."""
    statement = (
        "SELECT rowid FROM found WHERE found MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid DESC LIMIT ?"
    )
    rows: dict[int, None] = {}
    for query in queries:
        if len(rows) < limit:
            found = [row for (row,) in index.execute(statement, (query, *span, limit))]
            rows.update(dict.fromkeys(sorted(found, key=lambda row: (-(row >> PASSAGE_BITS), row))))
    return list(rows)[:limit]


def rows_with_all(index: sqlite3.Connection, terms: Terms, wanted: Wanted) -> list[int]:
    """All passages that have all of these phrases."""
    query = f"words : ({' AND '.join(_phrase(*term) for term in terms)}){wanted.where}"
    statement = "SELECT rowid FROM found WHERE found MATCH ? AND rowid BETWEEN ? AND ?"
    return [row for (row,) in index.execute(statement, (query, *wanted.span))]


def _count(index: sqlite3.Connection, query: str, span: tuple[int, int]) -> int:
    statement = (
        "SELECT count(*) FROM (SELECT 1 FROM found WHERE found MATCH ? AND rowid BETWEEN ? AND ? LIMIT ?)"
    )
    ((count,),) = index.execute(statement, (query, *span, COUNTED + 1))
    return int(count)


def hit_of(index: sqlite3.Connection, row: int, terms: Terms) -> Hit:
    """The passage of that number."""
    passage = _passage(index, row)
    first, numbers = _best(passage.words, terms)
    return passage.hit(first, numbers)


def in_chapters(index: sqlite3.Connection, hits: Iterable[Hit]) -> Iterator[Hit]:
    """The hits, each with the chapter in which it is."""
    known = dict[str, list[tuple[int, int, str]]]()
    for hit in hits:
        if hit.folder not in known:
            known[hit.folder] = index.execute(
                "SELECT start, until, chapters.title FROM chapters JOIN episodes ON episodes.id = episode "
                "WHERE folder = ?",
                (hit.folder,),
            ).fetchall()
        ms = milliseconds(hit.seconds)
        within = (title for start, until, title in known[hit.folder] if start <= ms < until)
        yield replace(hit, chapter=next(within, ""))


def occurrences(index: sqlite3.Connection, row: int, term: tuple[list[str], bool]) -> list[Hit]:
    """Each place of a passage at which a phrase is said, in order."""
    passage = _passage(index, row)
    said, found, after = _said(passage.words), list[Hit](), 0
    for start, stop in _matches(said, term):
        if start >= after:
            numbers = {number for _, number in said[start:stop]}
            found.append(passage.hit(min(numbers), numbers))
            after = stop
    return found


@dataclass(frozen=True, slots=True)
class _Passage:
    """A passage as it is kept: whose it is, its words, and when each begins, in milliseconds."""

    about: tuple[str, str, str, str, str]
    words: list[str]
    starts: array[int]

    def hit(self, first: int, numbers: Container[int]) -> Hit:
        """It as a hit from its word `first` on, the words of these numbers marked."""
        text = "".join(self.words)
        lead = len(text) - len(text.lstrip())
        marks = tuple((start - lead, stop - lead) for start, stop in _marks(self.words, numbers))
        return Hit(*self.about, self.starts[first] / 1000, text.strip(), marks)


def _passage(index: sqlite3.Connection, row: int) -> _Passage:
    ((*about, words, starts),) = index.execute(
        "SELECT folder, show, title, published, speaker, words, starts FROM passages "
        "JOIN episodes ON episodes.id = passages.episode WHERE passages.id = ?",
        (row,),
    )
    times = array("I")
    times.frombytes(starts)
    return _Passage(tuple(about), words.split(WORD_SEPARATOR), times)


def marked(words: Sequence[str], terms: Terms) -> tuple[int, list[tuple[int, int]]]:
    """The word with which the first match begins, and where matched words lie in the text."""
    first, numbers = _best(words, terms)
    return first, _marks(words, numbers)


def _best(words: Sequence[str], terms: Terms) -> tuple[int, set[int]]:
    """The word with which the first match begins, and all that match.

    All terms in a row are the best match; else the first of any term is.
    """
    said = _said(words)
    every = ([word for phrase, _ in terms for word in phrase], terms[-1][1])
    matches = _matches(said, every)
    matches = matches or sorted(match for term in terms for match in _matches(said, term))
    numbers = {said[i][1] for start, stop in matches for i in range(start, stop)}
    return (said[matches[0][0]][1] if matches else 0), numbers


def _said(words: Sequence[str]) -> list[tuple[str, int]]:
    """The tokens of words, each with the number of its word."""
    return [(token, number) for number, word in enumerate(words) for token in tokens(word)]


def _marks(words: Sequence[str], numbers: Container[int]) -> list[tuple[int, int]]:
    """Where the words of these numbers lie in the text."""
    marks, at = [], 0
    for number, word in enumerate(words):
        bare = word.strip()
        start = at + len(word) - len(word.lstrip())
        if number in numbers:
            marks.append((start, start + len(bare)))
        at += len(word)
    return marks


def _matches(row: Sequence[tuple[str, int]], term: tuple[list[str], bool]) -> list[tuple[int, int]]:
    words, starred = term
    size = len(words)
    spoken, end = [token for token, _ in row], words[-1]
    ends = (at for at, token in enumerate(spoken, 1) if token == end or (starred and token.startswith(end)))
    return [(at - size, at) for at in ends if at >= size and spoken[at - size : at - 1] == words[:-1]]
