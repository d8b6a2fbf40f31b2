from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audio.media.clip import AudioSegment, cut
from audio.media.loudness import CEILING_DBTP, fade_ends, loudness, normalise_loudness
from tests.audio.conftest import Write, sine


def test_loudness_is_that_of_ebu_r128(write_wav: Write) -> None:
    # A full-scale 997 Hz sine in one channel measures -3.01 LUFS (ITU-R BS.1770); this one is 20 dB lower.
    tone = cut(write_wav(sine(5, 48_000, 997, 0.1), rate=48_000), 0, 5)
    level, peak = loudness(tone)
    assert level == pytest.approx(-23.0, abs=0.1)
    assert peak == pytest.approx(-20.0, abs=0.2)


def test_speech_comes_out_as_loud_as_podcasts_are_or_as_its_peaks_allow(speech: Path) -> None:
    piece = cut(speech, 5, 20)
    for quieter in (0, 25):
        level, peak = loudness(normalise_loudness(piece - quieter))
        assert level <= -18.9
        assert peak <= CEILING_DBTP + 0.1
        assert level >= -19.1 or peak >= CEILING_DBTP - 0.1
    stereo = normalise_loudness(AudioSegment.from_mono_audiosegments(piece, piece))
    level, peak = loudness(stereo)
    assert level == pytest.approx(-16, abs=0.1) or peak == pytest.approx(CEILING_DBTP, abs=0.1)


def test_silence_stays_silent() -> None:
    assert normalise_loudness(AudioSegment.silent(1000, 16_000)).max == 0
    assert len(normalise_loudness(AudioSegment.empty())) == 0


def test_ends_are_faded(write_wav: Write) -> None:
    piece = fade_ends(cut(write_wav(sine(1)), 0.0007, 0.5))
    samples = np.abs(np.array(piece.get_array_of_samples()))
    assert samples[:20].max() < 800
    assert samples[-20:].max() < 800
    assert samples[2000:4000].max() > 16_000
    assert len(fade_ends(piece[:5])) == 5
