"""Stretches of a recording as float32, whatever the recording is kept as."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

SAMPLE_RATE = 16_000  # Hz
FULL_SCALE = 32_768  # what 16-bit samples are divided by


def to_float(samples: Tensor) -> Tensor:
    """float32 samples in -1 to 1, from float32 or 16-bit ones."""
    return samples if samples.is_floating_point() else samples.float() / FULL_SCALE


def cut_window(waveform: Tensor, start: int, size: int) -> Tensor:
    """(size,) float32 from `start` of a (samples,) float32 or int16 waveform, zeros past its end."""
    piece = to_float(waveform[start : start + size])
    return F.pad(piece, (0, size - len(piece)))
