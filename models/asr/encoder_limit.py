"""faster-whisper's model, whose encoder works on few batches at a time."""

from __future__ import annotations

from threading import Semaphore
from typing import Any

import numpy as np
from faster_whisper import WhisperModel
from numpy.typing import NDArray


class EncoderLimitedModel(WhisperModel):  # type: ignore[misc]
    """A `WhisperModel` of which at most half the workers, and at least one, encode at once.

    Encoding takes the attention of 1500 frames to each other, 72 MB a chunk of 30 s for the base model.
    While some workers encode, the others write words: taking turns costs about a twentieth of the time.
    """

    def __init__(self, path: str, *, num_workers: int, **options: Any) -> None:
        super().__init__(path, num_workers=num_workers, **options)
        self._encoders = Semaphore(max(1, num_workers // 2))

    def encode(self, features: NDArray[np.float32]) -> Any:
        """What the encoder makes of (chunks, mels, frames) features."""
        with self._encoders:
            return super().encode(features)
