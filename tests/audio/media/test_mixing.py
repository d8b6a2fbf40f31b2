"""Many channels to one: whoever is heard on any of them is heard in the mix."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.media.decode import decode
from audio.media.mixing import Mixed, mix_down
from models.runtime.samples import SAMPLE_RATE, as_float
from tests.audio.conftest import Write

HOST, GUEST = 500, 1700  # Hz, by which the two are known


def voice(hertz: float, spans: Sequence[tuple[float, float]], seconds: float = 24) -> np.ndarray:
    """A tone with syllables, in these spans: (samples,) float32 at 16 kHz."""
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    talking = np.any([(times >= first) & (times < last) for first, last in spans], axis=0)
    sound = 0.3 * np.sin(2 * np.pi * hertz * times) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * times))
    voiced: np.ndarray = (sound * talking).astype(np.float32)
    return voiced


def strength(samples: np.ndarray, hertz: float, span: tuple[float, float]) -> float:
    """How strong a tone is within a span, as a share of all there is."""
    piece = samples[round(span[0] * SAMPLE_RATE) : round(span[1] * SAMPLE_RATE)].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece)))) ** 2
    at = np.fft.rfftfreq(len(piece), 1 / SAMPLE_RATE)
    return float(spectrum[np.abs(at - hertz) < 30].sum() / spectrum.sum())


def mixed(*channels: np.ndarray, block: int = 10) -> tuple[np.ndarray, Mixed]:
    """What becomes of channels that come in blocks of so many seconds."""
    told, stacked, size = Mixed(), np.stack(channels, axis=1), block * SAMPLE_RATE
    pieces = mix_down((stacked[first : first + size] for first in range(0, len(stacked), size)), told)
    return np.concatenate(list(pieces)), told


HOST_SPANS, GUEST_SPANS = [(0.5, 6.0), (12.0, 16.5)], [(6.5, 11.5), (17.0, 23.5)]
host, guest = voice(HOST, HOST_SPANS), voice(GUEST, GUEST_SPANS)


@pytest.mark.parametrize("side", [1.0, 0.8, -1.0])
def test_a_guest_in_opposite_phase_is_heard(side: float) -> None:
    mono, told = mixed(host + guest, side * host - side * guest)
    for hertz, spans in ((HOST, HOST_SPANS), (GUEST, GUEST_SPANS)):
        for span in spans:
            assert strength(mono, hertz, span) > 0.9
    # On which of the two the wires are crossed, nobody can tell.
    assert told.rescued == pytest.approx(
        sum(b - a for a, b in (HOST_SPANS if side < 0 else GUEST_SPANS)), abs=1
    )
    assert told.lost == 0


def test_a_guest_in_opposite_phase_who_interrupts() -> None:
    """Where both talk the mean still holds the host: the guest must not be lost for that."""
    other = voice(GUEST, [(4.0, 11.5), (14.0, 23.5)])
    mono, told = mixed(host + other, host - other)
    assert strength(mono, GUEST, (4.5, 6.0)) > 0.3
    assert strength(mono, HOST, (4.5, 6.0)) > 0.3
    assert told.lost == 0


@pytest.mark.parametrize("count", [2, 3, 4, 6, 7, 8, 16])
def test_one_microphone_each(write_wav: Write, count: int) -> None:
    """An unlabelled WAV is taken for 2.1, 5.1 and so on: no channel is for deep effects alone."""
    spans = [(i + 0.1, i + 0.9) for i in range(count)]
    tones = [300 + 150 * i for i in range(count)]
    path = write_wav(*[voice(tone, [span], count) for tone, span in zip(tones, spans, strict=True)])
    samples = as_float(decode(path).samples)
    for tone, span in zip(tones, spans, strict=True):
        assert strength(samples, tone, span) > 0.9
    levels = [np.abs(samples[round(a * SAMPLE_RATE) : round(b * SAMPLE_RATE)]).max() for a, b in spans]
    assert max(levels) < 1.2 * min(levels)


@pytest.mark.parametrize("layout", ["3.0", "quad", "5.0", "5.1", "6.1", "7.1", "hexagonal"])
def test_labelled_channels_count_the_same(write_wav: Write, make_media: Write, layout: str) -> None:
    count = {"3.0": 3, "quad": 4, "5.0": 5, "5.1": 6, "6.1": 7, "7.1": 8, "hexagonal": 6}[layout]
    plain = write_wav(*[voice(300 + 150 * i, [(i + 0.1, i + 0.9)], count) for i in range(count)])
    path = make_media("labelled.flac", "-channel_layout", layout, "-i", str(plain), "-c:a", "flac")
    samples = as_float(decode(path).samples)
    assert all(strength(samples, 300 + 150 * i, (i + 0.1, i + 0.9)) > 0.9 for i in range(count))


def test_channels_of_a_person_each_are_averaged() -> None:
    mono, told = mixed(host, guest)
    assert np.allclose(mono, (host + guest) / 2, atol=1e-6)
    assert (told.rescued, told.lost) == (0, 0)


def test_stereo_is_averaged() -> None:
    """Music that differs between the sides is no voice in opposite phase."""
    random = np.random.default_rng(0)
    middle, left, right = (random.normal(0, 0.1, 24 * SAMPLE_RATE).astype(np.float32) for _ in range(3))
    mono, told = mixed(middle + left, middle + right)
    assert np.allclose(mono, middle + (left + right) / 2, atol=1e-6)
    assert told.rescued == 0


def test_what_no_choice_saves_is_told() -> None:
    """On both sides a person of their own, and one in opposite phase, within a second: somebody is lost."""
    left = voice(500, [(i, i + 0.3) for i in range(24)])
    right = voice(900, [(i + 0.33, i + 0.63) for i in range(24)])
    both = voice(1700, [(i + 0.66, i + 0.96) for i in range(24)])
    _, told = mixed(left + both, right - both)
    assert told.lost > 5


def test_lost_sound_is_a_warning(write_wav: Write) -> None:
    left = voice(500, [(i, i + 0.3) for i in range(24)])
    right = voice(900, [(i + 0.33, i + 0.63) for i in range(24)])
    both = voice(1700, [(i + 0.66, i + 0.96) for i in range(24)])
    assert "cancel out between the channels" in " ".join(
        decode(write_wav(left + both, right - both)).warnings
    )
    assert "one of them was heard" in " ".join(decode(write_wav(host + guest, host - guest)).warnings)
    assert decode(write_wav(host, guest)).warnings == ()


@given(st.integers(1, 4), st.integers(1, 3 * SAMPLE_RATE), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_blocks_change_nothing_but_where_they_are_cut(
    channels: int, count: int, block: int, seed: int
) -> None:
    """The mix has as many samples as the channels, and lies within them."""
    samples = np.random.default_rng(seed).uniform(-1, 1, (count, channels)).astype(np.float32)
    mono, _ = mixed(*samples.T, block=block)
    assert mono.shape == (count,)
    assert np.all(mono <= samples.max(axis=1) + 1e-6)
    assert np.all(mono >= samples.min(axis=1) - 1e-6)


def test_real_speech_in_opposite_phase(speech: Path, write_wav: Write) -> None:
    voice = as_float(decode(speech).samples)
    found = as_float(decode(write_wav(voice, -voice)).samples)
    assert np.corrcoef(voice, found)[0, 1] > 0.99
