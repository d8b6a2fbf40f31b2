"""The audio of an episode, found where its user left it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from flows.library.audio import find_audio
from models.record.errors import InputError
from tests.outputs.samples import CONVERSATION


def test_audio_is_what_was_heard_or_none(tmp_path: Path) -> None:
    file = tmp_path / "talk.wav"
    file.write_bytes(b"what was heard")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    audio = replace(CONVERSATION.audio, path=str(file), sha256=digest)
    assert find_audio(tmp_path, audio) == find_audio(tmp_path, audio) == file
    file.write_bytes(b"something else")
    with pytest.raises(InputError, match="is not kept here"):
        find_audio(tmp_path, audio)
