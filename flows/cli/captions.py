"""Commands for captions, ours and anybody's: `captions`, `lint`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import EpisodeFolder


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (captions, lint):
        app.command()(command)


def captions(
    folder: EpisodeFolder,
    profile: Annotated[str, typer.Option(help="podcast, vtt, netflix, bbc or single-line.")] = "podcast",
    vtt: Annotated[bool, typer.Option("--vtt", help="WebVTT instead of SubRip.")] = False,
) -> None:
    """Print an episode's captions, cut for another kind of reader."""
    from outputs.captions.profiles import profile_named
    from outputs.formats import srt as subrip
    from outputs.formats import vtt as webvtt
    from outputs.library import read

    limits = profile_named(profile)
    render = webvtt.render if vtt else subrip.render
    typer.echo(render(read.load(folder), limits), nl=False)


def lint(
    file: Annotated[Path, typer.Argument(help="Captions: an .srt or .vtt file, by whomever.")],
    profile: Annotated[str, typer.Option(help="podcast, vtt, netflix, bbc or single-line.")] = "podcast",
) -> None:
    """Report where captions break a profile's limits; exit code 1 if that could be helped."""
    from outputs.captions.lint import lint_file, summary
    from outputs.captions.profiles import profile_named

    cues, found = lint_file(file, profile_named(profile))
    for violation in found:
        typer.echo(violation)
    typer.echo(summary(cues, found))
    if not all(violation.unavoidable for violation in found):
        raise typer.Exit(1)
