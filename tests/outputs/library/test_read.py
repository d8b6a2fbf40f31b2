from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from models.record.errors import InputError, OutputError
from models.record.transcript import AudioFile
from outputs.library.read import kept_audio, load, load_audio, load_episode
from outputs.library.write import publish
from tests.outputs.samples import CONVERSATION


def test_folder_and_file(tmp_path: Path) -> None:
    (path,) = publish(CONVERSATION, tmp_path, [])
    assert load(tmp_path) == load(path) == CONVERSATION


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere: no such file or folder"):
        load(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"no episode\.json in it"):
        load(tmp_path)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b"ID3\x04mp3", b"{}", b"null"])
def test_damaged(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "episode.json").write_bytes(data)
    with pytest.raises(OutputError, match=r"episode\.json: ") as caught:
        load(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_folder_in_the_records_place(tmp_path: Path) -> None:
    (tmp_path / "episode.json").mkdir()
    with pytest.raises(OutputError, match=r"cannot read .*episode\.json: Is a directory"):
        load(tmp_path)


def test_byte_order_mark(tmp_path: Path) -> None:
    (path,) = publish(CONVERSATION, tmp_path, [])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load(path) == CONVERSATION


def test_a_folder_that_is_not_there_is_not_the_one_we_are_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(CONVERSATION, tmp_path, [])
    monkeypatch.chdir(tmp_path)
    for name in ("nowhere", "nowhere/episode.json"):
        with pytest.raises(InputError, match="no such file or folder"):
            load(name)


@pytest.mark.parametrize("notes", ["", "x" * 200_000, "\ud800", "字" * 30_000])
def test_the_episode_alone(tmp_path: Path, notes: str) -> None:
    """Read from the beginning of the record, or from all of it where notes go on for ever."""
    transcript = replace(CONVERSATION, episode=replace(CONVERSATION.episode, notes=notes))
    publish(transcript, tmp_path, [])
    assert load_episode(tmp_path) == transcript.episode
    assert load_audio(tmp_path) == transcript.audio


def test_the_episode_alone_of_a_damaged_record(tmp_path: Path) -> None:
    (tmp_path / "episode.json").write_text('{"schema": 1, "episode": {"id": 5}}')
    with pytest.raises(OutputError, match=r"episode\.json: "):
        load_episode(tmp_path)


def test_kept_audio_is_only_what_lies_in_the_folder(tmp_path: Path) -> None:
    def named(path: str) -> AudioFile:
        return replace(CONVERSATION.audio, path=path)

    (tmp_path / "audio.mp3").write_bytes(b"1")
    (tmp_path / "episode").mkdir()
    assert kept_audio(tmp_path, named("audio.mp3")) == tmp_path / "audio.mp3"
    assert kept_audio(tmp_path / "episode", named("../audio.mp3")) is None
    assert kept_audio(tmp_path, named("pilot.mp3")) is None
    assert kept_audio(tmp_path, named("")) is None
