"""How far a run is and what it has to say, from its steps to whoever watches it, across Prefect's tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Protocol

from models.record.progress import Progress, silent


class Watch(Protocol):
    """Somebody who looks at the whole of a run, as those who watch the queue do."""

    def progress(self, stage: str, done: float, total: float) -> None:
        """As `models.record.progress.Progress`; what it raises cancels the run."""

    def stage(self, name: str, expected: Mapping[str, float]) -> None:
        """A stage begins. expected: seconds of it and of the stages of models after it, as far as can be told."""

    def heard(self, words: str) -> None:
        """What was written down last."""

    def took(self, stage: str, seconds: float, audio: float) -> None:
        """A stage was worked through, in so many seconds, for so many of audio."""


_current: ContextVar[Progress] = ContextVar("progress", default=silent)
_listener: ContextVar[Callable[[str], None] | None] = ContextVar("listener", default=None)
_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)


def progress(stage: str, done: float, total: float) -> None:
    """Report to whoever looks at this run, if anybody."""
    _current.get()(stage, done, total)
    if (watch := _watch.get()) is not None:
        watch.progress(stage, done, total)


def stage(name: str, expected: Mapping[str, float] | None = None) -> None:
    """Say that a stage begins, to whoever watches the whole run; see `Watch.stage`."""
    if (watch := _watch.get()) is not None:
        watch.stage(name, expected or {})


def heard(words: str) -> None:
    """Say what was written down last, to whoever watches the whole run."""
    if (watch := _watch.get()) is not None:
        watch.heard(words)


def took(stage: str, seconds: float, audio: float) -> None:
    """Say how long a stage took, to whoever watches the whole run; see `Watch.took`."""
    if (watch := _watch.get()) is not None:
        watch.took(stage, seconds, audio)


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


@contextmanager
def watched_by(watch: Watch) -> Iterator[None]:
    """Within, all goes to `watch` too."""
    watching = _watch.set(watch)
    try:
        yield
    finally:
        _watch.reset(watching)
