from __future__ import annotations

import numpy as np
import pytest
import torch
import torchaudio.compliance.kaldi as kaldi
from numpy.typing import NDArray

from models.diarisation.embeddings.filter_banks import (
    LENGTH,
    SHIFT,
    block_features,
    fbank,
    feature_frames,
    mel_centres,
)

CPU = torch.device("cpu")
Call = tuple[NDArray[np.float32], list[tuple[float, float, str]]]


def by_kaldi(samples: torch.Tensor) -> torch.Tensor:
    return kaldi.fbank(samples[None], num_mel_bins=80, dither=0.0, window_type="povey")


def test_features_are_those_of_kaldi(call: Call) -> None:
    samples = torch.from_numpy(call[0])
    features, expected = fbank(samples), by_kaldi(samples.double())
    assert features.shape == expected.shape
    assert features.dtype == torch.float32
    difference = (features - expected).abs()
    assert difference.max() < 0.02  # of energies that are next to nothing beside others of their frame
    assert difference.mean() < 2e-5


def test_a_constant_and_silence_have_the_least_energy() -> None:
    silence = fbank(torch.zeros(LENGTH))
    assert torch.equal(silence, by_kaldi(torch.zeros(LENGTH)))
    assert torch.equal(silence, fbank(torch.full((LENGTH,), 0.5)))


def test_sixteen_bit_samples_have_the_same_features(call: Call) -> None:
    samples = torch.from_numpy(np.round(call[0] * 32768).astype(np.int16))
    assert torch.equal(fbank(samples), fbank(samples.float() / 32768))


@pytest.mark.parametrize("samples", [0, 1, LENGTH - 1, LENGTH, LENGTH + SHIFT - 1, LENGTH + SHIFT, 16_000])
def test_frames_are_those_that_lie_inside(samples: int) -> None:
    expected = len(by_kaldi(torch.rand(samples))) if samples >= LENGTH else 0
    assert len(fbank(torch.rand(samples))) == feature_frames(samples) == expected


def test_a_block_has_the_frames_of_the_whole(call: Call) -> None:
    samples = torch.from_numpy(call[0])
    whole = fbank(samples)
    torch.testing.assert_close(block_features(samples, 700, 1300, CPU), whole[700:1300], atol=1e-3, rtol=0.0)
    assert len(block_features(samples, len(whole) - 5, len(whole) + 100, CPU)) == 5
    assert len(block_features(samples, len(whole) + 5, len(whole) + 100, CPU)) == 0


def test_mel_bins_are_centred_where_tones_are_loudest() -> None:
    seconds = torch.arange(16_000) / 16_000
    for mel in (20, 50, 75):
        tone = torch.sin(2 * torch.pi * float(mel_centres()[mel]) * seconds)
        assert int(fbank(tone).mean(0).argmax()) == mel
