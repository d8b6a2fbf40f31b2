"""The command line: `episcribe`. Heavy modules are imported by the command that needs them."""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from flows import logs
from flows.cli import (
    cache,
    captions,
    chapters,
    export,
    library,
    measure,
    models,
    notify,
    run,
    shows,
    speakers,
    web,
)
from models.runtime.memory import collect_garbage_seldom

NAME = "episcribe"
app = typer.Typer(
    name=NAME,
    help="Podcast audio in; accurate, speaker-named, timed transcripts out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
GROUPS = (
    run,
    captions,
    export,
    measure,
    models,
    cache,
    shows,
    notify,
    library,
    web,
    speakers,
    chapters,
)  # in the order of the help

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
    log_format: Annotated[
        str,
        typer.Option(
            envvar=logs.VARIABLE,
            help="What long-running commands log: text, or json for one JSON object a line.",
            metavar="FORMAT",
        ),
    ] = logs.TEXT,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Podcast audio in; accurate, speaker-named, timed transcripts out."""
    logs.set_format(log_format)
    context.obj = {"debug": debug}


for group in GROUPS:
    group.register(app)


def main() -> None:
    """Entry point of the command `episcribe`."""
    collect_garbage_seldom()
    try:
        guarded(lambda: app(prog_name=NAME))
    finally:
        gc.freeze()  # so that the end doesn't look through all of it once more


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
    import traceback

    from outputs.text.terminal import printable

    trace = "".join(traceback.format_exception(error)) if "--debug" in sys.argv else ""
    if logs.is_json():
        logs.say(printable(what), level=logging.ERROR, event="error", exit_code=code, exception=trace)
    else:
        sys.stderr.write(trace)
        print(f"episcribe: error: {printable(what)}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
