"""What Prefect's pages show of our work: how far a poll is, what it found, where outputs are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect.artifacts import (
    create_link_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from flows.schedule.leases import Lease
from outputs.text.terminal import plain

PAGE = "transcript.html"
STEPS = 20  # updates of a progress bar, each of which is a request


class ProgressBar:
    """A bar on the page of the run we are in."""

    def __init__(self, key: str, description: str) -> None:
        self._id: UUID = create_progress_artifact(progress=0.0, key=key, description=description)  # type: ignore[assignment]
        self._shown = 0.0

    def __call__(self, done: int, total: int) -> None:
        """Show how much is done; small steps are left out."""
        percent = 100.0 * done / max(total, 1)
        if done == total or percent - self._shown >= 100 / STEPS:
            self._shown = percent
            update_progress_artifact(self._id, progress=percent)


def show_table(key: str, rows: Sequence[dict[str, Any]], description: str) -> None:
    """A table on the page of the run we are in; its text is from feeds, so it is made harmless."""
    harmless = [{name: _plain(value) for name, value in row.items()} for row in rows]
    create_table_artifact(table=harmless, key=key, description=description)


def link_outputs(lease: Lease, files: Sequence[str]) -> None:
    """A link to an episode's page, or to the first of its files where it has none."""
    if not files:
        return
    chosen = next((file for file in files if file.endswith(PAGE)), files[0])
    create_link_artifact(
        link=_address(chosen, lease.settings.library, lease.settings.base_url),
        link_text=_plain(lease.episode.title),
        key=f"episode-{lease.listed.id}",
        description=f"{_plain(lease.episode.show)}: {_plain(lease.episode.title)}",
    )


def _address(file: str, library: str, base_url: str) -> str:
    """Where a file of the library is found: below `base_url`, if there is one."""
    root = library.rstrip("/")
    if base_url and file.startswith(f"{root}/"):
        return base_url.rstrip("/") + file.removeprefix(root)
    return file if "://" in file else Path(file).absolute().as_uri()


def _plain(value: Any) -> Any:
    """Text made harmless, and all else as it is."""
    return plain(value) if isinstance(value, str) else value
