"""CAM++: the offline speaker embedding network and the features it listens to.

The network follows Wang et al., "CAM++: A Fast and Efficient Network for Speaker Verification Using
Context-Aware Masking" (arXiv 2303.00332): a 2-D residual front end (FCM), three densely connected
blocks of time-delay layers whose outputs are masked by their context (D-TDNN with CAM), statistics
pooling, and a linear layer to 192 dimensions. Attribute names are those of the published state
dict, so that it loads with `strict=True`.
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchaudio.compliance.kaldi as kaldi
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from models.diarisation import local_speakers
from models.record.progress import Report
from models.runtime import parallel
from models.runtime.gpu_failures import FittingBatches
from models.runtime.pyannote import SlidingWindow
from models.runtime.samples import SAMPLE_RATE, as_float_tensor

EMBEDDING_ID = "campplus-zh-en-common-192"  # kept with voices, which compare within one network alone
N_MELS = 80
LOWEST = 20.0  # Hz, where Kaldi's first mel bin begins
FRAME_SHIFT = 0.010  # seconds between two feature frames
FRAME_LENGTH = 0.025  # seconds of audio one feature frame sees
DIMENSION = 192
CONTEXT_FRAMES = 100  # frames after the stride-2 layer, 2 s, that share one context vector
MIN_FRAMES = 20  # 0.2 s: less says nothing about a voice
EMBED_HOP = 5.0  # seconds between two windows that are embedded
BLOCK_SECONDS = 120.0  # of audio whose features are held at once
BATCH_FRAMES = 1500  # feature frames embedded at once
LENGTH_STEP = (
    8  # feature frames: subsegments are cut to a multiple of it, so that many share a length and a batch
)


def fbank(samples: Tensor) -> Tensor:
    """Log mel energies as Kaldi computes them, not yet mean-normalised.

    samples: (samples,) float32 at 16 kHz, at least 25 ms. Returns (frames, 80), one frame each 10 ms.
    """
    return kaldi.fbank(
        samples[None], num_mel_bins=N_MELS, sample_frequency=SAMPLE_RATE, dither=0.0, window_type="povey"
    )


def mel_centres() -> NDArray[np.float64]:
    """(80,) Hz in the middle of each mel bin of `fbank`."""
    low, high = (1127.0 * np.log1p(hertz / 700.0) for hertz in (LOWEST, SAMPLE_RATE / 2))
    mels = np.linspace(low, high, N_MELS + 2)[1:-1]
    return 700.0 * np.expm1(mels / 1127.0)


def bfloat16_where_native(device: torch.device) -> Any:
    """Autocast to bfloat16 on CPUs that multiply in it: twice the speed, cosine to float32 above 0.999."""
    if device.type == "cpu" and torch.cpu._is_avx512_bf16_supported():
        return torch.autocast("cpu", torch.bfloat16)
    return contextlib.nullcontext()


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

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


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

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x[:, None])))
        x = self.layer2(self.layer1(x))
        return F.relu(self.bn2(self.conv2(x))).flatten(1, 2)


def norm_relu(channels: int) -> nn.Sequential:
    return nn.Sequential(OrderedDict(batchnorm=nn.BatchNorm1d(channels), relu=nn.ReLU(inplace=True)))


class ContextMask(nn.Module):
    """A time-delay convolution, masked by what the 2 s around and the whole utterance sound like."""

    def __init__(self, channels: int, growth: int, dilation: int) -> None:
        super().__init__()
        self.linear_local = nn.Conv1d(channels, growth, 3, padding=dilation, dilation=dilation, bias=False)
        self.linear1 = nn.Conv1d(channels, channels // 2, 1)
        self.linear2 = nn.Conv1d(channels // 2, growth, 1)

    def forward(self, x: Tensor) -> Tensor:
        around = F.avg_pool1d(x, CONTEXT_FRAMES, CONTEXT_FRAMES, ceil_mode=True)
        context = x.mean(-1, keepdim=True) + around  # (batch, channels, ceil(frames / 100))
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

    def forward(self, x: Tensor) -> Tensor:
        return self.cam_layer(self.nonlinear2(self.linear1(self.nonlinear1(x))))


class DenseBlock(nn.ModuleDict):
    """Layers of which each sees the outputs of all before it."""

    def __init__(self, layers: int, channels: int, bottleneck: int, growth: int, dilation: int) -> None:
        super().__init__(
            {
                f"tdnnd{i + 1}": DenseLayer(channels + i * growth, bottleneck, growth, dilation)
                for i in range(layers)
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.values():
            x = torch.cat((x, layer(x)), dim=1)
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

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat((x.mean(-1), x.std(-1)), dim=-1)[..., None]


class CAMPlusPlus(nn.Module):
    """Speaker embedding of one voice.

    forward: (batch, frames, 80) mean-normalised log mel energies -> (batch, 192).
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

    def forward(self, features: Tensor) -> Tensor:
        return self.xvector(self.head(features.transpose(1, 2))).squeeze(-1)


