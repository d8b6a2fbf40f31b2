"""Where the topic of a conversation changes, told by what is meant and by how people lead on to the next.

Passages of a topic are taken for draws from a normal distribution around its mean, and the means for draws from a wider
one around that of the episode. How probable a segmentation is follows from its topics, their means integrated out, so
that one topic more must pay for itself: their number needs no other criterion. After the Bayesian segmentation by words
of Eisenstein and Barzilay (2008), with vectors of texts, as in TreeSeg (Gklezakos et al. 2024, arXiv 2407.12028).
How long chapters are, and what else speaks for one to begin, is a prior. The most probable segmentation of all is found
by dynamic programming over passages; with which of their sentences a topic begins is told last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log

import numpy as np
from numpy.typing import NDArray

from models.record.transcript import Transcript
from models.topics.cues import TURN, Sentence, odds_of_beginning, sentences_of
from models.topics.embedding import SentenceEmbedder

SHORTEST = 120.0  # seconds of a chapter
LENGTH = 400.0  # seconds, the median of chapters ...
SPREAD = 0.6  # ... and the standard deviation of the logarithm
DIMENSIONS = 48  # in which an episode's passages vary most
DISTANCE = 0.07  # variance of topics' means, in that of what is said in UNIT seconds around its topic's
UNIT = 7.0
INDEPENDENT = 0.3  # share of what is said that what is said around it doesn't say too
WORDS = 40  # of a passage
LIKELY = 1.0  # log-odds of a topic to begin with which a passage does
REACH = 2  # passages before and after, with one of whose sentences a topic may begin
ROWS = 256  # of segmentations that are scored at once

Array = NDArray[np.float64]


def topic_starts(transcript: Transcript, embedder: SentenceEmbedder) -> tuple[float, ...]:
    """Where its topics begin, in seconds, in order, the first at 0.0; empty where it has only one.

    Each lasts SHORTEST seconds or longer and begins with a sentence.
    """
    said = sentences_of(transcript.segments)
    end = max((max(one.start, one.end) for one in said), default=0.0)
    if end < 2 * SHORTEST:
        return ()
    odds = odds_of_beginning(said, transcript)
    firsts = list(_passages(said, odds))
    if len(firsts) < 2:
        return ()
    passages = [said[a:b] for a, b in pairwise([*firsts, len(said)])]
    weights = _weights(passages)
    vectors = _embedded(passages, embedder)
    space = _Space.of(vectors, weights)
    placed, weights = space.placed(vectors), weights * INDEPENDENT
    times = np.array([0.0, *(passage[0].start for passage in passages[1:]), end])
    prior = odds[firsts] - np.log(np.mean(np.exp(odds[firsts])))
    edges = _most_probable(placed, weights, times, prior)
    means = [_mean(placed[a:b], weights[a:b]) for a, b in pairwise(edges)]
    windows = [
        range(firsts[max(a + 1, b - REACH)], max(firsts[min(c - 1, b + REACH)], firsts[b] + 1))
        for a, b, c in zip(edges, edges[1:], edges[2:], strict=False)
    ]
    return tuple(_exact(said, odds, windows, means, times[edges], space, embedder)) if windows else ()


def _passages(said: Sequence[Sentence], odds: Array) -> Iterator[int]:
    """Numbers of the sentences with which passages begin: of some WORDS words, or less where a topic may well begin."""
    words = 0
    for index, one in enumerate(said):
        likely = odds[index] >= LIKELY or (words >= WORDS / 2 and odds[index] >= TURN)
        if index == 0 or likely or words >= WORDS or words + len(one.words) > 1.5 * WORDS:
            yield index
            words = 0
        words += len(one.words)


def _weights(passages: Iterable[Sequence[Sentence]]) -> Array:
    """(passages,): by how much more each tells than what is said in UNIT seconds; long ones less than in proportion."""
    seconds = np.array([sum(one.seconds for one in passage) for passage in passages])
    weights: Array = np.sqrt(seconds) * seconds.sum() / UNIT / np.sqrt(seconds).sum()
    return weights


def _embedded(passages: Iterable[Sequence[Sentence]], embedder: SentenceEmbedder) -> Array:
    """(passages, embedding)."""
    texts = [" ".join(one.text for one in passage) for passage in passages]
    return embedder.embed(texts, query=True).astype(np.float64)


@dataclass(frozen=True, slots=True)
class _Space:
    """The principal axes of an episode. On each, passages of weight 1 have variance 1 around their topic's mean."""

    mean: Array  # (embedding,)
    axes: Array  # (embedding, dimensions)

    @staticmethod
    def of(vectors: Array, weights: Array) -> _Space:
        """That of vectors, (passages, embedding), whose neighbours tell how far those of one topic lie apart."""
        mean = np.average(vectors, axis=0, weights=weights)
        centred = vectors - mean
        axes = np.linalg.eigh((centred * weights[:, None]).T @ centred)[1][:, ::-1]
        axes = axes[:, : min(DIMENSIONS, len(vectors) - 1)]
        shared = weights[1:] * weights[:-1] / (weights[1:] + weights[:-1])
        variance = np.mean(np.diff(centred @ axes, axis=0) ** 2 * shared[:, None], axis=0)
        return _Space(mean, axes / np.sqrt(np.maximum(variance, 1e-9)))

    def placed(self, vectors: Array) -> Array:
        """(vectors, dimensions), of (vectors, embedding)."""
        placed: Array = (vectors - self.mean) @ self.axes
        return placed


