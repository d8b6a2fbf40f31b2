"""What the person at the terminal sees while a run goes on: a bar a stage, or a line where there is no terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from flows import logs
from flows.progress import reporting_to

TITLES = {
    "download": "Downloading",
    "decode": "Decoding",
    "transcribe": "Transcribing",
    "diarise": "Finding speakers",
    "translate": "Translating",
    "assist": "Asking the language model",
    "feeds": "Reading feeds",
    "embed": "Reading for meaning",
}


@contextmanager
def bars() -> Iterator[None]:
    """One bar a stage with percentage and time left; plain lines where there is no terminal."""
    from rich.console import Console

    console = Console(stderr=True, emoji=False)
    if logs.is_json() or not console.is_terminal:
        say = partial(logs.say, err=True)
        with reporting_to(_Lines(), say):
            yield
        return
    say = partial(console.print, markup=False, highlight=False, soft_wrap=True)
    from rich.progress import (
        BarColumn,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description:<19}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=console) as shown:
        tasks: dict[str, int] = {}

        def watch(stage: str, done: float, total: float) -> None:
            if stage not in tasks:
                tasks[stage] = shown.add_task(TITLES.get(stage, stage), total=None)
            shown.update(tasks[stage], completed=done, total=total or None)  # type: ignore[arg-type]

        with reporting_to(watch, say):
            yield


class _Lines:
    """A line when a stage begins: enough for a log file."""

    def __init__(self) -> None:
        self._begun: set[str] = set()

    def __call__(self, stage: str, done: float, total: float) -> None:
        if stage not in self._begun:
            self._begun.add(stage)
            logs.say(f"{TITLES.get(stage, stage)} ...", event="stage", err=True, stage=stage)
