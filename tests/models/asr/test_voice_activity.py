from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audio.media.decode import decode
from models.asr.voice_activity import VAD_SECONDS, voice_activity
from models.runtime.samples import SAMPLE_RATE


def dither(seconds: int) -> np.ndarray:
    return np.random.default_rng(0).integers(-2, 3, seconds * SAMPLE_RATE, dtype=np.int16)


def test_silence_is_not_given_to_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("silence was listened to")

    monkeypatch.setattr("faster_whisper.vad.get_speech_timestamps", refuse)
    assert voice_activity(dither(3 * VAD_SECONDS)) == []
    with pytest.raises(AssertionError, match="listened to"):
        voice_activity(50 * dither(1))


def test_speech_after_long_silence_is_found_at_its_time(sample_wav: Path) -> None:
    call = decode(sample_wav).samples
    alone = voice_activity(call)
    after = voice_activity(np.concatenate([dither(VAD_SECONDS), call]))
    assert alone
    assert [span.start - VAD_SECONDS for span in after] == pytest.approx([span.start for span in alone])
    assert [span.end - VAD_SECONDS for span in after] == pytest.approx([span.end for span in alone])
