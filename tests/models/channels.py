"""What a voice passes through on its way into a recording, made of clean speech."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import signal

RATE = 16_000
MU = 255.0  # of G.711's mu-law

Samples = NDArray[np.float32]


def studio(samples: Samples) -> Samples:
    """As it is, at the level of the others."""
    return _levelled(samples)


def telephone(samples: Samples) -> Samples:
    """300 to 3400 Hz in 8-bit mu-law at 8 kHz."""
    band = signal.butter(4, (300.0, 3400.0), "band", fs=RATE // 2, output="sos")
    passed = _levelled(signal.sosfilt(band, signal.resample_poly(samples, 1, 2)))
    code = np.round(127.0 * np.sign(passed) * np.log1p(MU * np.abs(passed)) / np.log1p(MU)) / 127.0
    heard = np.sign(code) * np.expm1(np.abs(code) * np.log1p(MU)) / MU
    return signal.resample_poly(heard, 2, 1).astype(np.float32)


def room(samples: Samples, decay: float = 0.45) -> Samples:
    """Sound that dies away by 60 dB in `decay` seconds, and noise 28 dB under the voice."""
    rng = np.random.default_rng(len(samples))
    times = np.arange(round(decay * RATE)) / RATE
    echo = rng.standard_normal(len(times)) * 10.0 ** (-3.0 * times / decay)
    echo *= 10.0 ** (-2.0 / 20.0) / np.linalg.norm(echo)  # 2 dB under what comes straight
    echo[0] = 1.0
    heard = signal.fftconvolve(samples, echo)[: len(samples)]
    noise = rng.standard_normal(len(samples)) * np.sqrt(np.square(heard).mean()) * 10.0 ** (-28.0 / 20.0)
    return _levelled(heard + noise)


def one_after_the_other(utterances: Sequence[Samples]) -> Samples:
    """With half a second between them."""
    pause = np.zeros(RATE // 2, np.float32)
    return np.concatenate([part for utterance in utterances for part in (utterance, pause)])


def over(channels: Sequence[Callable[[Samples], Samples]], utterances: Sequence[Samples]) -> list[Samples]:
    """Utterances of one person, as many over each channel as over the others."""
    share = len(utterances) // len(channels)
    return [
        channel(each)
        for i, channel in enumerate(channels)
        for each in utterances[i * share : (i + 1) * share]
    ]


def taking_turns(*people: Sequence[Samples]) -> Samples:
    """Utterances of several people, one of each in turn."""
    return one_after_the_other([each for row in zip(*people, strict=False) for each in row])


def _levelled(samples: NDArray[np.floating]) -> Samples:
    return (0.5 * samples / np.abs(samples).max()).astype(np.float32)
