"""Two readers who talk at once, with turns as they are, and the words that Whisper base hears of both together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from audio.media.decode import decode
from models.alignment.align import attributed
from models.asr.engine import Engine
from models.asr.second_voice import (
    LEAST_HEARD,
    LEAST_SECONDS,
    SHARE_HEARD,
    Overlap,
    find_overlaps,
    given_to_who_is_heard,
    hear_second_voices,
    left_out,
    worth_hearing,
)
from models.asr.transcription import Transcription, TranscriptionOptions, load, transcribe
from models.diarisation.diariser import DiariserOptions, diarise
from models.record.spans import Span, exclusive_turns, total, who_speaks
from models.record.transcript import Turn, Word
from models.runtime.samples import SAMPLE_RATE

A, B, C = "SPEAKER_00", "SPEAKER_01", "SPEAKER_02"
BASE = TranscriptionOptions(model="base", language="en")
OVERLAP = 2.5  # seconds

Samples = NDArray[np.float32]
times = st.floats(0, 60, allow_nan=False).map(lambda x: round(x, 2))
some_turns = st.lists(st.builds(Turn, times, times, st.sampled_from([A, B, C])), max_size=10).map(
    lambda turns: sorted(turn for turn in turns if turn.duration > 0)
)


@dataclass(frozen=True)
class Talk:
    """A recording of two readers, who talks when, and what is heard of it."""

    samples: Samples
    turns: list[Turn]
    words: list[Word]


@pytest.fixture(scope="module")
def engine() -> Engine:
    return load(BASE).with_language("en")


def levelled(samples: Samples) -> Samples:
    loud = np.flatnonzero(np.abs(samples) > 0.02 * np.abs(samples).max())
    samples = samples[loud[0] : loud[-1]]
    return samples * np.float32(0.05 / np.sqrt(np.square(samples).mean()))


@pytest.fixture(scope="module")
def talks(utterances: dict[str, list[Samples]]) -> list[Talk]:
    """A reads, B begins before A has ended, and A before B has."""
    readers = [
        [levelled(each) for each in sorted(utterances[who], key=len)[4:6]] for who in sorted(utterances)
    ]
    return [talk(one, other) for one, other in pairwise(readers[:3])]


def talk(one: list[Samples], other: list[Samples]) -> Talk:
    mix, turns, now = np.zeros(0, np.float32), list[Turn](), 0.0
    for speaker, samples in ((A, one[0]), (B, other[0]), (A, one[1])):
        start, length = max(0.0, now - OVERLAP), len(samples) / SAMPLE_RATE
        first, now = round(start * SAMPLE_RATE), start + length
        mix = np.pad(mix, (0, max(0, first + len(samples) - len(mix))))
        mix[first : first + len(samples)] += samples
        turns.append(Turn(start, now, speaker))
    heard = transcribe(mix, BASE, speech=[Span(0, now)]).words
    return Talk(mix, turns, attributed(heard, exclusive_turns(turns), "en", turns))


def test_what_begins_under_another_voice_goes_to_who_says_it(
    heard: Transcription, sample_wav: Path, engine: Engine
) -> None:
    """In the sample call one begins "Okay" and "I don't hear that" while the other ends: they are hers."""
    samples = decode(sample_wav).samples
    turns = diarise(samples, DiariserOptions(model="offline"))
    by_turns = attributed(heard.words, turns.exclusive, "en", turns.turns)
    spoken = hear_second_voices(engine, samples, by_turns, turns.turns)
    begins = by_turns[-1].speaker
    (okay,) = [word for word in spoken.words if word.text == " Okay."]
    *_, i, do_not = [word for word in spoken.words if word.text in (" I", " don't")]
    assert {word.speaker for word in (okay, i, do_not)} == {begins}
    assert spoken.second == ()


def test_second_voices_are_words_of_overlaps(talks: list[Talk], engine: Engine) -> None:
    for each in talks:
        spoken = hear_second_voices(engine, each.samples, each.words, each.turns)
        assert [word.text for word in spoken.words] == [word.text for word in each.words]
        assert all(word.overlap for word in spoken.second)
        assert all(a.start <= b.start for a, b in pairwise(spoken.second))
        spans = [overlap.span for overlap in find_overlaps(each.turns)]
        assert all(any(s.start - 0.5 < w.start < s.end + 0.5 for s in spans) for w in spoken.second)


def test_turns_that_overlap_where_one_talks_add_nothing(talks: list[Talk], engine: Engine) -> None:
    """The diariser may hear two where there is one: nobody else gets words then."""
    (talk, *_) = talks
    start = talk.turns[0].start + 1.0
    turns = sorted([*talk.turns, Turn(start, start + 2.0, B)])
    spoken = hear_second_voices(engine, talk.samples, talk.words, turns)
    false = Span(start, start + 2.0)
    assert not [word for word in spoken.second if false.start < word.start < false.end]
    assert [w.speaker for w in spoken.words if w.end < false.end] == [
        A for w in talk.words if w.end < false.end
    ]


def test_without_overlap_words_stay_as_they_are(talks: list[Talk], engine: Engine) -> None:
    (talk, *_) = talks
    spoken = hear_second_voices(engine, talk.samples, talk.words, exclusive_turns(talk.turns))
    assert (list(spoken.words), spoken.second) == (talk.words, ())


def test_a_voice_that_is_never_alone_is_left_as_it_is(talks: list[Talk], engine: Engine) -> None:
    (talk, *_) = talks
    everywhere = Turn(0.0, len(talk.samples) / SAMPLE_RATE, C)
    spoken = hear_second_voices(engine, talk.samples, talk.words, [everywhere, talk.turns[0]])
    assert (list(spoken.words), spoken.second) == (talk.words, ())


@given(some_turns)
def test_overlaps_are_where_exactly_two_talk(turns: list[Turn]) -> None:
    for overlap in find_overlaps(turns):
        middle = (overlap.span.start + overlap.span.end) / 2
        talking = {turn.speaker for turn in turns if turn.start <= middle <= turn.end}
        assert set(overlap.speakers) == talking
        assert overlap.span.duration >= LEAST_SECONDS
        for heard in overlap.heard:
            assert heard.duration <= 30.0
            assert heard.start <= overlap.span.start


@given(some_turns)
def test_what_is_heard_once_more_is_bounded(turns: list[Turn]) -> None:
    overlaps = find_overlaps(turns)
    chosen = worth_hearing(overlaps, turns)
    assert [overlap for overlap in overlaps if overlap in chosen] == chosen
    speech = total(span for span, _ in who_speaks(turns))
    assert sum(overlap.cost for overlap in chosen) <= max(LEAST_HEARD, SHARE_HEARD * speech)


def overlap_of(start: float, end: float) -> Overlap:
    return Overlap(Span(start, end), (A, B), (Span(start, end), Span(start, end)))


def said(text: str, start: float, speaker: str, probability: float = 0.9) -> list[Word]:
    return [
        Word(start + 0.3 * i, start + 0.3 * (i + 1), f" {word}", probability, speaker)
        for i, word in enumerate(text.split())
    ]


def test_a_word_goes_to_who_alone_is_heard_to_say_it() -> None:
    words = said("but I know", 1.0, A)
    heard = {A: said("but", 1.0, A), B: said("but I know", 1.0, B)}
    assert [w.speaker for w in given_to_who_is_heard(words, overlap_of(1, 2), heard)] == [A, B, B]
    assert [w.speaker for w in given_to_who_is_heard(words, overlap_of(5, 6), heard)] == [A, A, A]


def test_a_single_word_between_those_of_its_speaker_stays() -> None:
    words = [*said("and you know", 1.0, A), *said("I do", 2.0, B)]
    heard = {A: said("and", 1.0, A), B: said("you", 1.3, B)}
    assert [w.speaker for w in given_to_who_is_heard(words, overlap_of(1, 2), heard)] == [A, A, A, B, B]
    heard = {A: said("and you", 1.0, A), B: said("know", 1.6, B)}
    assert [w.speaker for w in given_to_who_is_heard(words, overlap_of(1, 2), heard)] == [A, A, B, B, B]


def test_what_was_left_out_is_new_sure_and_of_one_voice() -> None:
    words = said("we left the house", 1.0, A)
    heard = {A: said("we left the", 1.0, A), B: said("why was that", 1.0, B)}
    assert left_out(words, overlap_of(1, 2.2), heard) == heard[B]
    assert left_out(words, overlap_of(1, 2.2), heard | {B: said("why was that", 1.0, B, 0.3)}) == []
    echo = heard | {B: said("we left the", 1.0, B)}
    assert left_out(words, overlap_of(1, 2.2), echo) == []
    half = heard | {B: said("where mainframe", 1.0, B)}
    assert [w.text for w in left_out(said("those mainframes", 1.0, A), overlap_of(1, 2), half)] == [" where"]
    assert left_out([*words, *said("so why not", 1.0, B)], overlap_of(1, 1.9), heard) == []
