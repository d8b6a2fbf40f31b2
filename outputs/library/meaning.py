"""What a library is about, to be searched by meaning: an SQLite file beside the shows with the vectors of its passages.

Like the index of words (`outputs.library.index`), which tells what is new, it is only ever a copy: `update` brings it
up to what the folders hold, an episode a transaction, and makes it anew where it is damaged, of another version or by
another model. A passage whose words it has is not embedded again, whatever else of its episode changed.

Vectors are kept in 8 bit: those of passages an episode in a row, for all are compared with a question, those of
sentences a passage in a row, for only those of the best passages are.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from math import inf
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.record.errors import EpiscribeError, OutputError
from models.record.progress import Report, no_report
from models.record.transcript import Transcript
from models.topics.embedding import SentenceEmbedder
from outputs.formats.registry import EPISODE
from outputs.library import index as words_index
from outputs.library.index import MAX_MS, WAIT_SECONDS, WORD_SEPARATOR
from outputs.library.passages import Passage, Said, passages_of
from outputs.library.read import load
from outputs.text.characters import one_line
from outputs.text.times import milliseconds

FILE_NAME = words_index.MEANING_FILE_NAME
VERSION = 1
SENTENCE_SEPARATOR = "\x1e"  # between the sentences of a kept passage
DIGEST_BYTES = 16
LEVELS = 127  # of a kept vector's largest number
PAGE_BYTES = 8192
PASSAGE_BITS = 20  # of a passage's number, the episode's before it
_SCHEMA = f"""
CREATE TABLE model (name TEXT, dimension INTEGER);
CREATE TABLE episodes (
    id INTEGER PRIMARY KEY, folder TEXT UNIQUE, stamp TEXT, digest BLOB, starts BLOB, sayers TEXT
);
CREATE INDEX episodes_of_digest ON episodes (digest);
CREATE TABLE vectors (episode INTEGER PRIMARY KEY REFERENCES episodes, scales BLOB, numbers BLOB);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY, digest BLOB, texts TEXT, starts BLOB, speakers BLOB, scales BLOB, numbers BLOB
);
PRAGMA user_version = {VERSION};
"""

Vectors = NDArray[np.float32]


@dataclass(slots=True)
class MeaningChanges:
    """What `update` did: numbers of episodes, and of passages that were embedded."""

    updated: int = 0
    removed: int = 0
    embedded: int = 0


@dataclass(frozen=True, slots=True)
class KeptEpisode:
    """An episode as it is kept: when each of its passages begins, (p,) in ms, and in which each name is heard."""

    starts: NDArray[np.uint32]
    sayers: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class KeptPassage:
    """A passage as it is kept, in sentences (s,): `texts` with WORD_SEPARATOR between words, `starts` in ms.

    `speakers` are places among the `sayers` of the episode; `vectors` (s, dimension).
    """

    texts: tuple[str, ...]
    starts: NDArray[np.uint32]
    speakers: NDArray[np.uint32]
    vectors: Vectors


def update(
    library: Path, embedder: SentenceEmbedder, report: Report = no_report, seconds: float = inf
) -> MeaningChanges:
    """Bring what is kept up to the index of words, for so many seconds; `report` is told of episodes.

    NoIndexError where there is no index of words, OutputError for the disk. Others read meanwhile what is there
    already; of several who update at once each does what the others have not.
    """
    file = library / FILE_NAME
    deadline = time.monotonic() + seconds
    try:
        try:
            return _updated(file, embedder, report, deadline)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            words_index.forget(file)
            return _updated(file, embedder, report, deadline)
    except (sqlite3.Error, OSError) as error:
        raise OutputError(f"cannot write {file}: {error}") from error


def begin(library: Path, embedder: SentenceEmbedder) -> None:
    """Have the file there, for whoever keeps the indexes of a library up to date to fill. OutputError, NoIndexError."""
    update(library, embedder, seconds=0.0)


def is_behind(library: Path) -> bool:
    """Whether somebody has searched the library by meaning, and what is kept for that differs from the index of words.

    Told without a model. NoIndexError, OutputError.
    """
    file = library / FILE_NAME
    return file.exists() and any(_differing(library, _stamps_in(file)))


def waiting(library: Path) -> int:
    """How many episodes of the index of words can't be found by meaning yet. NoIndexError, OutputError."""
    return len(_differing(library, _stamps_in(library / FILE_NAME))[0])


