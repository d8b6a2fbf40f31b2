from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from faster_whisper.feature_extractor import FeatureExtractor

from audio.media.decode import decode
from models.asr.log_mel import LogMel
from models.runtime.samples import as_float


@pytest.mark.parametrize("mels", [80, 128])
@pytest.mark.parametrize("seconds", [0.1, 4.321, 30.0])
def test_features_are_those_of_faster_whisper(sample_wav: Path, mels: int, seconds: float) -> None:
    call = as_float(decode(sample_wav).samples)[: round(seconds * 16_000)]
    theirs = FeatureExtractor(feature_size=mels)
    expected = theirs(call)[:, :-1]
    assert expected.std() > 0.05
    np.testing.assert_allclose(LogMel(theirs.mel_filters, "cpu")(call).numpy(), expected, atol=1e-4)


def test_a_batch_is_cut_or_filled_up_to_one_length(sample_wav: Path) -> None:
    call = as_float(decode(sample_wav).samples)
    log_mel = LogMel(FeatureExtractor().mel_filters, "cpu")
    batch = np.asarray(log_mel.batch([call[:16_000], call], 600))
    assert batch.shape == (2, 80, 600)
    np.testing.assert_array_equal(batch[0, :, :100], log_mel(call[:16_000]).numpy())
    assert not batch[0, :, 100:].any()
    np.testing.assert_array_equal(batch[1], log_mel(call).numpy()[:, :600])
