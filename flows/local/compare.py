"""What `episcribe run --compare` prints: how far our transcript and somebody else's differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.witness import find_witness, read_witness, witness_at
from models.record.errors import InputError
from models.record.utterances import PublishedTranscript
from outputs.library import read
from outputs.library.files import resolve_location
from outputs.scoring.comparison import Comparison, compare
from outputs.text.terminal import printable
from outputs.text.times import clock

if TYPE_CHECKING:
    from rich.table import Table

    from flows.options import RunOptions
    from models.record.transcript import Transcript

FEED = "feed"  # what the episode's feed offers, in place of a file or an address
SHOWN = 8  # rows of a table
HARDLY = "the two have hardly any words in common: is theirs a transcript of this episode?"


def other_transcript(which: str, options: RunOptions) -> PublishedTranscript | None:
    """The transcript in a file or at an address; None for the feed's, which only a run finds. Raises as a run does."""
    return None if which == FEED else witness_at(which, options)


def feed_transcript(result: dict[str, Any], options: RunOptions) -> PublishedTranscript:
    """The transcript that the feed of a finished run's episode offers. InputError where there is none to be read."""
    folder = resolve_location(result["folder"])
    episode = read.load_episode(folder)
    if file := result["published_transcript"]:
        return read_witness(Path(file), "the feed's transcript")
    found = find_witness(episode, folder, options)
    if found.transcript is None:
        reasons = found.warnings or (
            "the feed offers no transcript but ours, or none in a form that is read",
        )
        raise InputError(f"nothing to compare with: {reasons[0]}")
    return found.transcript


def print_comparison(folder: str, theirs: PublishedTranscript) -> None:
    """Print how far an episode's transcript, as corrected, and another one differ."""
    from flows.local.check import console

    ours = read.load(folder)
    found = compare(ours, theirs)
    terminal = console()
    terminal.print(f"\nOurs beside {printable(theirs.source)}", style="bold", markup=False)
    for line in _summary(found):
        terminal.print(line, markup=False)
    for table in _tables(found, ours):
        terminal.print()
        terminal.print(table)


def _summary(found: Comparison) -> Iterable[str]:
    yield (
        f"{found.ours:,} words of ours, {found.theirs:,} of theirs: {found.same:,} are the same "
        f"({_share(found.same, found.ours)} of ours, {_share(found.same, found.theirs)} of theirs)"
    )
    yield (
        f"{found.others:,} others in the same place, {found.only_ours:,} only in ours, "
        f"{found.only_theirs:,} only in theirs: a WER of {_share(found.differences, found.theirs)} "
        f"if theirs were the truth, of {_share(found.differences, found.ours)} if ours were"
    )
    if not found.related:
        yield HARDLY


def _tables(found: Comparison, ours: Transcript) -> Iterable[Table]:
    if found.speakers:
        yield _table(
            ("who speaks: ours", "theirs", "words", "of ours", "of theirs"),
            (
                (ours.name_of(s.label), s.speaker, f"{s.words:,}", f"{s.of_label:.0%}", f"{s.of_speaker:.0%}")
                for s in found.speakers
            ),
            right=3,
        )
    stretches = found.stretches[:SHOWN]
    if stretches:
        yield _table(
            ("only in", "at", "words", "text"),
            (("ours" if s.ours else "theirs", clock(s.start), str(s.words), s.text) for s in stretches),
        )
    for heading, names in (("names and terms: ours", True), ("other words: ours", False)):
        rows = [d for d in found.disagreements if d.name == names and (names or d.times > 1)][:SHOWN]
        if rows:
            yield _table((heading, "theirs", "times"), ((d.ours, d.theirs, str(d.times)) for d in rows))


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]], right: int = 0) -> Table:
    """A plain table, the last `right` columns of it numbers."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2))
    for number, column in enumerate(columns, start=1):
        table.add_column(column, justify="right" if number > len(columns) - right else "left")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"
