from __future__ import annotations

from itertools import pairwise

from hypothesis import given

from models.alignment.speech_edges import MAX_STRETCH, snap_to_speech
from models.record.spans import Span
from models.record.transcript import Turn, Word
from tests.models.alignment.samples import exclusive_turns, word_lists


@given(word_lists(), exclusive_turns())
def test_edges_that_are_pulled_stay_in_order_and_near_their_word(
    words: list[Word], turns: list[Turn]
) -> None:
    speech = [Span(turn.start, turn.end) for turn in turns]
    snapped = snap_to_speech(words, speech)
    assert [word.text for word in snapped] == [word.text for word in words]
    for before, after in zip(words, snapped, strict=True):
        assert after.start <= after.end or before.start > before.end
        assert after.start >= before.start - MAX_STRETCH - 1e-9
        assert after.end <= before.end + MAX_STRETCH + 1e-9
        assert after.start <= before.end
        assert after.end >= before.start
    disjoint = all(one.end <= two.start for one, two in pairwise(words))
    if disjoint:
        assert all(one.end <= two.start + 1e-9 for one, two in pairwise(snapped))


def test_a_word_beside_a_pause_takes_the_edge_of_speech() -> None:
    words = [Word(0.0, 0.9, " So"), Word(0.9, 1.5, " yes."), Word(3.2, 3.6, " No.")]
    snapped = snap_to_speech(words, [Span(0.5, 1.7), Span(3.05, 3.5)])
    assert [(word.start, word.end) for word in snapped] == [(0.5, 0.9), (0.9, 1.7), (3.05, 3.5)]


def test_a_word_that_ends_a_clause_is_said_before_the_pause_and_another_after_it() -> None:
    speech = [Span(0.0, 1.5), Span(2.0, 3.0)]
    for text, expected in ((" truth.", (1.0, 1.5)), (" truth", (2.0, 2.4))):
        (word,) = snap_to_speech([Word(1.0, 2.4, text)], speech)
        assert (word.start, word.end) == expected


def test_a_word_where_no_speech_was_heard_keeps_its_times() -> None:
    words = [Word(5, 6, " hm")]
    assert snap_to_speech(words, [Span(0, 1)]) == words
