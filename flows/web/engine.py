"""The schedule beside the app, in a process of its own that yields to it.

The app must answer while an episode is worked on, and start without what works on episodes. So the schedule runs with
a lower priority, and what it starts inherits that. It ends when the app ends, however that happens: it watches its
standard input, which only the app holds open.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType

from flows import logs
from models.record.errors import InputError
from models.runtime.children import child_command, child_environment

BESIDE = "beside"  # the command, which is not for people
NICENESS = 10
END_SECONDS = 30.0  # for the schedule to let go of what it does
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 300.0  # seconds before it is started again
STEADY_SECONDS = 600.0  # after which one more end of it is a first one


def schedule_command(at_once: int) -> list[str]:
    """What runs the schedule of the settings, with so many episodes at once; 0: polls only."""
    return child_command("flows.cli", BESIDE, str(at_once))


class Engine:
    """A process that is kept running from `start` to `stop`.

    environment: what it sees beside ours. say: is told when it ended by itself.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] = MappingProxyType({}),
        say: Callable[[str], None] = logs.say,
    ) -> None:
        self._command, self._environment, self._say = command, environment, say
        self._process: subprocess.Popen[bytes] | None = None
        self._ended, self._lock = threading.Event(), threading.Lock()
        self._keeper = threading.Thread(target=self._keep, name="schedule", daemon=True)

    def start(self) -> None:
        """Start it."""
        self._keeper.start()

    def stop(self) -> None:
        """End it: it is asked to, and killed where that takes too long."""
        with self._lock:
            self._ended.set()
            process = self._process
        if process is not None:
            process.terminate()
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        if self._keeper.ident is not None:
            self._keeper.join()

    def _keep(self) -> None:
        pause = FIRST_PAUSE
        while (process := self._begin()) is not None:
            began = time.monotonic()
            with process:
                status = process.wait()
            if self._ended.is_set():
                return
            if status == InputError.exit_code:
                self._say("the schedule can't run: only the app does")
                return
            if time.monotonic() - began > STEADY_SECONDS:
                pause = FIRST_PAUSE
            self._say(f"the schedule ended (status {status}): it starts again in {pause:.0f} s")
            self._ended.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _begin(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._ended.is_set():
                return None
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                env=child_environment(self._environment),
                process_group=0,  # Ctrl-C is for the app, which ends this when it is done
            )
            return self._process


def run_schedule(at_once: int) -> None:
    """What the command does: the schedule, until told to end, or until who holds our standard input is gone."""
    os.environ.setdefault(
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "WARNING"
    )  # the rest is told by the queue
    from flows.schedule.serve import serve
    from flows.schedule.settings import load

    with suppress(OSError):
        os.nice(NICENESS)
    threading.Thread(target=_end_with_the_app, daemon=True).start()
    serve(load(), at_once, without_shows=True)


def _end_with_the_app() -> None:
    while os.read(0, 1024):  # not by sys.stdin, whose lock would be held when we end
        pass
    os.kill(os.getpid(), signal.SIGTERM)
