"""Commands for anybody's captions: `lint`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from outputs.captions.profiles import PROFILES, profile_named


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(lint)


def lint(
    file: Annotated[Path, typer.Argument(help="Captions: an .srt or .vtt file, by whomever.")],
    profile: Annotated[str, typer.Option(help=f"One of {', '.join(PROFILES)}.")] = "podcast",
) -> None:
    """Report where captions break a profile's limits; exit code 1 if that could be helped."""
    from outputs.captions.lint import lint_file, summary

    cues, found = lint_file(file, profile_named(profile))
    for violation in found:
        typer.echo(violation)
    typer.echo(summary(cues, found))
    if not all(violation.unavoidable for violation in found):
        raise typer.Exit(1)
