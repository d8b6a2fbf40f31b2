from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.diarisation.embeddings import campplus
from models.diarisation.embeddings.campplus import (
    DIMENSION,
    MIN_FRAMES,
    WIDTHS,
    CAMPlusPlus,
    CAMPPlusEmbedder,
    padded_batches,
)
from models.diarisation.embeddings.filter_banks import fbank

LENGTHS = (
    20,
    27,
    40,
    101,
    128,
    129,
    192,
    199,
    200,
    201,
    333,
    400,
    700,
)  # of contexts of 200, and across WIDTHS


@pytest.fixture(scope="module")
def network(offline: Any) -> CAMPlusPlus:
    network: CAMPlusPlus = offline.embedder.network
    return network


@pytest.fixture(scope="module")
def features(call: tuple[NDArray[np.float32], Any]) -> torch.Tensor:
    return fbank(torch.from_numpy(call[0]))


def stretches(seed: int = 0) -> list[NDArray[np.int64]]:
    """Frames of speech of LENGTHS, with gaps as local speakers have them."""
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, 1500, len(LENGTHS))
    return [
        start + np.sort(rng.choice(n + 100, n, replace=False))
        for n, start in zip(LENGTHS, starts, strict=True)
    ]


def cosines(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    return (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def normalised(features: torch.Tensor) -> torch.Tensor:
    return features - features.mean(0)


def test_padding_changes_no_embedding(network: CAMPlusPlus, features: torch.Tensor) -> None:
    speech = [normalised(features[own]) for own in stretches()]
    batch = torch.zeros(len(speech), 1000, 80)
    for row, own in zip(batch, speech, strict=True):
        row[: len(own)] = own
    with torch.inference_mode():
        alone = torch.cat([network(own[None]) for own in speech])
        padded = network(batch, torch.tensor(LENGTHS))
    torch.testing.assert_close(padded, alone, atol=1e-4, rtol=0.0)


def test_no_embedding_depends_on_those_it_shares_a_batch_with(
    network: CAMPlusPlus, features: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In 16 bits sums are rounded by how they are ordered, which follows from the size of a batch.
    monkeypatch.setattr(campplus, "half_precision", lambda device: contextlib.nullcontext())
    speech = stretches()
    alone = np.concatenate([CAMPPlusEmbedder(network).embed(features[own][None]) for own in speech])
    together = CAMPPlusEmbedder(network, padded_frames=4000).embed_frames(features, speech)
    assert together.shape == (len(LENGTHS), DIMENSION)
    few = CAMPPlusEmbedder(network, padded_frames=1000).embed_frames(features, speech)
    others = CAMPPlusEmbedder(network, padded_frames=4000).embed_frames(features, [*stretches(1), *speech])
    for same in (together, few, others[len(LENGTHS) :]):
        assert cosines(same, alone).min() > 0.9999
        np.testing.assert_allclose(same, alone, atol=1e-4)


def test_batches_have_few_shapes_and_hold_everything_once() -> None:
    lengths = np.random.default_rng(0).integers(MIN_FRAMES, 1001, 5000).tolist()
    widths, batches = padded_batches(lengths, 20_000)
    assert set(widths) <= set(WIDTHS)
    assert sorted(i for batch in batches for i in batch) == list(range(5000))
    for width, batch in zip(widths, batches, strict=True):
        assert max(lengths[i] for i in batch) <= width
        assert len(batch) * width <= 20_000
    assert all(len(batch) == 20_000 // width for width, batch in zip(widths[:-1], batches[:-1], strict=True))


def test_a_batch_holds_one_subsegment_at_least() -> None:
    assert padded_batches([900, 30], 500) == ([1000, 96], [[0], [1]])
