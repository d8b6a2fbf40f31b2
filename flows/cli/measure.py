"""Commands that measure: `score` against a reference, `bench` what each stage costs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli.options import field_values, takes_options
from flows.options import RunOptions


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (score, bench):
        app.command()(command)


def score(
    hypothesis: Annotated[Path, typer.Argument(help="An RTTM file or episode folder; or a folder of those.")],
    rttm: Annotated[Path | None, typer.Option(help="Reference turns: a file, or a folder of them.")] = None,
    stm: Annotated[Path | None, typer.Option(help="Reference words: a file, or a folder of them.")] = None,
) -> None:
    """Compare with a reference: DER with its parts, WER, cpWER and speaker counts, as JSON."""
    import json

    from outputs.scoring import score as scoring

    if hypothesis.is_dir() and not (hypothesis / "episode.json").exists():
        scores, total = scoring.score_folder(hypothesis, rttm, stm)
        found = {one.name: scoring.as_dict(one) for one in (*scores, total)}
    else:
        found = scoring.as_dict(scoring.score(hypothesis, rttm, stm))
    typer.echo(json.dumps(found, indent=2))


@takes_options(RunOptions, "quality", "model", "diariser", "device", "language")
def bench(
    audio: Annotated[Path, typer.Argument(help="An audio or video file.")],
    **given: Any,
) -> None:
    """Measure every stage: seconds, real-time factor, peak memory and, where it can be read, energy, as JSON."""
    from flows.local.bench import measure

    options = RunOptions(**field_values(RunOptions, given))
    typer.echo(measure(audio, options.transcription(), options.diarisation()))
