"""A process that stays and does one thing after another, with whatever it has loaded; if it dies nothing else does."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import suppress
from multiprocessing.connection import wait
from typing import Any, TypeVar

from flows import logs

GRACE_SECONDS = 20.0  # a model that is at work hears no signal until it has finished a piece

Result = TypeVar("Result")


class WarmProcess:
    """The process. prepare: what it calls first, with `arguments`."""

    def __init__(self, prepare: Callable[..., Any] | None = None, *arguments: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(
            1, mp_context=context, initializer=_settle, initargs=(prepare, *arguments)
        )
        self.pid = self._pool.submit(os.getpid).result()

    def submit(self, action: Callable[..., Result], *arguments: Any) -> Future[Result]:
        """Have it done; the future is a BrokenProcessPool where the process dies of it."""
        return self._pool.submit(action, *arguments)

    def terminate(self) -> None:
        """Ask the process to end."""
        self._signal(signal.SIGTERM)

    def close(self) -> None:
        """End the process: politely, so that it can give back what it is at, and then in any case."""
        self.terminate()
        last = threading.Timer(GRACE_SECONDS, self._signal, [signal.SIGKILL])
        last.start()
        self._pool.shutdown(wait=True)
        last.cancel()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)


# What follows happens in the process.


def _settle(prepare: Callable[..., Any] | None, *arguments: Any) -> None:
    """Leave signals of the terminal to the parent, tidy up when told to end, and leave with it, however it ends."""
    logs.set_format(os.environ.get(logs.VARIABLE, logs.TEXT))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # during a run Prefect has a handler of its own
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    if prepare is not None:
        prepare(*arguments)


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
