"""`episcribe speakers` and `episcribe voices`: who speaks and why, names given, voices kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.options import SHOW, AsJson, EpisodeFolder, Library, ShowByDefault, print_json

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from models.naming.assignment import Candidate
    from models.naming.voices import VoiceRegistry
    from models.record.transcript import Evidence, Transcript

SHOWN_CANDIDATES = 4  # of one speaker; the others have less of a chance
DECISIONS = {"user": "named by the user", "order": "no name is sure enough"}
NOT_LEARNT = (
    "the voice was not learnt: too little speech, switched off, forgotten, or heard on another machine"
)


speakers_app = typer.Typer(
    cls=ShowByDefault,
    help="Who speaks in an episode and how we know: `episcribe speakers EPISODE_DIR`.",
    no_args_is_help=True,
)
voices_app = typer.Typer(
    help="The voices that shows know: biometric data, kept in the library.", no_args_is_help=True
)

Show = Annotated[str | None, typer.Option(help="The folder of one show.", show_default="all shows")]


def register(app: typer.Typer) -> None:
    """Add both groups to the command line."""
    app.add_typer(speakers_app, name="speakers")
    app.add_typer(voices_app, name="voices")


@speakers_app.command(SHOW)
def show(folder: EpisodeFolder, json: AsJson = False) -> None:
    """Print each speaker, the names considered, and the evidence with its time. (`show` can be left out.)"""
    from flows.local.check import console
    from outputs.library import read

    transcript = read.load(folder)
    if json:
        print_json(_speakers_told(transcript))
        return
    if not transcript.speakers:
        typer.echo("no speakers: nobody speaks, or the episode was not diarised")
        return
    terminal = console()
    for heading, table in _tables(transcript):
        terminal.print(heading)
        terminal.print(table)


def _speakers_told(transcript: Transcript) -> dict[str, Any]:
    """The speakers with all names that were considered and what speaks for each; times in seconds."""
    from models.naming.assignment import candidates

    given = {speaker.label: speaker.name for speaker in transcript.speakers if speaker.source == "user"}
    found = candidates(transcript.evidence, given)

    def evidence(label: str, name: str) -> list[dict[str, Any]]:
        own = [one for one in transcript.evidence if (one.label, one.name) == (label, name)]
        return [{"kind": e.kind, "start": e.start, "weight": e.weight, "words": e.words} for e in own]

    return {
        "episode": {name: getattr(transcript.episode, name) for name in ("id", "show", "title")},
        "speakers": [
            {
                "label": one.label,
                "name": one.name,
                "source": one.source,
                "confidence": one.confidence,
                "seconds": round(_seconds(transcript, one.label), 3),
                "marks": evidence(one.label, ""),
                "candidates": [
                    {
                        "name": each.name,
                        "probability": each.probability,
                        "chosen": each.chosen,
                        "evidence": evidence(one.label, each.name),
                    }
                    for each in found
                    if each.label == one.label
                ],
            }
            for one in transcript.speakers
        ],
    }


def _seconds(transcript: Transcript, label: str) -> float:
    """How long somebody speaks."""
    return sum(turn.duration for turn in transcript.exclusive if turn.speaker == label)


def _tables(transcript: Transcript) -> Iterator[tuple[Text, Table]]:
    """For each speaker what was decided, and the table of candidates with their evidence."""
    from rich.table import Table
    from rich.text import Text

    from models.naming.assignment import candidates
    from outputs.text.terminal import printable

    given = {speaker.label: speaker.name for speaker in transcript.speakers if speaker.source == "user"}
    found = candidates(transcript.evidence, given)
    for speaker in transcript.speakers:
        seconds = _seconds(transcript, speaker.label)
        decision = DECISIONS.get(speaker.source, f"{speaker.confidence:.0%} sure, mostly by {speaker.source}")
        heading = printable(f"{speaker.name} ({speaker.label}, {seconds:.0f} s): {decision}")
        table = Table("candidate", "sure", "at", "evidence", "weight", "words", box=None, padding=(0, 2))
        own = [candidate for candidate in found if candidate.label == speaker.label][:SHOWN_CANDIDATES]
        for row in (*_marks(speaker.label, transcript.evidence), *_candidate_rows(own, transcript.evidence)):
            table.add_row(*(Text(printable(cell)) for cell in row))
        yield Text(heading, style="bold"), table if table.row_count else Table()


def _marks(label: str, evidence: Iterable[Evidence]) -> Iterator[tuple[str, ...]]:
    """What is known of a label that speaks for no name."""
    for mark in evidence:
        if mark.label == label and not mark.name:
            yield "", "", _at(mark), mark.kind, "", mark.words


def _candidate_rows(own: Iterable[Candidate], evidence: Iterable[Evidence]) -> Iterator[tuple[str, ...]]:
    """Each candidate beside the first piece of evidence on it, the others below."""
    for candidate in own:
        name, sure = candidate.name, f"{candidate.probability:.0%}{'  chosen' if candidate.chosen else ''}"
        found = [e for e in evidence if (e.label, e.name) == (candidate.label, candidate.name)]
        for e in sorted(found, key=lambda e: (e.start is None, e.start or 0.0)):
            words = f"\u201c{e.words}\u201d" if e.start is not None else e.words
            yield name, sure, _at(e), e.kind, f"{e.weight:+.1f}", words
            name = sure = ""


def _at(evidence: Evidence) -> str:
    from outputs.text.times import clock

    return "" if evidence.start is None else clock(evidence.start)


@speakers_app.command()
def rename(
    folder: EpisodeFolder,
    speaker: Annotated[str, typer.Argument(help='The name or label as it is now: "Speaker 1", SPEAKER_00.')],
    name: Annotated[str, typer.Argument(help="The name to print.")],
    back_fill: Annotated[
        bool,
        typer.Option("--back-fill", help="Name the show's other episodes anew by the voices known then."),
    ] = False,
) -> None:
    """Give a speaker a name in every file of the episode, and learn the voice."""
    import os

    from flows.library.speakers import rename as rename_speaker
    from outputs.text.terminal import printable

    done = rename_speaker(folder, speaker, name, back_fill=back_fill, processes=min(4, os.cpu_count() or 1))
    for path in (*done.files, *done.others):
        typer.echo(printable(str(path)))
    for label, now in done.displaced:
        typer.echo(printable(f"{label} was called {name} before, and is {now} now"))
    typer.echo(printable(f"the voice of {name} is known to the show" if done.learnt else NOT_LEARNT))
    if done.unheard:
        typer.echo(f"{done.unheard} episodes could not be judged: this machine has not kept their voices")


@voices_app.command("list")
def list_voices(library: Library = None, show: Show = None) -> None:
    """List whose voices are kept, from how much speech, and who is not to be learnt."""
    from flows.library.voices import known_voices
    from flows.local.check import console
    from flows.schedule.settings import library_location

    kept = known_voices(library_location(library), show)
    if not kept:
        typer.echo("no voices are kept")
        return
    console().print(_voices_table(kept))


def _voices_table(kept: Iterable[tuple[Path, VoiceRegistry]]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    from outputs.text.terminal import printable

    table = Table("show", "voice", "seconds", "episodes", "confirmed", "model", box=None, padding=(0, 1))
    for folder, known in kept:
        rows = [
            (folder.name, voice.name, f"{sum(s.seconds for s in own):.0f}", str(len({s.episode for s in own})),
             "yes" if any(s.confirmed for s in own) else "no", model)
            for voice in known.voices
            for model in dict.fromkeys(s.model for s in voice.samples)
            for own in [[s for s in voice.samples if s.model == model]]
        ]  # fmt: skip
        rows += [(folder.name, name, "-", "-", "forgotten", "") for name in known.forgotten]
        for row in rows:
            table.add_row(*(escape(printable(cell)) for cell in row))
    return table


@voices_app.command()
def merge(
    name: Annotated[str, typer.Argument(help="The voice to give up.")],
    into: Annotated[str, typer.Argument(help="The voice that it becomes part of.")],
    library: Library = None,
    show: Show = None,
) -> None:
    """Make two voices one: they are the same person's."""
    from flows.library.voices import merge as merge_voices
    from flows.schedule.settings import library_location

    _tell(
        merge_voices(library_location(library), name, into, show),
        f"the voice of {name} is now part of {into}'s",
    )


@voices_app.command()
def forget(
    name: Annotated[str, typer.Argument(help="Whose voice to delete.")],
    library: Library = None,
    show: Show = None,
) -> None:
    """Delete somebody's voice wherever it is kept, and never learn it again. Names in transcripts stay."""
    from flows.library.voices import forget as forget_voice
    from flows.schedule.settings import library_location

    _tell(
        forget_voice(library_location(library), name, show),
        f"the voice of {name} is forgotten and will not be learnt again",
    )


@voices_app.command()
def allow(
    name: Annotated[str, typer.Argument(help="Who was forgotten.")],
    library: Library = None,
    show: Show = None,
) -> None:
    """Let a voice be learnt again that was forgotten."""
    from flows.library.voices import allow as allow_voice
    from flows.schedule.settings import library_location

    _tell(allow_voice(library_location(library), name, show), f"the voice of {name} may be learnt again")


def _tell(shows: Iterable[Path], what: str) -> None:
    from outputs.text.terminal import printable

    for folder in shows:
        typer.echo(printable(f"{folder.name}: {what}"))
