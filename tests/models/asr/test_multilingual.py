"""Episodes in more than one language, by real speech."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audio.media.loudness import normalised
from models.asr.transcription import Transcription, TranscriptionOptions, transcribe
from models.record.transcript import Turn
from models.runtime.samples import SAMPLE_RATE, Samples
from tests.models.conftest import read_audio

BASE = TranscriptionOptions(model="base")
