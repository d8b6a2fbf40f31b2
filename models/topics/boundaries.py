"""Where the topic of a conversation changes, told by the meaning of sentences and by how people lead from one to another.

The sentences of a topic are taken for draws from a normal distribution around its mean, and the means for draws from a
wider one around that of the episode. The probability of a segmentation is the product of those of its topics, their
means integrated out, so that each topic more must pay for itself: the number of topics needs no other criterion. After
the Bayesian segmentation by words of Eisenstein and Barzilay (2008), with vectors of sentences, as in TreeSeg
(Gklezakos et al. 2024, arXiv 2407.12028). The most probable segmentation of all is found by dynamic programming. What
else speaks for a topic to begin, and how long chapters are, comes in as a prior.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from models.languages.registry import language_of
from models.record.transcript import Segment, Transcript
from models.topics.embedding import SentenceEmbedder
from models.topics.questions import host_of, is_question

SHORTEST = 120.0  # seconds of a chapter
LENGTH, SPREAD = 400.0, 0.6  # how long chapters are: median in seconds, and standard deviation of the logarithm
DIMENSIONS = 48  # in which an episode's sentences vary most
DISTANCE = 0.07  # variance of the topics' means, in that of a sentence around its topic's
SENTENCE = 7.0  # seconds of speech that are a sentence
INDEPENDENT = 0.25  # share of the sentences that say something that those around don't
MOST_WORDS = 40  # of a sentence; more are none, but speech without full stops
# What speaks for a topic to begin: log-odds.
TURN = 0.4  # another speaks
LEAD = 0.4  # another speaks more, after, than before
QUESTION = 0.3  # the host begins to speak, and asks
ANNOUNCED = 1.0  # it is said: "next up", "let's move on"
MOST_PAUSE = 2.0  # nobody speaks: the logarithm of how often as long as PAUSE, up to this
CUT = -2.0  # it would begin within a sentence
PAUSE = 3.0  # seconds between sentences that tell nothing

LEAD_SECONDS = 45.0
QUESTION_SENTENCES = 4  # of a turn among which a question is looked for
ANNOUNCING_WORDS = 14  # of a sentence among which an announcement is looked for
ROWS = 256  # of segmentations, that are scored at once

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Sentence:
    """What is embedded as one. `first`: whether a segment begins with it."""

    start: float
    end: float
    text: str
    segment: Segment
    first: bool = True


def topic_starts(transcript: Transcript, embedder: SentenceEmbedder) -> tuple[float, ...]:
    """Where its topics begin, in seconds, in order, the first at 0.0; empty where it has only one.

    Each lasts SHORTEST seconds or longer and begins with a sentence.
    """
    said = sorted(_sentences(transcript.segments), key=lambda one: one.start)
    if not said or said[-1].end < 2 * SHORTEST:
        return ()
    times = np.array([0.0, *(one.start for one in said[1:]), max(one.end for one in said)])
    seconds = np.array([min(max(one.end - one.start, 0.1), 6 * SENTENCE) for one in said])
    weights = np.sqrt(seconds)
    weights *= seconds.sum() / SENTENCE / weights.sum()
    vectors = _standardised(embedder.embed([one.text for one in said]).astype(np.float64), weights)
    found = _most_probable(vectors, weights * INDEPENDENT, times, _prior(said, transcript))
    return (0.0, *(float(times[index]) for index in found)) if found else ()


def _sentences(segments: Sequence[Segment]) -> Iterator[_Sentence]:
    """Segments but those that are thrown in; very long ones in pieces."""
    for segment in segments:
        if segment.brief or not segment.text:
            continue
        pieces = -(-len(segment.words) // MOST_WORDS)
        for words in np.array_split(np.array(segment.words, dtype=object), pieces):
            text = "".join(word.text for word in words).strip()
            first = words[0] is segment.words[0]
            yield _Sentence(words[0].start, words[-1].end, text, segment, first)


def _standardised(vectors: Array, weights: Array) -> Array:
    """(sentences, dimensions): where each sentence is, on axes on which sentences of weight 1 that follow on each other
    differ by a variance of 2.

    The axes are the principal ones of the episode.
    """
    centred = vectors - np.average(vectors, axis=0, weights=weights)
    axes = np.linalg.eigh((centred * weights[:, None]).T @ centred)[1][:, ::-1]
    placed: Array = centred @ axes[:, : min(DIMENSIONS, len(vectors) - 1)]
    shared = weights[1:] * weights[:-1] / (weights[1:] + weights[:-1])
    noise = np.mean(np.diff(placed, axis=0) ** 2 * shared[:, None], axis=0)
    return placed / np.sqrt(np.maximum(noise, 1e-9))


def _prior(said: Sequence[_Sentence], transcript: Transcript) -> Array:
    """(sentences,): log-odds of a topic to begin with each, beside a sentence like any other."""
    host = host_of(transcript.segments)
    speakers = [one.segment.speaker for one in said]
    odds = LEAD * _leads_change(said)
    ended = said[0].start
    for index, one in enumerate(said):
        if one.first and index and speakers[index] != speakers[index - 1]:
            odds[index] += TURN + QUESTION * (speakers[index] == host and _asks(said[index:], host))
        language = language_of(transcript.language_of(one.segment))
        opening = " ".join(one.text.split()[:ANNOUNCING_WORDS])
        if language.talk.moves.search(opening) or language.titles.announce.search(opening):
            odds[index] += ANNOUNCED
        odds[index] += min(MOST_PAUSE, log(max(1.0, (one.start - ended) / PAUSE)))
        ended = max(ended, one.end)
        if not one.first or one.segment.continues:
            odds[index] += CUT
    return odds - np.log(np.mean(np.exp(odds)))


def _asks(said: Sequence[_Sentence], host: str | None) -> bool:
    """Whether a question is among the first sentences, up to where another speaks."""
    for one in said[:QUESTION_SENTENCES]:
        if one.segment.speaker != host:
            return False
        if is_question(one.text):
            return True
    return False


def _leads_change(said: Sequence[_Sentence]) -> Array:
    """(sentences,): 1 where who speaks most from there on is another than before, 0 elsewhere."""
    labels, numbers = np.unique([one.segment.speaker or "" for one in said], return_inverse=True)
    spoken = np.zeros((len(said) + 1, len(labels)))
    spoken[np.arange(len(said)) + 1, numbers] = [one.end - one.start for one in said]
    spoken = spoken.cumsum(axis=0)
    starts = np.array([one.start for one in said])
    here = np.arange(len(said))
    before = spoken[here] - spoken[np.searchsorted(starts, starts - LEAD_SECONDS)]
    after = spoken[np.searchsorted(starts, starts + LEAD_SECONDS)] - spoken[here]
    return (before.argmax(axis=1) != after.argmax(axis=1)).astype(np.float64)


def _most_probable(vectors: Array, weights: Array, times: Array, prior: Array) -> list[int]:
    """Numbers of the sentences with which topics begin, but the first, in the most probable segmentation.

    vectors: (sentences, dimensions), of variance 1 where the weight is 1. weights: (sentences,).
    times: (sentences + 1,), when each begins, and the last one ends. Takes the square of the sentences in time.
    """
    count = len(vectors)
    sums = np.vstack([np.zeros(vectors.shape[1]), (vectors * weights[:, None]).cumsum(axis=0)])
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
    found = []
    at = int(before[count])
    while at:
        found.append(at)
        at = int(before[at])
    return found[::-1]


def _evidence(sums: Array, held: Array, times: Array, ends: NDArray[np.int_], within: slice) -> Array:
    """(ends, begins): log-probability of what lies between being one topic, beside its being of the episode's mean."""
    weight = np.maximum(held[ends, None] - held[within], 0.0)
    squares = (sums**2).sum(axis=1)
    distance = squares[ends, None] + squares[within] - 2 * sums[ends] @ sums[within].T
    told = DISTANCE / (1 + DISTANCE * weight) * np.maximum(distance, 0.0)
    length = np.log(np.maximum(times[ends, None] - times[within], 1.0) / LENGTH) / SPREAD
    evidence: Array = (told - sums.shape[1] * np.log1p(DISTANCE * weight) - length**2) / 2 - log(SPREAD)
    return evidence
