"""pyannote.audio's own pipeline, to compare with."""

from __future__ import annotations

from pyannote.audio import Audio, Pipeline
from pyannote.audio.models.embedding import WeSpeakerResNet34
from pyannote.audio.pipelines.speaker_diarization import SpeakerDiarization
from pyannote.audio.pipelines.speaker_verification import PretrainedSpeakerEmbedding


class Stock(SpeakerDiarization):
    """pyannote's embedding stage on its own."""

    def __init__(self, network: WeSpeakerResNet34) -> None:
        Pipeline.__init__(self)
        self.training = False
        self.embedding_batch_size = 1
        self._embedding = PretrainedSpeakerEmbedding(network)
        self._audio = Audio(sample_rate=16_000, mono="downmix")
