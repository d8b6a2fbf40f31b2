"""What is warned of in tracks."""

from pathlib import Path

import numpy as np
import pytest

from audio.media.decode import decode
from audio.tracks.checks import clipped_share, equal_tracks, much_shorter, silent_tracks
from models.runtime.samples import SAMPLE_RATE
from tests.audio.conftest import Write

Int16 = np.ndarray


@pytest.fixture
def call(speech: Path) -> Int16:
    samples: Int16 = decode(speech).samples
    return samples


@pytest.fixture
def other(shared: Path) -> Int16:
    samples: Int16 = decode(shared / "conversations" / "ami_pyannote" / "dev00.flac").samples
    return samples


def test_silence_with_dither_is_silent(call: Int16) -> None:
    dither = np.random.default_rng(0).integers(-1, 2, len(call)).astype(np.int16)
    assert silent_tracks([call, dither, np.zeros(0, dtype=np.int16)]) == [1, 2]


@pytest.mark.parametrize("gain", [1.0, 0.2, -0.5])
def test_the_same_sound_at_another_level(call: Int16, other: Int16, gain: float) -> None:
    same, count = (call * gain).astype(np.int16), min(len(call), len(other))
    assert list(equal_tracks([call[:count], other[:count], same[:count]])) == [(0, 2)]


def test_the_same_sound_encoded_twice(speech: Path, call: Int16, make_media: Write) -> None:
    again = decode(make_media("again.opus", "-i", str(speech), "-ar", "48000", "-b:a", "64k")).samples
    count = min(len(call), len(again))
    assert list(equal_tracks([call[:count], again[:count]])) == [(0, 1)]


def test_bleed_is_not_the_same_sound(call: Int16, other: Int16) -> None:
    count = min(len(call), len(other))
    loud = np.clip(other[:count] * 0.8 + call[:count] * 0.25, -32768, 32767).astype(np.int16)
    assert list(equal_tracks([call, loud])) == []


def test_clipping_is_told_from_loudness(speech: Path, make_media: Write) -> None:
    def share(gain: float) -> float:
        path = make_media("loud.wav", "-i", str(speech), "-af", f"volume={gain}dB", "-ar", "48000")
        return clipped_share(decode(path).samples)

    assert share(0) < 0.003
    assert share(40) > 0.03


def test_silence_is_not_clipped() -> None:
    assert clipped_share(np.zeros(SAMPLE_RATE, dtype=np.int16)) == 0.0
    assert clipped_share(np.zeros(0, dtype=np.int16)) == 0.0


def test_much_shorter_ones() -> None:
    assert much_shorter([100.0, 49.0, 51.0]) == [1]
    assert much_shorter([]) == []
