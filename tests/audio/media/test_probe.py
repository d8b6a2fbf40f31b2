"""Measuring loudness, and choosing how stereo becomes mono."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from audio.media.decode import Mix, decode
from audio.media.probe import probe
from models.record.errors import InputError
from models.runtime.samples import as_float
from tests.audio.conftest import Write, sine


def level_of(path: Path, mix: Mix = "mean") -> float:
    """dBFS of what is decoded."""
    samples = as_float(decode(path, mix=mix).samples)
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64))))


def noise(seconds: float, seed: int, amplitude: float = 0.3) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-amplitude, amplitude, int(seconds * 16_000))


def test_a_tone(write_wav: Write) -> None:
    found = probe(write_wav(sine(2, 44_100), sine(2, 44_100), rate=44_100))
    assert (found.seconds, found.tracks, found.channels, found.rate) == (2.0, 1, 2, 44_100)
    assert (found.codec, found.mix) == ("pcm_s16le", "mean")
    assert found.dbfs == pytest.approx(-9.03, abs=0.05)
    assert found.peak_dbfs == pytest.approx(-6.02, abs=0.05)


def test_unrelated_channels_are_averaged(write_wav: Write) -> None:
    assert probe(write_wav(noise(3, 1), noise(3, 2))).mix == "mean"


def test_opposite_phase_takes_the_louder(write_wav: Write) -> None:
    tone = noise(3, 1)
    path = write_wav(0.8 * tone, -tone)
    found = probe(path)
    assert found.mix == "right"
    assert level_of(path, found.mix) > level_of(path) + 15


def test_dead_channel_takes_the_other(write_wav: Write) -> None:
    assert probe(write_wav(noise(3, 1), np.zeros(48_000))).mix == "left"
    assert probe(write_wav(np.zeros(48_000), noise(3, 1))).mix == "right"


def test_a_guest_who_is_silent_in_all_excerpts_is_kept(write_wav: Write) -> None:
    host, guest = noise(120, 1), np.zeros(120 * 16_000)
    guest[: 16_000 * 2] = noise(2, 2)
    found = probe(write_wav(host, guest))
    assert found.channel_dbfs[1] == -math.inf
    assert found.mix == "mean"


def test_excerpts_are_spread(write_wav: Write) -> None:
    quiet_start = np.concatenate([np.zeros(60 * 16_000), sine(60)])
    assert probe(write_wav(quiet_start)).dbfs == pytest.approx(-9.03 - 3.01, abs=0.2)


def test_silence(write_wav: Write) -> None:
    found = probe(write_wav(np.zeros(16_000), np.zeros(16_000)))
    assert (found.dbfs, found.peak_dbfs, found.mix) == (-math.inf, -math.inf, "mean")


def test_length_that_is_not_declared(make_media: Write) -> None:
    path = make_media("p.mkv", "-f", "lavfi", "-i", "sine=440:d=70", "-c:a", "flac", "-live", "1")
    assert probe(path).seconds == pytest.approx(70, abs=0.2)


def test_six_channels(write_wav: Write) -> None:
    found = probe(write_wav(*[sine(1)] * 6))
    assert (found.channels, len(found.channel_dbfs), found.mix) == (6, 6, "mean")


def test_real_speech(speech: Path) -> None:
    found = probe(speech)
    assert found.seconds == pytest.approx(30, abs=0.01)
    assert found.dbfs == pytest.approx(level_of(speech), abs=0.2)


def test_two_speakers_one_a_channel(shared: Path) -> None:
    assert probe(shared / "conversations" / "faster_whisper" / "stereo_diarization.flac").mix == "mean"


def test_real_speech_in_opposite_phase(speech: Path, write_wav: Write) -> None:
    voice = as_float(decode(speech).samples)
    found = probe(write_wav(voice, -voice))
    assert found.mix == "left"


def test_a_long_file_is_never_held_in_memory(make_media: Write) -> None:
    path = make_media("l.wav", "-f", "lavfi", "-i", "sine=d=600", "-ac", "2", "-ar", "44100")
    script = (
        "import resource, sys; from audio.media.probe import probe\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
        "before = peak(); probe(sys.argv[1]); print(peak() - before)"
    )
    command = [sys.executable, "-c", script, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert path.stat().st_size > 100e6
    assert int(done.stdout) < 30e6


def test_not_audio(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_text("words, words")
    with pytest.raises(InputError, match="is not audio"):
        probe(tmp_path / "a.mp3")


def test_no_samples(write_wav: Write) -> None:
    with pytest.raises(InputError, match="no audio could be decoded"):
        probe(write_wav(np.zeros(0)))
