"""How a long stage tells the caller how far it is, and how the caller stops it."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, float, float], None]
"""`progress(stage, done, total)`: called now and then; raising from it cancels the stage.

`stage` is "download", "decode", "transcribe", "diarise" or "translate"; `done` of `total` are bytes for a
download and seconds of audio or pieces of work for the rest. A `total` of 0 means unknown.
"""


Report = Callable[[int, int], None]
"""`report(completed, total)`: the same of one step of a stage; what it raises cancels the run."""


def silent(stage: str, done: float, total: float) -> None:
    """The progress of somebody who doesn't look."""


def no_report(completed: int, total: int) -> None:
    """The report of somebody who doesn't look."""
