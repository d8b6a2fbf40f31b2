"""Sounds without a word in them, made here: music, noise, applause, silence. All (samples,) float32 at 16 kHz."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

RATE = 16_000  # Hz
MINOR_SCALE = (0, 2, 3, 5, 7, 8, 10)  # semitones

Sound = NDArray[np.float32]


def _leveled(sound: NDArray[np.floating], rms: float) -> Sound:
    level = float(np.sqrt(np.mean(np.square(sound)))) or 1.0
    leveled: Sound = np.clip(sound * (rms / level), -1, 1).astype(np.float32)
    return leveled


def _tone(pitch: float, samples: int, harmonics: int, generator: np.random.Generator) -> NDArray[np.floating]:
    """A note with falling harmonics and some vibrato."""
    t = np.arange(samples) / RATE
    vibrato = 1 + 0.004 * np.sin(2 * np.pi * generator.uniform(4, 6) * t) * (t > 0.2)
    phase = 2 * np.pi * np.cumsum(pitch * vibrato) / RATE
    tone = np.zeros(samples)
    for k in range(1, harmonics + 1):
        if k * pitch < RATE / 2:
            tone += np.sin(k * phase) / k**1.3
    return tone


def music(seconds: float, seed: int) -> Sound:
    """A melody over chords and a beat: plucked, bowed or blown, as the seed has it."""
    generator = np.random.default_rng(seed)
    out = np.zeros(round(seconds * RATE))
    beat = 60 / generator.uniform(70, 140)
    root = generator.uniform(90, 180)
    decay, harmonics = generator.choice([1.0, 3.0, 6.0]), int(generator.integers(3, 12))
    for number, start in enumerate(np.arange(0, seconds, beat)):
        first = round(start * RATE)
        length = min(len(out) - first, round(beat * RATE * generator.choice([0.5, 1, 2])))
        notes = [root * 2 ** ((12 + generator.choice(MINOR_SCALE)) / 12)]
        if number % 4 == 0:
            notes += [root * 2 ** (step / 12) for step in (0, 3, 7)]
        t = np.arange(length) / RATE
        envelope = np.minimum(t / 0.02, 1) * np.exp(-decay * t)
        for pitch in notes:
            out[first : first + length] += envelope * _tone(float(pitch), length, harmonics, generator)
        drum = min(len(out) - first, RATE // 8)
        burst = generator.normal(0, 1, drum) * np.exp(-np.arange(drum) / (RATE * 0.02))
        out[first : first + drum] += burst * generator.choice([0.0, 0.5])
    return _leveled(out, 0.08)


def noise(seconds: float, seed: int) -> Sound:
    """White, pink or brown noise, as the seed has it, that swells and ebbs."""
    generator = np.random.default_rng(seed)
    samples = round(seconds * RATE)
    spectrum = np.fft.rfft(generator.normal(0, 1, samples))
    spectrum[1:] /= np.arange(1, len(spectrum)) ** generator.choice([0.0, 0.5, 1.0])
    swell = 1 + 0.5 * np.sin(2 * np.pi * np.arange(samples) / RATE / generator.uniform(3, 12))
    return _leveled(np.fft.irfft(spectrum, samples) * swell, generator.choice([0.01, 0.05, 0.15]))


def applause(seconds: float, seed: int) -> Sound:
    """Some hundred claps a second that swell and die away."""
    generator = np.random.default_rng(seed)
    samples = round(seconds * RATE)
    out = np.zeros(samples + RATE)
    clap = np.exp(-np.arange(RATE // 25) / (RATE * 0.006))
    rate = generator.uniform(60, 200)
    for first in generator.integers(0, samples, round(rate * seconds)):
        colour = np.convolve(
            generator.normal(0, 1, len(clap)), np.ones(int(generator.integers(1, 6))), "same"
        )
        out[first : first + len(clap)] += generator.uniform(0.2, 1) * clap * colour
    swell = np.sin(np.pi * np.arange(samples) / samples) ** 0.5
    return _leveled(out[:samples] * swell, 0.1)


def silence(seconds: float, seed: int) -> Sound:
    """Digital silence, or with the seed odd the hiss and hum of a poor microphone."""
    generator = np.random.default_rng(seed)
    samples = round(seconds * RATE)
    hum = np.sin(2 * np.pi * 50 * np.arange(samples) / RATE)
    return ((seed % 2) * (0.0008 * generator.normal(0, 1, samples) + 0.002 * hum)).astype(np.float32)


KINDS: dict[str, Callable[[float, int], Sound]] = {
    "music": music,
    "noise": noise,
    "applause": applause,
    "silence": silence,
}


def wordless(seconds: float, seed: int) -> Sound:
    """All kinds in turn, `seconds` of each."""
    return np.concatenate([make(seconds, seed + 10 * number) for number, make in enumerate(KINDS.values())])
