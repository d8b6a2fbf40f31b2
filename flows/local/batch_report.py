"""What is said of many episodes: a line of each as it is settled, and a table at the end."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flows import logs
from flows.local.progress_bars import TITLES
from flows.progress import reporting_to
from outputs.text.terminal import printable
from outputs.text.times import clock, duration

if TYPE_CHECKING:
    from flows.local.batch import Outcome, Told

WIDTH = 10_000  # of a table that no terminal cuts


@contextmanager
def settled_one_by_one(*, watching: bool = False) -> Iterator[Told]:
    """Within, what is yielded says on stderr what became of each; a terminal shows how far all are, too.

    watching: on stdout instead, and nothing of files that are what they were.
    """
    if logs.is_json():
        with reporting_to(lambda *_: None, lambda _: None):
            yield _logged
        return
    from rich.console import Console

    console = Console(stderr=not watching, emoji=False)

    def told(outcome: Outcome, number: int, count: int) -> None:
        if watching and outcome.state == "twice" and not outcome.why:
            return
        place = f"[{number}/{count}] " if count else ""
        style = "red" if outcome.failed else None
        console.print(
            printable(f"{place}{line(outcome)}"), style=style, markup=False, highlight=False, soft_wrap=True
        )

    if not console.is_terminal:
        with reporting_to(lambda *_: None, lambda _: None):
            yield told
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<18}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        whole, current = shown.add_task("Episodes", total=None), shown.add_task("", total=None)

        def watch(stage: str, done: float, total: float) -> None:
            shown.update(current, description=TITLES.get(stage, stage), completed=done, total=total or None)

        def counted(outcome: Outcome, number: int, count: int) -> None:
            shown.update(whole, completed=number, total=count or None)
            told(outcome, number, count)

        with reporting_to(watch, lambda _: None):
            yield counted


def _logged(outcome: Outcome, number: int, count: int) -> None:
    level = logging.WARNING if outcome.failed else logging.INFO
    logs.say(
        line(outcome),
        level=level,
        event="episode.ended",
        state=outcome.state,
        source=outcome.source,
        folder=outcome.folder,
        number=number,
        of=count,
    )


def line(outcome: Outcome) -> str:
    """What became of a source, in a line."""
    took = f", {clock(outcome.audio)} of audio in {outcome.took:.1f} s" if outcome.audio is not None else ""
    why = f": {outcome.why}" if outcome.why else ""
    return f"{outcome.source}: {outcome.state}{took}{why}"


def print_outcomes(outcomes: Sequence[Outcome]) -> None:
    """A table of them, those that failed last, and their sums; as wide as the terminal, or as it needs to be."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not outcomes:
        return
    if logs.is_json():
        logs.say(_sums(outcomes), event="run.done")
        return
    console = Console(emoji=False)
    columns = ("source", "state", "audio", "seconds", "folder or error")
    table = Table(*columns, box=None, padding=(0, 2, 0, 0), header_style="bold")
    for outcome in sorted(outcomes, key=lambda one: one.failed):
        cells = (
            outcome.source,
            outcome.state,
            "" if outcome.audio is None else clock(outcome.audio),
            f"{outcome.took:.1f}" if outcome.took else "",
            "; ".join(filter(None, (outcome.folder, outcome.why))),
        )
        table.add_row(*(Text(printable(cell)) for cell in cells), style="red" if outcome.failed else "")
    width = None if console.is_terminal else Console(width=WIDTH).measure(table).maximum
    Console(width=width, emoji=False).print(table)
    console.print(_sums(outcomes), highlight=False, soft_wrap=True)


def _sums(outcomes: Sequence[Outcome]) -> str:
    states = Counter(outcome.state for outcome in outcomes)
    counted = ", ".join(f"{count} {state}" for state, count in states.most_common())
    audio = sum(outcome.audio or 0.0 for outcome in outcomes)
    took = sum(outcome.took for outcome in outcomes)
    sources = "source" if len(outcomes) == 1 else "sources"
    return f"{len(outcomes)} {sources}: {counted}; {clock(audio)} of audio in {duration(took)}"
