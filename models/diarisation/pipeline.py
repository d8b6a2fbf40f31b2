"""pyannote.audio's speaker diarisation pipeline with its slow and memory-hungry stages rebuilt.

The steps, their order and the result are `SpeakerDiarization`'s. What changes:

- Audio may be 16-bit or float, in memory or mapped from a file; windows are converted as they are needed.
  On a GPU it goes there first, and what networks answer comes back in one piece.
- Windows in which nothing sounds don't go through the network.
- Embeddings: pyannote runs its network over the whole window once per local speaker. Here a segment of
  speech goes through the network about once, and silent local speakers cost nothing.
- Counting and reconstruction add windows up in place instead of laying them all out at once, which
  keeps ten hours of audio within a few hundred megabytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.diarisation import turn_boundaries
from models.diarisation.clustering import BoundedVBx, Ints, VoiceClustering
from models.diarisation.embeddings import campplus, wespeaker
from models.diarisation.embeddings.embedder import Embedder
from models.diarisation.local_speakers import MAX_SUBSEGMENTS, split_local_speakers
from models.runtime import offline_models, parallel
from models.runtime.gpu_failures import FittingBatches
from models.runtime.pyannote import (
    Annotation,
    Inference,
    Model,
    ParamDict,
    Pipeline,
    Segment,
    SlidingWindow,
    SlidingWindowFeature,
    SpeakerDiarization,
    Uniform,
    VBxClustering,
)
from models.runtime.samples import cut_windows

BLOCK_FRAMES = 100_000  # about half an hour of segmentation frames, ranked at once in reconstruction
BATCH_SIZES = {"cpu": 4, "cuda": 64}  # segmentation windows at once
DEVICE_AUDIO = 400_000_000  # bytes, 3.5 h of 16 bits: of longer audio a GPU holds what is being heard
FILL_SECONDS = 0.2  # a shorter pause of one speaker isn't the end of a turn


class BoundedDiarization(SpeakerDiarization):
    """`SpeakerDiarization` that needs little memory, whose embeddings come from an `Embedder`.

    Called like its parent, with {"waveform": (1, samples) float32 or int16, "sample_rate": 16000,
    "uri": ...}.
    """

    embedder: Embedder

    @classmethod
    def of(cls, pipeline: SpeakerDiarization, embedder: Embedder) -> BoundedDiarization:
        """The same as a loaded pipeline, in bounded memory: its models, parameters and clustering."""
        bounded = cls.__new__(cls)
        bounded.__dict__.update(pipeline.__dict__)
        bounded.__dict__["embedder"] = embedder
        if isinstance(bounded.clustering, VBxClustering):
            bounded.clustering.__class__ = BoundedVBx
        return bounded

    def to(self, device: torch.device) -> Any:
        """Move both networks to `device`."""
        self._segmentation.to(device)
        self.embedder.to(device)
        return self

    def apply(self, file: dict[str, Any], **options: Any) -> Any:
        """The parent's, with audio that isn't too long on the device of the networks."""
        waveform = file["waveform"]
        if waveform.nbytes <= DEVICE_AUDIO:
            file = {**file, "waveform": waveform.to(self._segmentation.device)}
        return super().apply(file, **options)

    def get_segmentations(
        self, file: dict[str, Any], hook: Callable[..., None] | None = None
    ) -> SlidingWindowFeature:
        """(chunks, frames, speakers) uint8 for a powerset model, float32 scores for another."""
        waveform = file["waveform"][0]
        return self._segment(waveform, turn_boundaries.sound_levels(waveform), hook)

    def _segment(
        self, waveform: Tensor, levels: turn_boundaries.Levels, hook: Callable[..., None] | None
    ) -> SlidingWindowFeature:
        """What `get_segmentations` gives, of a waveform (samples,) whose levels are known."""
        inference = self._segmentation
        model, device = inference.model, inference.device
        size = model.audio.get_num_samples(inference.duration)
        step = round(inference.step * model.audio.sample_rate)
        starts = np.array(window_starts(len(waveform), size, step))
        heard = np.flatnonzero(turn_boundaries.windows_with_sound(levels, starts, size))
        powerset = model.specifications.powerset

        def infer(batch: NDArray[np.int64]) -> Tensor:
            with torch.inference_mode():
                windows = cut_windows(waveform, starts[batch].tolist(), size, device)
                scores = inference.conversion(model(windows[:, None]))
                return scores.to(torch.uint8) if powerset else scores

        batches = [
            heard[first : first + inference.batch_size]
            for first in range(0, len(heard), inference.batch_size)
        ]
        fitting = FittingBatches()
        work = parallel.parallel_map(lambda batch: torch.stack(fitting.run(infer, batch)), batches, device)
        parts: list[Tensor] = []
        with full_precision():
            for batch, part in zip(batches, work, strict=True):
                parts.append(part)
                if hook is not None:
                    hook("segmentation", None, total=len(starts), completed=int(batch[-1]) + 1)
        shape = (len(starts), model.num_frames(size), len(model.specifications.classes))
        scores = np.zeros(shape, dtype=np.uint8 if powerset else np.float32)
        if parts:
            scores[heard] = torch.cat(parts).cpu().numpy()
        window = SlidingWindow(start=0.0, duration=inference.duration, step=inference.step)
        return SlidingWindowFeature(scores, window)

    @staticmethod
    def speaker_count(
        binarized_segmentations: SlidingWindowFeature,
        frames: SlidingWindow,
        warm_up: tuple[float, float] = (0.0, 0.0),
    ) -> SlidingWindowFeature:
        """How many people talk in each frame, (frames, 1) uint8: the rounded mean over the windows."""
        data, window = binarized_segmentations.data, binarized_segmentations.sliding_window
        frames = SlidingWindow(start=window.start, duration=frames.duration, step=frames.step)
        places = first_frames(window, frames, len(data))
        total = np.zeros(places[-1] + data.shape[1], dtype=np.float32)
        windows = np.zeros_like(total)
        for place, chunk in zip(places, data, strict=True):
            total[place : place + len(chunk)] += np.nan_to_num(chunk).sum(axis=1)
            windows[place : place + len(chunk)] += 1.0
        count = np.rint(total / np.maximum(windows, 1.0)).astype(np.uint8)
        return SlidingWindowFeature(count[:, None], frames)

    def get_embeddings(
        self,
        file: dict[str, Any],
        binary_segmentations: SlidingWindowFeature,
        exclude_overlap: bool = False,
        hook: Callable[..., None] | None = None,
    ) -> NDArray[np.float32]:
        """(chunks, speakers, dimension), NaN for those who can't be embedded."""

        def report(completed: int, total: int) -> None:
            if hook is not None:
                hook("embeddings", None, total=total, completed=completed)

        activity = binary_segmentations.data
        if activity.dtype != np.uint8:  # a copy of what is uint8 already would cost 200 MB for ten hours
            activity = np.nan_to_num(activity).astype(np.uint8)
        return self.embedder(file["waveform"][0], activity, binary_segmentations.sliding_window, report)

    def reconstruct(
        self, segmentations: SlidingWindowFeature, hard_clusters: Ints, count: SlidingWindowFeature
    ) -> SlidingWindowFeature:
        """Who talks in each frame, (frames, clusters) uint8: as many as counted, the most voted for."""
        data = segmentations.data
        clusters = max(int(hard_clusters.max()) + 1, int(count.data.max(initial=0)))
        places = first_frames(segmentations.sliding_window, count.sliding_window, len(data))
        votes = np.zeros((places[-1] + data.shape[1], clusters), dtype=np.float32)
        for place, chunk, own in zip(places, data, hard_clusters, strict=True):
            for k in set(own[own >= 0].tolist()):
                votes[place : place + len(chunk), k] += chunk[:, own == k].max(axis=1)
        length = min(len(votes), len(count.data))
        speaking = np.zeros((length, clusters), dtype=np.uint8)
        for first in range(0, length, BLOCK_FRAMES):
            block = slice(first, min(length, first + BLOCK_FRAMES))
            ranks = np.argsort(np.argsort(-votes[block], axis=1, kind="stable"), axis=1, kind="stable")
            speaking[block] = ranks < count.data[block]
        return SlidingWindowFeature(speaking, count.sliding_window)

    @staticmethod
    def to_annotation(
        discrete_diarization: SlidingWindowFeature,
        min_duration_on: float = 0.0,
        min_duration_off: float = 0.0,
    ) -> Annotation:
        """The runs of each cluster as segments from frame middle to frame middle, as pyannote has them."""
        frames = discrete_diarization.sliding_window
        annotation = Annotation()
        for k, active in enumerate(discrete_diarization.data.T):
            edges = np.flatnonzero(np.diff(np.pad(active.astype(np.int8), 1)))
            last = len(active) - 1
            for start, end in zip(edges[::2], edges[1::2], strict=True):
                segment = Segment(frames[int(start)].middle, frames[int(min(end, last))].middle)
                if segment:
                    annotation[segment, k] = k
        if min_duration_off > 0.0:
            annotation = annotation.support(collar=min_duration_off)
        if min_duration_on > 0.0:
            annotation = annotation.subset_by_duration(min_duration_on)
        return annotation


