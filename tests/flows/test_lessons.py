"""What is corrected in one episode comes out right in the next of the show: real recognition of real speech."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from outputs.library import read
from outputs.library.editing import EditingSession
from tests.flows.composed_shows import silence, write_wav
from tests.flows.conftest import Process
from tests.models.conftest import read_audio


@pytest.fixture
def episodes(read_speech: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Two recordings of a reader, who says the name of Sherburn in both."""

    def compose(name: str, *utterances: str) -> Path:
        parts = [read_audio(read_speech / "3005" / f"3005-163389-{number}.flac") for number in utterances]
        write_wav(
            tmp_path / name, np.concatenate([piece for part in parts for piece in (part, silence(0.75))])
        )
        return tmp_path / name

    return compose("first.wav", "0003", "0001"), compose("second.wav", "0006", "0003")


def test_a_name_corrected_once_is_right_in_the_next_episode(
    process: Process, episodes: tuple[Path, Path], tmp_path: Path
) -> None:
    options = {"out": None, "library": str(tmp_path / "library"), "diariser": "none"}
    first, second = (Path(str(process(audio, **options)["folder"])) for audio in episodes)
    assert "Sherburn" not in said(first)
    assert "Sherburn" not in said(second)

    session = EditingSession(first)
    words = session.transcript.segments[0].words
    wrong = next(word.text.strip() for word in words if word.text.startswith(" Sherb"))
    text = session.transcript.segments[0].text.replace(wrong, "Sherburn")
    session.act({"do": "text", "segment": 0, "text": text, "revision": session.revision})

    again = process(episodes[1], **options)
    assert "transcribe" in again["computed"]  # type: ignore[operator]
    assert "Sherburn" in said(second)
    assert read.load_record(second).repairs[-1].reason == "vocabulary"
    assert process(episodes[1], **options)["computed"] == []
    # Its own corrections are laid over an episode; they are no reason to hear it anew.
    assert process(episodes[0], **options)["computed"] == []


def said(folder: Path) -> str:
    return "".join(word.text for word in read.load_record(folder).words)
