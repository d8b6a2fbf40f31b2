"""Stretches of time, and what can be made of many of them: their union, their parts within another."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from models.record.transcript import Turn

MERGED_GAP = 0.25  # seconds; shorter gaps come and go with who is thought to speak


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of time in seconds."""

    start: float
    end: float

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.end - self.start

    def shared(self, other: Span) -> float:
        """Seconds that both spans cover; 0 where they are apart.

        >>> Span(0, 2).shared(Span(1, 5))
        1
        """
        return max(0, min(self.end, other.end) - max(self.start, other.start))


def union(spans: Iterable[Span], gap: float = 0.0) -> list[Span]:
    """What is covered by any of the spans, in order; those at most `gap` seconds apart become one.

    >>> union([Span(3, 4), Span(0, 1), Span(1.1, 2)], gap=0.2)
    [Span(start=0, end=2), Span(start=3, end=4)]
    """
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start - merged[-1].end <= gap:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def touching(spans: Sequence[Span], span: Span) -> Sequence[Span]:
    """Those of many spans that share time with one. spans: in order, apart from each other."""
    first = bisect_right(spans, span.start, key=lambda each: each.end)
    return spans[first : bisect_left(spans, span.end, lo=first, key=lambda each: each.start)]


def within(spans: Sequence[Span], span: Span) -> list[Span]:
    """The parts of many spans that lie inside one. spans: in order, apart from each other.

    >>> within([Span(0, 2), Span(3, 5), Span(6, 7)], Span(1, 4))
    [Span(start=1, end=2), Span(start=3, end=4)]
    """
    return [Span(max(s.start, span.start), min(s.end, span.end)) for s in touching(spans, span)]


def uncovered(span: Span, spans: Sequence[Span]) -> list[Span]:
    """The parts of a span that none of many covers. spans: in order, apart from each other.

    >>> uncovered(Span(0, 5), [Span(1, 2), Span(4, 6)])
    [Span(start=0, end=1), Span(start=2, end=4)]
    """
    inside = within(spans, span)
    edges = [span.start, *(edge for part in inside for edge in (part.start, part.end)), span.end]
    parts = (Span(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True))
    return [part for part in parts if part.duration > 0]


def total(spans: Iterable[Span]) -> float:
    """Seconds of all the spans together."""
    return sum(span.duration for span in spans)


def who_speaks(turns: Iterable[Turn]) -> Iterator[tuple[Span, tuple[str, ...]]]:
    """Stretches in which the same people speak, in order, with their labels in alphabetical order.

    >>> list(who_speaks([Turn(0, 2, "A"), Turn(1, 2, "B")]))
    [(Span(start=0, end=1), ('A',)), (Span(start=1, end=2), ('A', 'B'))]
    """
    for span, speaking in _turns_at_once(turns):
        yield span, tuple(sorted({turn.speaker for turn in speaking}))


def exclusive_turns(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """The same with one speaker at a time, in order: where turns overlap the shortest has it, which is thrown in.

    >>> [(turn.start, turn.end, turn.speaker) for turn in exclusive_turns([Turn(0, 6, "A"), Turn(2, 3, "B")])]
    [(0, 2, 'A'), (2, 3, 'B'), (3, 6, 'A')]
    """
    alone: list[Turn] = []
    for span, speaking in _turns_at_once(turns):
        turn = min(speaking, key=lambda turn: (turn.duration, turn))
        part = replace(turn, start=span.start, end=span.end)
        if alone and alone[-1] == replace(part, start=alone[-1].start, end=span.start):
            part = replace(part, start=alone.pop().start)
        alone.append(part)
    return tuple(alone)


def _turns_at_once(turns: Iterable[Turn]) -> Iterator[tuple[Span, set[Turn]]]:
    """Stretches, in order, between the edges of turns, and the turns that cover each: one at least."""
    starts: dict[float, list[Turn]] = {}
    ends: dict[float, list[Turn]] = {}
    for turn in (turn for turn in turns if turn.duration > 0.0):
        starts.setdefault(turn.start, []).append(turn)
        ends.setdefault(turn.end, []).append(turn)
    speaking: set[Turn] = set()
    for start, end in pairwise(sorted(starts.keys() | ends.keys())):
        speaking.difference_update(ends.get(start, ()))
        speaking.update(starts.get(start, ()))
        if speaking:
            yield Span(start, end), speaking


def speech_of(turns: Sequence[Turn]) -> tuple[Span, ...]:
    """Where anybody speaks. Mostly the same for the same audio, however many speakers were found in it.

    The offline diariser closes audible gaps of up to a second between turns of one speaker: who is taken for one
    decides about those.
    """
    spans = union((Span(turn.start, turn.end) for turn in turns), MERGED_GAP)
    return tuple(Span(round(span.start, 2), round(span.end, 2)) for span in spans)
