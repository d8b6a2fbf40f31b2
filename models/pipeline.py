"""pyannote.audio's speaker diarisation pipeline with the embedding stage rebuilt for CAM++.

Segmentation, speaker counting, clustering and reconstruction are pyannote's own. What changes is how
embeddings are made: pyannote runs its network over the whole window once per local speaker, here a
local speaker's own clean frames (nobody else talking) are gathered from features that are computed
once, and silent local speakers cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import models.quiet  # noqa: F401  (must come before pyannote.audio)
import numpy as np
import torch
from numpy.typing import NDArray
from pyannote.audio import Inference, Model, Pipeline
from pyannote.audio.pipelines.clustering import AgglomerativeClustering
from pyannote.audio.pipelines.speaker_diarization import SpeakerDiarization
from pyannote.core import SlidingWindowFeature
from pyannote.pipeline.parameter import ParamDict, Uniform
from torch import Tensor

from models import campplus, files

EMBEDDING_ID = "campplus-zh-en-common-192"
BUCKET_FRAMES = 25  # lengths are cut to multiples of 0.25 s so that equals can share a batch
CLUSTERING = {"method": "centroid", "min_cluster_size": 12, "threshold": 0.7}


class OfflineDiarization(SpeakerDiarization):
    """`SpeakerDiarization` with segmentation-3.0 and CAM++, needing no account.

    step: distance between two segmentation windows as a fraction of their length.
    Called like its parent, with {"waveform": (1, samples), "sample_rate": 16000, "uri": ...}.
    """

    def __init__(
        self, segmentation: Model, embedding: campplus.CAMPlusPlus, *, step: float, batch_size: int
    ) -> None:
        # Not SpeakerDiarization.__init__: it insists on a PLDA and an embedding from a pyannote checkpoint.
        Pipeline.__init__(self)
        self.legacy = False
        self.training = False
        self.segmentation_step = step
        self.embedding_exclude_overlap = True
        self.klustering = "AgglomerativeClustering"
        duration = segmentation.specifications.duration
        self._segmentation = Inference(
            segmentation, duration=duration, step=step * duration, skip_aggregation=True, batch_size=batch_size
        )
        self.segmentation = ParamDict(min_duration_off=Uniform(0.0, 1.0))
        self._embedding = embedding
        self.clustering = AgglomerativeClustering(metric="cosine")
        self._expects_num_speakers = False

    def to(self, device: torch.device) -> OfflineDiarization:
        self._segmentation.to(device)
        self._embedding.to(device)
        return self

    def get_embeddings(
        self,
        file: dict[str, Any],
        binary_segmentations: SlidingWindowFeature,
        exclude_overlap: bool = True,
        hook: Callable[..., None] | None = None,
    ) -> NDArray[np.float32]:
        """One embedding per window and local speaker: (chunks, speakers, 192), NaN where silent."""
        activity = np.nan_to_num(binary_segmentations.data) > 0.5  # (chunks, frames, speakers)
        features = campplus.fbank(file["waveform"][0])
        window = binary_segmentations.sliding_window
        chunks, frames, speakers = activity.shape
        per_chunk = round(window.duration / campplus.FRAME_SHIFT)
        to_mask = np.minimum(np.arange(per_chunk) * frames // per_chunk, frames - 1)
        embeddings = np.full((chunks, speakers, campplus.DIMENSION), np.nan, dtype=np.float32)
        for done, (chunk, speaker, mask) in enumerate(_voices(activity)):
            first = round((window.start + chunk * window.step) / campplus.FRAME_SHIFT)
            piece = features[first : first + per_chunk]
            own = piece[torch.from_numpy(mask[to_mask][: len(piece)])]
            if len(own) >= campplus.MIN_FRAMES:
                embeddings[chunk, speaker] = self._embed(own)
            if hook is not None and done % 16 == 0:
                hook("embeddings", None, total=chunks, completed=chunk)
        return embeddings

    def _embed(self, features: Tensor) -> NDArray[np.float32]:
        features = features - features.mean(0)
        with torch.inference_mode():
            return self._embedding(features[None].to(self._segmentation.device))[0].float().cpu().numpy()


def _voices(activity: NDArray[np.bool_]) -> Any:
    """(chunk, speaker, mask) of every local speaker who says something; clean frames where they suffice."""
    alone = activity.sum(axis=2) == 1
    need = campplus.MIN_FRAMES * 2 * activity.shape[1] // 1000
    for chunk, speaker in zip(*np.nonzero(activity.any(axis=1)), strict=True):
        mask = activity[chunk, :, speaker]
        clean = mask & alone[chunk]
        yield chunk, speaker, clean if clean.sum() >= need else mask


def load_offline(device: str, step: float) -> OfflineDiarization:
    """The offline pipeline on `device`. ModelError when the offline set was never pulled."""
    segmentation = Model.from_pretrained(str(files.SEGMENTATION.require() / "pytorch_model.bin"))
    embedding = campplus.load(files.CAMPPLUS.require() / "campplus_cn_en_common.pt")
    pipeline = OfflineDiarization(
        segmentation, embedding, step=step, batch_size=32 if device == "cuda" else 4
    )
    pipeline.instantiate({"segmentation": {"min_duration_off": 0.0}, "clustering": CLUSTERING})
    return pipeline.to(torch.device(device))
