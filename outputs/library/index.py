"""What is looked up in a library without reading its records: an SQLite file beside the shows.

It holds a summary of each episode, and for full-text search passages of up to a minute or so, each with the time
of every word, so that a hit is a link to the second. It is only ever a copy: `update` brings it up to what the
folders hold, and makes it anew where it is damaged or of another version.

Passages are numbered by the moment at which their episode was published, so that FTS5, which finds rows by their
numbers, finds the newest first and those of a span of time quickly.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from models.record.errors import EpiscribeError, InputError, OutputError
from models.record.transcript import Segment, Transcript
from outputs.formats.registry import EPISODE
from outputs.library import corrections, review
from outputs.library.folders import library_episodes
from outputs.library.read import load
from outputs.text.chapters import listed_chapters
from outputs.text.characters import needs_space, one_line
from outputs.text.times import milliseconds
from outputs.text.tokens import tokens

FILE_NAME = "search.db"
MEANING_FILE_NAME = "meaning.db"  # of `outputs.library.meaning`, for who only asks whether it is there
WAIT_SECONDS = 300  # for another program that brings the index up to date
VERSION = 4
PASSAGE_WORDS = 60  # a passage ends with the segment that makes it this long
MAX_MS = 2**32 - 1  # what is kept of a time
WORD_SEPARATOR = "\x1f"  # between the words of a kept passage
MANY = 20  # episodes indexed at once, after which it is worth while to merge what FTS5 has written
MERGED_PAGES = 500  # in one transaction
MINUTE_BITS, EPISODE_BITS, PASSAGE_BITS = (
    26,
    20,
    17,
)  # of a passage's number: to the year 2097, a million episodes
MINUTE_SHIFT = EPISODE_BITS + PASSAGE_BITS
_SCHEMA = f"""
CREATE TABLE episodes (
    id INTEGER PRIMARY KEY, folder TEXT UNIQUE, stamp TEXT, place TEXT, show TEXT, title TEXT, published TEXT,
    minute INTEGER, seconds REAL, doubt INTEGER, titled TEXT, named TEXT, about TEXT
);
CREATE INDEX episodes_of_show ON episodes (place);
CREATE TABLE damaged (folder TEXT PRIMARY KEY, stamp TEXT, reason TEXT);
CREATE TABLE missing (episodes INTEGER);
INSERT INTO missing VALUES (NULL);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY, episode INTEGER REFERENCES episodes, speaker TEXT, words TEXT, starts BLOB
);
CREATE INDEX passages_of_episode ON passages (episode);
CREATE TABLE chapters (episode INTEGER REFERENCES episodes, start INTEGER, until INTEGER, title TEXT);
CREATE INDEX chapters_of_episode ON chapters (episode, start);
CREATE VIRTUAL TABLE found USING fts5 (
    words, speaker, show, content='', columnsize=0,
    tokenize="unicode61 remove_diacritics 0 categories 'L* N* M* Co'"
);
PRAGMA user_version = {VERSION};
"""


class NoIndexError(InputError):
    """A library whose index was not made yet, or is of another version."""


@dataclass(slots=True)
class IndexChanges:
    """What `update` did: numbers of episodes, and for folders that can't be read the reason."""

    indexed: int = 0
    removed: int = 0
    unchanged: int = 0
    skipped: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class About:
    """What a list tells of an episode beside title, show and date.

    `languages` are codes, the most spoken first; `speakers` the names of those who speak. `audio` is the name of the
    file that was heard, with its folders, and `sha256` its digest. `changed` is when the record or its corrections
    were written, in seconds since 1970. `doubts` are the numbers of doubtful words, speakers and names.
    """

    id: str
    seconds: float
    language: str
    languages: tuple[str, ...]
    speakers: tuple[str, ...]
    words: int
    changed: float
    audio: str
    sha256: str
    doubts: tuple[int, int, int]
    reviewed: int


def update(library: Path) -> IndexChanges:
    """Bring the index of a library up to date. InputError where there is no library, OutputError for the disk.

    Each episode is a transaction, so others read meanwhile what is there already.
    """
    if not library.is_dir():
        raise InputError(f"{library}: no such folder; give the library, the folder that holds all shows")
    file = library / FILE_NAME
    try:
        try:
            return _updated(file)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            forget(file)
            return _updated(file)
    except (sqlite3.Error, OSError) as error:
        raise OutputError(f"cannot write the search index {file}: {error}") from error


def _updated(file: Path) -> IndexChanges:
    with closing(_opened(file)) as index:
        return _update(index, file.parent)


def forget(file: Path) -> None:
    """Remove an index that is damaged or of another version, and what was not written to it yet."""
    for name in (f"{file.name}-journal", file.name):
        file.with_name(name).unlink(missing_ok=True)


