"""How far a run is and what it has to say, from its steps to whoever watches it, across Prefect's tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

from models.record.progress import Progress, silent

_current: ContextVar[Progress] = ContextVar("progress", default=silent)
_listener: ContextVar[Callable[[str], None] | None] = ContextVar("listener", default=None)


def progress(stage: str, done: float, total: float) -> None:
    """Report to whoever looks at this run, if anybody."""
    _current.get()(stage, done, total)


def tell(line: str) -> None:
    """Say a line to whoever looks at this run; where nobody does it goes to the run's log."""
    if (listener := _listener.get()) is not None:
        listener(line)
        return
    from prefect.exceptions import MissingContextError
    from prefect.logging import get_run_logger

    with suppress(MissingContextError):
        get_run_logger().info("%s", line)


@contextmanager
def reporting_to(watcher: Progress, listener: Callable[[str], None] | None = None) -> Iterator[None]:
    """Within, `progress` goes to `watcher`, and what `tell` says to `listener`."""
    watching, listening = _current.set(watcher), _listener.set(listener)
    try:
        yield
    finally:
        _current.reset(watching)
        _listener.reset(listening)
