"""Search by meaning: what passages are about (`outputs.library.meaning`) and the words in them, both in one order.

Passages are ranked by what they are about, by what the sentence of theirs that fits best is about, and by their words;
each gets the sum of 1 / (60 + rank) over these: reciprocal rank fusion (Cormack, Clarke and Buettcher 2009), which
need not know how sure each ranking is.
"""

from __future__ import annotations

import re
import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.topics.embedding import SentenceEmbedder
from outputs.library import index as words_index
from outputs.library.index import MINUTE_SHIFT, WORD_SEPARATOR
from outputs.library.meaning import (
    KeptEpisode,
    KeptPassage,
    Vectors,
    kept_episode,
    kept_passage,
    reading,
)
from outputs.library.search import (
    LIMIT,
    Hit,
    SearchResult,
    Terms,
    Wanted,
    hit_of,
    in_chapters,
    marked,
    query_terms,
    rows_with_any,
    telling,
)
from outputs.text.characters import needs_space
from outputs.text.tokens import tokens

RANK_OFFSET = 60
BY_MEANING, BY_WORDS = 200, 200  # passages that are ranked
CHUNK = 4096  # passages that are compared at a time
WORDS_WORTH = 3.0  # standard deviations of how well sentences fit, for one that has all rare words
NEAR_MS = 120_000  # a sentence may begin before its passage, or after that, by no more
SHOWN_WORDS = 40  # a hit goes on to the end of the passage until it has so many

Place = tuple[int, int]  # number of an episode, and of its passage


@dataclass(frozen=True, slots=True)
class _Episode:
    """What the index of words tells of an episode."""

    folder: str
    show: str
    title: str
    published: str


def search_by_meaning(
    library: Path,
    query: str,
    speaker: str = "",
    show: str = "",
    limit: int = LIMIT,
    *,
    embedder: SentenceEmbedder,
    place: str = "",
    since: str = "",
    until: str = "",
    skip: int = 0,
) -> SearchResult:
    """Passages that are about what `query` says, or have words of it, the best first; parameters as of `search.search`.

    A hit is the sentence of the passage that fits best, with what follows where it is short. `count` is how many were
    ranked: all passages are about a question more or less. Episodes that `meaning.update` has not seen yet are found by
    words only. Raises InputError as `search.search` does.
    """
    terms, wanted = query_terms(query), Wanted(speaker, show, place, since, until)
    (vector,) = embedder.embed([re.sub('["*]', " ", query)], query=True)
    with words_index.reading(library) as index, reading(library, embedder) as kept:
        searching = _Searching(index, kept, vector, terms, wanted)
        ranked = searching.ranked()
        hits = map(searching.hit, ranked[skip : skip + limit])
        return SearchResult(tuple(in_chapters(index, hits)), len(ranked))


