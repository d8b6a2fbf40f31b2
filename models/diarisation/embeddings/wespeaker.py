"""WeSpeaker ResNet34, community-1's speaker embedding, with its trunk run once per window.

pyannote runs the whole network once for each local speaker of each window. Local speakers differ in
nothing but the weights of the pooling after the trunk, so here the trunk runs once and its output
is pooled once for each local speaker. The numbers are the same.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.diarisation import local_speakers
from models.record.progress import Report
from models.runtime import parallel
from models.runtime.gpu_failures import FittingBatches
from models.runtime.pyannote import BaseWeSpeakerResNet, SlidingWindow
from models.runtime.samples import SAMPLE_RATE, cut_windows

BATCH_WINDOWS = {"cpu": 1, "cuda": 16}  # on a CPU larger batches are slower
LONG_WINDOW = 60.0  # seconds the trunk of the long-window mode hears at once
LONG_MARGIN = 2.0  # seconds at both ends of a long window whose windows are left to its neighbours
TRUNK_SHIFT = 0.08  # seconds between two output frames of the trunk: 10 ms features, halved three times


class WeSpeakerEmbedder:
    """Embeds local speakers with the trunk run once per window and numbers identical to pyannote's.

    min_samples: shortest clean speech worth preferring to all speech, as `min_num_samples` of pyannote;
    exclude_overlap: as pyannote's `embedding_exclude_overlap`.
    """

    def __init__(self, network: BaseWeSpeakerResNet, *, exclude_overlap: bool, min_samples: int) -> None:
        self.network = network.eval()
        self.dimension = int(network.dimension)
        self.exclude_overlap, self.min_samples = exclude_overlap, min_samples
        self.device = torch.device("cpu")

    def to(self, device: torch.device) -> WeSpeakerEmbedder:
        """Move to `device`."""
        self.network.to(device)
        self.device = device
        return self

    def __call__(
        self,
        waveform: Tensor,
        activity: NDArray[np.uint8],
        window: SlidingWindow,
        report: Report,
    ) -> NDArray[np.float32]:
        """(chunks, speakers, dimension) of activity (chunks, frames, speakers).

        A silent speaker gets what pyannote computes for one, the bias of the last layer, at no cost.
        """
        chunks, _, speakers = activity.shape
        embeddings = np.empty((chunks, speakers, self.dimension), dtype=np.float32)
        embeddings[:] = self._silence()
        masks = self._masks(activity, window)
        heard = np.flatnonzero(activity.any(axis=(1, 2)))
        groups = self._groups(heard, window)

        fitting = FittingBatches()

        def embed(group: NDArray[np.int64]) -> NDArray[np.float32]:
            return np.stack(fitting.run(lambda some: self._embed(waveform, window, some, masks[some]), group))

        for group, vectors in zip(groups, parallel.parallel_map(embed, groups, self.device), strict=True):
            active = activity[group].max(axis=1) > 0
            embeddings[group] = np.where(active[:, :, None], vectors, embeddings[group])
            report(int(group[-1]) + 1, chunks)
        return embeddings

    def _groups(self, heard: NDArray[np.int64], window: SlidingWindow) -> list[NDArray[np.int64]]:
        """Windows to embed at once."""
        size = BATCH_WINDOWS[self.device.type]
        return [heard[first : first + size] for first in range(0, len(heard), size)]

    def _masks(self, activity: NDArray[np.uint8], window: SlidingWindow) -> NDArray[np.uint8]:
        """The frames to pool, (chunks, speakers, frames): a speaker's clean ones where there are enough."""
        masks = np.ascontiguousarray(activity.transpose(0, 2, 1))
        if not self.exclude_overlap:
            return masks
        least = math.ceil(masks.shape[2] * self.min_samples / (window.duration * SAMPLE_RATE))
        clean = local_speakers.without_overlap(activity).transpose(0, 2, 1)
        return np.where(clean.sum(axis=2, keepdims=True) > least, clean, masks)

    def _embed(
        self, waveform: Tensor, window: SlidingWindow, group: NDArray[np.int64], masks: NDArray[np.uint8]
    ) -> NDArray[np.float32]:
        size = round(window.duration * SAMPLE_RATE)
        starts = [round((window.start + chunk * window.step) * SAMPLE_RATE) for chunk in group]
        with torch.inference_mode():
            return self._pool(self._trunk(cut_windows(waveform, starts, size, self.device)), masks)

    def _trunk(self, audio: Tensor) -> Tensor:
        """(batch, channels, bands, frames) of audio (batch, samples)."""
        frames: Tensor = self.network.forward_frames(audio[:, None])
        return frames

    def _pool(self, trunk: Tensor, masks: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(batch, speakers, dimension) of a trunk's output and masks (batch, speakers, frames)."""
        weights = torch.from_numpy(masks).float().to(self.device)
        vectors: NDArray[np.float32] = self.network.forward_embedding(trunk, weights=weights).cpu().numpy()
        return vectors

    def _silence(self) -> NDArray[np.float32]:
        bias: NDArray[np.float32] = self.network.resnet.seg_1.bias.detach().float().cpu().numpy()
        return bias


class LongWindowWeSpeakerEmbedder(WeSpeakerEmbedder):
    """Runs the trunk over long windows, so that it hears every second about once.

    Its features are centred over LONG_WINDOW instead of the segmentation window, so its numbers differ
    from pyannote's; by how much with real weights has not been measured.
    """

    def _groups(self, heard: NDArray[np.int64], window: SlidingWindow) -> list[NDArray[np.int64]]:
        """Windows that fit a long window together, margins and all."""
        room = LONG_WINDOW - window.duration - 2 * LONG_MARGIN
        groups: list[list[int]] = []
        for chunk in heard.tolist():
            if groups and (chunk - groups[-1][0]) * window.step <= room:
                groups[-1].append(chunk)
            else:
                groups.append([chunk])
        return [np.array(group) for group in groups]

    def _embed(
        self, waveform: Tensor, window: SlidingWindow, group: NDArray[np.int64], masks: NDArray[np.uint8]
    ) -> NDArray[np.float32]:
        first = max(0.0, window.start + group[0] * window.step - LONG_MARGIN)
        end = window.start + group[-1] * window.step + window.duration + LONG_MARGIN
        size = round((end - first) * SAMPLE_RATE)
        with torch.inference_mode():
            trunk = self._trunk(cut_windows(waveform, [round(first * SAMPLE_RATE)], size, self.device))
            length = round(window.duration / TRUNK_SHIFT)
            vectors = []
            for chunk, mask in zip(group, masks, strict=True):
                start = round((window.start + chunk * window.step - first) / TRUNK_SHIFT)
                vectors.append(self._pool(trunk[..., start : start + length], mask[None]))
        return np.concatenate(vectors)
