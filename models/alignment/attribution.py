"""Who said each word: what the turns say of it and where a change of speaker is likely, weighed together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.alignment.chain import best_row, posteriors
from models.alignment.changes import change_log_odds
from models.alignment.evidence import evidence
from models.record.transcript import Turn, Word

SHARPNESS = 0.6  # of probabilities, of which the chain is too sure: its features count the same thing twice
MISTAKEN = 0.02  # share of words in turns that are wrong altogether, whose speaker may be anybody

Scores = NDArray[np.float64]


def attribute(
    words: Sequence[Word], turns: Sequence[Turn], exclusive: Sequence[Turn], language: str
) -> list[Word]:
    """The words with their speakers and how sure those are; as they are where there are no turns.

    language: ISO 639-1 code of words that have none of their own.

    >>> turns = [Turn(0.0, 1.0, "A"), Turn(1.2, 2.0, "B")]
    >>> said = attribute([Word(0.6, 1.1, " Hi."), Word(1.5, 2.2, " Yes.")], turns, turns, "en")
    >>> [word.speaker for word in said]
    ['A', 'B']
    """
    if not words or not turns:
        return list(words)
    speakers = sorted({turn.speaker for turn in turns})
    scores = evidence(words, turns, exclusive, speakers)
    changes = change_log_odds(words, exclusive, language)
    row = best_row(scores, changes)
    sure = calibrated(posteriors(scores, changes))[np.arange(len(words)), row]
    for state, speaker in enumerate(speakers):
        own = np.flatnonzero(row == state)
        voice = voice_probability([words[int(i)] for i in own], [t for t in turns if t.speaker == speaker])
        sure[own] = np.minimum(sure[own], voice)
    return [
        replace(word, speaker=speakers[state], speaker_probability=round(float(probability), 3))
        for word, state, probability in zip(words, row, sure, strict=True)
    ]


def voice_probability(words: Sequence[Word], turns: Sequence[Turn]) -> Scores:
    """(words,) how sure the voice of each word is, as its turn tells: one of `turns`, all of one speaker.

    >>> turns = [Turn(0.0, 1.0, "A", 0.9), Turn(2.0, 3.0, "A", 0.5)]
    >>> voice_probability([Word(0.8, 1.2, " Hi."), Word(1.8, 2.1, " Yes.")], turns).tolist()
    [0.9, 0.5]
    """
    middles = np.array([(word.start + word.end) / 2 for word in words])
    starts, ends, sure = np.array([(turn.start, turn.end, turn.probability) for turn in sorted(turns)]).T
    ends = np.maximum.accumulate(ends)
    later = np.searchsorted(ends, middles).clip(max=len(turns) - 1)
    earlier = np.maximum(0, later - 1)
    nearest: Scores = np.where(starts[later] - middles <= middles - ends[earlier], sure[later], sure[earlier])
    return nearest


def calibrated(probabilities: Scores) -> Scores:
    """(words, speakers) probabilities of which so many come true, of those that the chain tells.

    >>> calibrated(np.array([[1.0, 0.0], [0.5, 0.5]])).round(2).tolist()
    [[0.99, 0.01], [0.5, 0.5]]
    """
    softer = probabilities**SHARPNESS
    shares: Scores = softer / softer.sum(axis=1, keepdims=True)
    mixed: Scores = (1.0 - MISTAKEN) * shares + MISTAKEN / shares.shape[1]
    return mixed