@contextmanager
def reading(library: Path, embedder: SentenceEmbedder) -> Iterator[sqlite3.Connection]:
    """What is kept, to read: nothing where it is not there, or not of this model. OutputError where it is damaged."""
    file = library / FILE_NAME
    try:
        with closing(sqlite3.connect(file) if file.exists() else _empty(embedder)) as kept:
            if _fits(kept, embedder):
                yield kept
                return
        with closing(_empty(embedder)) as none:
            yield none
    except sqlite3.Error as error:
        raise OutputError(f"cannot read the indexes of {library}: {error}") from error


def kept_episode(kept: sqlite3.Connection, episode: int) -> KeptEpisode:
    """The episode of that number."""
    ((starts, sayers),) = kept.execute("SELECT starts, sayers FROM episodes WHERE id = ?", (episode,))
    names = tuple((name, tuple(passages)) for name, passages in json.loads(sayers))
    return KeptEpisode(np.frombuffer(starts, np.uint32), names)


def kept_passage(kept: sqlite3.Connection, episode: int, passage: int) -> KeptPassage:
    """The passage of that number, counted from 0, in an episode."""
    ((texts, starts, speakers, scales, numbers),) = kept.execute(
        "SELECT texts, starts, speakers, scales, numbers FROM passages WHERE id = ?",
        (episode << PASSAGE_BITS | passage,),
    )
    return KeptPassage(
        tuple(texts.split(SENTENCE_SEPARATOR)),
        np.frombuffer(starts, np.uint32),
        np.frombuffer(speakers, np.uint32),
        unpacked(scales, numbers),
    )


def unpacked(scales: bytes, numbers: bytes) -> Vectors:
    """(n, dimension) vectors as they were kept."""
    scale = np.frombuffer(scales, np.float32)
    vectors: Vectors = np.frombuffer(numbers, np.int8).reshape(len(scale), -1) * scale[:, None]
    return vectors


def _packed(vectors: Vectors) -> list[tuple[bytes, bytes]]:
    """The scale of each vector, and its numbers in 8 bit."""
    scales = np.abs(vectors).max(axis=1, initial=0.0) / LEVELS
    numbers = np.rint(vectors / np.maximum(scales, 1e-9)[:, None]).astype(np.int8)
    return [(scale.tobytes(), row.tobytes()) for scale, row in zip(scales, numbers, strict=True)]


def _empty(embedder: SentenceEmbedder) -> sqlite3.Connection:
    kept = sqlite3.connect(":memory:")
    _make_tables(kept, embedder)
    return kept


def _fits(kept: sqlite3.Connection, embedder: SentenceEmbedder) -> bool:
    ((version,),) = kept.execute("PRAGMA user_version")
    if version != VERSION:
        return False
    model = kept.execute("SELECT name, dimension FROM model").fetchone()
    return bool(model == (embedder.name, embedder.dimension))


def _opened(file: Path, embedder: SentenceEmbedder) -> sqlite3.Connection:
    """What is kept, made anew where there is none, or it is of another version or model."""
    kept = sqlite3.connect(file, timeout=WAIT_SECONDS)
    try:
        if not _fits(kept, embedder):
            if kept.execute("PRAGMA user_version").fetchone() != (0,):
                kept.close()
                words_index.forget(file)
                kept = sqlite3.connect(file, timeout=WAIT_SECONDS)
            _make_tables(kept, embedder)
        kept.isolation_level = None
        kept.execute("PRAGMA synchronous = OFF")  # it can be made again from what it was made of
    except BaseException:
        kept.close()
        raise
    return kept


