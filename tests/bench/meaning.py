"""Search by meaning: how fast in a big library, and how often it finds the right passage.

    python -m tests.bench.meaning 1000      # so many made-up hours
    python -m tests.bench.meaning FOLDER    # questions to real episodes

The made-up hours have the words of `tests.bench.search`; their vectors are drawn at random, for only real words tell
how long embedding takes, which the questions' episodes do. FOLDER holds `episodes/NAME.json` (`show`, `title`,
`language`, and `turns` with `start`, `end`, `speaker`, `sentences` and `sentence_starts`) and `questions.json`: a list
of `question`, `episode` (NAME), `start` and `end` of the passage that answers it, in seconds.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import psutil
from numpy.typing import NDArray

from models.record.transcript import AudioFile, Episode, Segment, Speaker, Transcript, Word
from models.topics.embedding import SentenceEmbedder, load_embedder
from outputs.library import hybrid, index, meaning
from outputs.library.hybrid import search_by_meaning
from outputs.library.search import Hit, search
from outputs.library.write import publish
from tests.bench import search as words_bench

QUERIES = (
    "why chips waste power",
    "how to get over the fear of failing",
    "ba be",
    "what is a web ring",
    "kaba zona",
)
FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"speaker": "Person 3"},
    {"show": "Show 7"},
    {"since": "2026-06-01"},
)
REPEATS = 5
SLACK = 5.0  # seconds by which a hit may be beside the passage
FIRST = (1, 3, 5, 10)
SHOW = "show"


class MadeUp:
    """An embedder of random vectors under the name of a real one."""

    def __init__(self, real: SentenceEmbedder) -> None:
        self.name, self.dimension = real.name, real.dimension
        self._chance = np.random.default_rng(1)

    def embed(self, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        """Vectors of length 1."""
        vectors = self._chance.standard_normal((len(texts), self.dimension), dtype=np.float32)
        unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    def embed_parts(self, texts: Sequence[Sequence[str]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Vectors of texts and of their parts."""
        return self.embed([""] * len(texts)), self.embed([part for text in texts for part in text])


def speed(hours: int) -> None:
    """Make a library up, index it, ask it; prints seconds, MB and milliseconds."""
    embedder = load_embedder()
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder)
        words, weights = words_bench.vocabulary()
        for number in range(hours):
            episode = library / f"show-{number % words_bench.SHOWS}" / f"episode-{number}"
            episode.mkdir(parents=True)
            record = json.dumps(words_bench.record(number, words, weights))
            (episode / "episode.json").write_text(record)
        told("index of words", lambda: index.update(library))
        told("passages, without embedding", lambda: meaning.update(library, MadeUp(embedder)))
        told("nothing new", lambda: meaning.update(library, embedder))
        print(f"{meaning.FILE_NAME}: {(library / meaning.FILE_NAME).stat().st_size / 1e6:.0f} MB")
        print(f"load average {os.getloadavg()[0]:.1f}")
        for query in QUERIES:
            for wanted in FILTERS:
                spent = []
                for _ in range(REPEATS):
                    start = time.perf_counter()
                    search_by_meaning(library, query, embedder=embedder, **wanted)
                    spent.append((time.perf_counter() - start) * 1000)
                print(
                    f"{query}, {wanted or 'all'}: {statistics.median(spent):.0f} ms, least {min(spent):.0f}"
                )
        print(f"resident: {psutil.Process().memory_info().rss / 1e6:.0f} MB")


def told(what: str, act: Callable[[], object]) -> None:
    """Do it, and print how long that took."""
    start, used = time.perf_counter(), time.process_time()
    act()
    print(f"{what}: {time.perf_counter() - start:.2f} s, {time.process_time() - used:.2f} s of CPU")


def transcript(about: Mapping[str, Any], name: str) -> Transcript:
    """A text with the times of its turns and sentences as a transcript; words share their sentence's time."""
    segments = []
    for turn in about["turns"]:
        edges = [*turn["sentence_starts"], max(turn["end"], turn["sentence_starts"][-1])]
        for sentence, (start, end) in zip(turn["sentences"], pairwise(edges), strict=True):
            said = sentence.split()
            step = (end - start) / max(1, len(said))
            words = tuple(
                Word(start + number * step, start + (number + 1) * step, f" {word}", 1.0, turn["speaker"])
                for number, word in enumerate(said)
            )
            if words:
                segments.append(Segment(start, end, turn["speaker"], words))
    speakers = tuple(
        Speaker(one, one) for one in dict.fromkeys(segment.speaker or "" for segment in segments)
    )
    episode = Episode(id=name, show=about["show"], title=about["title"])
    audio = AudioFile("", "", segments[-1].end)
    return Transcript(episode, audio, about["language"], tuple(segments), speakers)


def questions(folder: Path) -> None:
    """Publish the episodes, embed them, ask all questions; prints shares of questions in percent."""
    embedder = load_embedder()
    asked = json.loads((folder / "questions.json").read_text())
    with tempfile.TemporaryDirectory() as place:
        library, hours = Path(place), 0.0
        for file in sorted((folder / "episodes").glob("*.json")):
            made = transcript(json.loads(file.read_text()), file.stem)
            publish(made, library / SHOW / file.stem, [])
            hours += made.audio.seconds / 3600
        index.update(library)
        told(f"embedding {hours:.1f} hours", lambda: meaning.update(library, embedder))
        report("both", asked, lambda query: search_by_meaning(library, query, embedder=embedder).hits)
        for name, ranking in (("meaning alone", "_by_words"), ("words alone, any of them", "_by_meaning")):
            with patch.object(hybrid._Searching, ranking, lambda searching: []):
                report(name, asked, lambda query: search_by_meaning(library, query, embedder=embedder).hits)
        report("words alone, all of them", asked, lambda query: search(library, query).hits)


def report(name: str, asked: Sequence[Mapping[str, Any]], find: Callable[[str], Sequence[Hit]]) -> None:
    """How often a hit of the first 1, 3, 5, 10 is in the passage that a question was written from."""
    ranks = []
    for one in asked:
        hits = find(one["question"])
        ranks.append(
            next((number for number, hit in enumerate(hits, 1) if is_in(hit, one)), len(hits) + 1000)
        )
    shares = ", ".join(
        f"{100 * statistics.mean(rank <= first for rank in ranks):.0f} % in {first}" for first in FIRST
    )
    print(f"{name}: {shares}")


def is_in(hit: Hit, passage: Mapping[str, Any]) -> bool:
    """Whether a hit's second is in a passage."""
    return (
        hit.folder == f"{SHOW}/{passage['episode']}"
        and passage["start"] - SLACK <= hit.seconds <= passage["end"] + SLACK
    )


if __name__ == "__main__":
    speed(int(sys.argv[1])) if sys.argv[1].isdigit() else questions(Path(sys.argv[1]))