class AudibleSegmentation(SlidingWindowFeature):
    """A segmentation that brings along where its recording is audible, (frames,)."""

    def __init__(
        self, data: NDArray[np.uint8], window: SlidingWindow, audible: turn_boundaries.Audible
    ) -> None:
        super().__init__(data, window)
        self.audible = audible


class OfflineDiarization(BoundedDiarization):
    """`SpeakerDiarization` with segmentation-3.0 and CAM++, needing no account.

    step: distance between two segmentation windows as a fraction of their length.
    """

    def __init__(self, segmentation: Model, embedder: Embedder, *, step: float, batch_size: int) -> None:
        # Not SpeakerDiarization.__init__: it insists on a PLDA and an embedding from a pyannote checkpoint.
        Pipeline.__init__(self)
        self.legacy = False
        self.training = False
        self.segmentation_step = step
        self.embedding_exclude_overlap = True
        self.klustering = "VoiceClustering"
        duration = segmentation.specifications.duration
        self._segmentation = Inference(
            segmentation,
            duration=duration,
            step=step * duration,
            skip_aggregation=True,
            batch_size=batch_size,
        )
        self.segmentation = ParamDict(min_duration_off=Uniform(0.0, 1.0))
        self.embedder = embedder
        self._embedding = embedder  # where pyannote's `apply` asks for the dimension
        self.clustering = VoiceClustering(subsegments=MAX_SUBSEGMENTS)
        self._expects_num_speakers = False

    def get_segmentations(
        self, file: dict[str, Any], hook: Callable[..., None] | None = None
    ) -> SlidingWindowFeature:
        """Each local speaker in subsegments: (chunks, frames, speakers * MAX_SUBSEGMENTS) uint8."""
        waveform = file["waveform"][0]
        levels = turn_boundaries.sound_levels(waveform)
        whole = self._segment(waveform, levels, hook)
        heard = turn_boundaries.audible_frames(levels)
        return AudibleSegmentation(split_local_speakers(whole.data), whole.sliding_window, heard)

    def reconstruct(
        self, segmentations: SlidingWindowFeature, hard_clusters: Ints, count: SlidingWindowFeature
    ) -> SlidingWindowFeature:
        """The parent's, with turns that begin and end where their sound does."""
        speaking = super().reconstruct(segmentations, hard_clusters, count)
        # As it came from get_segmentations: pyannote hands on what a powerset model gives.
        assert isinstance(segmentations, AudibleSegmentation)
        turn_boundaries.extend_turns_to_sound(speaking.data, segmentations.audible)
        return speaking


