"""Options and arguments that commands share, made from the models in which they are defined."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from typer.core import TyperGroup

from flows.options import DEFAULT_FORMATS, CommandLine, RunOptions
from models.record.errors import InputError

Command = TypeVar("Command", bound=Callable[..., Any])
ALL_FORMATS = ",".join(DEFAULT_FORMATS)
SHOW = "show"


class ShowByDefault(TyperGroup):
    """A group that takes what is no command of its own as the argument of `show`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `show` before a folder."""
        if args and args[0] not in (*self.commands, "--help"):
            args = [SHOW, *args]
        return super().parse_args(ctx, args)


def location(given: str) -> Path:
    """A folder by its path or fsspec URL; InputError for a kind of URL that can't be used."""
    if "://" not in given:
        return Path(given)
    from outputs.library import files

    return files.resolve_location(given)


EpisodeFolder = Annotated[
    Path,
    typer.Argument(
        help="An episode's folder, its URL, or its episode.json.", parser=location, metavar="FOLDER"
    ),
]
Library = Annotated[
    Path | None,
    typer.Option(
        help="The folder, or fsspec URL, that holds all shows.",
        show_default="of episcribe.toml, or library",
        parser=location,
        metavar="PATH",
    ),
]


AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


def print_json(value: Any) -> None:
    """Print a value as JSON, and all that is not ASCII escaped, as texts of strangers are in it."""
    import json

    typer.echo(json.dumps(value, indent=2))


def option(name: str, model: type[BaseModel] = RunOptions) -> Any:
    """Typer's description of the option that a field of a model is."""
    field = model.model_fields[name]
    look = _look(field)
    least = next((entry.ge for entry in field.metadata if hasattr(entry, "ge")), None)
    return typer.Option(
        f"--{(look.name or name).replace('_', '-')}",
        help=field.description,
        show_default=look.unset or True,
        min=least,
    )


def takes_options(model: type[BaseModel], *names: str) -> Callable[[Command], Command]:
    """A command that takes, beside its own parameters, options for these fields as keyword arguments.

    Its own keyword-only ones come last in the help.
    """

    def decorated(command: Command) -> Command:
        own = [
            parameter
            for parameter in inspect.signature(command, eval_str=True).parameters.values()
            if parameter.kind is not inspect.Parameter.VAR_KEYWORD
        ]
        made = [_parameter(model, name) for name in names]
        last = [parameter for parameter in own if parameter.kind is inspect.Parameter.KEYWORD_ONLY]
        first = [parameter for parameter in own if parameter not in last]
        command.__signature__ = inspect.Signature([*first, *made, *last])  # type: ignore[attr-defined]
        return command

    return decorated


def _parameter(model: type[BaseModel], name: str) -> inspect.Parameter:
    field = model.model_fields[name]
    kind: Any = field.annotation
    default = field.default
    if _look(field).repeated:
        kind, default = list[str] | None, None
    elif isinstance(default, tuple):
        kind, default = str, ",".join(default)
    elif _choices(field):
        kind = str if default is not None else str | None
    elif _look(field).unset:
        kind, default = kind | None, None
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[kind, option(name, model)],
    )


def field_values(model: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given on the command line as values for the model's fields; InputError for one not allowed."""
    return {name: _value(model.model_fields[name], name, value) for name, value in given.items()}


def _value(field: FieldInfo, name: str, given: Any) -> Any:
    if _look(field).repeated:
        return tuple(given or ())
    if isinstance(field.default, tuple):
        return names_in(given)
    allowed = _choices(field)
    if allowed and given is not None and given not in allowed:
        raise InputError(f"no --{name.replace('_', '-')} {given!r}: use {', '.join(allowed)}")
    return given


def _choices(field: FieldInfo) -> tuple[str, ...]:
    """What a field may be, None aside; () where it is of another kind."""
    kinds = (field.annotation, *get_args(field.annotation))
    return next((get_args(kind) for kind in kinds if get_origin(kind) is Literal), ())


def names_in(listed: str) -> tuple[str, ...]:
    """The names in a list with commas.

    >>> names_in("Anne Currie, Gaël Duez,")
    ('Anne Currie', 'Gaël Duez')
    """
    return tuple(name.strip() for name in listed.split(",") if name.strip())


def _look(field: FieldInfo) -> CommandLine:
    return next((entry for entry in field.metadata if isinstance(entry, CommandLine)), CommandLine())
