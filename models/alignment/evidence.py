"""What the turns say of each word: how likely each speaker is by time alone.

Times of words and of turns are each off by some tenths of a second, with long tails (a Laplace distribution): each
second that a word lies in turns of others alone speaks against a speaker.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.record.spans import Span, union
from models.record.transcript import Turn, Word

REACH = 1.0  # seconds beyond which a turn says nothing of a word
CONTRADICTED = 3.0  # log-odds against a speaker for each second of a word in turns of others alone ...
SHORTEST, LONGEST = 0.1, 1.0  # ... and how long a word counts at least and at most, in seconds
FAR = 1.0  # log-odds against a speaker for each second from the nearest turn
MOMENTS = (0.1, 0.3, 0.5, 0.7, 0.9)  # of a word's duration, at which the turns are asked

Scores = NDArray[np.float64]


def evidence(
    words: Sequence[Word], turns: Sequence[Turn], exclusive: Sequence[Turn], speakers: Sequence[str]
) -> Scores:
    """(words, speakers) log-likelihood of each speaker, up to a constant a word; -inf where no turn is near.

    turns: in any order, they may overlap; exclusive: the same with one speaker at a time, which tell who has the
    floor where several speak. A word with nothing near has the speaker of the nearest turn.
    """
    starts, ends = (np.array([getattr(word, edge) for word in words]) for edge in ("start", "end"))
    moments = starts[:, None] + (ends - starts)[:, None] * MOMENTS
    seconds = np.clip(ends - starts, SHORTEST, LONGEST)[:, None]
    against, distance = _asked(moments, turns, speakers)
    with_the_floor, _ = _asked(moments, exclusive, speakers)
    scores: Scores = -seconds * (against.mean(axis=1) + with_the_floor.mean(axis=1)) / 2
    scores -= FAR * np.minimum(distance, REACH).mean(axis=1)
    near = distance.min(axis=1)
    possible = (near < REACH) | (near == near.min(axis=1, keepdims=True))
    scores[~possible] = -np.inf
    return scores


def _asked(
    moments: NDArray[np.float64], turns: Sequence[Turn], speakers: Sequence[str]
) -> tuple[Scores, Scores]:
    """(words, moments, speakers) what speaks against each a second, and seconds to each one's nearest turn."""
    distance = np.stack([_distance(moments, [t for t in turns if t.speaker == s]) for s in speakers], axis=-1)
    heard = (distance == 0.0).any(axis=-1, keepdims=True)
    return np.where(heard & (distance > 0.0), CONTRADICTED, 0.0), distance


def _distance(times: NDArray[np.float64], turns: Sequence[Turn]) -> NDArray[np.float64]:
    """Seconds from each of times, of any shape, to the nearest of turns, 0 within; infinite without turns."""
    spans = union(Span(turn.start, turn.end) for turn in turns)
    starts = np.array([*(span.start for span in spans), np.inf])
    ends = np.array([-np.inf, *(span.end for span in spans)])
    later = np.searchsorted(ends[1:], times)
    distance: NDArray[np.float64] = np.maximum(0.0, np.minimum(starts[later] - times, times - ends[later]))
    return distance
