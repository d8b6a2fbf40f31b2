"""Commands that hear an episode or write its files: `run`, `diarise`, `render`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli.options import (
    ALL_FORMATS,
    EpisodeFolder,
    field_values,
    names_in,
    option,
    takes_options,
)
from flows.options import RunOptions

FIRST = ("track", "tracks", "out", "library", "episode")  # in the help; what matters most


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (run, diarise, render):
        app.command()(command)


@takes_options(RunOptions, *dict.fromkeys((*FIRST, *RunOptions.model_fields)))
def run(
    context: typer.Context,
    source: Annotated[
        str,
        typer.Argument(
            help="An audio or video file, a folder or zip of tracks, the URL of audio, or of a feed.",
            show_default=False,
        ),
    ] = "",
    *,
    compare: Annotated[
        str | None,
        typer.Option(
            help="Another transcript to compare with: a file, its URL, or feed.", show_default="none"
        ),
    ] = None,
    **given: Any,
) -> None:
    """Transcribe one episode and write its folder."""
    from flows.local.run import print_result, run_episode
    from flows.schedule import settings

    values = field_values(RunOptions, given)
    values["out"] = values["out"] or None
    values["library"] = values["library"] or settings.load().library
    options = RunOptions(**values)
    if compare is None:
        print_result(run_episode(source, options, debug=context.obj["debug"]))
        return
    from flows.local.compare import feed_transcript, other_transcript, print_comparison

    other = other_transcript(
        compare, options
    )  # before the run: what can't be read should not take it to tell
    result = run_episode(source, options, debug=context.obj["debug"])
    print_result(result)
    print_comparison(result["folder"], other or feed_transcript(result, options))


def diarise(
    audio: Annotated[Path, typer.Argument(help="An audio or video file.")],
    out: Annotated[Path, typer.Option(help="The RTTM file to write.")],
    speakers: Annotated[int | None, option("speakers")] = None,
    min_speakers: Annotated[int | None, option("min_speakers")] = None,
    max_speakers: Annotated[int | None, option("max_speakers")] = None,
    diariser: Annotated[str, option("diariser")] = "auto",
    device: Annotated[str, option("device")] = "auto",
    tracks: Annotated[str, option("tracks")] = "auto",
    step: Annotated[
        float, typer.Option(help="Distance of two segmentation windows over their length.")
    ] = 0.25,
    long_windows: Annotated[
        bool, typer.Option("--long-windows", help="community-1: embed a minute at once; faster, less exact.")
    ] = False,
) -> None:
    """Find who speaks when, and write it as RTTM."""
    from flows.local.run import diarise_file
    from models.diarisation.diariser import DiariserOptions
    from models.runtime.device import device_warnings

    options = DiariserOptions(diariser, speakers, min_speakers, max_speakers, device, step, long_windows)
    values = field_values(RunOptions, {"tracks": tracks})
    found = diarise_file(audio, out, options, values["tracks"])
    for warning in (*device_warnings(device), *found.warnings):
        typer.echo(f"warning: {warning}", err=True)
    typer.echo(f"{len(found.turns)} turns of {len({turn.speaker for turn in found.turns})} speakers: {out}")


def render(
    folder: EpisodeFolder,
    formats: Annotated[str, option("formats")] = ALL_FORMATS,
) -> None:
    """Write an episode's files again from its episode.json; no model runs."""
    from outputs.library import corrections, read, write

    file = read.record_file(folder)
    with corrections.locked(file.parent):
        written = write.publish(read.load_record(file), file.parent, names_in(formats))
    for path in written:
        typer.echo(path)
