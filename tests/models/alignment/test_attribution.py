from __future__ import annotations

from hypothesis import given

from models.alignment.attribution import assign_speakers
from models.record.transcript import Turn, Word
from tests.models.alignment.samples import A, B, exclusive_turns, word_lists


@given(word_lists(), exclusive_turns())
def test_a_word_goes_to_the_turn_that_covers_it_most(words: list[Word], turns: list[Turn]) -> None:
    for word, labelled in zip(words, assign_speakers(words, turns), strict=True):
        overlaps = [min(word.end, t.end) - max(word.start, t.start) for t in turns]
        if overlaps and max(overlaps) > 0:
            best = {t.speaker for t, o in zip(turns, overlaps, strict=True) if o == max(overlaps)}
            assert labelled.speaker in best


def test_a_word_outside_any_turn_takes_the_nearest() -> None:
    turns = [Turn(0, 1, A), Turn(5, 6, B), Turn(90, 91, A)]
    words = [Word(2, 2.2, " near"), Word(4, 4.2, " far"), Word(80, 81, " late")]
    assert [word.speaker for word in assign_speakers(words, turns)] == [A, B, A]
