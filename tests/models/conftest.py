"""Models and recordings that the diarisation tests share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from models.runtime import offline_models
from models.runtime.samples import as_float

SHARED = Path(__file__).parents[3] / "shared" / "data"


def read_audio(path: Path) -> NDArray[np.float32]:
    """(samples,) float32 mono at 16 kHz."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
    with av.open(str(path)) as container:
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
        frames += resampler.resample(None)
    samples = np.concatenate([frame.to_ndarray().ravel() for frame in frames])
    return as_float(samples)


def read_rttm(path: Path) -> list[tuple[float, float, str]]:
    """(start, end, speaker) of each turn."""
    rows = [line.split() for line in path.read_text().splitlines() if line.startswith("SPEAKER")]
    return [(float(row[3]), float(row[3]) + float(row[4]), row[7]) for row in rows]


@pytest.fixture(scope="session")
def call() -> tuple[NDArray[np.float32], list[tuple[float, float, str]]]:
    """The half minute of telephone call that comes with pyannote.audio, and its turns."""
    import pyannote.audio

    folder = Path(pyannote.audio.__file__).parent / "sample"
    return read_audio(folder / "sample.wav"), read_rttm(folder / "sample.rttm")


@pytest.fixture(scope="session")
def offline() -> Any:
    """The offline pipeline."""
    if not (offline_models.SEGMENTATION.present and offline_models.CAMPPLUS.present):
        pytest.skip("the offline models were not pulled")
    from models.diarisation.diariser import DiariserOptions, load

    return load(DiariserOptions(model="offline", device="cpu"))[1]


@pytest.fixture(scope="session")
def utterances() -> dict[str, list[NDArray[np.float32]]]:
    """Read speech of six people."""
    folder = SHARED / "read_speech" / "librispeech_test-other"
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}")
    return {
        person.name: [read_audio(path) for path in sorted(person.glob("*.flac"))]
        for person in sorted(folder.iterdir())
        if person.is_dir()
    }
