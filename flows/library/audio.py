"""The audio behind a finished episode, wherever it lies now."""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from pathlib import Path

from models.record.errors import InputError
from models.record.transcript import AudioFile
from models.runtime.cache import cache_folder, use
from outputs.library import read
from outputs.library.files import is_local, stamp


def downloads_folder() -> Path:
    """Where downloaded audio is kept, by content."""
    return cache_folder() / "downloads"


def find_audio(folder: Path, audio: AudioFile, given: Path | None = None) -> Path:
    """The audio of an episode: what is given, kept in its folder, was downloaded, or lies where we are.

    InputError where none of these is there.
    """
    if given is not None:
        return given
    kept = read.kept_audio(folder, audio)
    if kept is not None and is_local(kept):
        return kept
    sha256 = audio.sha256
    found = sorted(downloads_folder().glob(f"{sha256}.*")) if sha256.isalnum() else []
    if found:
        use(downloads_folder(), sha256)
        found = [file for file in found if file.exists()]
    here = Path(audio.path)
    if not found and here.is_file() and _sha256_of(here, stamp(here)) == sha256:
        found = [here]
    if found:
        return found[0]
    raise InputError(
        f"{folder}: its audio is not kept here: give it with --audio FILE; or run the episode again, which fetches it, "
        "with --keep-audio if it is to stay"
    )


@lru_cache(maxsize=1000)
def _sha256_of(file: Path, _: Hashable) -> str:
    """The digest of a file as it is at this stamp: players ask for audio piece by piece."""
    from audio.transfer.download import local_file

    return local_file(str(file)).sha256
