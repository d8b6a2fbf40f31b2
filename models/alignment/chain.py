"""The speakers of a row of words as a hidden Markov chain.

Rabiner, "A tutorial on hidden Markov models" (1989). With sums it gives the probability of each speaker for each
word (forward-backward), with maxima the score of the best row that has the speaker there (Viterbi).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]


def best_row(scores: Scores, changes: Scores) -> NDArray[np.intp]:
    """(words,) the state of each word in the most probable row. Arguments as of `_marginals`."""
    row: NDArray[np.intp] = _marginals(scores, changes, np.maximum).argmax(axis=1)
    return row


def posteriors(scores: Scores, changes: Scores) -> Scores:
    """(words, states) the probability of each state for each word, given all words."""
    marginals = _marginals(scores, changes, np.logaddexp)
    weights = np.exp(marginals - marginals.max(axis=1, keepdims=True))
    shares: Scores = weights / weights.sum(axis=1, keepdims=True)
    return shares


def _marginals(scores: Scores, changes: Scores, add: np.ufunc) -> Scores:
    """(words, states) log-weights of all rows through each state, added up by `add`.

    scores: (words, states) log-likelihoods, -inf for what can't be; changes: (words,) the log-odds that the state
    changes before each word, to any of the others alike.
    """
    moves = _moves(changes, scores.shape[1])
    forward, backward = np.array(scores), np.zeros_like(scores)
    for i in range(1, len(scores)):
        forward[i] += add.reduce(forward[i - 1][:, None] + moves[i], axis=0)
    for i in range(len(scores) - 1, 0, -1):
        backward[i - 1] = add.reduce(moves[i] + (backward[i] + scores[i])[None, :], axis=1)
    total: Scores = forward + backward
    return total


def _moves(changes: Scores, states: int) -> Scores:
    """(words, states, states) log-probabilities of each state after each, before each word."""
    moves = np.empty((len(changes), states, states))
    moves[:] = (-np.logaddexp(0.0, -changes) - np.log(max(1, states - 1)))[:, None, None]
    moves[:, range(states), range(states)] = -np.logaddexp(0.0, changes)[:, None]
    return moves
