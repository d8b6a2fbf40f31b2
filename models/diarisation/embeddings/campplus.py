"""CAM++: the offline speaker embedding network, and which frames of a recording go through it.

The network follows Wang et al., "CAM++: A Fast and Efficient Network for Speaker Verification Using
Context-Aware Masking" (arXiv 2303.00332): a 2-D residual front end (FCM), three densely connected
blocks of time-delay layers whose outputs are masked by their context (D-TDNN with CAM), statistics
pooling, and a linear layer to 192 dimensions. Attribute names are those of the published state
dict, so that it loads with `strict=True`.
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from models.diarisation import local_speakers
from models.diarisation.embeddings.filter_banks import FRAME_SHIFT, block_features, feature_frames
from models.record.progress import Report
from models.runtime import parallel
from models.runtime.gpu_failures import FittingBatches
from models.runtime.pyannote import SlidingWindow

EMBEDDING_ID = "campplus-zh-en-common-192"  # kept with voices, which compare within one network alone
DIMENSION = 192
CONTEXT_FRAMES = 100  # frames after the stride-2 layer, 2 s, that share one context vector
MIN_FRAMES = 20  # 0.2 s: less says nothing about a voice
EMBED_HOP = 5.0  # seconds between two windows that are embedded
BLOCK_SECONDS = 120.0  # of audio whose features are held at once
BATCH_FRAMES = 1500  # feature frames embedded at once
LENGTH_STEP = 8  # feature frames: subsegments are cut to a multiple of it, so that many share a batch
PADDED_FRAMES = {"cuda": 50_000}  # feature frames of a padded batch: 1.2 GB of a GPU's memory
PADDED_BLOCK_SECONDS = 3600.0  # so that few batches are not full
WIDTHS = (96, 128, 160, 208, 272, 400, 1000)  # feature frames padded to; a window has 1000


def half_precision(device: torch.device) -> Any:
    """Autocast where the device multiplies in 16 bits: twice the speed, cosine to float32 above 0.999."""
    if device.type == "cuda":
        return torch.autocast("cuda", torch.float16)
    if torch.cpu._is_avx512_bf16_supported():
        return torch.autocast("cpu", torch.bfloat16)
    return contextlib.nullcontext()


class Valid:
    """Which frames of a batch are speech: padding must not reach them through a convolution or a mean.

    lengths: (batch,) frames of each; frames: with padding.
    """

    def __init__(self, lengths: Tensor, frames: int) -> None:
        self.lengths = lengths
        self.padding = torch.arange(frames, device=lengths.device) >= lengths[:, None]  # (batch, frames)
        self.share = context_means((~self.padding)[:, None].float())  # (batch, 1, contexts) of each context

    def clear(self, x: Tensor) -> Tensor:
        """`x` (batch, ..., frames) with zeros for padding, in place."""
        return x.masked_fill_(self.padding.view(len(x), *[1] * (x.dim() - 2), -1), 0.0)

    def halved(self) -> Valid:
        """The same after a layer of stride 2."""
        return Valid((self.lengths + 1) // 2, (self.padding.shape[1] + 1) // 2)


def context_means(x: Tensor) -> Tensor:
    """(batch, channels, ceil(frames / 100)) means of x (batch, channels, frames) over each context."""
    return F.avg_pool1d(x, CONTEXT_FRAMES, CONTEXT_FRAMES, ceil_mode=True)


class ResBlock(nn.Module):
    """Two 3 x 3 convolutions over (mel, time) with a shortcut; `stride` shortens the mel axis only."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, stride=(stride, 1), padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Sequential()
        if stride != 1:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, channels, 1, stride=(stride, 1), bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x: Tensor, valid: Valid | None) -> Tensor:
        y = cleared(self.bn1(self.conv1(x)).relu_(), valid)
        return cleared((self.bn2(self.conv2(y)) + self.shortcut(x)).relu_(), valid)


def cleared(x: Tensor, valid: Valid | None) -> Tensor:
    return x if valid is None else valid.clear(x)


class FrontEnd(nn.Module):
    """FCM: (batch, 80, frames) -> (batch, 32 * 10, frames)."""

    def __init__(self, channels: int = 32) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.layer1 = nn.Sequential(ResBlock(channels, 2), ResBlock(channels, 1))
        self.layer2 = nn.Sequential(ResBlock(channels, 2), ResBlock(channels, 1))
        self.conv2 = nn.Conv2d(channels, channels, 3, stride=(2, 1), padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor, valid: Valid | None) -> Tensor:
        x = cleared(self.bn1(self.conv1(x[:, None])).relu_(), valid)
        for block in (*self.layer1, *self.layer2):
            x = block(x, valid)
        return cleared(self.bn2(self.conv2(x)).relu_(), valid).flatten(1, 2)


