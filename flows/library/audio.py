"""The audio behind a finished episode, wherever it lies now."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from models.record.errors import InputError
from models.record.transcript import AudioFile
from models.runtime.cache import cache_folder
from outputs.library import read
from outputs.library.files import is_local

DIGESTS = 1000  # that are remembered


def downloads_folder() -> Path:
    """Where downloaded audio is kept, by content."""
    return cache_folder() / "downloads"


def find_audio(folder: Path, audio: AudioFile, given: Path | None = None) -> Path:
    """The audio of the episode in a folder: what is given, kept in its folder, was downloaded, or lies where we are.

    InputError where none of these is there.
    """
    if given is not None:
        return given
    kept = read.kept_audio(folder, audio)
    if kept is not None and is_local(kept):
        return kept
<<<<<<< HEAD
    from audio.transfer.download import local_file

    sha256 = audio.sha256
    found = sorted(downloads_folder().glob(f"{sha256}.*")) if sha256.isalnum() else []
    here = Path(audio.path)
    if not found and here.is_file() and local_file(str(here)).sha256 == sha256:
        found = [here]
=======
    sha256 = transcript.audio.sha256
    found = sorted(downloads_folder().glob(f"{sha256}.*")) if sha256.isalnum() else []
    here = Path(transcript.audio.path)
    if not found and here.is_file():
        looked_at = here.stat()
        if _digest(here.absolute(), looked_at.st_mtime_ns, looked_at.st_size) == sha256:
            found = [here]
>>>>>>> mendback
    if found:
        return found[0]
    raise InputError(
        f"{folder}: its audio is not kept here: give it with --audio FILE, or run with --keep-audio"
    )


@lru_cache(DIGESTS)
def _digest(file: Path, *_: int) -> str:
    """The SHA-256 of a file; the further numbers change when it does."""
    from audio.transfer.download import local_file

    return local_file(file).sha256
