from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from audio.media.decode import decode
from models.asr import faster_whisper
from models.record.spans import Span


def test_chunks_decoded_together_are_the_same_as_one_by_one(sample_wav: Path) -> None:
    engine = faster_whisper.load("base", "cpu", batch_size=3).with_samples(decode(sample_wav).samples)
    chunks = [Span(6.3, 14.4), Span(14.4, 17.9), Span(18.1, 30)]
    together, alone = engine.decode(chunks), replace(engine, batch_size=1).decode(chunks)
    assert [hypothesis.chunk for hypothesis in together] == chunks
    assert [hypothesis.text for hypothesis in together] == [hypothesis.text for hypothesis in alone]
    for one, other in zip(together, alone, strict=True):
        assert one.words
        assert [word.start for word in one.words] == pytest.approx([w.start for w in other.words], abs=0.1)