def norm_relu(channels: int) -> nn.Sequential:
    return nn.Sequential(OrderedDict(batchnorm=nn.BatchNorm1d(channels), relu=nn.ReLU(inplace=True)))


class ContextMask(nn.Module):
    """A time-delay convolution, masked by what the 2 s around and the whole utterance sound like."""

    def __init__(self, channels: int, growth: int, dilation: int) -> None:
        super().__init__()
        self.linear_local = nn.Conv1d(channels, growth, 3, padding=dilation, dilation=dilation, bias=False)
        self.linear1 = nn.Conv1d(channels, channels // 2, 1)
        self.linear2 = nn.Conv1d(channels // 2, growth, 1)

    def forward(self, x: Tensor, valid: Valid | None) -> Tensor:
        whole, around = x.mean(-1, keepdim=True), context_means(x)
        if valid is not None:
            whole = whole * (x.shape[-1] / valid.lengths[:, None, None])
            around = around / valid.share.clamp(min=1.0 / CONTEXT_FRAMES)
        context = whole + around  # (batch, channels, ceil(frames / 100))
        mask = torch.sigmoid(self.linear2(F.relu(self.linear1(context))))
        mask = mask.repeat_interleave(CONTEXT_FRAMES, dim=-1)[..., : x.shape[-1]]
        return self.linear_local(x) * mask


class DenseLayer(nn.Module):
    """Bottleneck and context-masked convolution: (batch, channels, frames) -> (batch, growth, frames)."""

    def __init__(self, channels: int, bottleneck: int, growth: int, dilation: int) -> None:
        super().__init__()
        self.nonlinear1 = norm_relu(channels)
        self.linear1 = nn.Conv1d(channels, bottleneck, 1, bias=False)
        self.nonlinear2 = norm_relu(bottleneck)
        self.cam_layer = ContextMask(bottleneck, growth, dilation)

    def forward(self, x: Tensor, valid: Valid | None) -> Tensor:
        return self.cam_layer(cleared(self.nonlinear2(self.linear1(self.nonlinear1(x))), valid), valid)


class DenseBlock(nn.ModuleDict):
    """Layers of which each sees the outputs of all before it."""

    def __init__(self, layers: int, channels: int, bottleneck: int, growth: int, dilation: int) -> None:
        super().__init__(
            {
                f"tdnnd{i + 1}": DenseLayer(channels + i * growth, bottleneck, growth, dilation)
                for i in range(layers)
            }
        )

    def forward(self, x: Tensor, valid: Valid | None) -> Tensor:
        for layer in self.values():
            x = torch.cat((x, layer(x, valid)), dim=1)
        return x


class Transition(nn.Module):
    """Halves the channels between two dense blocks."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.nonlinear = norm_relu(channels)
        self.linear = nn.Conv1d(channels, channels // 2, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.nonlinear(x))


class ConvNorm(nn.Module):
    """A convolution followed by its normalisation."""

    def __init__(self, linear: nn.Conv1d, nonlinear: nn.Module) -> None:
        super().__init__()
        self.linear = linear
        self.nonlinear = nonlinear

    def forward(self, x: Tensor) -> Tensor:
        return self.nonlinear(self.linear(x))


class StatisticsPooling(nn.Module):
    """(batch, channels, frames) -> (batch, 2 * channels, 1): mean and standard deviation over time."""

    def forward(self, x: Tensor, valid: Valid | None) -> Tensor:
        if valid is None:
            return torch.cat((x.mean(-1), x.std(-1)), dim=-1)[..., None]
        x, lengths = x.float(), valid.lengths[:, None]
        mean = valid.clear(x).sum(-1) / lengths
        square = valid.clear(x - mean[..., None]).square().sum(-1) / (lengths - 1)
        return torch.cat((mean, square.sqrt()), dim=-1)[..., None]


class CAMPlusPlus(nn.Module):
    """Speaker embedding of one voice.

    forward: (batch, frames, 80) mean-normalised log mel energies -> (batch, 192). lengths: (batch,) how many frames of
    each are speech, where the rest, all zeros, is padding, which changes nothing.
    """

    dimension = DIMENSION

    def __init__(self, growth: int = 32, bottleneck: int = 128) -> None:
        super().__init__()
        self.head = FrontEnd()
        stages: OrderedDict[str, nn.Module] = OrderedDict()
        stages["tdnn"] = ConvNorm(
            nn.Conv1d(320, bottleneck, 5, stride=2, padding=2, bias=False), norm_relu(bottleneck)
        )
        channels = bottleneck
        for i, (layers, dilation) in enumerate(((12, 1), (24, 2), (16, 2)), start=1):
            stages[f"block{i}"] = DenseBlock(layers, channels, bottleneck, growth, dilation)
            channels += layers * growth
            stages[f"transit{i}"] = Transition(channels)
            channels //= 2
        stages["out_nonlinear"] = norm_relu(channels)
        stages["stats"] = StatisticsPooling()
        stages["dense"] = ConvNorm(
            nn.Conv1d(2 * channels, DIMENSION, 1, bias=False),
            nn.Sequential(OrderedDict(batchnorm=nn.BatchNorm1d(DIMENSION, affine=False))),
        )
        self.xvector = nn.Sequential(stages)

    def forward(self, features: Tensor, lengths: Tensor | None = None) -> Tensor:
        valid = None if lengths is None else Valid(lengths, features.shape[1])
        x = self.head(features.transpose(1, 2), valid)
        valid = None if valid is None else valid.halved()
        for stage in self.xvector:
            heeds = isinstance(stage, DenseBlock | StatisticsPooling)
            x = stage(x, valid) if heeds else stage(x)
        return x.squeeze(-1)


def load(path: Path) -> CAMPlusPlus:
    """The network with the weights of `path`, a plain state dict, ready for inference."""
    network = CAMPlusPlus()
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True), strict=True)
    return network.eval().requires_grad_(False)


class CAMPPlusEmbedder:
    """Embeds the clean frames of local speakers, each stretch of speech about once or twice.

    Windows that overlap hold the same speech. Only those about EMBED_HOP seconds apart are embedded;
    in the others a subsegment takes the mean of the embeddings that it shares its speech with, unless
    nobody has embedded it. Features are computed once, block by block. No embedding is changed by the others of its
    batch. Computes in bfloat16 where the CPU does so natively, in float16 on a GPU.

    padded_frames: feature frames of a batch that holds subsegments of many lengths, padded to one of WIDTHS: on a GPU
    each new shape costs as much as an hour of speech. Without it a batch is of one length, which is fastest on a CPU.
    """

    dimension = DIMENSION

    def __init__(self, network: CAMPlusPlus, padded_frames: int | None = None) -> None:
        self.network = network
        self.padded_frames = padded_frames
        self.device = torch.device("cpu")

    def to(self, device: torch.device) -> CAMPPlusEmbedder:
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
        """(chunks, subsegments, 192) of activity (chunks, frames, subsegments); NaN for those under MIN_FRAMES."""
        chunks, frames, count = activity.shape
        chosen = local_speakers.spaced_windows(chunks, window.step, EMBED_HOP)
        cover = local_speakers.SharedSpeech(activity, chosen, window.step / window.duration * frames)
        embeddings = np.full((chunks, count, DIMENSION), np.nan, dtype=np.float32)
        seconds = BLOCK_SECONDS if self.padded_frames is None else PADDED_BLOCK_SECONDS
        per_block = max(1, int(seconds / window.step))
        for first in range(0, chunks, per_block):
            report(first, chunks)
            block = range(first, min(chunks, first + per_block))
            self._embed_block(waveform, activity, window, cover, embeddings, block)
        for chunk in np.flatnonzero(~chosen):
            _inherit(embeddings, int(chunk), cover)
        report(chunks, chunks)
        return embeddings

    def _embed_block(
        self,
        waveform: Tensor,
        activity: NDArray[np.uint8],
        window: SlidingWindow,
        cover: local_speakers.SharedSpeech,
        embeddings: NDArray[np.float32],
        chunks: range,
    ) -> None:
        """Fill in the embeddings of the subsegments of `chunks` that aren't covered by other windows."""
        origin = round(chunks.start * window.step / FRAME_SHIFT)
        per_chunk = round(window.duration / FRAME_SHIFT)
        end = min(
            round((chunks.stop - 1) * window.step / FRAME_SHIFT) + per_chunk, feature_frames(len(waveform))
        )
        frames = np.arange(per_chunk) * activity.shape[1] // per_chunk  # in segmentation
        places, speech = [], []
        for chunk in chunks:
            first = round(chunk * window.step / FRAME_SHIFT) - origin
            wanted = activity[chunk].any(axis=0) & (cover.chosen[chunk] | ~cover.covered(chunk))
            alone = activity[chunk].sum(axis=1) == 1
            for subsegment in np.flatnonzero(wanted):
                mask = activity[chunk, :, subsegment].astype(bool)
                own = np.flatnonzero((mask & alone)[frames])
                own = own if len(own) >= MIN_FRAMES else np.flatnonzero(mask[frames])
                own = own[own + first < end - origin] + first
                if len(own) >= MIN_FRAMES:
                    cut = len(own) % LENGTH_STEP if len(own) >= MIN_FRAMES + LENGTH_STEP else 0
                    places.append((chunk, subsegment))
                    speech.append(own[: len(own) - cut])
        if speech:
            features = block_features(waveform, origin, end, self.device)
            chunk, subsegment = np.array(places).T
            embeddings[chunk, subsegment] = self.embed_frames(features, speech)

    def embed_frames(self, features: Tensor, speech: list[NDArray[np.int64]]) -> NDArray[np.float32]:
        """(len(speech), 192) of `speech`, indices of MIN_FRAMES or more of features (frames, 80) each."""
        lengths = [len(own) for own in speech]
        vectors = np.empty((len(speech), DIMENSION), dtype=np.float32)
        if self.padded_frames is not None:
            widths, batches = padded_batches(lengths, self.padded_frames)
            fitting = {width: FittingBatches() for width in widths}
            parts: list[Tensor] = []
            for width, batch in zip(widths, batches, strict=True):
                embed_padded = partial(self._embed_padded, features, width, fitting[width])
                parts += fitting[width].run(embed_padded, [speech[i] for i in batch])
            vectors[np.concatenate(batches)] = torch.stack(parts).cpu().numpy()
            return vectors

        def embed(batch: list[int]) -> NDArray[np.float32]:
            return self.embed(torch.stack([features[torch.from_numpy(speech[i])] for i in batch]))

        groups = batches_by_length(lengths)
        for batch, some in zip(groups, parallel.parallel_map(embed, groups, self.device), strict=True):
            vectors[batch] = some
        return vectors

    def embed(self, features: Tensor) -> NDArray[np.float32]:
        """(batch, 192) of features (batch, frames, 80) as `fbank` has them, MIN_FRAMES at least."""
        features = (features - features.mean(1, keepdim=True)).to(self.device)
        with torch.inference_mode(), half_precision(self.device):
            return self.network(features).float().cpu().numpy()

    def _embed_padded(
        self, features: Tensor, width: int, fitting: FittingBatches, speech: list[NDArray[np.int64]]
    ) -> Tensor:
        """(len(speech), 192) on the device, by a batch of `width` whose shape doesn't depend on `speech`."""
        assert self.padded_frames is not None
        rows = max(1, self.padded_frames // width)
        frames = np.zeros((min(rows, fitting.most or rows), width), dtype=np.int64)
        for row, own in zip(frames, speech, strict=False):
            row[: len(own)] = own
        lengths = torch.full((len(frames),), MIN_FRAMES)  # of rows without speech, which nobody looks at
        lengths[: len(speech)] = torch.tensor([len(own) for own in speech])
        lengths = lengths.to(self.device)
        with torch.inference_mode(), half_precision(self.device):
            batch = features[torch.from_numpy(frames).to(self.device)]
            padding = torch.arange(width, device=self.device) >= lengths[:, None]
            batch.masked_fill_(padding[:, :, None], 0.0)
            batch -= batch.sum(1, keepdim=True) / lengths[:, None, None]
            batch.masked_fill_(padding[:, :, None], 0.0)
            return self.network(batch, lengths)[: len(speech)].float()


def batches_by_length(lengths: list[int]) -> list[list[int]]:
    """Indices of subsegments of one length, longest first, BATCH_FRAMES at most together."""
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    groups: list[list[int]] = []
    for i in order:
        same = bool(groups) and lengths[groups[-1][0]] == lengths[i]
        if same and (len(groups[-1]) + 1) * lengths[i] <= BATCH_FRAMES:
            groups[-1].append(i)
        else:
            groups.append([i])
    return groups


def padded_batches(lengths: list[int], frames: int) -> tuple[list[int], list[list[int]]]:
    """Of each batch its width, one of WIDTHS, and the indices of its subsegments, longest first.

    lengths: feature frames of each subsegment, WIDTHS[-1] at most; frames: of a batch, padding included.
    """
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    widths: list[int] = []
    batches: list[list[int]] = []
    while order:
        width = next(width for width in WIDTHS if width >= lengths[order[0]])
        rows = max(1, frames // width)
        widths.append(width)
        batches.append(order[:rows])
        order = order[rows:]
    return widths, batches


def _inherit(embeddings: NDArray[np.float32], chunk: int, cover: local_speakers.SharedSpeech) -> None:
    """Give the unembedded subsegments of `chunk` the mean of what they share speech with, by shared frames."""
    missing = np.flatnonzero(np.isnan(embeddings[chunk, :, 0]) & cover.activity[chunk].any(axis=0))
    if len(missing) == 0:
        return
    total = np.zeros((len(missing), DIMENSION), dtype=np.float32)
    for other, shared in cover.sources(chunk):
        there = np.flatnonzero(np.isfinite(embeddings[other, :, 0]))
        theirs = embeddings[other, there]
        theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
        total += shared[np.ix_(missing, there)] @ theirs
    found = total.any(axis=1)
    embeddings[chunk, missing[found]] = total[found]
