"""What is warned of in tracks."""

from pathlib import Path

import numpy as np
import pytest

from audio.media.decode import decode
from audio.tracks.checks import clipped_share, equal_tracks, much_shorter, silent_tracks, track_warnings
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
    same = (call * gain).astype(np.int16)
    assert list(equal_tracks([call, other, same])) == [(0, 2, 0.0)]


@pytest.mark.parametrize("seconds", [0.5, 7.25, -3.0])
def test_the_same_sound_at_another_time(call: Int16, seconds: float) -> None:
    moved = np.zeros_like(call)
    shift = round(seconds * SAMPLE_RATE)
    if shift > 0:
        moved[shift:] = call[:-shift]
    else:
        moved[:shift] = call[-shift:]
    ((first, second, later),) = equal_tracks([call, moved])
    assert (first, second) == (0, 1)
    assert later == pytest.approx(seconds, abs=0.001)


def test_the_same_sound_encoded_twice(speech: Path, call: Int16, make_media: Write) -> None:
    again = decode(make_media("again.mp3", "-i", str(speech), "-ar", "44100", "-b:a", "64k")).samples
    ((_, _, later),) = equal_tracks([call, again])
    assert abs(later) < 0.1


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


def test_what_the_user_is_told(call: Int16, other: Int16) -> None:
    told = track_warnings(
        ["anne.wav", "bob.wav", "cem.wav", "dora.wav"], [call, np.zeros_like(call), other, call // 2]
    )
    assert told == ("bob.wav is silent", "anne.wav and dora.wav hold the same sound")


def test_tracks_of_their_own_give_no_warning(call: Int16, other: Int16) -> None:
    assert track_warnings(["anne.wav", "bob.wav"], [call, other]) == ()
