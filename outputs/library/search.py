"""Full-text search over the transcripts of a library: an SQLite FTS5 index beside the shows.

The index holds passages of up to a minute or so, each with the time of every word, so that a hit is a
link to the second. It is only ever a copy: `update` brings it up to what the folders hold, and makes it
anew where it is damaged or of another version.

Words are compared without case and accents. In scripts without spaces each character is a word of the
index and what is searched for is a phrase of them, so any part of a sentence is found.
"""

from __future__ import annotations

import json
import re
import sqlite3
import unicodedata
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import regex

from models.record.errors import EpiscribeError, InputError, OutputError
from outputs.formats import episode_json
from outputs.formats.registry import EPISODE
from outputs.library import corrections
from outputs.library.folders import library_episodes
from outputs.library.read import load
from outputs.text.characters import is_spaceless, needs_space, one_line
from outputs.text.times import fragment_seconds, milliseconds

FILE_NAME = "search.db"
WAIT_SECONDS = 300  # for another program that brings the index up to date
VERSION = 2
PASSAGE_WORDS = 60  # a passage ends with the segment that makes it this long
NEAR = 8  # words that may lie between words that are looked for, to count as near
MIN_STARRED = 3  # letters before a star: fewer begin so many words that looking takes long
LIMIT = 20
COUNTED = 1000  # hits are counted up to here
MAX_MS = 2**32 - 1  # what is kept of a time
WORD_SEPARATOR = "\x1f"  # between the words of a kept passage
_SCHEMA = f"""
CREATE TABLE episodes (id INTEGER PRIMARY KEY, folder TEXT UNIQUE, stamp TEXT, show TEXT, title TEXT, published TEXT);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY, episode INTEGER REFERENCES episodes, speaker TEXT, words TEXT, starts BLOB
);
CREATE INDEX passages_of_episode ON passages (episode);
CREATE VIRTUAL TABLE found USING fts5 (
    words, speaker, show, content='', columnsize=0,
    tokenize="unicode61 remove_diacritics 0 categories 'L* N* M* Co'"
);
PRAGMA user_version = {VERSION};
"""
_TOKEN = regex.compile(r"[\p{L}\p{N}\p{M}\p{Co}]+")
# Accents, points of Hebrew, signs of vowels in Arabic and what only stretches its words.
_ACCENT = regex.compile(
    r"[\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed]"
)
_QUERY = re.compile(r'"([^"]*)"?|(\S+)')


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage in which the words are found.

    `folder` is the episode's, relative to the library; `seconds` is when the first of the words is said;
    `marks` are the places of the words in `text`, as pairs of offsets.
    """

    folder: str
    show: str
    title: str
    published: str
    speaker: str
    seconds: float
    text: str
    marks: tuple[tuple[int, int], ...]

    @property
    def link(self) -> str:
        """The address of the moment on the episode's page, relative to the library."""
        return f"{self.folder}/transcript.html#t={fragment_seconds(self.seconds)}"


