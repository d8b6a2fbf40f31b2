"""The network that community-1 embeds with, with random weights."""

from __future__ import annotations

import pytest
import torch
from pyannote.audio.models.embedding import WeSpeakerResNet34


@pytest.fixture(scope="module")
def network() -> WeSpeakerResNet34:
    torch.manual_seed(0)
    return WeSpeakerResNet34().eval()
