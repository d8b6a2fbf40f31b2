from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from models.alignment.align import align, split_sentences
from models.alignment.attribution import assign_speakers, spans_by_speaker
from models.alignment.boundaries import absorb_islands, repair_boundaries
from models.alignment.overlap import mark_overlapped_words, overlaps
from models.alignment.speech_edges import MAX_STRETCH, snap_to_speech
from models.record.spans import Span
from models.record.transcript import Turn, Word

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
    assert [(w.text, w.probability) for w in out] == [(w.text, w.probability) for w in words]
    assert all(
        abs(w.start - before.start) <= before.end - before.start + MAX_STRETCH
        for w, before in zip(out, words, strict=True)
    )
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
    for word, labelled in zip(words, assign_speakers(words, turns), strict=True):
        overlaps = [min(word.end, t.end) - max(word.start, t.start) for t in turns]
        if overlaps and max(overlaps) > 0:
            best = {t.speaker for t, o in zip(turns, overlaps, strict=True) if o == max(overlaps)}
            assert labelled.speaker in best


def test_a_word_outside_any_turn_takes_the_nearest() -> None:
    turns = [Turn(0, 1, A), Turn(5, 6, B), Turn(90, 91, A)]
    words = [Word(2, 2.2, " near"), Word(4, 4.2, " far"), Word(80, 81, " late")]
    assert [word.speaker for word in assign_speakers(words, turns)] == [A, B, A]


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
    labelled = assign_speakers(words, [Turn(0, 2.4, A), Turn(2.4, 9, B)])
    assert repair_boundaries(labelled) == labelled


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


def test_a_word_that_its_turn_hardly_covers_does_not_interrupt() -> None:
    words = said("it was late and we went home.")
    turns = [Turn(0, 1.2, A), Turn(1.2, 1.3, B), Turn(1.6, 4, A)]
    labelled = assign_speakers(words, turns)
    assert [word.speaker for word in labelled] == [A, A, A, B, A, A, A]
    absorbed = absorb_islands(labelled, spans_by_speaker(turns))
    assert [word.speaker for word in absorbed] == [A] * 7


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


def test_words_in_overlap_are_flagged() -> None:
    words = said("one two three four", pace=1)
    turns = [Turn(0, 2, A), Turn(1.4, 4, B)]
    assert [word.overlap for word in mark_overlapped_words(words, turns)] == [False, True, False, False]
    assert not any(word.overlap for word in mark_overlapped_words(words, []))
    (segment, *_) = align(words, [Turn(0, 2, A), Turn(2, 4, B)], "en", turns)
    assert [word.overlap for word in segment.words] == [False, True]


@given(st.lists(st.tuples(times, times, st.sampled_from([A, B, "SPEAKER_02"])), max_size=12))
def test_overlaps_are_where_two_speak(spans: list[tuple[float, float, str]]) -> None:
    turns = sorted(Turn(min(a, b), max(a, b), who) for a, b, who in spans)
    found = overlaps(turns)
    assert all(one.end <= two.start for one, two in pairwise(found))
    for tenth in range(1000):
        moment = tenth / 10 + 0.0501
        speaking = {turn.speaker for turn in turns if turn.start < moment < turn.end}
        assert (len(speaking) > 1) == any(span.start < moment < span.end for span in found)


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


def test_a_word_where_no_speech_was_heard_keeps_its_times() -> None:
    words = [Word(5, 6, " hm")]
    assert snap_to_speech(words, [Span(0, 1)]) == words
