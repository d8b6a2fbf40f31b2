"""The app in the browser: `web`, and its users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import Library

if TYPE_CHECKING:
    from flows.web.users import Users

users_app = typer.Typer(help="Who may sign in to the app.", no_args_is_help=True)
Host = Annotated[
    str, typer.Option(help="The address to listen on; other than this machine's it needs users.")
]
Port = Annotated[int, typer.Option(help="The port to listen on; 0: any free one.", min=0, max=65535)]
PublicUrl = Annotated[
    str,
    typer.Option(
        help="Where browsers reach the app, if a proxy stands in front.", show_default="host and port"
    ),
]
Name = Annotated[str, typer.Argument(help="a-z, 0-9, . _ and -; upper case is taken as lower.")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]
ROLE_HELP = "reader: read; editor: also add, follow shows, correct; admin: also publish, webhooks, users."


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(web)
    app.command(hidden=True)(beside)
    app.add_typer(users_app, name="users")


def web(
    host: Host = "127.0.0.1",
    port: Port = 8300,
    public_url: PublicUrl = "",
    browser: Annotated[bool, typer.Option(help="Open the app in your browser.")] = True,
    at_once: Annotated[
        int | None,
        typer.Option(
            help="Episodes at once; 0: only the app, others process.", min=0, show_default="limits.at_once"
        ),
    ] = None,
    library: Library = None,
) -> None:
    """Serve the app: add, watch, read, correct, search, publish in the browser."""
    from flows.schedule.settings import load, local_library
    from flows.web.engine import Engine, schedule_command
    from flows.web.serving import serve_web

    settings = load()
    folder = str(local_library(library).absolute())
    episodes = settings.limits.at_once if at_once is None else at_once
    schedule = Engine(schedule_command(episodes), {"EPISCRIBE_LIBRARY": folder}) if episodes else None
    serve_web(
        settings.model_copy(update={"library": folder}),
        host=host,
        port=port,
        public_url=public_url,
        open_browser=browser,
        engine=schedule,
    )


def beside(at_once: int) -> None:
    """Run the schedule for an app that has started this."""
    from flows.web.engine import run_schedule

    run_schedule(at_once)


@users_app.command("add")
def users_add(
    name: Name,
    role: Annotated[
        str | None, typer.Option(help=ROLE_HELP, show_default="admin for the first, then editor")
    ] = None,
    password_stdin: PasswordStdin = False,
) -> None:
    """Add a user."""
    from flows.web import users

    name = users.checked_name(name)
    users.checked_role(role or "reader")
    added = _users().add(name, _password(from_stdin=password_stdin), role)
    typer.echo(f"{added.name} may sign in, as {added.role}")


@users_app.command("list")
def users_list() -> None:
    """List the users with their roles."""
    found = _users().all()
    width = max((len(user.name) for user in found), default=0)
    for user in found:
        typer.echo(f"{user.name:{width}}  {user.role}")
    if not found:
        typer.echo("no users: episcribe users add NAME")


@users_app.command("remove")
def users_remove(name: Name) -> None:
    """Remove a user, with their sessions, tokens and webhooks."""
    _users().remove(name)
    typer.echo(f"{name} can't sign in any more")


@users_app.command("password")
def users_password(name: Name, password_stdin: PasswordStdin = False) -> None:
    """Give a user another password; they are signed out everywhere, and their tokens end."""
    users = _users()
    users.get(name)
    users.set_password(name, _password(from_stdin=password_stdin))
    typer.echo(f"{name} has another password; their tokens let nobody in any more")


@users_app.command("role")
def users_role(name: Name, role: Annotated[str, typer.Argument(help=ROLE_HELP)]) -> None:
    """Give a user another role; they are signed out everywhere."""
    _users().set_role(name, role)
    typer.echo(f"{name} is {role}")


def _users() -> Users:
    from flows.schedule.settings import load
    from flows.schedule.store import open_store
    from flows.web.users import Users

    return Users(open_store(load().store))


def _password(*, from_stdin: bool) -> str:
    """The password that is given, twice where it can't be seen; InputError where nobody can be asked."""
    import sys

    from models.record.errors import InputError

    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise InputError("no terminal to ask for the password on: give it with --password-stdin")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt="Once more")
    return password
