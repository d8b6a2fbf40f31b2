"""Where the topic of a conversation changes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.record.transcript import Transcript
from models.topics.embedding import SentenceEmbedder

SHORTEST = 120.0  # seconds of a chapter
BREADTH = 0.05  # how far topics lie from each other, in variances of sentences of one topic
DIMENSIONS = 32


def topic_starts(transcript: Transcript, embedder: SentenceEmbedder) -> tuple[float, ...]:
    """Where its topics begin, in seconds, in order, the first at 0.0; empty where it has only one."""
    said = [s for s in transcript.segments if s.text and not s.brief]
    end = max((s.end for s in said), default=0.0)
    if end < 2 * SHORTEST:
        return ()
    weights = np.sqrt([len(s.words) for s in said])
    vectors = _reduced(embedder.embed([s.text for s in said]).astype(float), weights)
    times = np.array([0.0, *(s.start for s in said[1:]), end])
    found = _best(vectors, weights, times)
    return tuple(float(times[i]) for i in found) if len(found) > 1 else ()


def _reduced(vectors: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = vectors - np.average(vectors, axis=0, weights=weights)
    covariance = (centred * weights[:, None]).T @ centred / weights.sum()
    values, axes = np.linalg.eigh(covariance)
    reduced: NDArray[np.float64] = centred @ axes[:, -DIMENSIONS:]
    return reduced / np.sqrt(values[-DIMENSIONS:].mean())


def _best(
    vectors: NDArray[np.float64], weights: NDArray[np.float64], times: NDArray[np.float64]
) -> list[int]:
    count = len(vectors)
    sums = np.vstack([np.zeros(vectors.shape[1]), np.cumsum(vectors * weights[:, None], axis=0)])
    mass = np.concatenate([[0.0], np.cumsum(weights)])
    best, before = np.full(count + 1, -np.inf), np.zeros(count + 1, dtype=int)
    best[0] = 0.0
    for j in range(1, count + 1):
        last = int(np.searchsorted(times, times[j] - SHORTEST, side="right"))
        if last == 0:
            continue
        held = mass[j] - mass[:last]
        gain = 0.5 * BREADTH / (1 + BREADTH * held) * np.sum((sums[j] - sums[:last]) ** 2, axis=1)
        score = best[:last] + gain - 0.5 * vectors.shape[1] * np.log1p(BREADTH * held)
        before[j] = int(np.argmax(score))
        best[j] = score[before[j]]
    ends = [count]
    while ends[-1]:
        ends.append(int(before[ends[-1]]))
    return [start for start, _ in pairwise(reversed(ends))]
