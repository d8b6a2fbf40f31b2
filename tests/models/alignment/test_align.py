from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.alignment.align import align, split_sentences
from models.alignment.speech_edges import MAX_STRETCH
from models.record.transcript import Turn, Word
from tests.models.alignment.samples import A, B, exclusive_turns, said, word_lists


@given(word_lists(), exclusive_turns(), st.sampled_from(["en", "de", "ja", "", "xx"]))
def test_words_of_segments_are_the_words_heard(words: list[Word], turns: list[Turn], language: str) -> None:
    segments = align(words, turns, language)
    out = [word for segment in segments for word in segment.words]
    assert [(w.text, w.probability) for w in out] == [(w.text, w.probability) for w in words]
    assert all(
        abs(w.start - before.start) <= before.end - before.start + MAX_STRETCH
        for w, before in zip(out, words, strict=True)
    )
    for segment in segments:
        assert segment.words
        assert {word.speaker for word in segment.words} == {segment.speaker}
        assert {word.language or language for word in segment.words} == {segment.language}
        assert segment.start == segment.words[0].start
        assert segment.end >= segment.words[-1].end
    if turns:
        assert {segment.speaker for segment in segments} <= {turn.speaker for turn in turns}
    else:
        assert all(segment.speaker is None for segment in segments)


def test_a_segment_is_cut_where_the_speaker_changes() -> None:
    words = said("who are you I am Ann")
    segments = align(words, [Turn(0, 1.2, A), Turn(1.2, 3, B)], "en")
    assert [(s.speaker, s.text) for s in segments] == [(A, "who are you"), (B, "I am Ann")]


def test_sentences_end_where_they_end_and_not_at_abbreviations() -> None:
    words = said("I met Dr. Smith at 3 p.m. today. Really? Yes.")
    assert ["".join(w.text for w in s).strip() for s in split_sentences(words, "en")] == [
        "I met Dr. Smith at 3 p.m. today.",
        "Really?",
        "Yes.",
    ]


def test_languages_without_spaces_are_cut_at_their_own_marks() -> None:
    words = [Word(i, i + 1, text) for i, text in enumerate(["こん", "にちは。", "元気", "ですか？"])]
    assert ["".join(w.text for w in s) for s in split_sentences(words, "ja")] == [
        "こんにちは。",
        "元気ですか？",
    ]


def test_a_segment_is_cut_where_the_language_changes() -> None:
    words = said("and then he said", language="en") + said("das geht so nicht", start=1.6, language="de")
    segments = align(words, [Turn(0, 4, A)], "en")
    assert [(s.language, s.text) for s in segments] == [
        ("en", "and then he said"),
        ("de", "das geht so nicht"),
    ]


def test_sentences_end_as_in_the_language_of_their_words() -> None:
    text = "Am 3. Oktober kam er."
    german = said(text, language="de")
    assert (
        [s.text for s in align(german, [], "en")] == [s.text for s in align(said(text), [], "de")] == [text]
    )
    assert [s.text for s in align(said(text), [], "en")] != [text]


def test_a_sentence_does_not_go_on_in_another_language() -> None:
    begun, aside = said("so we went on", language="en"), said("ja", start=1.8, language="de")
    turns = [Turn(0, 1.7, A), Turn(1.8, 2.2, B), Turn(2.4, 5, A)]
    for language, continues in (("en", True), ("de", False)):
        rest = said("and came home", start=2.4, language=language)
        assert align([*begun, *aside, *rest], turns, "en")[2].continues is continues


def test_a_long_pause_ends_a_segment() -> None:
    words = said("and so") + said("it goes", start=10)
    assert [s.text for s in align(words, [], "en")] == ["and so", "it goes"]


def test_a_change_of_speaker_moves_to_the_end_of_the_sentence() -> None:
    words = said("in New Jersey. And I'm Sheila in Texas.")
    turns = [Turn(0, 1.9, A), Turn(1.9, 4, B)]  # 0.7 s late: "And I'm" would go to A
    assert [(s.speaker, s.text) for s in align(words, turns, "en")] == [
        (A, "in New Jersey."),
        (B, "And I'm Sheila in Texas."),
    ]


def test_one_word_of_another_stays_its_own() -> None:
    words = said("it was late. Yeah. and we went home.")
    turns = [Turn(0, 1.2, A), Turn(1.2, 1.6, B), Turn(1.6, 4, A)]
    assert [(s.speaker, s.text, s.continues) for s in align(words, turns, "en")] == [
        (A, "it was late.", False),
        (B, "Yeah.", False),
        (A, "and we went home.", False),
    ]


def test_a_sentence_goes_on_after_a_word_thrown_into_it() -> None:
    words = said("it was late yeah and we went home.")
    turns = [Turn(0, 1.2, A), Turn(1.2, 1.6, B), Turn(1.6, 4, A)]
    assert [(s.speaker, s.text, s.continues) for s in align(words, turns, "en")] == [
        (A, "it was late", False),
        (B, "yeah", False),
        (A, "and we went home.", True),
    ]


def test_an_answer_of_many_words_is_no_aside() -> None:
    words = said("it was late yes it really was and we went home.")
    turns = [Turn(0, 1.2, A), Turn(1.2, 2.8, B), Turn(2.8, 6, A)]
    assert [s.continues for s in align(words, turns, "en")] == [False, False, False]


def test_a_change_goes_where_people_pause() -> None:
    words = [*said("so that is what I mean", pace=0.3), *said("well I think", start=2.5)]
    turns = [Turn(0, 1.45, A), Turn(1.45, 4, B)]  # "I mean" would go to B
    assert [(s.speaker, s.text) for s in align(words, turns, "en")] == [
        (A, "so that is what I mean"),
        (B, "well I think"),
    ]


def test_a_change_that_the_turns_are_sure_of_stays() -> None:
    words = said("that is all. And then I said, no wait, what?", pace=0.8)
    turns = [Turn(0, 4.8, A), Turn(4.8, 9, B)]  # moving it to the end of the sentence contradicts 2.4 s
    assert [(s.speaker, s.text) for s in align(words, turns, "en")] == [
        (A, "that is all."),
        (A, "And then I"),
        (B, "said, no wait, what?"),
    ]


def test_a_change_inside_an_overlap_is_free_to_move() -> None:
    words = said("we are done here. No we are not.")
    overlapping = [Turn(0, 3.2, A), Turn(1.6, 4, B)]
    exclusive = [Turn(0, 2.3, A), Turn(2.3, 4, B)]
    assert [(s.speaker, s.text) for s in align(words, exclusive, "en", overlapping)] == [
        (A, "we are done here."),
        (B, "No we are not."),
    ]