def full_precision() -> Any:
    """Convolutions and LSTMs in float32 on a GPU too: in fewer bits 2 % of the frames come out otherwise."""
    return torch.backends.cudnn.flags(enabled=True, allow_tf32=False)


def window_starts(samples: int, size: int, step: int) -> range:
    """First samples of the windows that cover `samples`; the last one may reach past the end."""
    return range(0, max(0, samples - size) + (step if samples > size else 1), step)


def first_frames(window: SlidingWindow, frames: SlidingWindow, chunks: int) -> NDArray[np.int64]:
    """Index of the frame each of `chunks` windows begins with, as `Inference.aggregate` rounds it."""
    starts = window.start + window.step * np.arange(chunks)
    return np.rint((starts - window.start) / frames.step).astype(np.int64)


def bounded_community(
    pipeline: SpeakerDiarization,
    device: str,
    step: float,
    kind: type[wespeaker.WeSpeakerEmbedder] = wespeaker.WeSpeakerEmbedder,
) -> BoundedDiarization:
    """community-1 as it comes from the hub, in bounded memory; `step` as a fraction of its window."""
    speaker = pipeline._embedding
    embedder = kind(
        speaker.model_,
        exclude_overlap=pipeline.embedding_exclude_overlap,
        min_samples=speaker.min_num_samples,
    )
    bounded = BoundedDiarization.of(pipeline, embedder)
    bounded._segmentation.step = step * bounded._segmentation.duration
    bounded._segmentation.batch_size = BATCH_SIZES[device]
    return bounded.to(torch.device(device))


def load_offline(device: str, step: float) -> OfflineDiarization:
    """The offline pipeline on `device`. ModelError when the offline set was never pulled."""
    segmentation = Model.from_pretrained(str(offline_models.SEGMENTATION.require() / "pytorch_model.bin"))
    embedder = campplus.CAMPPlusEmbedder(
        campplus.load(offline_models.CAMPPLUS.require() / "campplus_cn_en_common.pt"),
        campplus.PADDED_FRAMES.get(device),
    )
    pipeline = OfflineDiarization(segmentation, embedder, step=step, batch_size=BATCH_SIZES[device])
    pipeline.instantiate({"segmentation": {"min_duration_off": FILL_SECONDS}})
    return pipeline.to(torch.device(device))
