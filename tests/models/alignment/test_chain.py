from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from models.alignment.chain import Scores, best_row, posteriors

log_odds = st.floats(-8, 8)


@st.composite
def chains(draw: st.DrawFn) -> tuple[Scores, Scores]:
    """Scores of some words for some speakers, a few of whom are impossible, and odds of changes."""
    words, speakers = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    scores = np.array([[draw(log_odds) for _ in range(speakers)] for _ in range(words)])
    for word in scores:
        word[1:][[draw(st.booleans()) for _ in range(speakers - 1)]] = -np.inf
    return scores, np.array([draw(log_odds) for _ in range(words)])


def rows(scores: Scores, changes: Scores) -> Iterator[tuple[tuple[int, ...], float]]:
    """Every row of speakers there may be, and its probability up to a constant."""
    words, speakers = scores.shape
    for row in product(range(speakers), repeat=words):
        total = sum(scores[i, speaker] for i, speaker in enumerate(row))
        for i, (before, speaker) in enumerate(pairwise(row), start=1):
            change = 1 / (1 + np.exp(-changes[i]))
            total += np.log(1 - change if before == speaker else change / (speakers - 1))
        yield row, float(np.exp(total))


@given(chains())
def test_probabilities_are_those_of_all_rows_together(chain: tuple[Scores, Scores]) -> None:
    scores, changes = chain
    expected = np.zeros_like(scores)
    for row, probability in rows(scores, changes):
        expected[range(len(row)), row] += probability
    assert np.allclose(posteriors(scores, changes), expected / expected.sum(axis=1, keepdims=True))


@given(chains())
@example((np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([0.0, 1.0])))  # two rows that are equally good
def test_the_best_row_is_as_probable_as_any(chain: tuple[Scores, Scores]) -> None:
    every = dict(rows(*chain))
    assert np.isclose(every[tuple(int(state) for state in best_row(*chain))], max(every.values()))
