"""What a library is about, to be searched by meaning: an SQLite file beside the shows with the vectors of its passages.

Like the index of words (`outputs.library.index`), which tells what is new, it is only ever a copy: `update` brings it
up to what the folders hold, an episode a transaction, and makes it anew where it is damaged, of another version or by
another model. A passage whose words it has is not embedded again, whatever else of its episode changed.

A vector of a passage is kept in 8 bit, that of a sentence in one bit a dimension: enough to tell which sentence of a
passage fits best.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
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
from outputs.library.passages import Passage, passages_of
from outputs.library.read import load
from outputs.text.characters import one_line
from outputs.text.times import milliseconds

FILE_NAME = "meaning.db"
VERSION = 1
SENTENCE_SEPARATOR = "\x1e"  # between the sentences of a kept episode
DIGEST_BYTES = 16
LEVELS = 127  # of a kept vector's largest number
PAGE_BYTES = 8192
_SCHEMA = f"""
CREATE TABLE model (name TEXT, dimension INTEGER);
CREATE TABLE episodes (
    id INTEGER PRIMARY KEY, folder TEXT UNIQUE, stamp TEXT, digest BLOB, digests BLOB,
    names TEXT, texts TEXT, firsts BLOB, starts BLOB, speakers BLOB, bits BLOB
);
CREATE INDEX episodes_of_digest ON episodes (digest);
CREATE TABLE vectors (episode INTEGER PRIMARY KEY REFERENCES episodes, scales BLOB, numbers BLOB);
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
    """An episode as it is kept: (p,) passages of (s,) sentences.

    `names` are those of the speakers, `texts` the sentences, with WORD_SEPARATOR between words; `firsts` (p,) tells the
    first sentence of each passage, `starts` (s,) when each is said, in ms, `speakers` (s,) whose it is, as an index of
    names, `bits` (s, dimension / 8) what is kept of its vector.
    """

    names: tuple[str, ...]
    texts: tuple[str, ...]
    firsts: NDArray[np.uint32]
    starts: NDArray[np.uint32]
    speakers: NDArray[np.uint32]
    bits: NDArray[np.uint8]

    def sentences(self, passage: int) -> range:
        """The indices of a passage's sentences."""
        last = passage + 1 == len(self.firsts)
        return range(int(self.firsts[passage]), len(self.texts) if last else int(self.firsts[passage + 1]))


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
    ((names, texts, firsts, starts, speakers, bits),) = kept.execute(
        "SELECT names, texts, firsts, starts, speakers, bits FROM episodes WHERE id = ?", (episode,)
    )
    sentences = tuple(texts.split(SENTENCE_SEPARATOR)) if texts else ()
    return KeptEpisode(
        tuple(json.loads(names)),
        sentences,
        np.frombuffer(firsts, np.uint32),
        np.frombuffer(starts, np.uint32),
        np.frombuffer(speakers, np.uint32),
        np.frombuffer(bits, np.uint8).reshape(len(sentences), len(bits) // max(1, len(sentences))),
    )


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
    kept.execute("DELETE FROM vectors WHERE episode = (SELECT id FROM episodes WHERE folder = ?)", (folder,))
    kept.execute("DELETE FROM episodes WHERE folder = ?", (folder,))


def _put(
    kept: sqlite3.Connection, folder: str, stamp: str, transcript: Transcript, embedder: SentenceEmbedder
) -> int:
    """Keep an episode in place of what was kept of it; returns how many passages were embedded for that."""
    passages = passages_of(transcript)
    digests = [_digest(passage) for passage in passages]
    digest = hashlib.blake2b(b"".join(digests), digest_size=DIGEST_BYTES).digest()
    known = _known(kept, folder, digest)
    fresh = {
        digest: passage for digest, passage in zip(digests, passages, strict=True) if digest not in known
    }
    known |= _embedded(fresh, embedder)
    mine = [known[digest] for digest in digests]
    said = [sentence for passage in passages for sentence in passage.sentences]
    labels = list(dict.fromkeys(sentence.speaker for sentence in said))
    names = [one_line(transcript.name_of(label)).strip() for label in labels]
    sizes = [len(passage.sentences) for passage in passages]
    _remove(kept, folder)
    episode = kept.execute(
        "INSERT INTO episodes VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            folder,
            stamp,
            digest,
            b"".join(digests),
            json.dumps(names),
            SENTENCE_SEPARATOR.join(WORD_SEPARATOR.join(sentence.words) for sentence in said),
            np.cumsum([0, *sizes[:-1]], dtype=np.uint32)[: len(sizes)].tobytes(),
            np.array([min(max(0, milliseconds(one.start)), MAX_MS) for one in said], np.uint32).tobytes(),
            np.array([labels.index(one.speaker) for one in said], np.uint32).tobytes(),
            b"".join(one.bits for one in mine),
        ),
    ).lastrowid
    kept.execute(
        "INSERT INTO vectors VALUES (?, ?, ?)",
        (episode, b"".join(one.scale for one in mine), b"".join(one.numbers for one in mine)),
    )
    return len(fresh)


@dataclass(frozen=True, slots=True)
class _Vectors:
    """What is kept of a passage's vector, and of those of its sentences."""

    scale: bytes
    numbers: bytes
    bits: bytes


def _digest(passage: Passage) -> bytes:
    text = SENTENCE_SEPARATOR.join(said.text for said in passage.sentences)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest()


def _known(kept: sqlite3.Connection, folder: str, digest: bytes) -> dict[bytes, _Vectors]:
    """By their digests the passages that are kept of an episode, or of another with the same words."""
    row = kept.execute(
        "SELECT id, digests, scales, numbers FROM episodes JOIN vectors ON episode = id "
        "WHERE folder = ? OR digest = ? ORDER BY digest = ? DESC LIMIT 1",
        (folder, digest, digest),
    ).fetchone()
    if row is None:
        return {}
    number, digests, scales, numbers = row
    episode = kept_episode(kept, number)
    count = len(episode.firsts)
    pieces = (
        [blob[i * len(blob) // count :][: len(blob) // count] for i in range(count)]
        for blob in (digests, scales, numbers)
    )
    bits = (episode.bits[slice(*_ends(episode.sentences(i)))].tobytes() for i in range(count))
    return {
        one: _Vectors(scale, vector, some) for one, scale, vector, some in zip(*pieces, bits, strict=True)
    }


def _ends(numbers: range) -> tuple[int, int]:
    return numbers.start, numbers.stop


def _embedded(passages: dict[bytes, Passage], embedder: SentenceEmbedder) -> dict[bytes, _Vectors]:
    parts = [[said.text for said in passage.sentences] for passage in passages.values()]
    vectors, sentences = embedder.embed_parts(parts)
    scales = np.abs(vectors).max(axis=1, initial=0.0) / LEVELS
    numbers = np.rint(vectors / np.maximum(scales, 1e-9)[:, None]).astype(np.int8)
    bits = np.packbits(sentences > 0, axis=1)
    found, at = dict[bytes, _Vectors](), 0
    for number, (digest, passage) in enumerate(passages.items()):
        stop = at + len(passage.sentences)
        found[digest] = _Vectors(scales[number].tobytes(), numbers[number].tobytes(), bits[at:stop].tobytes())
        at = stop
    return found
