"""What is corrected in one episode comes out right in the next of the show: real recognition of real speech."""

from __future__ import annotations

from pathlib import Path

import pytest

from outputs.library import read
from outputs.library.editing import EditingSession
from tests.flows.composed_shows import read_aloud
from tests.flows.conftest import Process


@pytest.fixture
def episodes(read_speech: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Two recordings of a reader, who says the name of Sherburn in both."""

    for name, numbers in (("first.wav", (3, 1)), ("second.wav", (3, 1, 6))):
        read_aloud(tmp_path / name, read_speech, [f"3005-163389-000{number}" for number in numbers])
    return tmp_path / "first.wav", tmp_path / "second.wav"


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
    session.edit("1", "", {"do": "replace", "find": wrong, "replace": "Sherburn", "words": True})

    again = process(episodes[1], **options)
    assert "transcribe" in again["computed"]  # type: ignore[operator]
    assert "Sherburn" in said(second)
    assert read.load_record(second).repairs[-1].reason == "vocabulary"
    assert process(episodes[1], **options)["computed"] == []
    # Its own corrections are laid over an episode; they are no reason to hear it anew.
    assert process(episodes[0], **options)["computed"] == []


def said(folder: Path) -> str:
    return "".join(word.text for word in read.load_record(folder).words)