def load(path: Path) -> CAMPlusPlus:
    """The network with the weights of `path`, a plain state dict, ready for inference."""
    network = CAMPlusPlus()
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True), strict=True)
    return network.eval().requires_grad_(False)


class CAMPPlusEmbedder:
    """Embeds the clean frames of local speakers, each stretch of speech about once or twice.

    Windows that overlap hold the same speech. Only those about EMBED_HOP seconds apart are embedded;
    in the others a subsegment takes the mean of the embeddings that it shares its speech with, unless
    nobody has embedded it. Features are computed once, block by block; subsegments of one length
    share a batch, and none is changed by the others of its batch. Computes in bfloat16 where the CPU does so natively.
    """

    dimension = DIMENSION

    def __init__(self, network: CAMPlusPlus) -> None:
        self.network = network
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
        per_block = max(1, int(BLOCK_SECONDS / window.step))
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
        end = round((chunks.stop - 1) * window.step / FRAME_SHIFT) + per_chunk
        features = block_features(waveform, origin, end)
        frames = np.arange(per_chunk) * activity.shape[1] // per_chunk  # in segmentation
        jobs = []
        for chunk in chunks:
            first = round(chunk * window.step / FRAME_SHIFT) - origin
            wanted = activity[chunk].any(axis=0) & (cover.chosen[chunk] | ~cover.covered(chunk))
            alone = activity[chunk].sum(axis=1) == 1
            for subsegment in np.flatnonzero(wanted):
                mask = activity[chunk, :, subsegment].astype(bool)
                own = np.flatnonzero((mask & alone)[frames])
                own = own if len(own) >= MIN_FRAMES else np.flatnonzero(mask[frames])
                own = own[own + first < len(features)] + first
                if len(own) >= MIN_FRAMES:
                    whole = (
                        len(own) - len(own) % LENGTH_STEP
                        if len(own) >= MIN_FRAMES + LENGTH_STEP
                        else len(own)
                    )
                    jobs.append((chunk, int(subsegment), torch.from_numpy(own[:whole])))

        fitting = FittingBatches()

        def embed(batch: list[int]) -> list[NDArray[np.float32]]:
            return fitting.run(
                lambda some: self.embed(torch.stack([features[jobs[i][2]] for i in some])), batch
            )

        groups = batches_by_length([len(own) for _, _, own in jobs])
        for batch, vectors in zip(groups, parallel.parallel_map(embed, groups, self.device), strict=True):
            for i, vector in zip(batch, vectors, strict=True):
                embeddings[jobs[i][0], jobs[i][1]] = vector

    def embed(self, features: Tensor) -> NDArray[np.float32]:
        """(batch, 192) of features (batch, frames, 80) as `fbank` has them, MIN_FRAMES at least."""
        features = (features - features.mean(1, keepdim=True)).to(self.device)
        with torch.inference_mode(), bfloat16_where_native(self.device):
            return self.network(features).float().cpu().numpy()


def block_features(waveform: Tensor, first: int, end: int) -> Tensor:
    """(frames, 80) features of the feature frames [first, end) that `waveform` (samples,) holds."""
    shift = round(FRAME_SHIFT * SAMPLE_RATE)
    samples = waveform[first * shift : end * shift + round((FRAME_LENGTH - FRAME_SHIFT) * SAMPLE_RATE)]
    if len(samples) < FRAME_LENGTH * SAMPLE_RATE:
        return torch.zeros(0, N_MELS)
    return fbank(as_float_tensor(samples))


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


def _inherit(embeddings: NDArray[np.float32], chunk: int, cover: local_speakers.SharedSpeech) -> None:
    """Give the unembedded subsegments of `chunk` the mean of what they share speech with, by shared frames."""
    total = np.zeros(embeddings.shape[1:], dtype=np.float32)
    for other, shared in cover.sources(chunk):
        theirs = embeddings[other] / np.linalg.norm(embeddings[other], axis=1, keepdims=True)
        total += shared @ np.nan_to_num(theirs)
    missing = np.isnan(embeddings[chunk, :, 0]) & total.any(axis=1) & cover.activity[chunk].any(axis=0)
    embeddings[chunk, missing] = total[missing]
