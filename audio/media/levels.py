"""Speech brought to one level, whatever it was recorded at, before it is kept in 16 bits.

What is measured is relative to the recording itself, so that one at -60 dB and one 20 dB over full scale come out the
same. The gain is one for the whole recording, but for two things: a stretch that is much softer than the rest, such as
a guest far from the microphone, is raised slowly, and what would exceed full scale is held below it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.ndimage import minimum_filter1d, percentile_filter, uniform_filter1d

from models.runtime.samples import FULL_SCALE, SAMPLE_RATE, SOUNDLESS

Floats = npt.NDArray[np.float64]
Samples = npt.NDArray[np.int16]
GainOf = Callable[[Floats, Floats], Floats]  # of each frame in dB, by its mean square and greatest value

TARGET = -26.0  # dBFS (RMS) of most of the speech: what peaks above it by 26 dB is not touched
FRAME = SAMPLE_RATE // 20  # samples of 50 ms
FRAME_SECONDS = FRAME / SAMPLE_RATE
BLOCK_FRAMES = 8  # 400 ms, over which loudness is measured
SOFT = 18.0  # dB below TARGET from which speech is raised, to just there
RELEASE = 20.0  # dB a second by which the measured level falls after speech, and rises before it
MOST = 30.0  # dB of raising
NOISE = -68.0  # dBFS to which the noise beneath soft speech may be raised
NOISE_SECONDS = 31  # around a second in which its noise is looked for
NOISE_PERCENTILE = 10
KEPT_SECONDS = 1  # of samples that share a scale while they wait
SILENCE = 1e-20  # power that stands for none


class Levels:
    """Samples on their way to 16 bits: each second is kept at its own scale until the level of all is known."""

    def __init__(self, seconds: float) -> None:
        """seconds: room to begin with; more is made where it is needed."""
        self._kept: Samples = np.empty(int(seconds * SAMPLE_RATE), dtype=np.int16)
        self._scales: list[float] = []
        self._power: list[Floats] = []
        self._peaks: list[Floats] = []
        self._count = 0

    @property
    def seconds(self) -> float:
        """How much there is so far."""
        return self._count / SAMPLE_RATE

    def add(self, samples: npt.NDArray[np.float32]) -> None:
        """More samples, (samples,): whole seconds, but for the last time."""
        end = self._count + len(samples)
        if end > len(self._kept):
            # realloc: on Linux big blocks are moved without being copied
            self._kept.resize(max(end, len(self._kept) * 5 // 4), refcheck=False)
        for first in range(0, len(samples), SAMPLE_RATE):
            piece = samples[first : first + SAMPLE_RATE]
            peak = float(np.abs(piece).max())
            scale = peak / (FULL_SCALE - 1) or 1.0
            begin = self._count + first
            np.rint(piece / np.float32(scale), out=self._kept[begin : begin + len(piece)], casting="unsafe")
            self._scales.append(scale)
        frames = np.pad(samples, (0, -len(samples) % FRAME)).reshape(-1, FRAME)
        self._power.append(np.einsum("fs,fs->f", frames, frames).astype(np.float64) / FRAME)
        self._peaks.append(np.abs(frames).max(axis=1).astype(np.float64))
        self._count = end

    def finish(self, gain_of: GainOf | None = None) -> Samples:
        """(samples,) int16 of all that was added, with gains as `gain_of` has them, else as `gains`."""
        self._kept.resize(self._count, refcheck=False)
        if self._count == 0:
            return self._kept
        gain_of = gain_of or gains
        gain = 10 ** (gain_of(np.concatenate(self._power), np.concatenate(self._peaks)) / 20)
        middles = (np.arange(len(gain)) + 0.5) * FRAME
        for second, scale in enumerate(self._scales):
            first = second * SAMPLE_RATE
            piece = self._kept[first : first + SAMPLE_RATE]
            own = np.interp(np.arange(first, first + len(piece)), middles, gain) * (scale * FULL_SCALE)
            np.rint(np.clip(piece * own, -FULL_SCALE, FULL_SCALE - 1), out=piece, casting="unsafe")
        return self._kept


def gains(power: Floats, peaks: Floats) -> Floats:
    """The gain of each frame in dB. power: (frames,) mean squares of 50 ms each; peaks: (frames,) greatest values."""
    level = loudness(power)
    if level == -np.inf:
        return np.zeros(len(power))
    even = TARGET - level
    raised = _raising(10 * np.log10(np.maximum(power, SILENCE)) + even)
    room = -20 * np.log10(np.maximum(peaks, SILENCE))
    held: Floats = np.minimum(even + raised, minimum_filter1d(room, 3))
    return held


def to_full_scale(power: Floats, peaks: Floats) -> Floats:
    """As `gains`, but one gain for all of it: the loudest sample is at full scale, unless all is silence."""
    loudest = float(peaks.max())
    return np.full(len(power), -20 * np.log10(loudest) if loudest > SOUNDLESS else 0.0)


def loudness(power: Floats) -> float:
    """How loud the sound is that there is most of, in dBFS (RMS), -inf for silence.

    power: (frames,) mean squares of 50 ms each. Half of all amplitude is in blocks of 400 ms that are louder: pauses
    say as little of it as single claps do, and a recording that is louder by 3 dB has a level that is 3 dB higher.
    """
    size = min(BLOCK_FRAMES, len(power))
    blocks = np.sort(uniform_filter1d(power, size)[size // 2 : len(power) - (size - 1) // 2])
    amounts = np.cumsum(np.sqrt(np.maximum(blocks, 0.0)))
    level = float(blocks[np.searchsorted(amounts, amounts[-1] / 2)])
    return 10 * float(np.log10(level)) if level > SILENCE else -np.inf


def _raising(level: Floats) -> Floats:
    """By how many dB soft stretches are raised. level: (frames,) dBFS after the even gain."""
    slope = RELEASE * FRAME_SECONDS * np.arange(len(level))
    fallen = np.maximum.accumulate(level + slope) - slope
    rising = np.maximum.accumulate((level - slope)[::-1])[::-1] + slope
    wanted: Floats = np.clip(TARGET - SOFT - np.maximum(fallen, rising), 0.0, MOST)
    if not wanted.any():
        return wanted
    per_second = round(1 / FRAME_SECONDS)
    seconds = np.pad(level, (0, -len(level) % per_second), mode="edge").reshape(-1, per_second)
    noise = percentile_filter(
        np.percentile(seconds, NOISE_PERCENTILE, axis=1), NOISE_PERCENTILE, NOISE_SECONDS
    )
    allowed = np.repeat(np.maximum(NOISE - noise, 0.0), per_second)[: len(level)]
    raised: Floats = uniform_filter1d(np.minimum(wanted, allowed), per_second)
    return raised
