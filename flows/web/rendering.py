"""Episodes rendered for a request: each by a process of its own, which yields to the app, some at once."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

from flows.library import exporting
from flows.library.exporting import Choices
from flows.web.problems import ProblemError
from models.record.errors import InputError, OutputError
from models.runtime.children import child_command, child_environment

AT_ONCE = 4
RETRY_SECONDS = 5
RENDERING_SECONDS = 300  # at most

_turns = threading.BoundedSemaphore(AT_ONCE)


def rendered(folder: Path, choices: Choices) -> bytes:
    """As `exporting.exported`; ProblemError 503 where as many as may be are rendered already."""
    if not _turns.acquire(blocking=False):
        told = "the app makes many files: try again in a moment"
        raise ProblemError(503, "busy", told, {"Retry-After": str(RETRY_SECONDS)})
    try:
        done = subprocess.run(
            child_command(exporting.__name__), env=child_environment(), capture_output=True,
            input=exporting.order(folder, choices).encode(), check=False, timeout=RENDERING_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise OutputError(f"{folder}: to write it as {choices.format} takes too long") from error
    finally:
        _turns.release()
    if done.returncode:
        told = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise (InputError if done.returncode == InputError.exit_code else OutputError)(told)
    return done.stdout
