"""Several channels to one, so that nobody disappears who is heard on any of them.

All channels count the same, whatever a header calls them: of a file of six microphones it says that the fourth is for
deep effects. Their mean is right for almost everything, and fails where channels cancel each other out, as a guest does
who is wired in opposite phase on one side. That is looked for in every second, and where it happens the one channel is
heard that loses least.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from models.runtime.samples import SAMPLE_RATE

Floats = npt.NDArray[np.float32]

FRAMES_PER_SECOND = 20  # frames are what is compared: 50 ms, less than a syllable
CONTEXT = 2.5  # seconds before and after the middle of a second that have a say in it
CANCELLED = (
    1 / 4
)  # 6 dB: so far below what its loudest channel alone would give it, a mean has lost something
UNHEARD = 1 / 16  # 12 dB: so far below the loudest, a channel lacks what is said there
ACTIVE = 10**-4.5  # 45 dB: so far below the loudest around it, a frame holds nothing that anybody would miss
TOLERATED = 4  # frames that may be lost around a second before the mean is given up
RAMP = SAMPLE_RATE // 100  # samples in which one way to mix takes over from another


@dataclass
class Mixed:
    """What became of the channels, in seconds: what was `rescued` where they cancel out, and what was `lost` there."""

    rescued: float = 0.0
    lost: float = 0.0


@dataclass(frozen=True)
class _Block:
    """samples: (samples, channels); energy: (frames, 1 + channels) of their mean times their count, and of each."""

    samples: Floats
    energy: Floats

    @classmethod
    def of(cls, samples: Floats) -> _Block:
        channels = samples.shape[1]
        size = SAMPLE_RATE // FRAMES_PER_SECOND
        padded = np.pad(samples, ((0, -len(samples) % size), (0, 0))).reshape(-1, size, channels)
        sums = padded.sum(axis=2)
        energies = [np.einsum("fs,fs->f", sums, sums)[:, None], np.einsum("fsc,fsc->fc", padded, padded)]
        return cls(samples, (np.concatenate(energies, axis=1) / size).astype(np.float32))


def mix_down(blocks: Iterable[Floats], told: Mixed) -> Iterator[Floats]:
    """One channel of many, block for block; `told` learns what became of them.

    blocks: (samples, channels) at 16 kHz, all but the last of the same whole number of seconds. Yields (samples,),
    one block later.
    """
    before: _Block | None = None
    here: _Block | None = None
    weights: Floats | None = None
    for after in chain((_Block.of(block) for block in blocks), (None,)):
        if here is not None:
            around = [block.energy for block in (before, here, after) if block is not None]
            chosen, lost = _choices(
                np.concatenate(around), len(before.energy) if before else 0, len(here.energy)
            )
            told.rescued += float(lost[0] - lost[1]) / FRAMES_PER_SECOND
            told.lost += float(lost[1]) / FRAMES_PER_SECOND
            mono, weights = _weighed(here.samples, chosen, weights)
            yield mono
        before, here = here, after


def _choices(energy: Floats, first: int, count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """For each second of the frames [first, first + count): 0 for the mean, or the number of the channel to hear.

    energy: (frames, 1 + channels). Also the frames that the mean alone would lose there, and that these choices lose.
    """
    loudest = energy[:, 1:].max(axis=1)
    active = loudest > max(ACTIVE * loudest.max(), np.finfo(np.float32).tiny)
    least = np.full(energy.shape[1], UNHEARD, dtype=np.float32)
    least[0] = CANCELLED
    lost = active[:, None] & (energy < least * loudest[:, None])
    sums = np.concatenate([np.zeros((1, energy.shape[1]), dtype=np.int64), np.cumsum(lost, axis=0)])
    starts = np.arange(first, first + count, FRAMES_PER_SECOND)
    middles, reach = starts + FRAMES_PER_SECOND // 2, round(CONTEXT * FRAMES_PER_SECOND)
    around = sums[np.minimum(middles + reach, len(lost))] - sums[np.maximum(middles - reach, 0)]
    around[:, 1:] += TOLERATED
    chosen = around.argmin(axis=1)
    own = sums[np.minimum(starts + FRAMES_PER_SECOND, first + count)] - sums[starts]
    return chosen, np.array([own[:, 0].sum(), own[np.arange(len(own)), chosen].sum()])


def _weighed(samples: Floats, chosen: npt.NDArray[np.int64], weights: Floats | None) -> tuple[Floats, Floats]:
    """The samples mixed as was chosen for each second, and the weights of the last; `weights` are those before."""
    channels = samples.shape[1]
    of_choice = np.concatenate([np.full((1, channels), 1 / channels), np.eye(channels)]).astype(np.float32)
    mono = np.empty(len(samples), dtype=np.float32)
    for second, choice in enumerate(chosen):
        piece = slice(second * SAMPLE_RATE, (second + 1) * SAMPLE_RATE)
        mono[piece] = samples[piece] @ of_choice[choice]
        if weights is not None and not np.array_equal(weights, of_choice[choice]):
            ramp = mono[piece][:RAMP]
            before = samples[piece][: len(ramp)] @ weights
            ramp += (before - ramp) * np.linspace(1, 0, len(ramp), dtype=np.float32)
        weights = of_choice[choice]
    assert weights is not None
    return mono, weights
