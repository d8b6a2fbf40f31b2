"""Folders on the command line: paths, or URLs as a library may have one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def location(given: str) -> Path:
    """A folder by its path or fsspec URL; InputError for a kind of URL that can't be used."""
    if "://" not in given:
        return Path(given)
    from outputs.library import files

    return files.resolve_location(given)


Library = Annotated[
    Path | None,
    typer.Option(
        help="The folder, or fsspec URL, that holds all shows.",
        show_default="of episcribe.toml, or library",
        parser=location,
        metavar="PATH",
    ),
]