def _make_tables(kept: sqlite3.Connection, embedder: SentenceEmbedder) -> None:
    """Make the tables, unless somebody else was faster."""
    kept.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    kept.execute("BEGIN IMMEDIATE")
    if not _fits(kept, embedder):
        for statement in _SCHEMA.split(";\n"):
            kept.execute(statement)
        kept.execute("INSERT INTO model VALUES (?, ?)", (embedder.name, embedder.dimension))
    kept.commit()


def _updated(file: Path, embedder: SentenceEmbedder, report: Report, deadline: float) -> MeaningChanges:
    with closing(_opened(file, embedder)) as kept:
        return _update(kept, file.parent, embedder, report, deadline)


def _stamps(kept: sqlite3.Connection) -> dict[str, str]:
    return dict(kept.execute("SELECT folder, stamp FROM episodes"))


def _stamps_in(file: Path) -> dict[str, str]:
    """Folder and stamp of each kept episode; none where the file is not there, damaged or of another version."""
    if file.exists():
        with suppress(sqlite3.Error), closing(sqlite3.connect(file)) as kept:
            if kept.execute("PRAGMA user_version").fetchone() == (VERSION,):
                return _stamps(kept)
    return {}


def _differing(library: Path, known: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """Folder and stamp of what the index of words knows otherwise, the newest first; and the folders that are gone."""
    with words_index.reading(library) as words:
        stamps = dict(words.execute("SELECT folder, stamp FROM episodes"))
    fresh = [folder for folder, stamp in stamps.items() if known.get(folder) != stamp]
    fresh.sort(key=lambda folder: (folder.rpartition("/")[2], folder), reverse=True)
    # Not what the index of words lacks while somebody makes it anew.
    gone = [
        folder
        for folder in known.keys() - stamps.keys()
        if not (library / folder / EPISODE.file_name).exists()
    ]
    return {folder: stamps[folder] for folder in fresh}, gone


def _update(
    kept: sqlite3.Connection, library: Path, embedder: SentenceEmbedder, report: Report, deadline: float
) -> MeaningChanges:
    changes = MeaningChanges()
    changed, gone = _differing(library, _stamps(kept))
    for done, (folder, stamp) in enumerate(changed.items(), 1):
        if time.monotonic() >= deadline:
            return changes
        with words_index.transaction(kept):  # all the while, so that nobody else embeds the same
            if kept.execute(
                "SELECT 1 FROM episodes WHERE folder = ? AND stamp = ?", (folder, stamp)
            ).fetchone():
                continue  # another program was faster
            try:
                transcript = load(library / folder)
            except EpiscribeError:
                continue  # the index of words tells of it
            changes.embedded += _put(kept, folder, stamp, transcript, embedder)
        changes.updated += 1
        report(done, len(changed))
    for folder in gone:  # last, so that one that was renamed finds its passages
        with words_index.transaction(kept):
            _remove(kept, folder)
        changes.removed += 1
    return changes


def _remove(kept: sqlite3.Connection, folder: str) -> None:
    row = kept.execute("SELECT id FROM episodes WHERE folder = ?", (folder,)).fetchone()
    if row is not None:
        kept.execute("DELETE FROM passages WHERE id BETWEEN ? AND ?", _numbers(row[0]))
        kept.execute("DELETE FROM vectors WHERE episode = ?", row)
        kept.execute("DELETE FROM episodes WHERE id = ?", row)


def _numbers(episode: int) -> tuple[int, int]:
    """The lowest and highest number that a passage of an episode may have."""
    return episode << PASSAGE_BITS, (episode + 1 << PASSAGE_BITS) - 1


def _put(
    kept: sqlite3.Connection, folder: str, stamp: str, transcript: Transcript, embedder: SentenceEmbedder
) -> int:
    """Keep an episode in place of what was kept of it; returns how many passages were embedded for that."""
    passages = passages_of(transcript)
    digests = [_digest(passage) for passage in passages]
    digest = hashlib.blake2b(b"".join(digests), digest_size=DIGEST_BYTES).digest()
    known = _known(kept, folder, digest)
    fresh = {one: passage for one, passage in zip(digests, passages, strict=True) if one not in known}
    known |= _embedded(fresh, embedder)
    labels = list(dict.fromkeys(said.speaker for passage in passages for said in passage.sentences))
    sayers = [
        (
            one_line(transcript.name_of(label)).strip(),
            [
                n
                for n, passage in enumerate(passages)
                if any(said.speaker == label for said in passage.sentences)
            ],
        )
        for label in labels
    ]
    _remove(kept, folder)
    starts = np.array([_milliseconds(passage.sentences[0]) for passage in passages], np.uint32)
    episode = kept.execute(
        "INSERT INTO episodes VALUES (NULL, ?, ?, ?, ?, ?)",
        (folder, stamp, digest, starts.tobytes(), json.dumps(sayers)),
    ).lastrowid
    mine = [known[one] for one in digests]
    kept.execute(
        "INSERT INTO vectors VALUES (?, ?, ?)",
        (episode, b"".join(one.whole[0] for one in mine), b"".join(one.whole[1] for one in mine)),
    )
    kept.executemany(
        "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (number, one, *_said(passage, labels), *vectors.sentences)
            for number, (one, passage, vectors) in enumerate(
                zip(digests, passages, mine, strict=True), _numbers(episode or 0)[0]
            )
        ],
    )
    return len(fresh)


