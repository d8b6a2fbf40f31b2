from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.align import align, label_words, repair_boundaries, split_sentences
from models.transcript import Turn, Word

A, B = "SPEAKER_00", "SPEAKER_01"


def said(text: str, start: float = 0.0, pace: float = 0.4) -> list[Word]:
    """The words of `text`, one each `pace` seconds."""
    return [Word(start + i * pace, start + (i + 1) * pace, f" {word}") for i, word in enumerate(text.split())]


times = st.floats(0, 100, allow_nan=False).map(lambda x: round(x, 2))
texts = st.sampled_from(
    [" yes", " no.", " Dr.", " A&B?", " -->", "はい。", "字", " <c>", " 😀!", " 3.5", " \n"]
)


@st.composite
def word_lists(draw: st.DrawFn) -> list[Word]:
    starts = sorted(draw(st.lists(times, max_size=40)))
    return [Word(start, start + draw(st.sampled_from([0, 0.1, 0.5, 3])), draw(texts)) for start in starts]


@st.composite
def exclusive_turns(draw: st.DrawFn) -> list[Turn]:
    edges = sorted(set(draw(st.lists(times, max_size=20))))
    return [
        Turn(start, end, draw(st.sampled_from([A, B, "SPEAKER_02"])))
        for start, end in zip(edges[::2], edges[1::2], strict=False)
    ]


@given(word_lists(), exclusive_turns(), st.sampled_from(["en", "de", "ja", "", "xx"]))
def test_words_of_segments_are_the_words_heard(words: list[Word], turns: list[Turn], language: str) -> None:
    segments = align(words, turns, language)
    out = [word for segment in segments for word in segment.words]
    assert [(w.start, w.end, w.text, w.probability) for w in out] == [
        (w.start, w.end, w.text, w.probability) for w in words
    ]
    for segment in segments:
        assert segment.words
        assert {word.speaker for word in segment.words} == {segment.speaker}
        assert segment.start == segment.words[0].start
        assert segment.end >= segment.words[-1].end
    if turns:
        assert {segment.speaker for segment in segments} <= {turn.speaker for turn in turns}
    else:
        assert all(segment.speaker is None for segment in segments)


@given(word_lists(), exclusive_turns())
def test_a_word_goes_to_the_turn_that_covers_it_most(words: list[Word], turns: list[Turn]) -> None:
    for word, labelled in zip(words, label_words(words, turns), strict=True):
        overlaps = [min(word.end, t.end) - max(word.start, t.start) for t in turns]
        if overlaps and max(overlaps) > 0:
            best = {t.speaker for t, o in zip(turns, overlaps, strict=True) if o == max(overlaps)}
            assert labelled.speaker in best


def test_a_word_outside_any_turn_takes_the_nearest() -> None:
    turns = [Turn(0, 1, A), Turn(5, 6, B), Turn(90, 91, A)]
    words = [Word(2, 2.2, " near"), Word(4, 4.2, " far"), Word(80, 81, " late")]
    assert [word.speaker for word in label_words(words, turns)] == [A, B, A]


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


def test_a_change_of_speaker_in_mid_sentence_stays_where_no_sentence_ends_near() -> None:
    words = said("so I was going to say that never mind please go on")
    labelled = label_words(words, [Turn(0, 2.4, A), Turn(2.4, 9, B)])
    assert repair_boundaries(labelled) == labelled


def test_one_word_of_another_stays_its_own() -> None:
    words = said("it was late. Yeah. and we went home.")
    turns = [Turn(0, 1.2, A), Turn(1.2, 1.6, B), Turn(1.6, 4, A)]
    assert [(s.speaker, s.text) for s in align(words, turns, "en")] == [
        (A, "it was late."),
        (B, "Yeah."),
        (A, "and we went home."),
    ]
