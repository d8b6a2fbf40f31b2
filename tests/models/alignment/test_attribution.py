from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

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


any_turns = st.lists(
    st.builds(
        lambda start, length, speaker: Turn(start, start + length, speaker),
        st.floats(0, 60),
        st.floats(0.01, 20),
        st.sampled_from([A, B, "C"]),
    ),
    min_size=1,
    max_size=12,
)


@given(word_lists(), any_turns)
def test_a_word_goes_to_who_speaks_then_whatever_the_turns(words: list[Word], turns: list[Turn]) -> None:
    """Turns may overlap, hold each other and come in any order: nobody who is silent gets a word that somebody says."""
    for word, labelled in zip(words, assign_speakers(words, turns), strict=True):
        overlaps = [min(word.end, t.end) - max(word.start, t.start) for t in turns]
        middle = (word.start + word.end) / 2
        distances = [max(t.start - middle, middle - t.end, 0.0) for t in turns]
        if max(overlaps) > 0:
            assert labelled.speaker in {
                t.speaker for t, o in zip(turns, overlaps, strict=True) if o == max(overlaps)
            }
        else:
            assert labelled.speaker in {
                t.speaker for t, d in zip(turns, distances, strict=True) if d == min(distances)
            }


def test_words_after_an_interjection_stay_with_who_goes_on() -> None:
    """A turn that holds another's "yeah", five seconds before it ends."""
    turns = [Turn(0, 10, A), Turn(4.8, 5.0, B)]
    words = [Word(4.5, 4.8, " so"), Word(4.8, 5.0, " yeah"), Word(5.2, 5.5, " we"), Word(9.0, 9.4, " went")]
    assert [word.speaker for word in assign_speakers(words, turns)] == [A, B, A, A]
