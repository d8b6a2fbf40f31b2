from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given

from models.asr.chunking import CHUNK_SECONDS, MARGIN, pack_chunks, quietest_moment
from models.record.spans import Span
from models.runtime.samples import SAMPLE_RATE
from tests.models.spans import SECONDS, speech_spans

NOISE = np.random.default_rng(0).normal(0, 0.1, SECONDS * SAMPLE_RATE).astype(np.float32)


@given(speech_spans())
def test_chunks_hold_all_speech_once_and_fit_into_a_window(speech: list[Span]) -> None:
    chunks = pack_chunks(speech, NOISE)
    assert all(0 <= chunk.start < chunk.end <= SECONDS for chunk in chunks)
    assert all(chunk.duration <= CHUNK_SECONDS + 1e-6 for chunk in chunks)
    assert all(before.end <= after.start + 1e-9 for before, after in pairwise(chunks))
    held = sum(span.shared(chunk) for span in speech for chunk in chunks)
    assert held == pytest.approx(sum(span.duration for span in speech))


@given(speech_spans())
def test_chunks_are_as_few_as_half_full_ones(speech: list[Span]) -> None:
    chunks = pack_chunks(speech, NOISE)
    pauses = sum(after.start - before.end > 2 for before, after in pairwise(speech))
    assert len(chunks) <= SECONDS / (CHUNK_SECONDS / 2 - MARGIN) + pauses + 1


def test_chunks_end_in_the_longest_pause_near_their_end() -> None:
    speech = [Span(0, 20), Span(20.9, 26), Span(26.3, 40)]
    assert [round(chunk.end, 2) for chunk in pack_chunks(speech, NOISE)] == [20 + MARGIN, 40 + MARGIN]


def test_a_long_pause_is_in_no_chunk() -> None:
    chunks = pack_chunks([Span(1, 5), Span(9, 12)], NOISE)
    assert chunks == [Span(1 - MARGIN, 5 + MARGIN), Span(9 - MARGIN, 12 + MARGIN)]


def test_unbroken_speech_is_cut_where_it_is_quietest() -> None:
    samples = NOISE.copy()
    samples[25 * SAMPLE_RATE : 25 * SAMPLE_RATE + 2000] = 0
    assert quietest_moment(samples, 20, 29) == pytest.approx(25.05, abs=0.06)
    chunks = pack_chunks([Span(0, 50)], samples)
    assert len(chunks) == 2
    assert chunks[0].end == pytest.approx(25.05, abs=0.06)
