from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from models.naming.scores import MOST, scored
from models.record.transcript import Evidence


def call(label: str, at: float, caller: str = "B", weight: float = 1.5) -> list[Evidence]:
    """Somebody called Anne at a time, so that it points to a label."""
    return [Evidence(label, "Anne", "address", weight, at), Evidence(caller, "Anne", "addressing", -2.5, at)]


def score(label: str, *calls: list[Evidence]) -> float:
    """What they add up to for the label being Anne."""
    pairs: dict[tuple[str, str], list[Evidence]] = {}
    for e in (e for found in calls for e in found):
        pairs.setdefault((e.label, e.name), []).append(e)
    return scored(pairs)[label, "Anne"]


def test_occasions_that_are_far_apart_add_up() -> None:
    assert score("A", call("A", 0), call("A", 100), call("A", 300)) == 4.5
    assert score("A", call("A", 0), call("A", 1), call("A", 2)) == 1.5 * (1 + 1 / 2 + 1 / 3)


def test_one_kind_adds_up_to_a_limit() -> None:
    assert score("A", *(call("A", 100.0 * n) for n in range(20))) == MOST


def test_two_who_call_do_not_depend_on_each_other() -> None:
    assert score("A", call("A", 0), call("A", 5, caller="C")) == 3.0
    assert score("A", call("A", 0), call("A", 5)) < 3.0


def test_a_call_that_points_elsewhere_speaks_against() -> None:
    alone = score("A", call("A", 0), call("A", 100))
    against = score("A", call("A", 0), call("A", 100), call("C", 200))
    assert 0 < against < alone
    assert score("A", call("A", 0), *(call("C", 100.0 * n) for n in range(1, 6))) < 0


def test_who_calls_a_name_does_not_bear_it() -> None:
    assert score("B", call("A", 0), call("A", 100)) < -2.5


@given(st.lists(st.floats(0, 3000), min_size=1, max_size=8), st.floats(-0.3, 0.3))
def test_a_little_later_is_a_little_different_at_most(times: list[float], shift: float) -> None:
    calls = [call("A", time) for time in times]
    moved = [call("A", time + (shift if n % 2 else 0.0)) for n, time in enumerate(times)]
    assert math.isclose(score("A", *calls), score("A", *moved), abs_tol=0.02 * 8 * 1.5)
