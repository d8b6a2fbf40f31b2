"""Commands about what is kept on this machine to be used again: `cache list`, `cache prune`."""

from __future__ import annotations

from typing import Annotated

import typer

from models.runtime.cache import KINDS

cache_app = typer.Typer(
    help="What is kept on this machine to be used again: downloads, results, models.", no_args_is_help=True
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON, with sizes in bytes.")]
Size = Annotated[
    str | None,
    typer.Option(
        help="To this, as 20 GB or 0, also what may be needed soon.",
        show_default="[cache] of episcribe.toml",
        metavar="SIZE",
    ),
]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(cache_app, name="cache")


@cache_app.command("list")
def list_kept(as_json: Json = False) -> None:
    """List what is kept: where, how much, since when unused, and within which budget."""
    import json

    from flows import keeping
    from flows.schedule import settings

    totals = keeping.totals(settings.load().cache.budgets())
    if as_json:
        typer.echo(
            json.dumps([{**total._asdict(), "oldest": _moment(total.oldest)} for total in totals], indent=2)
        )
        return
    from rich.table import Table

    from flows.local.check import console

    table = Table("kept", "number", "size", "budget", "oldest use", "where", box=None, padding=(0, 1))
    for total in totals:
        budget = "none" if total.budget is None else _size(total.budget)
        oldest = (_moment(total.oldest) or "-")[:10]
        told = budget if total.kind in KINDS else "-"
        table.add_row(total.kind, f"{total.number:,}", _size(total.size), told, oldest, total.folder)
    console().print(table)


@cache_app.command()
def prune(
    downloads: Size = None,
    results: Size = None,
    models: Size = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would go, and remove nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Remove what is over its budget, longest unused first. What a run needs just now stays."""
    import json
    from dataclasses import asdict

    from flows import keeping
    from flows.schedule import settings

    given = {"downloads": downloads, "results": results, "models": models}
    asked = {kind: settings.size(text) for kind, text in given.items() if text is not None}
    budgets = {kind: asked.get(kind, own) for kind, own in settings.load().cache.budgets().items()}
    spare = [kind for kind in KINDS if kind not in asked]
    pruned = keeping.prune(budgets, spare=spare, dry_run=dry_run)
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in pruned], indent=2))
        return
    done = "would be removed" if dry_run else "removed"
    for each in pruned:
        typer.echo(f"{each.kind}: {each.removed:,} {done}, {_size(each.freed)}")
        if each.over:
            typer.echo(
                f"  {_size(each.over)} more than its budget: {each.needed:,} are needed, or can't be removed"
            )


def _size(size: int) -> str:
    unit = next((unit for unit in ("B", "kB", "MB", "GB") if size < 999.5 * UNITS[unit]), "TB")
    return f"{size / UNITS[unit]:.{0 if unit == 'B' else 1}f} {unit}"


def _moment(seconds: float | None) -> str | None:
    from datetime import UTC, datetime

    return None if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


UNITS = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}
