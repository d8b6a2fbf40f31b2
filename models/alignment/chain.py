"""The speakers of a row of words as a hidden Markov chain.

Rabiner, "A tutorial on hidden Markov models" (1989). With sums it gives the probability of each speaker for each
word (forward-backward), with maxima the score of the best row that has the speaker there (Viterbi).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]


def best_row(scores: Scores, changes: Scores) -> NDArray[np.intp]:
    """(words,) the state of each word in the most probable row. Arguments as of `_backward`."""
    moves = _moves(changes, scores.shape[1])
    ahead = scores + _backward(scores, moves, np.maximum)
    row = np.zeros(len(scores), dtype=np.intp)
    row[0] = ahead[0].argmax()
    for i in range(1, len(scores)):
        row[i] = (moves[i][row[i - 1]] + ahead[i]).argmax()
    return row


def posteriors(scores: Scores, changes: Scores) -> Scores:
    """(words, states) the probability of each state for each word, given all words. Arguments as of `_backward`."""
    moves = _moves(changes, scores.shape[1])
    forward = np.array(scores)
    for i in range(1, len(scores)):
        forward[i] += np.logaddexp.reduce(forward[i - 1][:, None] + moves[i], axis=0)
    together = forward + _backward(scores, moves, np.logaddexp)
    weights = np.exp(together - together.max(axis=1, keepdims=True))
    shares: Scores = weights / weights.sum(axis=1, keepdims=True)
    return shares


def _backward(scores: Scores, moves: Scores, add: np.ufunc) -> Scores:
    """(words, states) log-weights of all that may follow each state, added up by `add`.

    scores: (words, states) log-likelihoods, -inf for what can't be; moves: as `_moves` makes them of `changes`,
    (words,) the log-odds that the state changes before each word, to any of the others alike.
    """
    backward = np.zeros_like(scores)
    for i in range(len(scores) - 1, 0, -1):
        backward[i - 1] = add.reduce(moves[i] + (backward[i] + scores[i])[None, :], axis=1)
    return backward


def _moves(changes: Scores, states: int) -> Scores:
    """(words, states, states) log-probabilities of each state after each, before each word."""
    moves = np.empty((len(changes), states, states))
    moves[:] = (-np.logaddexp(0.0, -changes) - np.log(max(1, states - 1)))[:, None, None]
    moves[:, range(states), range(states)] = -np.logaddexp(0.0, changes)[:, None]
    return moves
