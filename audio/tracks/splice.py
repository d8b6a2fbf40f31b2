"""Stretches of several time lines put end to end, and the way back: what is to be heard of tracks, and nothing else.

Networks hear the splice as one recording, so that their work grows with speech, not with tracks times length.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from models.record.spans import Span, within

PAUSE = 0.8  # seconds of silence between two stretches of a track: longer pauses are as long as that
BETWEEN_TRACKS = 4.0  # seconds: nothing goes on from one to the other


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a track's time line, and the second of the splice at which it begins."""

    track: int
    span: Span
    at: float

    @property
    def end(self) -> float:
        """The second of the splice at which it ends."""
        return self.at + self.span.duration


@dataclass(frozen=True, slots=True)
class Splice:
    """Stretches in order: of the first track, then of the second, and so on; in each in order of time."""

    stretches: tuple[Stretch, ...]
    tracks: int

    @classmethod
    def of(cls, heard: Sequence[Sequence[Span]]) -> Splice:
        """Of what is to be heard of each track: spans in order, apart from each other.

        Pauses of up to PAUSE stay as they are.
        """
        stretches: list[Stretch] = []
        now = 0.0
        for track, spans in enumerate(heard):
            before = -BETWEEN_TRACKS
            for span in spans:
                now += min(PAUSE, span.start - before) if before >= 0.0 else PAUSE
                stretches.append(Stretch(track, span, now))
                now, before = now + span.duration, span.end
            now += BETWEEN_TRACKS
        return cls(tuple(stretches), len(heard))

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return self.stretches[-1].end + BETWEEN_TRACKS if self.stretches else 0.0

    def of_track(self, track: int) -> tuple[Stretch, ...]:
        """Its stretches."""
        return tuple(stretch for stretch in self.stretches if stretch.track == track)

    def bounds(self, track: int) -> Span:
        """The part of the splice that a track has, with half of the silence around it."""
        own = self.of_track(track)
        return Span(own[0].at - PAUSE, own[-1].end + PAUSE) if own else Span(0.0, 0.0)

    def into(self, track: int, spans: Sequence[Span]) -> list[Span]:
        """Where spans of a track's time line, in order, lie in the splice; what it lacks is left out."""
        return [
            Span(part.start - stretch.span.start + stretch.at, part.end - stretch.span.start + stretch.at)
            for stretch in self.of_track(track)
            for part in within(spans, stretch.span)
        ]

    def stretch_at(self, time: float) -> Stretch:
        """The stretch that a moment of the splice lies in, or else the nearest."""
        after = bisect_right(self.stretches, time, key=lambda stretch: stretch.at)
        around = self.stretches[max(0, after - 1) : after + 1]
        return min(around, key=lambda stretch: max(stretch.at - time, time - stretch.end))

    def back(self, start: float, end: float) -> tuple[int, Span]:
        """The track and the time in it of something short that is heard in the splice."""
        stretch = self.stretch_at((start + end) / 2)
        shift = stretch.span.start - stretch.at
        return stretch.track, Span(start + shift, end + shift)

    def back_parts(self, spans: Iterable[Span]) -> list[tuple[int, Span]]:
        """The tracks and times of something long: a part for each stretch that it lies in."""
        return [
            (
                stretch.track,
                Span(
                    max(span.start, stretch.at) - stretch.at + stretch.span.start,
                    min(span.end, stretch.end) - stretch.at + stretch.span.start,
                ),
            )
            for span in spans
            for stretch in self.stretches
            if min(span.end, stretch.end) > max(span.start, stretch.at)
        ]
