"""Commands that measure: `score` against a reference, `bench` what each stage costs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import option


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


def bench(
    audio: Annotated[Path, typer.Argument(help="An audio or video file.")],
    model: Annotated[str, typer.Option(help="As for run.")] = "auto",
    diariser: Annotated[str, option("diariser")] = "auto",
    device: Annotated[str, option("device")] = "auto",
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
