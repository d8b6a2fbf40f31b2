"""Commands that give finished episodes to other programs and people: `export`, `bag`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import Library, location


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (bag,):
        app.command()(command)


def bag(
    out: Annotated[
        Path, typer.Option(help="The folder to make, which is the bag.", parser=location, metavar="DIR")
    ],
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Folders of episodes, or their URLs; without any, the whole library.",
            parser=location,
            metavar="FOLDER",
            show_default=False,
        ),
    ] = None,
    library: Library = None,
    organization: Annotated[str, typer.Option(help="Whose transcripts these are: Source-Organization.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace the bag that is there.")] = False,
) -> None:
    """Copy episodes, their audio and their checksums into a BagIt bag (RFC 8493), for an archive."""
    from flows.library.bags import make_bag
    from flows.schedule.settings import library_location
    from models.record.errors import InputError
    from outputs.library.folders import library_episodes
    from outputs.text.terminal import printable

    chosen = list(dict.fromkeys(folders or library_episodes(library_location(library))))
    if not chosen:
        raise InputError(f"{library_location(library)}: there is no episode in it")
    made = make_bag(chosen, out, organization, force=force)
    for missing in made.missing:
        typer.echo(f"warning: left out: {printable(missing)}", err=True)
    episodes = f"{made.episodes} episode{'' if made.episodes == 1 else 's'}"
    typer.echo(f"{episodes}, {made.files} files, {made.bytes / 1e6:.1f} MB: {out}")
