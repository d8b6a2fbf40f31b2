from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pyannote.audio import Audio, Pipeline
from pyannote.audio.models.embedding import WeSpeakerResNet34
from pyannote.audio.pipelines.clustering import VBxClustering
from pyannote.audio.pipelines.speaker_diarization import SpeakerDiarization
from pyannote.audio.pipelines.speaker_verification import PretrainedSpeakerEmbedding
from pyannote.core import SlidingWindow, SlidingWindowFeature

from models.diarisation.clustering import MAX_TRAIN, BoundedVBx
from models.diarisation.embeddings.wespeaker import LongWindowEmbedder, WindowEmbedder
from models.diarisation.pipeline import LeanDiarization

WINDOW = SlidingWindow(start=0.0, duration=10.0, step=5.0)
FRAMES = 589

Call = tuple[NDArray[np.float32], list[tuple[float, float, str]]]


@pytest.fixture(scope="module")
def network() -> WeSpeakerResNet34:
    torch.manual_seed(0)
    return WeSpeakerResNet34().eval()


@pytest.fixture(scope="module")
def activity() -> NDArray[np.uint8]:
    """Windows of half a minute with long, short, overlapping and silent local speakers."""
    activity = np.zeros((5, FRAMES, 3), dtype=np.uint8)
    activity[:, 50:300, 0] = 1
    activity[:4, 250:500, 1] = 1
    activity[1, 40:60, 2] = 1
    activity[2, :, :2] = 0
    return activity


class Stock(SpeakerDiarization):
    """pyannote's embedding stage on its own."""

    def __init__(self, network: WeSpeakerResNet34) -> None:
        Pipeline.__init__(self)
        self.training = False
        self.embedding_batch_size = 1
        self._embedding = PretrainedSpeakerEmbedding(network)
        self._audio = Audio(sample_rate=16_000, mono="downmix")


@pytest.mark.parametrize("exclude_overlap", [False, True])
def test_the_numbers_are_those_of_pyannote(
    call: Call, network: WeSpeakerResNet34, activity: NDArray[np.uint8], exclude_overlap: bool
) -> None:
    waveform = torch.from_numpy(call[0])
    stock = Stock(network)
    segmentations = SlidingWindowFeature(activity.astype(np.float32), WINDOW)
    theirs = stock.get_embeddings(
        {"waveform": waveform[None], "sample_rate": 16_000}, segmentations, exclude_overlap=exclude_overlap
    )
    least = stock._embedding.min_num_samples
    embedder = WindowEmbedder(network, exclude_overlap=exclude_overlap, min_samples=least)
    ours = embedder(waveform, activity, WINDOW, lambda completed, total: None)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_long_windows_differ_little(
    call: Call, network: WeSpeakerResNet34, activity: NDArray[np.uint8]
) -> None:
    waveform = torch.from_numpy(call[0])

    def embed(kind: type[WindowEmbedder]) -> NDArray[np.float32]:
        embedder = kind(network, exclude_overlap=True, min_samples=400)
        return embedder(waveform, activity, WINDOW, lambda completed, total: None)[activity.any(axis=1)]

    short, long = embed(WindowEmbedder), embed(LongWindowEmbedder)
    cosines = (short * long).sum(1) / np.linalg.norm(short, axis=1) / np.linalg.norm(long, axis=1)
    assert cosines.min() > 0.95


def test_cancelling_stops_the_embedding(
    call: Call, network: WeSpeakerResNet34, activity: NDArray[np.uint8]
) -> None:
    def cancel(completed: int, total: int) -> None:
        raise KeyboardInterrupt

    embedder = WindowEmbedder(network, exclude_overlap=True, min_samples=400)
    with pytest.raises(KeyboardInterrupt):
        embedder(torch.from_numpy(call[0]), activity, WINDOW, cancel)


def test_a_loaded_pipeline_keeps_its_parts_and_gets_a_bound(network: WeSpeakerResNet34) -> None:
    stock = Stock(network)
    stock.clustering = VBxClustering(plda=None)
    embedder = WindowEmbedder(network, exclude_overlap=True, min_samples=400)
    lean = LeanDiarization.of(stock, embedder)
    assert lean.embedder is embedder
    assert isinstance(lean.clustering, BoundedVBx)


def test_vbx_looks_at_a_bounded_sample() -> None:
    chunks = 2 * MAX_TRAIN
    activity = np.ones((chunks, 10, 1), dtype=np.uint8)
    embeddings = np.random.default_rng(0).standard_normal((chunks, 1, 4)).astype(np.float32)
    window = SlidingWindowFeature(activity, WINDOW)
    kept, chunk, speaker = BoundedVBx(plda=None).filter_embeddings(embeddings, window)
    assert len(kept) == MAX_TRAIN
    assert (chunk[0], chunk[-1]) == (0, chunks - 1)
    np.testing.assert_array_equal(kept, embeddings[chunk, speaker])
