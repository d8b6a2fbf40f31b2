from __future__ import annotations

from itertools import pairwise

import pytest

from models.asr.word_times import FRAME, lasting
from models.record.spans import Span
from models.record.transcript import Word


def times(chunk: Span, *words: tuple[float, float]) -> list[tuple[float, float]]:
    found = lasting([Word(start, end, " word") for start, end in words], chunk)
    return [(round(word.start, 6), round(word.end, 6)) for word in found]


def test_words_that_last_keep_their_times() -> None:
    words = [Word(1.3, 1.5, " a"), Word(1.5, 1.52, " b"), Word(2.1, 3.0, " c")]
    assert lasting(words, Span(1, 3)) == tuple(words)


def test_words_at_the_instant_at_which_a_long_one_begins_take_a_frame_each_from_it() -> None:
    assert times(Span(0, 9), (1, 2), (2, 2), (2, 2), (2, 3)) == [(1, 2), (2, 2.02), (2.02, 2.04), (2.04, 3)]


def test_many_words_at_the_end_of_a_chunk_take_their_frames_from_what_precedes() -> None:
    found = times(Span(0, 5), (1, 2), (4.9, 5), *[(5, 5)] * 50)
    assert [found[0], found[1], found[-1]] == [(1, 2), (3.98, 4), (4.98, 5)]
    assert all(end - start == pytest.approx(FRAME) for start, end in found[1:])
    assert all(before[1] == after[0] for before, after in pairwise(found[1:]))


def test_words_that_run_into_each_other_or_out_of_the_chunk_are_cut() -> None:
    assert times(Span(1, 4), (0.5, 2.5), (2, 2.2), (1.5, 6)) == [(1, 2), (2, 2.02), (2.02, 4)]


def test_a_chunk_that_is_too_short_is_shared_evenly() -> None:
    assert times(Span(1, 1.04), (1, 1), (1, 1.04), (1, 1), (1.04, 1.04)) == [
        (1, 1.01),
        (1.01, 1.02),
        (1.02, 1.03),
        (1.03, 1.04),
    ]
    assert times(Span(1, 1), (1, 1), (0, 2)) == [(1, 1), (1, 1)]
    assert lasting((), Span(1, 1)) == ()
