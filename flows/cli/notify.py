"""Who is told when something happens: `notify test`."""

from __future__ import annotations

from typing import Annotated

import typer

notify_app = typer.Typer(
    help="Who is told what happens, by [notify] in episcribe.toml.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add the group to the command line."""
    app.add_typer(notify_app, name="notify")


@notify_app.callback()
def group() -> None:
    """Who is told what happens, by [notify] in episcribe.toml."""


@notify_app.command("test")
def notify_test(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names of [notify.NAME].", show_default="all")
    ] = None,
) -> None:
    """Send a test message to who is told; exit code 1 where one is not taken."""
    from flows.schedule import notices, settings

    results = notices.try_out(settings.load(), names or ())
    for address, why in results:
        typer.echo(f"{address}: {why or 'sent'}")
    if any(why for _, why in results):
        raise typer.Exit(1)
