from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.alignment.attribution import attribute
from models.alignment.evidence import REACH
from models.record.spans import exclusive_turns
from models.record.transcript import Turn, Word
from tests.models.alignment.samples import A, B, said, word_lists

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


def speakers(words: list[Word], turns: list[Turn], language: str = "en") -> list[str | None]:
    return [word.speaker for word in attribute(words, turns, exclusive_turns(turns), language)]


@given(word_lists(), any_turns)
def test_a_word_goes_to_somebody_who_speaks_near_it(words: list[Word], turns: list[Turn]) -> None:
    """Turns may overlap, hold each other and come in any order; where nobody is near, to the nearest."""
    for word, speaker in zip(words, speakers(words, turns), strict=True):
        middle = (word.start + word.end) / 2
        distances = {t: max(t.start - middle, middle - t.end, 0.0) for t in turns}
        least = min(distances.values())
        reach = max(REACH + (word.end - word.start) / 2, least)
        assert speaker in {t.speaker for t, distance in distances.items() if distance <= reach}


@given(word_lists(), any_turns)
def test_words_stay_what_they_are_and_each_speaker_has_a_probability(
    words: list[Word], turns: list[Turn]
) -> None:
    found = attribute(words, turns, exclusive_turns(turns), "en")
    assert [(w.start, w.end, w.text) for w in found] == [(w.start, w.end, w.text) for w in words]
    assert all(word.speaker_probability is not None and 0 <= word.speaker_probability <= 1 for word in found)
    assert len({turn.speaker for turn in turns}) > 1 or all(word.speaker_probability == 1 for word in found)


def test_a_word_outside_any_turn_takes_the_nearest() -> None:
    turns = [Turn(0, 1, A), Turn(5, 6, B), Turn(90, 91, A)]
    words = [Word(2, 2.2, " near"), Word(4, 4.2, " far"), Word(80, 81, " late")]
    assert speakers(words, turns) == [A, B, A]


def test_words_after_an_interjection_stay_with_who_goes_on() -> None:
    """A turn that holds another's "yeah", five seconds before it ends."""
    turns = [Turn(0, 10, A), Turn(4.8, 5.0, B)]
    words = [Word(4.5, 4.8, " so"), Word(4.8, 5.0, " yeah"), Word(5.2, 5.5, " we"), Word(9.0, 9.4, " went")]
    assert speakers(words, turns) == [A, B, A, A]


def test_a_change_of_speaker_in_mid_sentence_stays_where_no_sentence_ends_near() -> None:
    words = said("so I was going to say that never mind please go on")
    assert speakers(words, [Turn(0, 2.4, A), Turn(2.4, 9, B)]) == [A] * 6 + [B] * 6


def test_a_word_that_its_turn_hardly_covers_does_not_interrupt() -> None:
    turns = [Turn(0, 1.2, A), Turn(1.2, 1.3, B), Turn(1.6, 4, A)]
    assert speakers(said("it was late and we went home."), turns) == [A] * 7


def test_both_borders_of_an_island_are_decided_together() -> None:
    """What a short turn cuts out of a phrase belongs to the phrase; a whole answer there is one."""
    turns = [Turn(0, 2.0, A), Turn(2.0, 2.4, B), Turn(2.4, 6, A)]
    assert speakers(said("I never said that was a bad idea of mine."), turns) == [A] * 10
    assert (
        speakers(said("I never said that, either? No. It is a bad idea."), turns) == [A] * 5 + [B] + [A] * 5
    )


def test_an_answer_in_another_language_is_one_too() -> None:
    turns = [Turn(0, 1.2, A), Turn(1.2, 1.6, B), Turn(1.6, 4, A)]
    for language, text in {
        "de": "es war spät genau und wir gingen heim.",
        "es": "era muy tarde claro y nos fuimos a casa.",
        "fr": "il était tard voilà et on est rentrés.",
        "it": "era molto tardi certo e siamo tornati a casa.",
        "nl": "het was laat precies en we gingen naar huis.",
        "pt": "era muito tarde claro e fomos para casa.",
    }.items():
        words = said(text)
        assert speakers(words, turns, language) == [A] * 3 + [B] + [A] * (len(words) - 4), language


def test_the_last_word_of_a_sentence_is_not_the_first_of_the_next() -> None:
    words = said("what happened to it? It wasn't fun at all.")
    assert speakers(words, [Turn(0, 2.0, A), Turn(2.0, 4, B)]) == [A] * 4 + [B] * 5


def test_a_word_is_no_surer_than_the_voice_of_its_turn() -> None:
    words = said("it was late. Yes. and then we went home.")
    turns = [[Turn(0, 1.2, A), Turn(1.2, 1.6, B, sure), Turn(1.6, 3.6, A)] for sure in (1.0, 0.8, 0.5)]
    found = [attribute(words, each, each, "en") for each in turns]
    assert all([word.speaker for word in each] == [A] * 3 + [B] + [A] * 5 for each in found)
    assert [each[3].speaker_probability for each in found[1:]] == [0.8, 0.5]
    assert (found[0][3].speaker_probability or 0) > 0.8
    assert len({each[0].speaker_probability for each in found}) == 1