class _Searching:
    """One search in both indexes."""

    def __init__(
        self,
        index: sqlite3.Connection,
        kept: sqlite3.Connection,
        vector: Vectors,
        terms: Terms,
        wanted: Wanted,
    ) -> None:
        self._index, self._kept, self._vector, self._terms, self._wanted = index, kept, vector, terms, wanted
        self._speaker = tokens(wanted.speaker)
        self._episodes = self._wanted_episodes()
        self._telling = telling(index, terms)
        self._opened: dict[int, KeptEpisode] = {}
        self._names: dict[str, bool] = {}
        self._read: dict[Place, KeptPassage] = {}

    def ranked(self) -> list[Place | int]:
        """Passages by meaning, or by the number that they have in the index of words, the best first."""
        points: defaultdict[Place | int, float] = defaultdict(float)
        by_meaning = self._by_meaning()
        for ranking in (by_meaning, self._by_sentence(by_meaning), self._by_words()):
            for rank, one in enumerate(ranking, 1):
                points[one] += 1 / (RANK_OFFSET + rank)
        return sorted(points, key=lambda one: -points[one])

    def hit(self, found: Place | int) -> Hit:
        """What to show of a passage."""
        if isinstance(found, int):
            return hit_of(self._index, found, self._terms)
        about, passage = self._episodes[found[0]], self._passage(found)
        best = self._best(found)
        words = _shown(passage, best)
        marks = marked(words, self._telling)[1] if self._telling else []
        speaker, _ = self._episode(found[0]).sayers[passage.speakers[best]]
        seconds = int(passage.starts[best]) / 1000
        return Hit(
            about.folder,
            about.show,
            about.title,
            about.published,
            speaker,
            seconds,
            "".join(words),
            tuple(marks),
        )

    def _wanted_episodes(self) -> dict[int, _Episode]:
        wanted, show = self._wanted, tokens(self._wanted.show)
        first, last = (number >> MINUTE_SHIFT for number in wanted.span)
        known = {
            folder: _Episode(folder, title_of_show, title, published)
            for folder, title_of_show, title, published in self._index.execute(
                "SELECT folder, show, title, published FROM episodes "
                "WHERE minute BETWEEN ? AND ? AND ? IN ('', place)",
                (first, last, wanted.place),
            )
            if not show or _has(tokens(title_of_show), show)
        }
        numbers = self._kept.execute("SELECT id, folder FROM episodes")
        return {number: known[folder] for number, folder in numbers if folder in known}

    def _by_meaning(self) -> list[Place]:
        episodes, counts, fits = list[int](), list[int](), list[Vectors]()
        scales, numbers, gathered = list[bytes](), list[bytes](), 0
        for episode, scale, number in self._kept.execute("SELECT episode, scales, numbers FROM vectors"):
            if episode not in self._episodes or not scale:
                continue
            episodes.append(episode)
            counts.append(len(scale) // 4)
            scales.append(scale)
            numbers.append(number)
            gathered += counts[-1]
            if gathered >= CHUNK:
                fits.append(self._fit(scales, numbers))
                scales, numbers, gathered = [], [], 0
        if scales:
            fits.append(self._fit(scales, numbers))
        if not fits:
            return []
        fit, ends = np.concatenate(fits), np.cumsum(counts)
        if self._speaker:
            fit[~self._said_by_speaker(episodes, counts)] = -np.inf
        found = list[Place]()
        for one in _largest(fit, BY_MEANING):
            which = int(np.searchsorted(ends, one, side="right"))
            found.append((episodes[which], int(one - ends[which] + counts[which])))
        return found

    def _fit(self, scales: Sequence[bytes], numbers: Sequence[bytes]) -> Vectors:
        """How well passages fit, (n,)."""
        vectors = np.frombuffer(b"".join(numbers), np.int8).reshape(-1, len(self._vector))
        fit: Vectors = vectors.astype(np.float32) @ self._vector * np.frombuffer(b"".join(scales), np.float32)
        return fit

    def _said_by_speaker(self, episodes: Sequence[int], counts: Sequence[int]) -> NDArray[np.bool_]:
        """Of the passages of episodes, in which the speaker who is wanted speaks."""
        said = np.zeros(sum(counts), bool)
        first = 0
        for episode, count in zip(episodes, counts, strict=True):
            kept = self._episode(episode)
            for speaker in self._theirs(kept):
                said[np.add(first, kept.sayers[speaker][1])] = True
            first += count
        return said

    def _theirs(self, kept: KeptEpisode) -> list[int]:
        """The places of names that the speaker who is wanted may have."""
        return [n for n, (name, _) in enumerate(kept.sayers) if self._is_wanted(name)]

    def _is_wanted(self, name: str) -> bool:
        if name not in self._names:
            self._names[name] = _has(tokens(name), self._speaker)
        return self._names[name]

    def _by_words(self) -> list[Place | int]:
        by_folder = {about.folder: number for number, about in self._episodes.items()}
        found = list[Place | int]()
        if not self._telling:
            return found
        for row in rows_with_any(self._index, self._telling, self._wanted, BY_WORDS):
            ((folder, speaker, words, starts),) = self._index.execute(
                "SELECT folder, speaker, words, starts FROM passages "
                "JOIN episodes ON episodes.id = passages.episode WHERE passages.id = ?",
                (row,),
            )
            number = by_folder.get(folder)
            passage = None
            if number is not None:
                said, times = words.split(WORD_SEPARATOR), array("I")
                times.frombytes(starts)
                first, _ = marked(said, self._telling)
                passage = self._passage_with(said[first].strip(), number, speaker, times[first])
            found.append(row if number is None or passage is None else (number, passage))
        return list(dict.fromkeys(found))

    def _passage_with(self, word: str, episode: int, speaker: str, ms: int) -> int | None:
        """The passage in which a speaker says a word at that moment; None where there is none.

        Passages are in the order in which they read: what is thrown into a long sentence stands after it.
        """
        kept = self._episode(episode)
        theirs = [n for n, (name, _) in enumerate(kept.sayers) if name == speaker]
        ahead = {one: int(kept.starts[one]) - ms for n in theirs for one in kept.sayers[n][1]}
        for one in sorted(ahead, key=lambda one: (ahead[one] > 0, abs(ahead[one]))):
            passage = self._passage((episode, one)) if abs(ahead[one]) <= NEAR_MS else None
            if passage is not None and word in _said_at(passage, theirs, ms):
                return one
        return None

    def _episode(self, number: int) -> KeptEpisode:
        if number not in self._opened:
            self._opened[number] = kept_episode(self._kept, number)
        return self._opened[number]

    def _passage(self, place: Place) -> KeptPassage:
        if place not in self._read:
            self._read[place] = kept_passage(self._kept, *place)
        return self._read[place]

    def _by_sentence(self, places: Sequence[Place]) -> list[Place]:
        return sorted(places, key=lambda place: -self._fits(place)[1].max())

    def _fits(self, place: Place) -> tuple[list[int], Vectors]:
        """The sentences of a passage that are searched, (n,), and how well each fits."""
        passage = self._passage(place)
        said = list(range(len(passage.texts)))
        if self._speaker:
            theirs = self._theirs(self._episode(place[0]))
            said = [one for one in said if int(passage.speakers[one]) in theirs]
        fits: Vectors = passage.vectors[said] @ self._vector
        return said, fits

    def _best(self, place: Place) -> int:
        """The sentence of a passage to show: one that fits, and has the words that few have."""
        said, fits = self._fits(place)
        texts = self._passage(place).texts
        spoken = [tokens(texts[one].replace(WORD_SEPARATOR, "")) for one in said]
        shares = [sum(_has(words, phrase) for phrase, _ in self._telling) for words in spoken]
        worth = (fits - fits.mean()) / max(float(fits.std()), 1e-9)
        return said[int(np.argmax(worth + WORDS_WORTH * np.array(shares) / max(1, len(self._telling))))]


def _said_at(passage: KeptPassage, speakers: Sequence[int], ms: int) -> str:
    """The sentence of a passage that these speakers have begun last by then, "" for none."""
    sentences = zip(passage.starts.tolist(), passage.speakers.tolist(), passage.texts, strict=True)
    begun = [(start, text) for start, speaker, text in sentences if speaker in speakers and start <= ms]
    return max(begun, key=lambda one: one[0])[1] if begun else ""


def _shown(passage: KeptPassage, first: int) -> list[str]:
    """The words of a sentence, with what its speaker goes on to say in the passage."""
    words = passage.texts[first].split(WORD_SEPARATOR)
    for one in range(first + 1, len(passage.texts)):
        if passage.speakers[one] != passage.speakers[first] or len(words) >= SHOWN_WORDS:
            break
        more = passage.texts[one].split(WORD_SEPARATOR)
        words += [f" {more[0]}" if needs_space(words[-1], more[0]) else more[0], *more[1:]]
    return words


def _largest(values: Vectors, count: int) -> NDArray[np.intp]:
    """Where the largest are that are finite, the largest first."""
    some = np.argpartition(-values, count)[:count] if len(values) > count else np.arange(len(values))
    some = some[np.isfinite(values[some])]
    return some[np.argsort(-values[some], kind="stable")]


def _has(words: Sequence[str], phrase: Sequence[str]) -> bool:
    """Whether words have a phrase in them."""
    return any(list(words[i : i + len(phrase)]) == list(phrase) for i in range(len(words)))
