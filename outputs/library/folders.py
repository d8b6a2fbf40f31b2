"""Where the episodes of a library lie: `<library>/<show>/<episode>/`, told by the record in each."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from outputs.formats.registry import EPISODE, FORMATS

MAX_NAME_BYTES = 255  # that file systems take


def library_episodes(library: Path) -> list[Path]:
    """The folders of all episodes of a library, in order of their names."""
    return _folders_with_record(library, "*/*")


def show_episodes(show: Path) -> list[Path]:
    """The folders of a show's episodes, in order of their names, which begin with the date."""
    return _folders_with_record(show, "*")


def find_episode(library: Path, show: str, name: str) -> Path | None:
    """The folder of the episode `<show>/<name>`; None where there is none, whatever tricks a name plays with paths."""
    if not (_is_folder_name(show) and _is_folder_name(name)):
        return None
    folder = library / show / name
    return folder if (folder / EPISODE.file_name).is_file() else None


def _is_folder_name(part: str) -> bool:
    short = len(part.encode("utf-8", "replace")) <= MAX_NAME_BYTES
    return short and part not in ("", ".", "..") and not set(part) & set("/\\\0")


def _folders_with_record(root: Path, below: str) -> list[Path]:
    with suppress(OSError):
        return sorted(record.parent for record in root.glob(f"{below}/{EPISODE.file_name}"))
    return []


def present_formats(folder: Path) -> list[str]:
    """The formats of which an episode's folder has a file."""
    return [entry.name for entry in FORMATS.values() if (folder / entry.file_name).exists()]
