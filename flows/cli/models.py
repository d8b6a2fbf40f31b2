"""Commands about this machine: `check`, and the model files on it, `models pull` and `models list`."""

from __future__ import annotations

from dataclasses import asdict

import typer

from flows.cli.options import AsJson, print_json

models_app = typer.Typer(help="The model files on this machine.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(models_app, name="models")
    app.command()(check)


def check(json: AsJson = False) -> None:
    """Tell whether everything a run needs is here."""
    from flows.local.check import LOOKS, print_report

    findings = [finding for look in LOOKS for finding in look()]
    good = all(finding.good is not False for finding in findings)
    if json:
        print_json({"ok": good, "findings": [asdict(finding) for finding in findings]})
    else:
        print_report(findings)
    if not good:
        raise typer.Exit(1)


@models_app.command("pull")
def pull_models() -> None:
    """Fetch the offline models, about 375 MB to download, 400 MB on disk; try the GPU out, if there is one."""
    from models.runtime.gpu import find_gpu
    from models.runtime.offline_models import models_folder, pull

    if not pull(report=typer.echo):
        typer.echo("nothing to fetch: the offline models are all here")
    typer.echo(f"models are in {models_folder()}")
    typer.echo(f"GPU: {find_gpu()}")


@models_app.command("list")
def list_models() -> None:
    """List the offline models with licence, size and whether they are here."""
    from flows.local.check import print_models

    print_models()
