"""Who is who: one decision over all evidence.

Each pair of a label and a name gets a score in log-odds: how likely the name is to speak at all, plus
what its evidence weighs. The best assignment of names to labels, each name at most once, is optimal
over all pairs at once (the Hungarian method of scipy). A name is given only where its probability,
judged against all other names for the label and all other labels for the name, reaches CONFIDENT.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from models.naming.person_names import same_person
from models.naming.scores import Pair, scored
from models.naming.tracks import FILED, TRACK
from models.naming.voices import SURE
from models.record.transcript import Evidence

CONFIDENT = 0.75
CEILING = 0.99  # of a probability: whatever speaks for a name, a diarisation may have mixed two people
NOBODY = -1e6  # the score of a pair without evidence


@dataclass(frozen=True, slots=True)
class Candidate:
    """A label, a name it may have, its score in log-odds and the probability that it is right."""

    label: str
    name: str
    score: float
    probability: float
    chosen: bool = False


def candidates(evidence: Iterable[Evidence], given: Mapping[str, str] | None = None) -> list[Candidate]:
    """Every pair that there is evidence for, by label and score, with those that were chosen marked.

    given: names that the user gave to labels; these labels and people are not judged.
    """
    given = given or {}
    pairs = _pairs(evidence)
    for label, name in list(pairs):
        if not name or label in given or any(same_person(name, other) for other in given.values()):
            del pairs[label, name]
    scores = scored(pairs)
    chosen = _assign(scores)
    chosen |= _second_labels(pairs, scores, chosen)
    ranked = sorted(scores, key=lambda pair: (pair[0], -scores[pair], pair[1]))
    probabilities = {pair: _probability(pair, scores, pairs) for pair in ranked}
    return [
        Candidate(
            *pair, scores[pair], probabilities[pair], pair in chosen and probabilities[pair] >= CONFIDENT
        )
        for pair in ranked
    ]


def _pairs(evidence: Iterable[Evidence]) -> dict[Pair, list[Evidence]]:
    pairs = defaultdict(list)
    for found in evidence:
        pairs[found.label, found.name].append(found)
    return dict(pairs)


def _assign(scores: Mapping[Pair, float]) -> set[Pair]:
    """The pairs of the best assignment: no label and no name twice, only scores above those of nobody."""
    if not scores:
        return set()
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    labels, names = sorted({pair[0] for pair in scores}), sorted({pair[1] for pair in scores})
    # One more column for each label, in which it stays without a name.
    table = np.full((len(labels), len(names) + len(labels)), NOBODY)
    table[:, len(names) :] = 0.0
    for (label, name), score in scores.items():
        table[labels.index(label), names.index(name)] = score
    rows, columns = linear_sum_assignment(table, maximize=True)
    return {(labels[r], names[c]) for r, c in zip(rows, columns, strict=True) if c < len(names)}


def _second_labels(
    pairs: Mapping[Pair, Sequence[Evidence]], scores: Mapping[Pair, float], chosen: set[Pair]
) -> set[Pair]:
    """Labels without a name whose voice, or track, is beyond doubt that of a person named already."""
    named = {pair[0] for pair in chosen}
    sure = [pair for pair in pairs if pair[0] not in named and _beyond_doubt(pairs[pair])]
    people = {pair[1] for pair in chosen if _beyond_doubt(pairs[pair])}
    return {pair for pair in sure if pair[1] in people and scores[pair] > 0}


def _beyond_doubt(found: Sequence[Evidence]) -> bool:
    """Whether a label has the person's voice or a track that is called after that person alone."""
    voice = sum(e.weight for e in found if e.kind == "voice")
    return voice >= SURE or any(e.kind == TRACK and e.weight >= FILED for e in found)


def _probability(pair: Pair, scores: Mapping[Pair, float], pairs: Mapping[Pair, Sequence[Evidence]]) -> float:
    """How sure the pair is: against nobody and the other names of its label, and the other labels of its name.

    Labels that are the same person beyond doubt are no rivals for the name.
    """
    label, name = pair
    names = [scores[label, n] for (other, n) in scores if other == label and n != name]
    sure = _beyond_doubt(pairs[pair])
    labels = [
        scores[rival]
        for rival in scores
        if rival[1] == name and rival[0] != label and not (sure and _beyond_doubt(pairs[rival]))
    ]
    return min(CEILING, _softmax(scores[pair], names), _softmax(scores[pair], labels))


def _softmax(score: float, rivals: Iterable[float]) -> float:
    return 1 / (1 + math.exp(-score) + sum(math.exp(rival - score) for rival in rivals))