@dataclass(slots=True)
class IndexChanges:
    """What `update` did: numbers of episodes, and for folders that can't be read the reason."""

    indexed: int = 0
    removed: int = 0
    unchanged: int = 0
    skipped: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits, the best first, and how many passages there are in all (COUNTED + 1 means more)."""

    hits: tuple[Hit, ...]
    count: int


def update(library: Path) -> IndexChanges:
    """Bring the index of a library up to date. InputError where there is no library, OutputError for the disk."""
    if not library.is_dir():
        raise InputError(f"{library}: no such folder; give the library, the folder that holds all shows")
    try:
        with closing(_open(library / FILE_NAME)) as index, index:
            return _update(index, library)
    except (sqlite3.Error, OSError) as error:
        raise OutputError(f"cannot write the search index {library / FILE_NAME}: {error}") from error


def search(library: Path, query: str, speaker: str = "", show: str = "", limit: int = LIMIT) -> SearchResult:
    """Passages with all words of `query`, in quotes a phrase, with a star the beginning of a word (3 letters or more).

    Those with the words side by side come first, then those with them near each other; the newest first.
    `speaker` and `show` are words of their names. The index is taken as it is: see `update`. Raises
    InputError for a query without words or a library without an index.
    """
    terms = query_terms(query)
    if not (library / FILE_NAME).exists():
        raise InputError(f"{library} has no search index yet")
    where = "".join(
        f' AND {column} : "{" ".join(tokens(text))}"'
        for column, text in (("speaker", speaker), ("show", show))
        if tokens(text)
    )
    queries = [f"words : ({one}){where}" for one in _tiers(terms)]
    try:
        with closing(sqlite3.connect(library / FILE_NAME)) as index:
            hits = tuple(_hit(index, row, terms) for row in _rows(index, queries, limit))
            return SearchResult(hits, _count(index, queries[-1]))
    except sqlite3.Error as error:
        raise OutputError(f"cannot read the search index {library / FILE_NAME}: {error}") from error


def tokens(text: str) -> list[str]:
    """What the index holds of a text: its words without case and accents, wide characters one by one.

    >>> tokens("Don't go to Café 東京!"), tokens("हिंदी शुरू"), tokens("شكرًا")
    (['don', 't', 'go', 'to', 'cafe', '東', '京'], ['हिंदी', 'शुरू'], ['شكرا'])
    """
    found: list[str] = _TOKEN.findall(_folded(text))
    return found


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    # Marks go before letters are put together again: Korean syllables are not letters with marks.
    parts = unicodedata.normalize("NFKD", text).casefold()
    bare = "".join(char for char in parts if not _is_accent(char))
    bare = unicodedata.normalize("NFC", bare)
    return "".join(f" {char} " if is_spaceless(char) else char for char in bare)


@lru_cache(maxsize=4096)
def _is_accent(char: str) -> bool:
    """Marks that many leave out; but vowel signs of Indic scripts are letters themselves, and so are kana marks."""
    return bool(_ACCENT.match(char))


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


def _phrase(words: Sequence[str], starred: bool) -> str:
    return f'"{" ".join(words)}"{"*" if starred else ""}'


def _tiers(terms: Sequence[tuple[list[str], bool]]) -> list[str]:
    """FTS5 queries from the strictest to the loosest, which finds all."""
    together = " ".join(_phrase(*term) for term in terms)
    everywhere = " AND ".join(_phrase(*term) for term in terms)
    if len(terms) == 1:
        return [everywhere]
    in_a_row = _phrase([word for words, _ in terms for word in words], terms[-1][1])
    return [in_a_row, f"NEAR({together}, {NEAR})", everywhere]


def _rows(index: sqlite3.Connection, queries: Iterable[str], limit: int) -> list[int]:
    """Passages that answer the queries, the first query first; of an episode in order of time."""
    statement = (
        "SELECT found.rowid, episode FROM found JOIN passages ON passages.id = found.rowid "
        "WHERE found MATCH ? ORDER BY found.rowid DESC LIMIT ?"
    )
    rows: dict[int, None] = {}
    for query in queries:
        if len(rows) < limit:
            found = list(index.execute(statement, (query, limit)))
            rows.update(dict.fromkeys(row for row, _ in sorted(found, key=lambda one: (-one[1], one[0]))))
    return list(rows)[:limit]


def _count(index: sqlite3.Connection, query: str) -> int:
    statement = "SELECT count(*) FROM (SELECT 1 FROM found WHERE found MATCH ? LIMIT ?)"
    ((count,),) = index.execute(statement, (query, COUNTED + 1))
    return int(count)


def _hit(index: sqlite3.Connection, row: int, terms: Sequence[tuple[list[str], bool]]) -> Hit:
    ((folder, show, title, published, speaker, words, starts),) = index.execute(
        "SELECT folder, show, title, published, speaker, words, starts FROM passages "
        "JOIN episodes ON episodes.id = passages.episode WHERE passages.id = ?",
        (row,),
    )
    first, marked = _marked(words.split(WORD_SEPARATOR), terms)
    times = array("I")
    times.frombytes(starts)
    text = words.replace(WORD_SEPARATOR, "")
    lead = len(text) - len(text.lstrip())
    marks = tuple((start - lead, stop - lead) for start, stop in marked)
    return Hit(folder, show, title, published, speaker, times[first] / 1000, text.strip(), marks)


def _marked(
    words: Sequence[str], terms: Sequence[tuple[list[str], bool]]
) -> tuple[int, list[tuple[int, int]]]:
    """The word with which the first match begins, and where matched words lie in the text.

    All terms in a row are the best match; else the first of any term is.
    """
    row = [(token, number) for number, word in enumerate(words) for token in tokens(word)]
    every = ([word for phrase, _ in terms for word in phrase], terms[-1][1])
    matches = _matches(row, every)
    matches = matches or sorted(match for term in terms for match in _matches(row, term))
    numbers = {row[i][1] for start, stop in matches for i in range(start, stop)}
    marks, at = [], 0
    for number, word in enumerate(words):
        bare = word.strip()
        start = at + len(word) - len(word.lstrip())
        if number in numbers:
            marks.append((start, start + len(bare)))
        at += len(word)
    return (row[matches[0][0]][1] if matches else 0), marks


def _matches(row: Sequence[tuple[str, int]], term: tuple[list[str], bool]) -> list[tuple[int, int]]:
    words, starred = term
    size = len(words)
    found = []
    for start in range(len(row) - size + 1):
        here = [token for token, _ in row[start : start + size]]
        if here[:-1] == words[:-1] and (here[-1].startswith(words[-1]) if starred else here[-1] == words[-1]):
            found.append((start, start + size))
    return found


def _open(file: Path) -> sqlite3.Connection:
    """The index, made anew where there is none, or one that is damaged or of another version."""
    index = sqlite3.connect(file, timeout=WAIT_SECONDS)
    try:
        ((version,),) = index.execute("PRAGMA user_version")
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        version = -1
    if version != VERSION:
        index.close()
        if version:
            file.unlink()
        index = sqlite3.connect(file, timeout=WAIT_SECONDS)
        _make_tables(index)
    index.execute("PRAGMA synchronous = OFF")  # it can be made again from what it was made of
    index.execute("PRAGMA cache_size = -65536")
    return index


def _make_tables(index: sqlite3.Connection) -> None:
    """Make the tables, unless somebody else was faster."""
    index.execute("BEGIN IMMEDIATE")
    ((version,),) = index.execute("PRAGMA user_version")
    if version != VERSION:
        for statement in _SCHEMA.split(";\n"):
            index.execute(statement)
    index.commit()


def _update(index: sqlite3.Connection, library: Path) -> IndexChanges:
    index.execute("BEGIN IMMEDIATE")  # before looking: whoever updates at the same time is waited for
    changes = IndexChanges()
    known = dict(index.execute("SELECT folder, stamp FROM episodes"))
    present = {folder.relative_to(library).as_posix(): folder for folder in library_episodes(library)}
    for folder in known.keys() - present.keys():
        _remove(index, folder)
        changes.removed += 1
    fresh = []
    for name, folder in present.items():
        stamp = _stamp(folder)
        if known.get(name) == stamp:
            changes.unchanged += 1
        else:
            fresh.append((name, folder, stamp))
    # By name, which begins with the date: rows that come later are newer, and found first.
    for name, folder, stamp in sorted(fresh, key=lambda entry: (entry[1].name, entry[0])):
        _remove(index, name)
        try:
            record = _Record.read(folder)
        except EpiscribeError as error:
            changes.skipped[name] = str(error)
        else:
            _index(index, name, stamp, record)
            changes.indexed += 1
    return changes


def _stamp(folder: Path) -> str:
    """Changes when what is indexed of a folder changes."""
    parts = []
    for name in (EPISODE.file_name, corrections.FILE_NAME):
        try:
            found = (folder / name).stat()
            parts.append(f"{found.st_mtime_ns}-{found.st_size}")
        except OSError:
            parts.append("")
    return " ".join(parts)


def _index(index: sqlite3.Connection, name: str, stamp: str, record: _Record) -> None:
    cursor = index.execute(
        "INSERT INTO episodes (folder, stamp, show, title, published) VALUES (?, ?, ?, ?, ?)",
        (name, stamp, record.show, record.title, record.published),
    )
    show = " ".join(tokens(record.show))
    for speaker, words, starts in record.passages:
        row = index.execute(
            "INSERT INTO passages (episode, speaker, words, starts) VALUES (?, ?, ?, ?)",
            (cursor.lastrowid, speaker, WORD_SEPARATOR.join(words), starts.tobytes()),
        ).lastrowid
        index.execute(
            "INSERT INTO found (rowid, words, speaker, show) VALUES (?, ?, ?, ?)",
            (row, *_indexed(words), " ".join(tokens(speaker)), show),
        )


def _indexed(words: Sequence[str]) -> tuple[str]:
    return (" ".join(tokens(WORD_SEPARATOR.join(words))),)


def _remove(index: sqlite3.Connection, folder: str) -> None:
    found = index.execute("SELECT id, show FROM episodes WHERE folder = ?", (folder,)).fetchone()
    if found is None:
        return
    number, show = found
    rows = index.execute("SELECT id, words, speaker FROM passages WHERE episode = ?", (number,))
    index.executemany(
        "INSERT INTO found (found, rowid, words, speaker, show) VALUES ('delete', ?, ?, ?, ?)",
        [
            (row, *_indexed(words.split(WORD_SEPARATOR)), " ".join(tokens(speaker)), " ".join(tokens(show)))
            for row, words, speaker in rows
        ],
    )
    index.execute("DELETE FROM passages WHERE episode = ?", (number,))
    index.execute("DELETE FROM episodes WHERE id = ?", (number,))


@dataclass(frozen=True, slots=True)
class _Record:
    """What is indexed of an episode, as the json module reads it: building all its words takes far longer."""

    show: str
    title: str
    published: str
    passages: tuple[tuple[str, list[str], array[int]], ...]

    @classmethod
    def read(cls, folder: Path) -> _Record:
        """The record in a folder, with its corrections. OutputError where it is damaged."""
        file = folder / EPISODE.file_name
        try:
            text = file.read_text(encoding="utf-8-sig")
            if (folder / corrections.FILE_NAME).exists():
                text = episode_json.render(load(folder))
            record = json.loads(text)
            episode = record["episode"]
            names = {speaker["label"]: one_line(speaker["name"]).strip() for speaker in record["speakers"]}
            show, title = one_line(episode["show"]).strip(), one_line(episode["title"]).strip()
            return cls(show, title, str(episode["published"]), tuple(_passages(record["segments"], names)))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise OutputError(f"{file}: damaged or not an episode record ({error})") from error


def _passages(
    segments: Iterable[Mapping[str, Any]], names: Mapping[str, str]
) -> Iterator[tuple[str, list[str], array[int]]]:
    """Name, words and their starts in ms of each passage: consecutive segments of one speaker."""
    words, starts, speaker = list[str](), array("I"), None
    for segment in segments:
        if words and (segment["speaker"] != speaker or len(words) >= PASSAGE_WORDS):
            yield names.get(speaker or "", speaker or ""), words, starts
            words, starts = [], array("I")
        speaker = segment["speaker"]
        for number, word in enumerate(segment["words"]):
            gap = " " if not number and words and needs_space(words[-1], word["text"]) else ""
            words.append(gap + one_line(word["text"]))
            starts.append(min(max(0, milliseconds(word["start"])), MAX_MS))
    if words:
        yield names.get(speaker or "", speaker or ""), words, starts
