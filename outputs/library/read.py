"""Getting an episode back from the library."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from models.record.errors import InputError, OutputError
from models.record.transcript import AudioFile, Episode, Speaker, Transcript
from outputs.formats import episode_json
from outputs.formats.html import KEPT_AUDIO
from outputs.formats.registry import EPISODE
from outputs.library import corrections
from outputs.library.files import resolve_location

HEAD_BYTES = 65_536  # of a record hold what it says of its episode, save for endless notes


def load(path: str | os.PathLike[str]) -> Transcript:
    """The transcript in an episode's folder, or in an episode.json given by itself, with its corrections.

    Corrections that people made are in corrections.json beside it; those that no longer fit are left out.
    Raises InputError where there is no record, OutputError where one can't be read or is damaged.

    >>> load("nowhere")
    Traceback (most recent call last):
    ...
    models.record.errors.InputError: nowhere: no such file or folder; give the folder of a processed episode
    """
    return load_corrected(path).transcript


def load_corrected(path: str | os.PathLike[str]) -> corrections.Corrected:
    """As `load`, and the corrections that wait because their words are not in the record any more."""
    record = load_record(path)
    return corrections.apply_corrections(record, corrections.load(folder_of(path)))


def load_record(path: str | os.PathLike[str]) -> Transcript:
    """As `load`, but as the models heard it, without corrections. What is written again starts from this."""
    file = record_file(path)
    return decoded(record_bytes(file), file)


def record_bytes(file: Path) -> bytes:
    """What is in the file of a record. OutputError where it can't be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise OutputError(f"cannot read {file}: {error.strerror or error}") from error


def decoded(data: bytes, file: Path) -> Transcript:
    """The transcript in the file of a record. OutputError, which names it, where it is damaged."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise OutputError(f"{file}: not UTF-8 text, damaged or not an episode record") from error
    return episode_json.load(text, source=str(file))


def record_file(path: str | os.PathLike[str]) -> Path:
    """The record of an episode that is named by its folder or by that. InputError where there is none."""
    path = resolve_location(path)
    file = path / EPISODE.file_name if path.is_dir() else path
    if not file.exists():
        missing = f"no {EPISODE.file_name} in it" if path.is_dir() else "no such file or folder"
        raise InputError(f"{path}: {missing}; give the folder of a processed episode")
    return file


def load_episode(folder: Path) -> Episode:
    """What a record says of its episode, without its words: far quicker than `load`. Raises as `load` does."""
    with suppress(OSError), (folder / EPISODE.file_name).open("rb") as file:
        found = episode_json.load_episode(file.read(HEAD_BYTES).decode("utf-8-sig", "ignore"))
        if found is not None:
            return found
    return load_record(folder).episode


def load_audio(folder: Path) -> AudioFile:
    """What a record says of its audio, as quickly as `load_episode`. Raises as `load` does."""
    with suppress(OSError), (folder / EPISODE.file_name).open("rb") as file:
        found = episode_json.load_audio(file.read(HEAD_BYTES).decode("utf-8-sig", "ignore"))
        if found is not None:
            return found
    return load_record(folder).audio


def load_speakers(folder: Path) -> tuple[Speaker, ...]:
    """What a record calls its speakers, without its words: far quicker than `load`. Raises as `load` does."""
    with suppress(OSError, UnicodeDecodeError):
        text = (folder / EPISODE.file_name).read_text(encoding="utf-8-sig")
        found = episode_json.load_speakers(text)
        if found is not None:
            return found
    return load_record(folder).speakers


def kept_audio(folder: Path, audio: AudioFile) -> Path | None:
    """The audio that was kept in an episode's folder; None where it wasn't."""
    path = folder / Path(audio.path).name
    return path if path.stem == KEPT_AUDIO and path.is_file() else None


def folder_of(path: str | os.PathLike[str]) -> Path:
    """The folder of an episode that is named by its folder or its record."""
    path = resolve_location(path)
    return path if path.is_dir() else path.parent
