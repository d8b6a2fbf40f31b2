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
    row, sure = best_row(scores, changes), calibrated(posteriors(scores, changes))
    return [
        replace(word, speaker=speakers[state], speaker_probability=round(float(sure[i, state]), 3))
        for i, (word, state) in enumerate(zip(words, row, strict=True))
    ]


def calibrated(probabilities: Scores) -> Scores:
    """(words, speakers) probabilities of which so many come true, of those that the chain tells.

    >>> calibrated(np.array([[1.0, 0.0], [0.5, 0.5]])).round(2).tolist()
    [[0.99, 0.01], [0.5, 0.5]]
    """
    softer = probabilities**SHARPNESS
    shares: Scores = softer / softer.sum(axis=1, keepdims=True)
    mixed: Scores = (1.0 - MISTAKEN) * shares + MISTAKEN / shares.shape[1]
    return mixed
