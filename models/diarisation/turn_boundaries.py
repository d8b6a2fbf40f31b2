"""Where turns begin and end: what is heard beside the frames the segmentation network is sure of.

The network clips the soft ends of words, and calls a breath or a soft consonant in mid-sentence a
pause. So a turn goes on, for a little, while the sound beside it is no quieter than speech can be, and
a short gap of one speaker is part of the turn unless it is silent. How quiet that is follows from
how loud the speech around is, not from an absolute level.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d
from torch import Tensor

from models.runtime.samples import SAMPLE_RATE, as_float_tensor

FRAME_SHIFT = 270  # samples between two segmentation frames
FRAME_LENGTH = 991  # samples a segmentation frame sees
BLOCK_FRAMES = 4_000  # about a minute, 4 MB, whose level is measured at once
SPEECH_RANGE = 40.0  # dB from the loudest to the softest sound of one voice
LOUD_FRAMES = (
    2 * round(3.0 * SAMPLE_RATE / FRAME_SHIFT) + 1
)  # 3 s to both sides: where the loudest is looked for
BEFORE_FRAMES = 12  # 0.2 s: how far a turn may begin before the network's first frame
AFTER_FRAMES = 18  # 0.3 s: how far it may go on after the last
SILENCE = -86.0  # dB of full scale, 9 over dither of 16 bits: under it not even the network hears speech
GAP_FRAMES = 59  # 1 s: the longest gap, once both its sides have grown, that is part of a turn

Frames = NDArray[np.uint8]
Audible = NDArray[np.bool_]
Levels = NDArray[np.float32]


def sound_levels(waveform: Tensor) -> Levels:
    """(frames,) dB of full scale around the middle of each segmentation frame, -120 at the least.

    waveform: (samples,) float32 or int16 at 16 kHz, on any device.
    """
    offset = (FRAME_LENGTH - FRAME_SHIFT) // 2
    count = max(0, len(waveform) - offset) // FRAME_SHIFT
    levels = np.empty(count, dtype=np.float32)
    for first in range(0, count, BLOCK_FRAMES):
        last = min(count, first + BLOCK_FRAMES)
        samples = as_float_tensor(waveform[offset + first * FRAME_SHIFT : offset + last * FRAME_SHIFT])
        power = samples.reshape(-1, FRAME_SHIFT).square().mean(dim=1)
        levels[first:last] = (10.0 * power.clamp(min=1e-12).log10()).cpu().numpy()
    return levels


def audible_frames(levels: Levels) -> Audible:
    """(frames,) True where the sound is loud enough to be the speech of somebody near.

    levels: (frames,) as `sound_levels` has them.
    """
    if len(levels) == 0:
        return np.zeros(0, dtype=bool)
    heard: Audible = levels > maximum_filter1d(levels, LOUD_FRAMES, mode="nearest") - SPEECH_RANGE
    return heard


def windows_with_sound(levels: Levels, starts: NDArray[np.int64], size: int) -> NDArray[np.bool_]:
    """(windows,) True for the windows of `size` samples from `starts` on that aren't silent throughout."""
    before = np.concatenate(([0], np.cumsum(levels > SILENCE)))
    offset = (FRAME_LENGTH - FRAME_SHIFT) // 2
    first = np.clip((starts - offset) // FRAME_SHIFT, 0, len(levels))
    end = np.clip(-((offset - starts - size) // FRAME_SHIFT), 0, len(levels))
    return before[end] > before[first]


def extend_turns_to_sound(speaking: Frames, heard: Audible) -> None:
    """Lengthen turns into the sound beside them and close audible gaps, where nobody else talks; in place.

    speaking: (frames, clusters), 0 or 1. heard: (frames,) as `audible_frames` has it; frames past its end are silent.
    """
    sound = np.zeros(len(speaking), dtype=bool)
    sound[: len(heard)] = heard[: len(speaking)]
    _follow_sound(speaking, sound, AFTER_FRAMES)
    _follow_sound(speaking[::-1], sound[::-1], BEFORE_FRAMES)
    _close_gaps(speaking, sound)


def _follow_sound(speaking: Frames, sound: Audible, most: int) -> None:
    """Let those who talk go on for `most` frames at most, as long as there is sound and nobody else talks; in place."""
    talking: Audible = speaking.max(axis=1) > 0
    free = sound & ~talking
    frames = np.arange(len(speaking))
    last = np.maximum.accumulate(np.where(free, -1, frames))  # frame up to each that isn't free
    goes_on = np.flatnonzero(free & (last >= 0) & (frames - last <= most) & talking[last])
    speaking[goes_on] = speaking[last[goes_on]]


def _close_gaps(speaking: Frames, sound: Audible) -> None:
    """Give silence of the network that is audible throughout to the one who talks on both of its sides."""
    nobody = np.pad((~speaking.any(axis=1)).astype(np.int8), 1)
    starts, ends = np.flatnonzero(np.diff(nobody) == 1), np.flatnonzero(np.diff(nobody) == -1)
    quiet = np.concatenate(([0], np.cumsum(~sound)))
    closed = (
        (starts > 0) & (ends < len(speaking)) & (ends - starts <= GAP_FRAMES) & (quiet[ends] == quiet[starts])
    )
    starts, ends = starts[closed], ends[closed]
    lengths = ends - starts
    first = np.cumsum(lengths) - lengths  # of each gap among the frames of all
    gaps = np.arange(lengths.sum()) + np.repeat(starts - first, lengths)
    speaking[gaps] = np.repeat(speaking[starts - 1] & speaking[ends], lengths, axis=0)