def _said(passage: Passage, labels: list[str | None]) -> tuple[str, bytes, bytes]:
    """Texts, starts and speakers of its sentences, as they are kept."""
    said = passage.sentences
    return (
        SENTENCE_SEPARATOR.join(WORD_SEPARATOR.join(one.words) for one in said),
        np.array([_milliseconds(one) for one in said], np.uint32).tobytes(),
        np.array([labels.index(one.speaker) for one in said], np.uint32).tobytes(),
    )


def _milliseconds(said: Said) -> int:
    return min(max(0, milliseconds(said.start)), MAX_MS)


@dataclass(frozen=True, slots=True)
class _Vectors:
    """What is kept of a passage's vector, and of those of its sentences: scales and numbers."""

    whole: tuple[bytes, bytes]
    sentences: tuple[bytes, bytes]


def _digest(passage: Passage) -> bytes:
    text = SENTENCE_SEPARATOR.join(said.text for said in passage.sentences)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest()


def _known(kept: sqlite3.Connection, folder: str, digest: bytes) -> dict[bytes, _Vectors]:
    """By their digests the passages that are kept of an episode, or of another with the same words."""
    row = kept.execute(
        "SELECT id, scales, numbers FROM episodes JOIN vectors ON episode = id "
        "WHERE folder = ? OR digest = ? ORDER BY digest = ? DESC LIMIT 1",
        (folder, digest, digest),
    ).fetchone()
    if row is None:
        return {}
    episode, scales, numbers = row
    wholes = zip(_cut(scales, len(scales) // 4), _cut(numbers, len(scales) // 4), strict=True)
    passages = kept.execute(
        "SELECT digest, scales, numbers FROM passages WHERE id BETWEEN ? AND ? ORDER BY id", _numbers(episode)
    )
    return {
        one: _Vectors(whole, (its_scales, its_numbers))
        for whole, (one, its_scales, its_numbers) in zip(wholes, passages, strict=True)
    }


def _cut(blob: bytes, parts: int) -> list[bytes]:
    size = len(blob) // max(1, parts)
    return [blob[at * size : (at + 1) * size] for at in range(parts)]


def _embedded(passages: dict[bytes, Passage], embedder: SentenceEmbedder) -> dict[bytes, _Vectors]:
    vectors, sentences = embedder.embed_parts(
        [[said.text for said in passage.sentences] for passage in passages.values()]
    )
    wholes, parts = _packed(vectors), iter(_packed(sentences))
    found = {}
    for (digest, passage), whole in zip(passages.items(), wholes, strict=True):
        scales, numbers = zip(*islice(parts, len(passage.sentences)), strict=True)
        found[digest] = _Vectors(whole, (b"".join(scales), b"".join(numbers)))
    return found
