"""The command line: `episcribe`. Heavy modules are imported by the command that needs them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli import library, shows, speakers
from flows.cli.folders import location

app = typer.Typer(
    name="episcribe",
    help="Podcast audio in; accurate, speaker-named, timed transcripts out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
models_app = typer.Typer(help="The model files on this machine.", no_args_is_help=True)
app.add_typer(models_app, name="models")

VOICES = ("known", "all", "off")
ALL_FORMATS = "json,srt,vtt,txt,html,rttm"
Speakers = Annotated[
    int | None, typer.Option(help="Exact number of speakers.", min=1, show_default="estimated")
]
MinSpeakers = Annotated[int | None, typer.Option(help="At least this many speakers.", min=1)]
MaxSpeakers = Annotated[int | None, typer.Option(help="At most this many speakers.", min=1)]
Diariser = Annotated[str, typer.Option(help="auto, offline, community-1 or none.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Folder = Annotated[
    Path, typer.Argument(help="An episode's folder, or its episode.json.", parser=location, metavar="FOLDER")
]
Debug = Annotated[bool, typer.Option("--debug", help="Show a traceback when something fails.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"episcribe {version('episcribe')}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    debug: Debug = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Podcast audio in; accurate, speaker-named, timed transcripts out."""
    context.obj = {"debug": debug}


def _one_of(option: str, given: str, allowed: tuple[str, ...]) -> Any:
    """The value of an option that has only these values; InputError for another."""
    from models.record.errors import InputError

    if given not in allowed:
        raise InputError(f"no --{option} {given!r}: use {', '.join(allowed)}")
    return given


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in listed.split(",") if name.strip())


@app.command()
def run(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="An audio or video file, the URL of audio, or of a feed.")],
    out: Annotated[
        str | None, typer.Option(help="The episode folder itself.", show_default="in the library")
    ] = None,
    library: Annotated[
        str | None,
        typer.Option(
            help="The folder, or fsspec URL, that holds all shows.",
            show_default="of episcribe.toml, or library",
        ),
    ] = None,
    episode: Annotated[
        str, typer.Option(help="For a feed: latest, a guid, or N, 1 being the newest.")
    ] = "latest",
    model: Annotated[
        str, typer.Option(help="auto, tiny.en, base, small, large-v3-turbo, a folder, or a hub id.")
    ] = "auto",
    language: Annotated[
        str | None, typer.Option(help="ISO 639-1 code such as en.", show_default="detected")
    ] = None,
    vocabulary: Annotated[str, typer.Option(help="Names and terms to spell right, comma-separated.")] = "",
    speakers: Speakers = None,
    min_speakers: MinSpeakers = None,
    max_speakers: MaxSpeakers = None,
    diariser: Diariser = "auto",
    device: Device = "auto",
    formats: Annotated[
        str, typer.Option(help="Comma-separated: json, srt, vtt, txt, html, rttm. episode.json always comes.")
    ] = ALL_FORMATS,
    people: Annotated[str, typer.Option(help="Who may speak, rightly spelt: names with commas.")] = "",
    voices: Annotated[str, typer.Option(help="Whose voices to keep: known, all or off.")] = "known",
    keep_audio: Annotated[
        bool, typer.Option("--keep-audio", help="Keep the audio in the folder, for the page to play.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Compute every step anew.")] = False,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Accept URLs of this machine and of private networks.")
    ] = False,
) -> None:
    """Transcribe one episode and write its folder."""
    from flows.local.run import print_result, run_episode
    from flows.options import RunOptions
    from flows.schedule import settings

    chosen = RunOptions(
        out=out or None,
        library=library or settings.load().library,
        episode=episode,
        model=model,
        language=language,
        vocabulary=_names(vocabulary),
        speakers=speakers,
        min_speakers=min_speakers,
        max_speakers=max_speakers,
        diariser=diariser,
        device=device,
        formats=_names(formats),
        known_people=_names(people),
        voices=_one_of("voices", voices, VOICES),
        keep_audio=keep_audio,
        force=force,
        allow_private=allow_private,
    )
    print_result(run_episode(source, chosen, debug=context.obj["debug"]))


