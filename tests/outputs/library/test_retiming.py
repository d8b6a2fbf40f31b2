from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.record.transcript import Word
from outputs.library.retiming import retimed

TEXTS = ["a", "the", "Hello,", "every", "body", "everybody", "well,", "…", "don't", "東", "京"]
Timed = tuple[float, float, str]


def words(*timed: Timed) -> list[Word]:
    return [Word(start, end, f" {text}", 0.6) for start, end, text in timed]


def times(found: Sequence[Word]) -> list[Timed]:
    return [(word.start, word.end, word.text.strip()) for word in found]


@st.composite
def spoken(draw: st.DrawFn, unique: bool = False) -> list[Word]:
    """Words as models time them: from 20 ms on, some with pauses between them."""
    now, found = draw(st.integers(0, 2000)), []
    for text in draw(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=8, unique=unique)):
        now += draw(st.sampled_from([0, 0, 0, 40, 700]))
        end = now + draw(st.integers(20, 600))
        found.append(Word(now / 1000, end / 1000, f" {text}", 0.6))
        now = end
    return found


@given(
    spoken(), st.lists(st.sampled_from([*TEXTS, "new", "words"]), max_size=12), st.sampled_from([0, 0.3, 2])
)
def test_words_stay_in_order_and_between_their_neighbours(
    old: list[Word], new: list[str], silence: float
) -> None:
    since, until = max(0, round(old[0].start - silence, 3)), old[-1].end + silence
    found = retimed(old, [f" {text}" for text in new], since, until)
    assert [word.text for word in found] == [f" {text}" for text in new]
    assert all(word.start < word.end for word in found)
    assert all(one.end <= two.start for one, two in pairwise(found))
    if found:
        assert since <= found[0].start
        assert found[-1].end <= until


@given(spoken(unique=True), st.data())
def test_words_that_are_still_there_keep_their_times(old: list[Word], data: st.DataObject) -> None:
    kept = data.draw(
        st.lists(st.sampled_from(old), unique=True).map(lambda found: sorted(found, key=old.index))
    )
    assert retimed(old, [word.text for word in kept], 0, 99) == kept


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        # Cut in two, made of two: exact by letters, with the pause in between.
        ([(1, 2, "everybody")], "every body", [(1, 1.556, "every"), (1.556, 2, "body")]),
        ([(1, 1.4, "every"), (1.9, 2.2, "body")], "everybody", [(1, 2.2, "everybody")]),
        ([(1, 1.4, "every"), (1.9, 2.2, "body,")], "Every body", [(1, 1.4, "Every"), (1.9, 2.2, "body")]),
        # One for one: each takes the time of the word that it replaces, and pauses stay.
        ([(1, 1.4, "an"), (3, 3.5, "pool")], "Anne Poole", [(1, 1.4, "Anne"), (3, 3.5, "Poole")]),
        # Put in: into the silence, or into the time of the word beside.
        ([(1, 1.4, "a"), (3, 3.5, "c")], "a bob c", [(1, 1.4, "a"), (1.4, 1.68, "bob"), (3, 3.5, "c")]),
        ([(1, 1.4, "one"), (1.4, 2, "c")], "one bob c", [(1, 1.2, "one"), (1.2, 1.4, "bob"), (1.4, 2, "c")]),
        ([(1, 1.4, "hello")], "oh hello", [(0.78, 1, "oh"), (1, 1.4, "hello")]),
        # Several pauses: new words lie along the old ones.
        (
            [(1, 1.3, "aaa"), (2, 2.3, "bbb"), (3, 3.4, "cccc")],
            "xxxxx yyyyy",
            [(1, 2.2, "xxxxx"), (2.2, 3.4, "yyyyy")],
        ),
    ],
)  # fmt: skip
def test_times(old: list[Timed], new: str, told: list[Timed]) -> None:
    assert times(retimed(words(*old), [f" {text}" for text in new.split()], 0.5, 9)) == told


def test_only_what_a_person_wrote_is_sure() -> None:
    found = retimed(words((1, 2, "one"), (2, 3, "two"), (3, 4, "three")), [" one", " Two", " tree"], 0, 9)
    assert [word.probability for word in found] == [0.6, 1.0, 1.0]


def test_words_without_time_get_some_where_there_is_any() -> None:
    assert times(retimed(words((1, 1, "a")), [" one", " two"], 0, 9)) == [
        (1, 1.02, "one"),
        (1.02, 1.04, "two"),
    ]
    assert times(retimed(words((1, 1, "a")), [" one"], 0.5, 1)) == [(0.98, 1, "one")]
