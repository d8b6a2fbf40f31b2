"""What long-running commands say beside their results: lines for people, or one JSON object each for programs.

The format is in the environment, so that the processes which a command starts keep to it. Python's logging, with what
Prefect and uvicorn log, takes part in JSON; as text it is left as it is.
"""

from __future__ import annotations

import json
import logging
import math
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, TextIO

from models.record.errors import InputError

VARIABLE = "EPISCRIBE_LOG_FORMAT"
TEXT, JSON = FORMATS = ("text", "json")
NAME = "episcribe"  # of our own lines' logger
HANDLERS = ("CONSOLE", "DEBUG")  # of Prefect's logging that write to the terminal
RUN = {"flow_run_id": "flow_run", "flow_run_name": "flow_run_name", "task_run_name": "task_run"}

_about: ContextVar[Mapping[str, Any]] = ContextVar("about", default=MappingProxyType({}))


def set_format(name: str) -> None:
    """Have this process, and those that it starts, log as text or json. InputError for another format."""
    if name not in FORMATS:
        raise InputError(f"no --log-format {name!r}: use {', '.join(FORMATS)}")
    if os.environ.get(VARIABLE, TEXT) != name:
        os.environ[VARIABLE] = name
    if name == JSON:
        for handler in HANDLERS:  # read by Prefect when it is imported
            os.environ[f"PREFECT_LOGGING_HANDLERS_{handler}_CLASS"] = f"{__name__}.{JsonHandler.__name__}"
        logging.captureWarnings(True)
        logging.getLogger().handlers = [JsonHandler()]


def is_json() -> bool:
    """Whether lines are JSON."""
    return os.environ.get(VARIABLE) == JSON


@contextmanager
def about(**known: Any) -> Iterator[None]:
    """Within, lines in JSON tell this of what they are about, such as `show` and `episode`."""
    token = _about.set({**_about.get(), **known})
    try:
        yield
    finally:
        _about.reset(token)


def say(text: str, *, level: int = logging.INFO, event: str = "", err: bool = False, **known: Any) -> None:
    """Say a line: as it is, or in JSON with the name of what happened and what is known of it.

    err: whether as text it goes to standard error. JSON always does.
    """
    if is_json():
        _write(line(level, NAME, text, {"event": event, **_about.get(), **known}), sys.stderr)
    else:
        _write(text, sys.stderr if err else sys.stdout)


def warn(text: str, *, event: str = "", **known: Any) -> None:
    """Say on standard error that something is wrong."""
    say(text, level=logging.WARNING, event=event, err=True, **known)


def line(level: int, logger: str, message: str, known: Mapping[str, Any]) -> str:
    """A line of JSON: time (UTC), level, logger, message and what is known. Addresses lose what may be secret."""
    told = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": logging.getLevelName(level).lower(),
        "logger": logger,
        "message": message,
        **{name: value for name, value in known.items() if value is not None and value != ""},
    }
    return json.dumps(_tellable(told), allow_nan=False)


def _tellable(value: Any) -> Any:
    """A value as JSON can hold it, however deep, the addresses in it without what may be secret."""
    from audio.transfer.addresses import without_secrets

    if value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, Mapping):
        return {without_secrets(str(name)): _tellable(one) for name, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_tellable(one) for one in value]
    return without_secrets(str(value))


class JsonHandler(logging.StreamHandler[TextIO]):
    """Writes what is logged as lines of JSON, whatever formatter and styles it is given."""

    def __init__(self, stream: TextIO | None = None, styles: object = None) -> None:
        super().__init__(stream)

    def format(self, record: logging.LogRecord) -> str:
        """The line for a record."""
        known = {**_about.get(), **{name: getattr(record, key, None) for key, name in RUN.items()}}
        if record.exc_info and record.exc_info[0] is not None:
            known["exception"] = logging.Formatter().formatException(record.exc_info)
        return line(record.levelno, record.name, record.getMessage(), known)


def _write(text: str, stream: TextIO) -> None:
    stream.write(f"{text}\n")  # at once: other processes write there, too
    stream.flush()