@app.command()
def diarise(
    audio: Annotated[Path, typer.Argument(help="An audio or video file.")],
    out: Annotated[Path, typer.Option(help="The RTTM file to write.")],
    speakers: Speakers = None,
    min_speakers: MinSpeakers = None,
    max_speakers: MaxSpeakers = None,
    diariser: Diariser = "auto",
    device: Device = "auto",
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

    options = DiariserOptions(diariser, speakers, min_speakers, max_speakers, device, step, long_windows)
    found = diarise_file(audio, out, options)
    typer.echo(f"{len(found.turns)} turns of {len({turn.speaker for turn in found.turns})} speakers: {out}")


@app.command()
def render(
    folder: Folder,
    formats: Annotated[str, typer.Option(help="Comma-separated names.")] = ALL_FORMATS,
) -> None:
    """Write an episode's files again from its episode.json; no model runs."""
    from outputs.library import read, write

    for path in write.publish(read.load_record(folder), read.folder_of(folder), _names(formats)):
        typer.echo(path)


@app.command()
def captions(
    folder: Folder,
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


@app.command("lint")
def lint_command(
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


@app.command("score")
def score_command(
    hypothesis: Annotated[Path, typer.Argument(help="An RTTM file or episode folder; or a folder of those.")],
    rttm: Annotated[Path | None, typer.Option(help="Reference turns: a file, or a folder of them.")] = None,
    stm: Annotated[Path | None, typer.Option(help="Reference words: a file, or a folder of them.")] = None,
) -> None:
    """Compare with a reference: DER with its parts, WER, cpWER and speaker counts, as JSON."""
    import json

    from outputs.scoring.score import as_dict, score, score_folder

    if hypothesis.is_dir() and not (hypothesis / "episode.json").exists():
        scores, total = score_folder(hypothesis, rttm, stm)
        found = {one.name: as_dict(one) for one in (*scores, total)}
    else:
        found = as_dict(score(hypothesis, rttm, stm))
    typer.echo(json.dumps(found, indent=2))


@app.command()
def bench(
    audio: Annotated[Path, typer.Argument(help="An audio or video file.")],
    model: Annotated[str, typer.Option(help="As for run.")] = "auto",
    diariser: Diariser = "auto",
    device: Device = "auto",
    language: Annotated[str | None, typer.Option(help="ISO 639-1 code.", show_default="detected")] = None,
) -> None:
    """Measure every stage: seconds, real-time factor and peak memory, as JSON."""
    from flows.local.bench import measure
    from models.asr.transcription import TranscriptionOptions
    from models.diarisation.diariser import DiariserOptions

    typer.echo(
        measure(
            audio,
            TranscriptionOptions(model=model, language=language, device=device),
            DiariserOptions(model=diariser, device=device),
        )
    )


@app.command()
def check() -> None:
    """Tell whether everything a run needs is here."""
    from flows.local.check import print_report

    if not print_report():
        raise typer.Exit(1)


@models_app.command("pull")
def models_pull() -> None:
    """Fetch the offline models: no account, about 285 MB to download, 260 MB on disk."""
    from models.runtime.offline_models import models_folder, pull

    if not pull(report=typer.echo):
        typer.echo("nothing to fetch: the offline models are all here")
    typer.echo(f"models are in {models_folder()}")


@models_app.command("list")
def models_list() -> None:
    """List the offline models with licence, size and whether they are here."""
    from flows.local.check import print_models

    print_models()


for commands in (shows, library, speakers):
    commands.register(app)


def main() -> None:
    """Entry point of the command `episcribe`."""
    guarded(app)


def guarded(action: Callable[[], Any]) -> None:
    """Call `action`; a failure becomes one line and exit code 2 for bad input, 1 for a failed run."""
    from models.record.errors import EpiscribeError

    try:
        action()
    except EpiscribeError as error:
        _fail(str(error), error, error.exit_code)
    except Exception as error:
        _fail(f"{type(error).__name__}: {error} (unexpected: `episcribe --debug ...` shows where)", error, 1)


def _fail(what: str, error: BaseException, code: int) -> None:
    if "--debug" in sys.argv:
        import traceback

        traceback.print_exception(error)
    from outputs.text.terminal import printable

    print(f"episcribe: error: {printable(what)}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
