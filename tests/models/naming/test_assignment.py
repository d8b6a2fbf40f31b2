from __future__ import annotations

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from models.naming.assignment import CONFIDENT, candidates
from models.record.transcript import Evidence


def for_(label: str, name: str, *weights: float, kind: str = "introduction") -> list[Evidence]:
    return [Evidence(label, name, kind, weight) for weight in weights]


def chosen(evidence: list[Evidence], given: dict[str, str] | None = None) -> dict[str, str]:
    return {c.label: c.name for c in candidates(evidence, given) if c.chosen}


def test_probability_follows_from_the_evidence() -> None:
    (found,) = candidates([*for_("A", "Anne", 4.0), *for_("A", "Anne", -2.0, kind="prior")])
    assert found.score == 2.0
    assert math.isclose(found.probability, 1 / (1 + math.exp(-2)))
    assert found.chosen


def test_too_little_evidence_names_nobody() -> None:
    (found,) = candidates(for_("A", "Anne", math.log(CONFIDENT / (1 - CONFIDENT)) - 0.01))
    assert not found.chosen
    assert candidates([]) == []


def test_hints_of_one_kind_count_less_and_less() -> None:
    (once,) = candidates(for_("A", "Anne", 2.0))
    (thrice,) = candidates(for_("A", "Anne", 2.0, 2.0, 2.0))
    (both,) = candidates([*for_("A", "Anne", 2.0), *for_("A", "Anne", 2.0, kind="voice")])
    assert (once.score, round(thrice.score, 3), both.score) == (2.0, 3.667, 4.0)


def test_the_best_assignment_is_not_the_greedy_one() -> None:
    evidence = [*for_("A", "Anne", 5.0), *for_("A", "Gael", 4.8), *for_("B", "Anne", 4.9)]
    assert chosen(evidence) == {}  # what is left of the probability is too little: A could be either
    clear = [*for_("A", "Anne", 2.0), *for_("A", "Gael", 4.8), *for_("B", "Anne", 4.9)]
    assert chosen(clear) == {"A": "Gael", "B": "Anne"}


def test_two_who_claim_one_name_both_stay_without() -> None:
    assert chosen([*for_("A", "Anne", 4.0), *for_("B", "Anne", 4.0)]) == {}


def test_one_voice_under_two_labels_is_one_person() -> None:
    evidence = [*for_("A", "Anne", 4.0, kind="voice"), *for_("B", "Anne", 3.5, kind="voice")]
    assert chosen(evidence) == {"A": "Anne", "B": "Anne"}
    evidence = [*for_("A", "Anne", 4.0, kind="voice"), *for_("B", "Anne", 1.5, kind="voice")]
    assert chosen(evidence) == {"A": "Anne"}


def test_another_voice_outweighs_what_was_said() -> None:
    assert chosen([*for_("A", "Anne", 4.5), *for_("A", "Anne", -5.0, kind="voice")]) == {}


def test_what_the_user_said_is_not_judged() -> None:
    evidence = [*for_("A", "Anne", 5.0), *for_("B", "Anne Currie", 5.0), *for_("B", "Zoe", 4.0)]
    assert chosen(evidence, {"A": "Anne Currie"}) == {"B": "Zoe"}


pairs = st.tuples(st.sampled_from("ABCD"), st.sampled_from(["Anne", "Gael", "Zoe", "Tim", "Ida"]))
scores = st.dictionaries(pairs, st.floats(-8, 8), max_size=12)


@given(scores)
def test_no_name_and_no_label_twice(weights: dict[tuple[str, str], float]) -> None:
    found = [
        c for c in candidates([Evidence(*pair, "introduction", w) for pair, w in weights.items()]) if c.chosen
    ]
    assert len({c.label for c in found}) == len({c.name for c in found}) == len(found)
    assert all(c.probability >= CONFIDENT and c.score > 0 for c in found)


@given(scores)
def test_no_other_assignment_is_better(weights: dict[tuple[str, str], float]) -> None:
    from models.naming.assignment import _assign

    best = sum(weights[pair] for pair in _assign(weights))
    good = [pair for pair in weights if weights[pair] > 0]
    others = (
        sum(weights[pair] for pair in some)
        for size in range(min(4, len(good)) + 1)
        for some in itertools.combinations(good, size)
        if len({p[0] for p in some}) == len({p[1] for p in some}) == size
    )
    assert math.isclose(best, max(others), abs_tol=1e-9)
