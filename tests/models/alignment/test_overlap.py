from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from models.alignment.align import align, sentence_segments
from models.alignment.overlap import mark_overlapped_words, overlaps, with_second_voices
from models.record.transcript import Turn, Word
from tests.models.alignment.samples import A, B, said, times, word_lists


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


def spoken(text: str, start: float, speaker: str) -> list[Word]:
    return [replace(word, speaker=speaker) for word in said(text, start)]


def texts(words: list[Word], second: list[Word]) -> list[tuple[str | None, str]]:
    return [(segment.speaker, segment.text) for segment in sentence_segments(words, "en", second)]


def test_a_second_voice_goes_on_with_what_it_said_before() -> None:
    words = [*spoken("We left the", 0, A), *spoken("But why?", 1.2, B)]
    assert texts(words, spoken("old house.", 1.3, A)) == [(A, "We left the old house."), (B, "But why?")]


def test_a_second_voice_begins_what_it_says_later() -> None:
    words = [*spoken("We left the house.", 0, A), *spoken("did you?", 1.6, B)]
    assert texts(words, spoken("But why", 0.8, B)) == [(A, "We left the house."), (B, "But why did you?")]


def test_a_second_voice_on_its_own_tears_no_sentence_that_ends_before_it_does() -> None:
    words = spoken("We left the house. Then it was dark for a long long time.", 0, A)
    late = spoken("Why was that so?", 0.9, B)
    assert texts(words, late) == [
        (A, "We left the house."),
        (B, "Why was that so?"),
        (A, "Then it was dark for a long long time."),
    ]
    assert texts(words, spoken("Really?", 3.0, B))[1:] == [
        (A, "Then it was dark"),
        (B, "Really?"),
        (A, "for a long long time."),
    ]


@given(word_lists(), word_lists(), st.sampled_from([A, B]))
@example([Word(0, 3, " yes"), Word(0, 0, " yes")], [Word(0, 0, " yes"), Word(2, 2, " yes")], A)
def test_second_voices_come_in_and_all_words_keep_their_order(
    words: list[Word], second: list[Word], speaker: str
) -> None:
    words = [replace(word, speaker=A) for word in words]
    second = [replace(word, speaker=speaker, overlap=True) for word in second]
    read = with_second_voices(words, second)
    assert [word for word in read if not word.overlap] == words
    assert [word for word in read if word.overlap] == second
    assert [word for segment in sentence_segments(words, "en", second) for word in segment.words] == read
