"""Stretches of a recording as float32, whatever the recording is kept as."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch
    from torch import Tensor

SAMPLE_RATE = 16_000  # Hz, what Whisper and the diarisation models were trained on
FULL_SCALE = 32_768  # what 16-bit samples are divided by

SOUNDLESS = 2 / FULL_SCALE  # amplitude that dithered silence doesn't exceed

Samples = NDArray[np.float32] | NDArray[np.int16]


def as_float(samples: Samples) -> NDArray[np.float32]:
    """float32 samples in -1 to 1, from float32 or 16-bit ones."""
    if samples.dtype == np.int16:
        return samples.astype(np.float32) / np.float32(FULL_SCALE)
    return samples.astype(np.float32, copy=False)


def has_sound(samples: Samples) -> bool:
    """Whether samples, float32 or 16-bit, hold more than silence and its dither.

    >>> has_sound(np.array([2, -2, 1], dtype=np.int16)), has_sound(np.array([0.0, -0.001], dtype=np.float32))
    (False, True)
    """
    loudest = SOUNDLESS * (FULL_SCALE if samples.dtype == np.int16 else 1.0)
    return len(samples) > 0 and bool(samples.max() > loudest or samples.min() < -loudest)


def as_float_tensor(samples: Tensor) -> Tensor:
    """What `as_float` does, of tensors."""
    return samples if samples.is_floating_point() else samples * (1.0 / FULL_SCALE)


def cut_windows(waveform: Tensor, starts: Iterable[int], size: int, device: torch.device) -> Tensor:
    """(windows, size) float32 on `device`, zeros past the end of `waveform`, (samples,) float32 or int16."""
    import torch
    from torch.nn import functional as F

    pieces = (waveform[start : start + size] for start in starts)
    whole = [piece if len(piece) == size else F.pad(piece, (0, size - len(piece))) for piece in pieces]
    return as_float_tensor(torch.stack(whole).to(device))
