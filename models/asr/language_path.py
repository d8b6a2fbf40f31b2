"""Which language is spoken when: the most probable course of it over an episode.

Of a few seconds a model tells the language mostly right, but not always, and each of many guesses would be believed
once. So what is heard in a stretch counts by its length, a change costs more within what somebody says than where
another begins, and a language that the speaker, or anybody, speaks elsewhere is likelier: a hidden Markov model, whose
shares of languages are told by its own most probable path (Viterbi training).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.asr.chunking import quietest_moment
from models.asr.engine import Languages
from models.record.spans import Span
from models.record.transcript import Turn
from models.runtime.samples import Samples

SHORTEST, LONGEST = 1.0, 5.0  # seconds between two moments at which the language may change while one speaks
EVIDENCE = 1.5  # log-odds against a language that a second of speech may give at most
SWITCH = 0.01  # probability that the language is chosen anew while one speaks on ...
SWITCH_AFTER_PAUSE = 0.03  # ... after a pause ...
SWITCH_WITH_SPEAKER = 0.85  # ... and where another speaker begins
PAUSE = 1.0  # seconds without speech
UNKNOWN_SHARE = 0.02  # of an episode, that is left to languages which nobody was heard to speak
SPEAKER_SECONDS = 10.0  # of an episode's languages, that count with what a speaker was heard to speak
LEAST = 1e-9  # probability: none is impossible
ROUNDS = 4  # after which paths no longer change


@dataclass(frozen=True, slots=True)
class Stretch:
    """What somebody says between two moments at which the language may change; `speaker` is "" where nobody knows."""

    span: Span
    speaker: str


def stretches(turns: Sequence[Turn], samples: Samples) -> list[Stretch]:
    """Stretches of one speaker, cut where it is quietest.

    turns: in order, no two at once. samples: (samples,) float32 or int16 at 16 kHz.
    """
    return [Stretch(span, turn.speaker) for turn in turns for span in _cut(turn, samples)]


def _cut(turn: Turn, samples: Samples) -> Iterator[Span]:
    start = turn.start
    while turn.end - start > LONGEST:
        latest = min(start + LONGEST, turn.end - SHORTEST)
        cut = quietest_moment(samples, start + SHORTEST, latest)
        yield Span(start, cut)
        start = cut
    yield Span(start, turn.end)


def language_path(said: Sequence[Stretch], heard: Sequence[Languages]) -> list[str]:
    """The language of each stretch. said: in order. heard: how probable each language is in each of them."""
    if not said:
        return []
    codes = sorted(set().union(*heard))
    evidence = _evidence(said, heard, codes)
    seconds = np.array([stretch.span.duration for stretch in said])
    speakers = {speaker: i for i, speaker in enumerate(dict.fromkeys(stretch.speaker for stretch in said))}
    of_stretch = np.array([speakers[stretch.speaker] for stretch in said])
    told = np.array([[each.get(code, 0.0) for code in codes] for each in heard]) * seconds[:, np.newaxis]
    path = np.zeros(len(said), dtype=np.intp)
    for _ in range(ROUNDS):
        before, path = (
            path,
            _viterbi(said, evidence, _log_shares(told, of_stretch, len(speakers))[of_stretch]),
        )
        if (before == path).all():
            break
        told = np.eye(len(codes))[path] * seconds[:, np.newaxis]
    return [codes[i] for i in path]


def _evidence(
    said: Sequence[Stretch], heard: Sequence[Languages], codes: Sequence[str]
) -> NDArray[np.float64]:
    """(stretches, languages) log-odds of each language against the likeliest, no less than its length may tell."""
    odds = np.array([_log_odds(each, codes) for each in heard])
    floor = np.array([-EVIDENCE * stretch.span.duration for stretch in said])
    return np.asarray(np.maximum(odds, floor[:, np.newaxis]))


def _log_odds(heard: Mapping[str, float], codes: Sequence[str]) -> NDArray[np.float64]:
    probabilities = np.array([heard.get(code, 0.0) for code in codes])
    return np.asarray(np.log(np.maximum(probabilities, LEAST) / max(probabilities.max(), LEAST)))


def _log_shares(
    told: NDArray[np.float64], of_stretch: NDArray[np.intp], speakers: int
) -> NDArray[np.float64]:
    """(speakers, languages) log of the share of each language in what each says. told: (stretches, languages) s."""
    all_of_it = told.sum(axis=0)
    episode = (1 - UNKNOWN_SHARE) * all_of_it / max(all_of_it.sum(), 1e-9) + UNKNOWN_SHARE / len(all_of_it)
    own = np.zeros((speakers, told.shape[1]))
    np.add.at(own, of_stretch, told)
    counted = own + SPEAKER_SECONDS * episode
    return np.asarray(np.log(counted / counted.sum(axis=1, keepdims=True)))


def _viterbi(
    said: Sequence[Stretch], evidence: NDArray[np.float64], shares: NDArray[np.float64]
) -> NDArray[np.intp]:
    """(stretches,) the most probable path. evidence, shares: (stretches, languages) log-probabilities."""
    score = shares[0] + evidence[0]
    came = np.zeros(evidence.shape, dtype=np.intp)
    own = np.arange(evidence.shape[1])
    for i, (before, stretch) in enumerate(pairwise(said), 1):
        switch = _switch(before, stretch)
        stay = score + np.logaddexp(np.log1p(-switch), np.log(switch) + shares[i])
        best = int(score.argmax())
        change = score[best] + np.log(switch) + shares[i]
        came[i] = np.where(stay >= change, own, best)
        score = np.maximum(stay, change) + evidence[i]
    path = np.zeros(len(said), dtype=np.intp)
    path[-1] = score.argmax()
    for i in range(len(said) - 1, 0, -1):
        path[i - 1] = came[i, path[i]]
    return path


def _switch(before: Stretch, stretch: Stretch) -> float:
    """How probable it is that the language is chosen anew between two stretches, among those of the speaker."""
    if before.speaker != stretch.speaker:
        return SWITCH_WITH_SPEAKER
    return SWITCH_AFTER_PAUSE if stretch.span.start - before.span.end >= PAUSE else SWITCH
