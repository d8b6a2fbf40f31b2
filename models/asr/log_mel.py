"""Whisper's features computed by torch on a GPU, where an hour takes milliseconds; on a CPU numpy is faster."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from ctranslate2 import StorageView
from numpy.typing import NDArray
from torch.nn import functional as F

SHIFT = 160  # samples from one frame to the next
LEAST_POWER = 1e-10
RANGE = 8.0  # decades under the loudest that are told apart


class LogMel:
    """faster-whisper's feature extractor on a device of torch; the same numbers to float tolerance.

    filters: (mels, frequencies) float32, the filter bank that the model was trained with.
    """

    def __init__(self, filters: NDArray[np.float32], device: str) -> None:
        self._filters = torch.from_numpy(filters).to(device)
        self._window_size = 2 * (filters.shape[1] - 1)
        self._window = torch.hann_window(self._window_size, device=device)

    def __call__(self, waveform: NDArray[np.float32]) -> torch.Tensor:
        """(mels, samples // 160) float32 on the device, of (samples,) at 16 kHz, 200 of them or more."""
        samples = F.pad(torch.from_numpy(waveform).to(self._window.device), (0, SHIFT))
        spectrum = torch.stft(
            samples, self._window_size, SHIFT, window=self._window, pad_mode="reflect", return_complex=True
        )
        mel = self._filters @ spectrum[:, :-1].abs().square()
        decades = mel.clamp(min=LEAST_POWER).log10()
        return ((decades.maximum(decades.max() - RANGE) + 4.0) / 4.0)[:, :-1]

    def batch(self, waveforms: Sequence[NDArray[np.float32]], frames: int) -> StorageView:
        """(waveforms, mels, frames) features for CTranslate2, on the device, cut or filled up with zeros."""
        features = [self(waveform)[:, :frames] for waveform in waveforms]
        batch = torch.stack([F.pad(each, (0, frames - each.shape[1])) for each in features])
        if batch.device.type == "cuda":
            torch.cuda.current_stream(batch.device).synchronize()  # CTranslate2 works on a stream of its own
            return StorageView.from_array(batch)
        return StorageView.from_array(batch.numpy())
