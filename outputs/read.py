"""Getting an episode back from the library."""

from __future__ import annotations

import os

from models.errors import InputError, OutputError
from models.transcript import Transcript
from outputs import episode_json
from outputs.formats import EPISODE
from outputs.write import place


def load(path: str | os.PathLike[str]) -> Transcript:
    """The transcript in an episode's folder, or in an episode.json given by itself.

    Raises InputError where there is none, OutputError where it can't be read or is damaged.
    """
    path = place(path)
    file = path / EPISODE.file_name if path.is_dir() else path
    if not file.exists():
        missing = f"no {EPISODE.file_name} in it" if path.is_dir() else "no such file or folder"
        raise InputError(f"{path}: {missing}; give the folder of a processed episode")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise OutputError(f"cannot read {file}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise OutputError(f"{file}: not UTF-8 text, damaged or not an episode record") from error
    return episode_json.load(text, source=str(file))
