"""What Whisper base hears in the sample call, and recordings in other languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from audio.media.decode import decode
from models.asr.transcription import Transcription, TranscriptionOptions, transcribe
from tests.models.conftest import SHARED


@pytest.fixture(scope="session")
def fleurs() -> Path:
    """Read sentences in German, Spanish, French and Portuguese, with their words."""
    folder = SHARED / "non_english" / "fleurs"
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}")
    return folder


@pytest.fixture(scope="session")
def heard(sample_wav: Path) -> Transcription:
    return transcribe(decode(sample_wav).samples, TranscriptionOptions(model="base"))
