"""Commands that hear episodes or write their files: `run`, `watch`, `diarise`, `render`."""

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
from models.record.errors import InputError
from outputs.text.terminal import printable

Jobs = Annotated[int, typer.Option(help="Episodes at once, each in a process with models of its own.", min=1)]
OF_ONE = ("track", "out", "episode", "force")  # options that a folder which is watched can't have
FIRST = ("track", "tracks", "out", "library", "episode")  # in the help; what matters most


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (run, watch, diarise, render):
        app.command()(command)


@takes_options(RunOptions, *dict.fromkeys((*FIRST, *RunOptions.model_fields)))
def run(
    context: typer.Context,
    source: Annotated[
        list[str] | None,
        typer.Argument(
            help="Audio or video files, folders, zips of tracks, patterns, URLs of audio or of feeds.",
            show_default=False,
        ),
    ] = None,
    *,
    listed: Annotated[
        str | None,
        typer.Option(
            "--from", help="A file that names sources, one a line; - for stdin.", show_default="none"
        ),
    ] = None,
    jobs: Jobs = 1,
    compare: Annotated[
        str | None,
        typer.Option(
            help="Another transcript to compare with: a file, its URL, or feed.", show_default="none"
        ),
    ] = None,
    **given: Any,
) -> None:
    """Transcribe one episode, or many one after the other, and write their folders."""
    from flows.local.run import print_result, run_episode

    options = _run_options(context, given)
    sources = [*(source or ()), *(_listed_in(listed) if listed is not None else ())]
    if listed is not None or jobs > 1 or len(sources) > 1 or _holds_many(sources, options):
        _run_many(sources, options, jobs, compare, debug=context.obj["debug"])
        return
    (one,) = sources or [""]
    options = _in_library(options)
    if compare is None:
        print_result(run_episode(one, options, debug=context.obj["debug"]))
        return
    from flows.local.compare import feed_transcript, other_transcript, print_comparison

    other = other_transcript(
        compare, options
    )  # before the run: what can't be read should not take it to tell
    result = run_episode(one, options, debug=context.obj["debug"])
    print_result(result)
    print_comparison(result["folder"], other or feed_transcript(result, options))


def _run_options(context: typer.Context, given: dict[str, Any]) -> RunOptions:
    """The options; what was given is among their `model_fields_set`, and nothing else."""
    said = {name: value for name, value in given.items() if _is_given(context, name)}
    for place in ("out", "library"):
        if not said.get(place):
            said.pop(place, None)
    return RunOptions(**field_values(RunOptions, said))


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def _in_library(options: RunOptions) -> RunOptions:
    """The options with the library of the settings, unless another was given."""
    from flows.schedule import settings

    given = "library" in options.model_fields_set
    return options if given else options.model_copy(update={"library": settings.load().library})


def _listed_in(name: str) -> list[str]:
    """The sources that a file names, or stdin; InputError where there are none."""
    import sys

    from flows.local.sources import read_list

    try:
        if name == "-":
            found = read_list(sys.stdin.buffer, "stdin")
        else:
            with Path(name).expanduser().open("rb") as file:
                found = read_list(file, name)
    except OSError as error:
        raise InputError(f"{name} can't be read: {error.strerror}") from None
    if not found:
        raise InputError(f"{name} names no sources: write one a line")
    return found


def _holds_many(sources: list[str], options: RunOptions) -> bool:
    """Whether what was given is no episode by itself: a pattern, or a folder that holds others than tracks of one."""
    from flows.local.sources import expand, is_pattern

    if not sources or options.track or not (is_pattern(sources[0]) or Path(sources[0]).is_dir()):
        return False
    first, *more = [*expand(sources, options.tracks), None]
    whole = first is not None and first.kind == "folder" and first.place == str(Path(sources[0]).absolute())
    if first is None or not whole or any(more):
        return True
    if first.note:
        typer.echo(printable(first.note), err=True)
    return False


def _run_many(given: list[str], options: RunOptions, jobs: int, compare: str | None, *, debug: bool) -> None:
    from flows.local.run import run_batch
    from flows.local.sources import expand

    for name, value in (("out", options.out), ("track", options.track), ("compare", compare)):
        if value:
            raise InputError(
                f"--{name} is of one episode, and there are more: leave it out, or give one source"
            )
    sources = list(expand(given, options.tracks))
    for note in filter(None, (one.note for one in sources)):
        typer.echo(printable(note), err=True)
    if any(outcome.failed for outcome in run_batch(sources, options, jobs=jobs, debug=debug)):
        raise typer.Exit(1)


@takes_options(RunOptions, *(name for name in RunOptions.model_fields if name not in OF_ONE))
def watch(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where audio and video files appear.", show_default=False)],
    *,
    jobs: Jobs = 1,
    **given: Any,
) -> None:
    """Transcribe what is in a folder and what appears in it, until stopped."""
    from flows.local.run import run_watch

    run_watch(folder, _run_options(context, given), jobs=jobs, debug=context.obj["debug"])


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
    from outputs.library import read
    from outputs.library.rerendering import publish_in

    for path in publish_in(read.record_file(folder).parent, names_in(formats)):
        typer.echo(path)
