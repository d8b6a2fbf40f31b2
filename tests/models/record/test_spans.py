from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from models.record.spans import Span, exclusive_turns, speech_of, union, who_speaks
from models.record.transcript import Turn
from tests.models.spans import SECONDS, speech_spans


def test_speech_does_not_depend_on_who_is_thought_to_speak() -> None:
    one = [Turn(0, 4, "A"), Turn(5, 6, "A")]
    two = [Turn(0, 2, "A"), Turn(1.9, 4, "B"), Turn(5, 6, "B")]
    assert speech_of(one) == speech_of(two) == (Span(0, 4), Span(5, 6))


@given(speech_spans(), speech_spans())
def test_a_union_covers_both_and_nothing_else(one: list[Span], other: list[Span]) -> None:
    both = union([*one, *other])
    assert all(before.end < after.start for before, after in pairwise(both))
    for tenth in range(SECONDS * 10):
        moment = tenth / 10 + 0.05
        inside = any(span.start <= moment <= span.end for span in [*one, *other])
        assert inside == any(span.start <= moment <= span.end for span in both)


@given(speech_spans(), speech_spans())
def test_who_speaks_at_a_moment_is_told(one: list[Span], other: list[Span]) -> None:
    turns = [
        Turn(span.start, span.end, name) for name, own in (("A", one), ("B", other)) for span in union(own)
    ]
    stretches = list(who_speaks(turns))
    for tenth in range(SECONDS * 10):
        moment = tenth / 10 + 0.05
        speaking = {turn.speaker for turn in turns if turn.start <= moment < turn.end}
        told = [speakers for span, speakers in stretches if span.start <= moment < span.end]
        assert told == ([tuple(sorted(speaking))] if speaking else [])


turns_of_three = st.lists(
    st.builds(
        lambda start, length, speaker: Turn(start, start + length, speaker),
        st.integers(0, 300).map(lambda x: x / 10),
        st.integers(1, 100).map(lambda x: x / 10),
        st.sampled_from("ABC"),
    ),
    max_size=12,
)


@given(turns_of_three)
def test_exclusive_turns_cover_the_same_with_one_speaker_at_a_time(turns: list[Turn]) -> None:
    alone = exclusive_turns(turns)
    assert all(one.end <= other.start for one, other in pairwise(alone))
    assert union(Span(t.start, t.end) for t in alone) == union(Span(t.start, t.end) for t in turns)
    for turn in alone:
        assert any(t.speaker == turn.speaker and t.start <= turn.start < t.end for t in turns)
    assert exclusive_turns(alone) == alone


def test_what_is_thrown_into_a_turn_keeps_its_time() -> None:
    found = exclusive_turns([Turn(0, 10, "A"), Turn(4.8, 5, "B"), Turn(9, 12, "C")])
    assert found == (Turn(0, 4.8, "A"), Turn(4.8, 5, "B"), Turn(5, 9, "A"), Turn(9, 12, "C"))


def test_exclusive_turns_are_as_sure_as_what_they_are_of() -> None:
    turns = [Turn(0, 6, "A", 0.9), Turn(2, 3, "B", 0.5)]
    assert [turn.probability for turn in exclusive_turns(turns)] == [0.9, 0.5, 0.9]
