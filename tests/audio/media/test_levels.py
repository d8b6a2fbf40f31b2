"""One level for whatever was recorded: the same samples from -60 to +30 dB, and soft guests raised."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.media import ffmpeg
from audio.media.decode import decode
from audio.media.levels import TARGET, Levels, gains, loudness
from models.runtime.samples import SAMPLE_RATE, as_float
from tests.audio.conftest import Write, sine


def dbfs(samples: np.ndarray) -> float:
    """RMS level."""
    return float(10 * np.log10(np.mean(np.square(as_float(samples), dtype=np.float64))))


def levelled(samples: np.ndarray) -> np.ndarray:
    levels = Levels(1)
    levels.add(samples.astype(np.float32))
    return levels.finish()


def as_floats(path: Path, source: Path, decibels: float) -> Path:
    """A copy of a recording as 32-bit floats, so much louder."""
    louder = ["-af", f"aformat=flt,volume={decibels}dB", "-c:a", "pcm_f32le", str(path)]
    subprocess.run([ffmpeg.executable(), "-v", "error", "-y", "-i", str(source), *louder], check=True)
    return path


@pytest.mark.parametrize("decibels", [-90, -60, -30, 10, 30, 60])
def test_the_level_of_a_recording_changes_nothing(speech: Path, tmp_path: Path, decibels: float) -> None:
    there = decode(as_floats(tmp_path / "a.wav", speech, 0)).samples.astype(int)
    changed = decode(as_floats(tmp_path / "b.wav", speech, decibels)).samples.astype(int)
    assert np.abs(there - changed).max() <= 1


def test_speech_comes_out_at_the_target(speech: Path) -> None:
    samples = decode(speech).samples
    frames = np.square(as_float(samples)[: len(samples) // 800 * 800]).reshape(-1, 800).mean(axis=1)
    assert loudness(frames.astype(np.float64)) == pytest.approx(TARGET, abs=0.5)


@pytest.mark.parametrize("below", [25, 40])
def test_a_soft_guest_is_raised(below: float) -> None:
    random = np.random.default_rng(0)
    host, guest = random.normal(0, 0.1, 10 * SAMPLE_RATE), random.normal(0, 0.1, 10 * SAMPLE_RATE)
    pauses = np.tile(np.repeat([1.0, 1e-4], [3 * SAMPLE_RATE // 4, SAMPLE_RATE // 4]), 10)
    out = levelled(np.concatenate([host * pauses, guest * pauses * 10 ** (-below / 20), host * pauses]))
    middle = slice(13 * SAMPLE_RATE, 17 * SAMPLE_RATE)
    assert dbfs(out[middle]) > TARGET - 22
    assert dbfs(out[2 * SAMPLE_RATE : 8 * SAMPLE_RATE]) == pytest.approx(TARGET, abs=2)


def test_noise_in_a_pause_is_not_raised_to_a_roar() -> None:
    random = np.random.default_rng(0)
    sound = np.concatenate(
        [random.normal(0, 0.1, 10 * SAMPLE_RATE), random.normal(0, 0.0005, 20 * SAMPLE_RATE)]
    )
    assert dbfs(levelled(sound)[20 * SAMPLE_RATE :]) < -50


def test_speech_of_ordinary_dynamics_keeps_them(speech: Path) -> None:
    """Nothing within 18 dB of the rest is raised: one gain for all of it."""
    sound = as_float(decode(speech).samples)
    sound = (sound * np.repeat([1.0, 0.5], [len(sound) // 2, len(sound) - len(sound) // 2]))[
        : len(sound) // 800 * 800
    ]
    power = np.square(sound, dtype=np.float64).reshape(-1, 800).mean(axis=1)
    spoken = power > 1e-4
    gain = gains(power, np.zeros(len(power)))[spoken]
    assert gain.max() - gain.min() < 0.5


def test_a_clap_is_held_below_full_scale_and_the_rest_is_not_softened() -> None:
    sound = np.random.default_rng(0).normal(0, 0.01, 20 * SAMPLE_RATE)
    sound[160_000:160_400] = 1.0
    out = levelled(sound)
    assert dbfs(out[: 8 * SAMPLE_RATE]) == pytest.approx(TARGET, abs=1)
    assert np.abs(out[160_000:160_400].astype(int)).max() > 20_000
    assert np.abs(out.astype(int)).max() <= 32_767


def test_silence_stays_silence(write_wav: Write) -> None:
    assert not decode(write_wav(np.zeros(16_000), np.zeros(16_000))).samples.any()


def test_numbers_that_are_none(tmp_path: Path) -> None:
    """Float files from strangers: not a number, infinite, as large as can be."""
    sound = sine(2).astype("<f4")
    sound[100:110], sound[200:210], sound[300] = np.nan, np.inf, 3e38
    raw = tmp_path / "a.raw"
    raw.write_bytes(sound.tobytes())
    path = tmp_path / "a.wav"
    shape = ["-f", "f32le", "-ar", "16000", "-ac", "1", "-i", str(raw), "-c:a", "pcm_f32le"]
    subprocess.run([ffmpeg.executable(), "-v", "error", *shape, str(path)], check=True)
    decoded = decode(path)
    assert decoded.seconds == 2.0
    assert decoded.samples.any()


@given(
    st.lists(st.tuples(st.integers(1, 20_000), st.floats(1e-5, 1e4)), min_size=1, max_size=8),
    st.integers(-60, 60),
    st.integers(0, 2**32 - 1),
)
def test_any_sound_at_any_level(pieces: list[tuple[int, float]], decibels: int, seed: int) -> None:
    """As many samples as there were, the same at every level but for rounding."""
    random = np.random.default_rng(seed)
    sound = np.concatenate([random.uniform(-1, 1, count) * amplitude for count, amplitude in pieces])
    one, other = levelled(sound), levelled(sound * 10 ** (decibels / 20))
    assert len(one) == len(sound)
    assert np.abs(one.astype(int) - other.astype(int)).max() <= 2
