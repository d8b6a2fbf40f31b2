"""faster-whisper's model, whose encoder works on few chunks at a time, and on little more than their sound."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from threading import Semaphore
from typing import TYPE_CHECKING, Any

import numpy as np
from ctranslate2 import Device, StorageView
from faster_whisper import WhisperModel
from faster_whisper.audio import pad_or_trim
from numpy.typing import NDArray

from models.asr.chunking import FRAME_RATE, SILENCE
from models.runtime.samples import SAMPLE_RATE

if TYPE_CHECKING:
    from models.asr.log_mel import LogMel


class EncoderLimitedModel(WhisperModel):  # type: ignore[misc]
    """A `WhisperModel` of which at most half the workers, and at least one, encode at once.

    Encoding takes the attention of all frames to each other, 72 MB for a chunk of 30 s and the base model.
    While some workers encode, the others write words: taking turns costs about a twentieth of the time.
    features_device: where torch computes features for a GPU; None for numpy, as is best on a CPU.
    """

    def __init__(
        self, path: str, *, num_workers: int, features_device: str | None = None, **options: Any
    ) -> None:
        super().__init__(path, num_workers=num_workers, **options)
        self._encoders = Semaphore(max(1, num_workers // 2))
        self._log_mel: LogMel | None = None
        if features_device is not None:
            from models.asr.log_mel import LogMel

            self._log_mel = LogMel(self.feature_extractor.mel_filters, features_device)

    def encode(self, features: NDArray[np.float32]) -> Any:
        """What the encoder makes of (chunks, mels, frames) features."""
        with self._encoders:
            return super().encode(features)

    @cached_property
    def silence(self) -> NDArray[Any]:
        """(frames, width): what the encoder makes of `SILENCE` seconds without a sound."""
        samples = np.zeros(round(SILENCE * SAMPLE_RATE), dtype=np.float32)
        states: NDArray[Any] = on_host(self.encode_chunks([samples], round(SILENCE * FRAME_RATE)))[0]
        return states

    def encode_chunks(self, waveforms: Sequence[NDArray[np.float32]], frames: int) -> StorageView:
        """(chunks, frames / 2, width) of (samples,) waveforms at 16 kHz, each filled up to `frames` of features.

        On a GPU all at once. On a CPU one after the other: that is as fast, and takes the memory of one.
        """
        if self._log_mel is not None:
            features = self._log_mel.batch(waveforms, frames)
            with self._encoders:
                return self.model.encode(features)
        encoded = [
            np.asarray(self.encode(pad_or_trim(self.feature_extractor(waveform)[..., :-1], frames)))
            for waveform in waveforms
        ]
        return StorageView.from_array(np.concatenate(encoded))


def on_host(encoded: StorageView) -> NDArray[Any]:
    """(chunks, frames, width) of an encoding, in the memory of the machine."""
    return np.asarray(encoded.to_device(Device.cpu) if encoded.device == "cuda" else encoded)
