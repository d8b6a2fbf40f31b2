from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pyannote.audio.models.embedding import WeSpeakerResNet34
from pyannote.core import SlidingWindow, SlidingWindowFeature

from models.diarisation.embeddings.wespeaker import LongWindowWeSpeakerEmbedder, WeSpeakerEmbedder
from tests.models.diarisation.stock import Stock

WINDOW = SlidingWindow(start=0.0, duration=10.0, step=5.0)
FRAMES = 589

Call = tuple[NDArray[np.float32], list[tuple[float, float, str]]]


@pytest.fixture(scope="module")
def activity() -> NDArray[np.uint8]:
    """Windows of half a minute with long, short, overlapping and silent local speakers."""
    activity = np.zeros((5, FRAMES, 3), dtype=np.uint8)
    activity[:, 50:300, 0] = 1
    activity[:4, 250:500, 1] = 1
    activity[1, 40:60, 2] = 1
    activity[2, :, :2] = 0
    return activity


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
    embedder = WeSpeakerEmbedder(network, exclude_overlap=exclude_overlap, min_samples=least)
    ours = embedder(waveform, activity, WINDOW, lambda completed, total: None)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_long_windows_differ_little(
    call: Call, network: WeSpeakerResNet34, activity: NDArray[np.uint8]
) -> None:
    waveform = torch.from_numpy(call[0])

    def embed(kind: type[WeSpeakerEmbedder]) -> NDArray[np.float32]:
        embedder = kind(network, exclude_overlap=True, min_samples=400)
        return embedder(waveform, activity, WINDOW, lambda completed, total: None)[activity.any(axis=1)]

    short, long = embed(WeSpeakerEmbedder), embed(LongWindowWeSpeakerEmbedder)
    cosines = (short * long).sum(1) / np.linalg.norm(short, axis=1) / np.linalg.norm(long, axis=1)
    assert cosines.min() > 0.95


def test_cancelling_stops_the_embedding(
    call: Call, network: WeSpeakerResNet34, activity: NDArray[np.uint8]
) -> None:
    def cancel(completed: int, total: int) -> None:
        raise KeyboardInterrupt

    embedder = WeSpeakerEmbedder(network, exclude_overlap=True, min_samples=400)
    with pytest.raises(KeyboardInterrupt):
        embedder(torch.from_numpy(call[0]), activity, WINDOW, cancel)