@contextmanager
def reading(library: Path) -> Iterator[sqlite3.Connection]:
    """The index as it is, to read. NoIndexError where there is none, OutputError where it can't be read."""
    file = library / FILE_NAME
    if not file.exists():
        raise NoIndexError(f"{library} has no search index yet")
    try:
        with closing(sqlite3.connect(file)) as index:
            ((version,),) = index.execute("PRAGMA user_version")
            if version != VERSION:
                raise NoIndexError(f"{library} has a search index of another version only")
            yield index
    except sqlite3.Error as error:
        raise OutputError(f"cannot read the search index {file}: {error}") from error


def minute_of(moment: str) -> int:
    """The minute since 1970 of an ISO 8601 date or time, 0 where it is none.

    >>> minute_of("1970-01-01T02:00:00+01:00"), minute_of("1970-01-02"), minute_of("long ago")
    (60, 1440, 0)
    """
    try:
        when = datetime.fromisoformat(moment)
        seconds = when.replace(tzinfo=when.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        return 0
    return int(min(max(0, seconds // 60), 2**MINUTE_BITS - 1))


def first_passage(minute: int) -> int:
    """The number below which no passage of an episode is that was published in this minute or later."""
    return minute << MINUTE_SHIFT


def show_token(place: str) -> str:
    """The word by which passages of the show in the folder `place` are found among the words of its title."""
    return f"in{hashlib.sha256(place.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}"


def _opened(file: Path) -> sqlite3.Connection:
    """The index, made anew where there is none, or one of another version."""
    index = sqlite3.connect(file, timeout=WAIT_SECONDS)
    try:
        ((version,),) = index.execute("PRAGMA user_version")
    except sqlite3.DatabaseError:
        index.close()
        raise
    if version != VERSION:
        index.close()
        if version:
            forget(file)
        index = sqlite3.connect(file, timeout=WAIT_SECONDS)
        _make_tables(index)
    index.isolation_level = None
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


@contextmanager
def transaction(index: sqlite3.Connection) -> Iterator[None]:
    """Within, nobody else writes; what is written then is there all at once, or after an error not at all."""
    index.execute("BEGIN IMMEDIATE")
    with index:
        yield


def _update(index: sqlite3.Connection, library: Path) -> IndexChanges:
    changes = IndexChanges()
    known = dict(index.execute("SELECT folder, stamp FROM episodes UNION SELECT folder, stamp FROM damaged"))
    present = {folder.relative_to(library).as_posix(): folder for folder in library_episodes(library)}
    for name in known.keys() - present.keys():
        with transaction(index):
            _remove(index, name)
        changes.removed += 1
    stamps = {name: _stamp(folder) for name, folder in present.items()}
    fresh = [name for name, stamp in stamps.items() if known.get(name) != stamp]
    changes.unchanged = len(present) - len(fresh)
    if fresh or index.execute("SELECT episodes FROM missing").fetchone() == (None,):
        with transaction(index):
            index.execute("UPDATE missing SET episodes = ?", (len(fresh),))
    # By name, which begins with the date: the newest are there to be found first.
    for left, name in reversed(list(enumerate(sorted(fresh, key=lambda name: (present[name].name, name))))):
        if index.execute(
            "SELECT 1 FROM episodes WHERE folder = ? AND stamp = ?", (name, stamps[name])
        ).fetchone():
            continue  # another program was faster
        try:
            record = _Record.read(present[name])
        except EpiscribeError as error:
            with transaction(index):
                _remove(index, name)
                index.execute("INSERT INTO damaged VALUES (?, ?, ?)", (name, stamps[name], str(error)))
                index.execute("UPDATE missing SET episodes = ?", (left,))
        else:
            with transaction(index):
                _put(index, name, stamps[name], record)
                index.execute("UPDATE missing SET episodes = ?", (left,))
            changes.indexed += 1
    if changes.indexed >= MANY:
        _merge(index)
    changes.skipped = dict(index.execute("SELECT folder, reason FROM damaged ORDER BY folder"))
    changes.unchanged -= len(changes.skipped.keys() - set(fresh))
    return changes


def _merge(index: sqlite3.Connection) -> None:
    """Make one part of the many in which FTS5 has written words: looking in each takes time. A little at a time."""
    before = -1
    while index.total_changes - before > 1:
        before = index.total_changes
        with transaction(index):
            index.execute("INSERT INTO found (found, rank) VALUES ('merge', ?)", (-MERGED_PAGES,))


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


def _put(index: sqlite3.Connection, name: str, stamp: str, record: _Record) -> None:
    number = _remove(index, name)
    about, place = record.about, name.partition("/")[0]
    minute = minute_of(record.published)
    number = index.execute(
        "INSERT INTO episodes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            number,
            name,
            stamp,
            place,
            record.show,
            record.title,
            record.published,
            minute,
            about.seconds,
            sum(about.doubts),
            f" {' '.join(tokens(record.title))}",
            "".join(f" {' '.join(tokens(speaker))}" for speaker in about.speakers),
            json.dumps(asdict(about)),
        ),
    ).lastrowid
    index.executemany(
        "INSERT INTO chapters VALUES (?, ?, ?, ?)", [(number, *chapter) for chapter in record.chapters]
    )
    show = _indexed_show(record.show, place)
    first = first_passage(minute) | (number or 0) << PASSAGE_BITS
    for row, (speaker, words, starts) in enumerate(record.passages, first):
        index.execute(
            "INSERT INTO passages VALUES (?, ?, ?, ?, ?)",
            (row, number, speaker, WORD_SEPARATOR.join(words), starts.tobytes()),
        )
        index.execute(
            "INSERT INTO found (rowid, words, speaker, show) VALUES (?, ?, ?, ?)",
            (row, _indexed(words), " ".join(tokens(speaker)), show),
        )


def _indexed(words: Sequence[str]) -> str:
    return " ".join(tokens(WORD_SEPARATOR.join(words)))


def _indexed_show(title: str, place: str) -> str:
    return " ".join([*tokens(title), show_token(place)])


def _remove(index: sqlite3.Connection, folder: str) -> int | None:
    """Take an episode out; returns its number, None where it had none."""
    index.execute("DELETE FROM damaged WHERE folder = ?", (folder,))
    found = index.execute("SELECT id, show, place FROM episodes WHERE folder = ?", (folder,)).fetchone()
    if found is None:
        return None
    number, show = int(found[0]), _indexed_show(found[1], found[2])
    rows = index.execute("SELECT id, words, speaker FROM passages WHERE episode = ?", (number,))
    index.executemany(
        "INSERT INTO found (found, rowid, words, speaker, show) VALUES ('delete', ?, ?, ?, ?)",
        [
            (row, _indexed(words.split(WORD_SEPARATOR)), " ".join(tokens(speaker)), show)
            for row, words, speaker in rows
        ],
    )
    index.execute("DELETE FROM passages WHERE episode = ?", (number,))
    index.execute("DELETE FROM chapters WHERE episode = ?", (number,))
    index.execute("DELETE FROM episodes WHERE id = ?", (number,))
    return number


@dataclass(frozen=True, slots=True)
class _Record:
    """What is indexed of an episode."""

    show: str
    title: str
    published: str
    about: About
    passages: tuple[tuple[str, list[str], array[int]], ...]
    chapters: tuple[tuple[int, int, str], ...]

    @classmethod
    def read(cls, folder: Path) -> _Record:
        """The record in a folder, with its corrections. OutputError where it is damaged."""
        transcript = load(folder)
        names = {speaker.label: one_line(speaker.name).strip() for speaker in transcript.speakers}
        episode = transcript.episode
        return cls(
            show=one_line(episode.show).strip(),
            title=one_line(episode.title).strip(),
            published=episode.published,
            about=_about(transcript, names, _changed(folder)),
            passages=tuple(_passages(transcript.segments, names)),
            chapters=tuple(_chapters(transcript)),
        )


def _changed(folder: Path) -> float:
    times = [0.0]
    for name in (EPISODE.file_name, corrections.FILE_NAME):
        with suppress(OSError):
            times.append((folder / name).stat().st_mtime)
    return max(times)


def _about(transcript: Transcript, names: Mapping[str, str], changed: float) -> About:
    segments, language = transcript.segments, transcript.language
    spoken = dict.fromkeys(segment.speaker for segment in segments if segment.speaker is not None)
    kinds = Counter(doubt.kind for doubt in review.doubts_of(transcript))
    return About(
        id=transcript.episode.id,
        seconds=transcript.audio.seconds or max((segment.end for segment in segments), default=0.0),
        language=language,
        languages=tuple(share.language for share in transcript.languages) or (language,) * bool(language),
        speakers=tuple(dict.fromkeys(names.get(label) or label for label in spoken)),
        words=sum(len(segment.words) for segment in segments),
        changed=changed,
        audio=transcript.audio.path,
        sha256=transcript.audio.sha256,
        doubts=(kinds[review.WORD], kinds[review.SPEAKER], kinds[review.NAME]),
        reviewed=transcript.review.reviewed if transcript.review else 0,
    )


def _chapters(transcript: Transcript) -> Iterator[tuple[int, int, str]]:
    """Start and end in ms, and title of each chapter in the table of contents."""
    for chapter in listed_chapters(transcript):
        yield _kept_ms(chapter.start), MAX_MS if chapter.end is None else _kept_ms(chapter.end), chapter.title


def _kept_ms(seconds: float) -> int:
    return min(max(0, milliseconds(seconds)), MAX_MS)


def _passages(
    segments: Iterable[Segment], names: Mapping[str, str]
) -> Iterator[tuple[str, list[str], array[int]]]:
    """Name, words and their starts in ms of each passage: consecutive segments of one speaker."""
    words, starts, speaker = list[str](), array("I"), None
    for segment in segments:
        if words and (segment.speaker != speaker or len(words) >= PASSAGE_WORDS):
            yield names.get(speaker or "", speaker or ""), words, starts
            words, starts = [], array("I")
        speaker = segment.speaker
        for number, word in enumerate(segment.words):
            gap = " " if not number and words and needs_space(words[-1], word.text) else ""
            words.append(gap + one_line(word.text))
            starts.append(_kept_ms(word.start))
    if words:
        yield names.get(speaker or "", speaker or ""), words, starts
