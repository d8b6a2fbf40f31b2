"""Speech that was given to somebody though it sounds like somebody else, and how a reader is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from models.record.transcript import Turn


@dataclass(frozen=True)
class Doubt:
    """Speech that sounds unlike the rest of the voice it was given to: from `start` on, `seconds` in all.

    `sure` is the probability that it is that person's.
    """

    start: float
    seconds: float
    sure: float


Doubted = Callable[[Doubt], None]


def no_doubt(doubt: Doubt) -> None:
    """Doubts are not asked for."""


def warnings_of(doubts: Iterable[Doubt], turns: Sequence[Turn]) -> Iterator[str]:
    """A warning for each speaker some of whose speech may be somebody else's."""
    of: dict[str, list[Doubt]] = {}
    for doubt in doubts:
        nearest = min(turns, key=lambda turn: max(turn.start - doubt.start, doubt.start - turn.end, 0.0))
        of.setdefault(nearest.speaker, []).append(doubt)
    count = len({turn.speaker for turn in turns})
    for speaker, own in sorted(of.items()):
        starts = ", ".join(
            str(timedelta(seconds=int(start))) for start in sorted(doubt.start for doubt in own)
        )
        yield (
            f"{speaker} is heard in another way for {sum(doubt.seconds for doubt in own):.0f} s (from {starts} on): "
            "acted, raised, laughing, over another microphone, or somebody else; it was taken for one person "
            f"({min(doubt.sure for doubt in own):.0%} sure; --min-speakers {count + 1} keeps them apart)"
        )