def _mean(placed: Array, weights: Array) -> Array:
    """(dimensions,): where the mean of a topic is expected, of which these are the passages."""
    mean: Array = weights @ placed / (weights.sum() + 1 / DISTANCE)
    return mean


def _most_probable(placed: Array, weights: Array, times: Array, prior: Array) -> list[int]:
    """Numbers of the passages with which topics begin in the most probable segmentation, and how many there are.

    placed: (passages, dimensions), of variance 1 / weight around their topic's mean; weights, prior: (passages,).
    times: (passages + 1,), when each begins, and the last one ends. The time it takes grows with their square.
    """
    count = len(placed)
    sums = np.vstack([np.zeros(placed.shape[1]), (placed * weights[:, None]).cumsum(axis=0)])
    held = np.concatenate([[0.0], weights.cumsum()])
    odds = np.concatenate([[0.0], prior[1:]])
    begins = np.searchsorted(times, times - SHORTEST, side="right")  # how many may begin one that ends there
    best, before = np.full(count + 1, -np.inf), np.zeros(count + 1, dtype=int)
    best[0] = 0.0
    for row in range(1, count + 1, ROWS):
        ends = np.arange(row, min(row + ROWS, count + 1))
        within = slice(0, begins[ends[-1]])
        scores = _evidence(sums, held, times, ends, within) + odds[within]
        for end, scored in zip(ends, scores, strict=True):
            if begins[end]:
                totals = best[: begins[end]] + scored[: begins[end]]
                before[end] = totals.argmax()
                best[end] = totals[before[end]]
    edges = [count]
    while edges[-1]:
        edges.append(int(before[edges[-1]]))
    return edges[::-1]


def _evidence(sums: Array, held: Array, times: Array, ends: NDArray[np.int_], begins: slice) -> Array:
    """(ends, begins): log-probability of what lies between being of one topic, against its being of the episode's mean.

    sums, held: of weighted passages, and of weights, up to each; times: as above.
    """
    weight = np.maximum(held[ends, None] - held[begins], 0.0)
    squares = (sums**2).sum(axis=1)
    distance = squares[ends, None] + squares[begins] - 2 * sums[ends] @ sums[begins].T
    told = DISTANCE / (1 + DISTANCE * weight) * np.maximum(distance, 0.0)
    length = np.log(np.maximum(times[ends, None] - times[begins], 1.0) / LENGTH) / SPREAD
    evidence: Array = (told - DIMENSIONS * np.log1p(DISTANCE * weight) - length**2) / 2 - log(SPREAD)
    return evidence


def _exact(
    said: Sequence[Sentence],
    odds: Array,
    windows: Sequence[range],
    means: Sequence[Array],
    times: Array,
    space: _Space,
    embedder: SentenceEmbedder,
) -> Iterator[float]:
    """When topics begin, each with that sentence of its window that parts best what is like the means on both sides.

    windows: (topics - 1,), numbers of sentences. times: (topics + 1,), when they begin by their passages, and the end.
    """
    vectors = _embedded([[said[index]] for window in windows for index in window], embedder)
    centred = space.placed(vectors - vectors.mean(axis=0) + space.mean)  # short texts lie elsewhere
    yield (began := 0.0)
    for window, (left, right), latest in zip(windows, pairwise(means), times[2:] - SHORTEST, strict=True):
        placed, centred = np.split(centred, [len(window)])
        sentences = [said[index] for index in window]
        weights = INDEPENDENT * np.sqrt([one.seconds / UNIT for one in sentences])
        towards = weights * ((placed - (left + right) / 2) @ (left - right))
        scores = np.cumsum(towards) - towards + odds[window]
        fitting = [began + SHORTEST <= one.start <= latest for one in sentences]
        yield (began := sentences[int(np.where(fitting, scores, -np.inf).argmax())].start)
