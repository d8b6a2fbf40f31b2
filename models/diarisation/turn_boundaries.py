"""Where turns begin and end: what is heard beside the frames the segmentation network is sure of.

The network clips the soft ends of words, and calls a breath or a soft consonant in mid-sentence a
pause. So a turn goes on, for a little, while the sound beside it is no quieter than speech can be, and
a short gap of one speaker is part of the turn unless it is silent. How quiet that is follows from
how loud the speech around is, not from an absolute level.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d
from torch import Tensor

from models.runtime.samples import SAMPLE_RATE, as_float_tensor

FRAME_SHIFT = 270  # samples between two segmentation frames
FRAME_LENGTH = 991  # samples a segmentation frame sees
BLOCK_FRAMES = 100_000  # about half an hour whose level is measured at once
SPEECH_RANGE = 40.0  # dB from the loudest to the softest sound of one voice
LOUD_FRAMES = (
    2 * round(3.0 * SAMPLE_RATE / FRAME_SHIFT) + 1
)  # 3 s to both sides: where the loudest is looked for
BEFORE_FRAMES = 12  # 0.2 s: how far a turn may begin before the network's first frame
AFTER_FRAMES = 18  # 0.3 s: how far it may go on after the last
GAP_FRAMES = 59  # 1 s: the longest gap, once both its sides have grown, that is part of a turn

Frames = NDArray[np.uint8]
Audible = NDArray[np.bool_]


def audible_frames(waveform: Tensor) -> Audible:
    """(frames,) True where the sound is loud enough to be the speech of somebody near.

    waveform: (samples,) float32 or int16 at 16 kHz.
    """
    level = np.concatenate([np.empty(0, np.float32), *_levels(waveform)])
    if len(level) == 0:
        return np.zeros(0, dtype=bool)
    heard: Audible = level > maximum_filter1d(level, LOUD_FRAMES, mode="nearest") - SPEECH_RANGE
    return heard


def _levels(waveform: Tensor) -> Iterator[NDArray[np.float32]]:
    """Level around the middle of each frame in dB, block by block."""
    offset = (FRAME_LENGTH - FRAME_SHIFT) // 2
    count = max(0, len(waveform) - offset) // FRAME_SHIFT
    for first in range(0, count, BLOCK_FRAMES):
        last = min(count, first + BLOCK_FRAMES)
        samples = as_float_tensor(waveform[offset + first * FRAME_SHIFT : offset + last * FRAME_SHIFT])
        power = samples.reshape(-1, FRAME_SHIFT).square().mean(dim=1)
        yield (10.0 * power.clamp(min=1e-12).log10()).numpy()


def extend_turns_to_sound(speaking: Frames, heard: Audible) -> None:
    """Lengthen turns into the sound beside them and close audible gaps, where nobody else talks; in place.

    speaking: (frames, clusters), 0 or 1. heard: (frames,) as `audible_frames` has it; frames past its end are silent.
    """
    sound = np.zeros(len(speaking), dtype=bool)
    sound[: len(heard)] = heard[: len(speaking)]
    for _ in range(AFTER_FRAMES):
        free = np.flatnonzero(sound[1:] & (speaking[1:].max(axis=1) == 0)) + 1
        speaking[free] = speaking[free - 1]
    for _ in range(BEFORE_FRAMES):
        free = np.flatnonzero(sound[:-1] & (speaking[:-1].max(axis=1) == 0))
        speaking[free] = speaking[free + 1]
    _close_gaps(speaking, sound)


def _close_gaps(speaking: Frames, sound: Audible) -> None:
    """Give silence of the network that is audible throughout to the one who talks on both of its sides."""
    nobody = np.pad((speaking.max(axis=1) == 0).astype(np.int8), 1)
    starts, ends = np.flatnonzero(np.diff(nobody) == 1), np.flatnonzero(np.diff(nobody) == -1)
    quiet = np.concatenate(([0], np.cumsum(~sound)))
    inner = (starts > 0) & (ends < len(speaking)) & (ends - starts <= GAP_FRAMES)
    for start, end in zip(starts[inner], ends[inner], strict=True):
        if quiet[end] == quiet[start]:
            speaking[start:end] = speaking[start - 1] & speaking[end]
