"""How a long stage tells the caller how far it is, and how the caller stops it."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, float, float], None]
"""`progress(stage, done, total)`: called now and then; raising from it cancels the stage.

`stage` is "download", "decode", "transcribe", "diarise", "translate" or "embed"; `done` of `total` are bytes for a
download and seconds of audio or pieces of work for the rest. A `total` of 0 means unknown.
"""


Report = Callable[[int, int], None]
"""`report(completed, total)`: the same of one step of a stage; what it raises cancels the run."""


Heard = Callable[[str], None]
"""`heard(words)`: text that was written down last, for who looks on; it may still be repaired."""


def silent(stage: str, done: float, total: float) -> None:
    """The progress of somebody who doesn't look."""


def no_report(completed: int, total: int) -> None:
    """The report of somebody who doesn't look."""


def unheard(words: str) -> None:
    """The ear of somebody who doesn't look."""
