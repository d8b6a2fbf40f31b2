"""Commands that give finished episodes to other programs and people: `export`, `bag`."""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from flows.cli.options import Library, location
from outputs.captions.profiles import PROFILES
from outputs.formats.format import Times
from outputs.formats.registry import CHOICES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.library.exporting import Choices


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (export, bag):
        app.command()(command)


def export(
    folders: Annotated[
        list[Path],
        typer.Argument(
            help="Folders of episodes, their URLs, or their episode.json.", parser=location, metavar="FOLDER"
        ),
    ],
    format: Annotated[str, typer.Option(help=f"{', '.join(CHOICES)}, or episode.")],
    names: Annotated[
        bool | None,
        typer.Option("--names/--no-names", help="Whether a text says who speaks.", show_default="with names"),
    ] = None,
    times: Annotated[
        str | None,
        typer.Option(
            help=f"Where a text says when: {', '.join(get_args(Times))}.", show_default="every-turn"
        ),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(
            help=f"How captions are cut: {', '.join(PROFILES)}.",
            show_default="the format's own",
        ),
    ] = None,
    language: Annotated[
        str, typer.Option(help="Of one of its translations.", show_default="what was said")
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option(
            help="The file to write; of several episodes the folder to write them to.",
            show_default="text is printed, other files are written here",
            parser=location,
            metavar="PATH",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
) -> None:
    """Write finished episodes in another format, corrections laid over them."""
    from flows.library.exporting import Choices, exported

    choices = Choices(format, names, times, profile, language)  # type: ignore[arg-type]
    paths = list(dict.fromkeys(folders))
    if out is None and len(paths) == 1 and choices.entry.charset:
        _print(exported(paths[0], choices).decode(choices.entry.charset))
    else:
        _write(paths, choices, out, force)


def _print(text: str) -> None:
    """Print a text as it is; on a terminal without what could steer that."""
    if sys.stdout.isatty():
        text = "".join(char for char in text if char in "\n\t" or unicodedata.category(char) != "Cc")
    typer.echo(text.encode(), nl=False)


def _write(paths: Sequence[Path], choices: Choices, out: Path | None, force: bool) -> None:
    """Write episodes to files. Of several those that can't be are told, and the others written all the same."""
    from flows.library.exporting import export_files
    from outputs.text.terminal import printable

    failed = False
    for made in export_files(paths, choices, out, force=force):
        if not isinstance(made, Exception):
            typer.echo(made)
        elif len(paths) == 1:
            raise made
        else:
            typer.echo(f"warning: left out: {printable(str(made))}", err=True)
            failed = True
    if failed:
        raise typer.Exit(1)


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
