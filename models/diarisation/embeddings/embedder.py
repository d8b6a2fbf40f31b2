"""pyannote.audio's speaker diarisation pipeline with its slow and memory-hungry stages rebuilt.

The steps, their order and the result are `SpeakerDiarization`'s. What changes:

- Audio may be 16-bit or float, in memory or mapped from a file; windows are converted as they are needed.
- Embeddings: pyannote runs its network over the whole window once per local speaker. Here a segment of
  speech goes through the network about once, and silent local speakers cost nothing.
- Counting and reconstruction add windows up in place instead of laying them all out at once, which
  keeps ten hours of audio within a few hundred megabytes.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.record.progress import Report
from models.runtime.pyannote import SlidingWindow


class Embedder(Protocol):
    """Turns local speakers into embeddings."""

    dimension: int

    def to(self, device: torch.device) -> Any:
        """Move to `device`."""

    def __call__(
        self, waveform: Tensor, activity: NDArray[np.uint8], window: SlidingWindow, report: Report
    ) -> NDArray[np.float32]:
        """(chunks, speakers, dimension) of activity (chunks, frames, speakers), NaN where there's none."""
