"""faster-whisper's model, whose encoder works on one batch at a time."""

from __future__ import annotations

from threading import Lock
from typing import Any

import numpy as np
from faster_whisper import WhisperModel
from numpy.typing import NDArray


class Recogniser(WhisperModel):  # type: ignore[misc]
    """A `WhisperModel` that needs the memory of its encoder once, however many threads decode.

    Encoding takes the attention of 1500 frames to each other, 72 MB a chunk of 30 s for the base model.
    While one thread encodes, the others write words, so that next to nothing is lost by taking turns.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._encoding = Lock()

    def encode(self, features: NDArray[np.float32]) -> Any:
        """What the encoder makes of (chunks, mels, frames) features."""
        with self._encoding:
            return super().encode(features)
