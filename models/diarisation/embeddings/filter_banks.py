"""Log mel filter banks as Kaldi computes them, on whatever device the samples are on.

Kaldi takes the mean off each frame, raises the treble, weighs the frame by a window and measures the power of its
spectrum. The first three are linear, so the treble of all samples is raised once instead of once a frame.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from models.runtime.samples import SAMPLE_RATE, as_float_tensor

N_MELS = 80
LOWEST = 20.0  # Hz, where Kaldi's first mel bin begins
FRAME_SHIFT = 0.010  # seconds between two feature frames
FRAME_LENGTH = 0.025  # seconds of audio one feature frame sees
SHIFT = round(FRAME_SHIFT * SAMPLE_RATE)  # 160 samples
LENGTH = round(FRAME_LENGTH * SAMPLE_RATE)  # 400 samples
FFT_LENGTH = 512  # samples, zeros behind the frame
PREEMPHASIS = 0.97
LEAST = float(np.finfo(np.float32).eps)  # of a mel energy
BLOCK_FRAMES = {"cpu": 512, "cuda": 32_768}  # computed at once: what stays in a core's cache; 70 MB a step


def fbank(samples: Tensor) -> Tensor:
    """Log mel energies as Kaldi computes them, not yet mean-normalised.

    samples: (samples,) float32 or int16 at 16 kHz. Returns (frames, 80) float32 on its device, one frame each 10 ms of
    those that lie inside the samples.
    """
    frames = feature_frames(len(samples))
    energies = torch.empty(frames, N_MELS, device=samples.device)
    block = BLOCK_FRAMES[samples.device.type]
    for first in range(0, frames, block):
        last = min(frames, first + block)
        piece = as_float_tensor(samples[first * SHIFT : (last - 1) * SHIFT + LENGTH])
        energies[first:last] = _log_mel(piece)
    return energies


def _log_mel(samples: Tensor) -> Tensor:
    """(frames, 80) of (samples,) float32."""
    window, mels = _window_and_mels(samples.device)
    treble = samples - PREEMPHASIS * F.pad(samples, (1, 0))[:-1]  # its first sample is weighed by zero
    means = samples.unfold(0, LENGTH, SHIFT).mean(dim=1, keepdim=True)
    frames = (treble.unfold(0, LENGTH, SHIFT) - (1.0 - PREEMPHASIS) * means) * window
    spectrum = torch.view_as_real(torch.fft.rfft(frames, n=FFT_LENGTH))
    return (spectrum.square().sum(dim=2) @ mels).clamp(min=LEAST).log()


@lru_cache(maxsize=4)
def _window_and_mels(device: torch.device) -> tuple[Tensor, Tensor]:
    """Povey's window (400,), and the weights of the spectrum's bins in each mel bin (257, 80)."""
    window = torch.hann_window(LENGTH, periodic=False).pow(0.85)
    edges = _mel_edges()
    mels = 1127.0 * np.log1p(np.arange(FFT_LENGTH // 2 + 1) * SAMPLE_RATE / FFT_LENGTH / 700.0)[:, None]
    rising = (mels - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - mels) / (edges[2:] - edges[1:-1])
    weights = torch.from_numpy(np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32))
    return window.to(device), weights.to(device)


def _mel_edges() -> NDArray[np.float64]:
    """(82,) mels at which the mel bins begin, each in the middle of the one before."""
    low, high = (1127.0 * np.log1p(hertz / 700.0) for hertz in (LOWEST, SAMPLE_RATE / 2))
    return np.linspace(low, high, N_MELS + 2)


def mel_centres() -> NDArray[np.float64]:
    """(80,) Hz in the middle of each mel bin of `fbank`."""
    return 700.0 * np.expm1(_mel_edges()[1:-1] / 1127.0)


def feature_frames(samples: int) -> int:
    """How many feature frames lie inside so many samples."""
    return max(0, 1 + (samples - LENGTH) // SHIFT)


def block_features(waveform: Tensor, first: int, end: int, device: torch.device) -> Tensor:
    """(frames, 80) features on `device` of the feature frames [first, end) that `waveform` (samples,) holds."""
    return fbank(waveform[first * SHIFT : (end - 1) * SHIFT + LENGTH].to(device))
