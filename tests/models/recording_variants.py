"""Harmless changes of a recording, after which it must still be told who speaks when."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

RATE = 16_000
Samples = NDArray[np.float32]


def louder(decibels: float) -> Callable[[Samples], Samples]:
    """The same by so many dB louder."""
    return lambda samples: (samples * 10 ** (decibels / 20)).astype(np.float32)


def begun_later(seconds: float) -> Callable[[Samples], Samples]:
    """The same without so much of its beginning."""
    return lambda samples: samples[round(seconds * RATE) :]


def dithered(samples: Samples) -> Samples:
    """With noise that nobody hears."""
    return samples + np.random.default_rng(0).uniform(-1e-4, 1e-4, len(samples)).astype(np.float32)


def noisy(samples: Samples) -> Samples:
    """With noise 35 dB below the speech."""
    level = 10 ** (-35 / 20) * np.sqrt(np.mean(np.square(samples)))
    noise: Samples = np.random.default_rng(1).standard_normal(len(samples)).astype(np.float32)
    return samples + np.float32(level) * noise


def dull(samples: Samples) -> Samples:
    """Without what is above 6 kHz."""
    filtered: Samples = sosfilt(butter(4, 6_000, fs=RATE, output="sos"), samples).astype(np.float32)
    return filtered


def sixteen_bit(samples: Samples) -> Samples:
    """Rounded to 16 bits."""
    return (np.round(samples * 32_768) / 32_768).astype(np.float32)


# By name: what is changed, and by how many seconds the recording begins later.
VARIANTS: Mapping[str, tuple[Callable[[Samples], Samples], float]] = {
    "1 dB softer": (louder(-1.0), 0.0),
    "3 dB softer": (louder(-3.0), 0.0),
    "begun 0.1 s later": (begun_later(0.1), 0.1),
    "begun 0.5 s later": (begun_later(0.5), 0.5),
    "begun 1.3 s later": (begun_later(1.3), 1.3),
    "dithered": (dithered, 0.0),
    "noisy": (noisy, 0.0),
    "dull": (dull, 0.0),
    "16 bit": (sixteen_bit, 0.0),
}
