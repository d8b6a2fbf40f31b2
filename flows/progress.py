"""How far a run is, from its steps to whoever watches it, across Prefect's tasks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from models.record.progress import Progress, silent

_current: ContextVar[Progress] = ContextVar("progress", default=silent)


def progress(stage: str, done: float, total: float) -> None:
    """Report to whoever looks at this run, if anybody."""
    _current.get()(stage, done, total)


@contextmanager
def reporting_to(watcher: Progress) -> Iterator[None]:
    """Within, `progress` goes to `watcher`."""
    token = _current.set(watcher)
    try:
        yield
    finally:
        _current.reset(token)
