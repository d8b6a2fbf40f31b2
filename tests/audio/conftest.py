"""Audio files that tests need: made of sine waves here, or real speech where it is at hand."""

import importlib.metadata
import subprocess
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from audio.media import ffmpeg
from tests.audio.server import Server

SHARED = Path(__file__).parents[3] / "shared" / "data"
Write = Callable[..., Path]


def sine(seconds: float, rate: int = 16_000, hertz: float = 440.0, amplitude: float = 0.5) -> np.ndarray:
    """A tone, float64, shape (samples,)."""
    return amplitude * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


@pytest.fixture
def write_wav(tmp_path: Path) -> Write:
    """Writes channels of samples between -1 and 1 as a 16-bit WAV."""

    def write(*channels: np.ndarray, rate: int = 16_000, name: str = "a.wav") -> Path:
        path = tmp_path / name
        frames = (np.stack(channels, axis=1) * 32767).astype("<i2")
        with wave.open(str(path), "wb") as file:
            file.setparams((len(channels), 2, rate, 0, "NONE", ""))
            file.writeframes(frames.tobytes())
        return path

    return write


@pytest.fixture
def make_media(tmp_path: Path) -> Write:
    """Runs ffmpeg with arguments that end in an output, written to tmp_path / name."""

    def make(name: str, *arguments: str) -> Path:
        path = tmp_path / name
        command = [ffmpeg.executable(), "-nostdin", "-v", "error", "-y", *arguments, str(path)]
        subprocess.run(command, check=True, timeout=60)
        return path

    return make


@pytest.fixture
def speech() -> Path:
    """30 s of a telephone call between two people, from pyannote.audio's own package."""
    path = Path(
        str(importlib.metadata.distribution("pyannote.audio").locate_file("pyannote/audio/sample/sample.wav"))
    )
    if not path.exists():
        pytest.skip("pyannote.audio is installed without its sample")
    return path


@pytest.fixture
def shared() -> Path:
    """The evaluation data beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip("no ../shared/data beside the checkout")
    return SHARED


@pytest.fixture
def server() -> Iterator[Server]:
    """A web server on 127.0.0.1."""
    running = Server()
    yield running
    running.close()
