"""What the diarisation pipeline needs of a speaker embedding network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from models.record.progress import Report

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from models.runtime.pyannote import SlidingWindow


class Embedder(Protocol):
    """Turns the local speakers of segmentation windows, or their subsegments, into embeddings."""

    dimension: int

    def to(self, device: torch.device) -> Self:
        """Move to `device`."""

    def __call__(
        self, waveform: Tensor, activity: NDArray[np.uint8], window: SlidingWindow, report: Report
    ) -> NDArray[np.float32]:
        """(chunks, speakers, dimension) of activity (chunks, frames, speakers), NaN where there's none.

        waveform: (samples,) float32 or int16 at 16 kHz. window: the windows, from which chunk c hears
        `window.duration` seconds from `window.start + c * window.step` on. report: told of the windows done.
        """
