"""Where there is speech, and how it is packed into the chunks that Whisper hears at a time.

A chunk is one unbroken stretch of audio, so that the times of its words need no mapping back. It
begins and ends in a pause, in the middle of a word only where somebody talks for half a minute
without any.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from models.samples import SAMPLE_RATE, Samples, as_float
from models.transcript import Turn

CHUNK_SECONDS = 30.0  # what Whisper hears at once
MARGIN = 0.4  # seconds of context before and after the speech of a chunk
MAX_PAUSE = 2.0  # seconds without speech inside a chunk: more of it makes Whisper invent words
MERGED_GAP = 0.25  # seconds; shorter gaps come and go with who is thought to speak
BREATH = 0.03  # seconds of longer pause that a second of unused chunk is worth
QUIET_SECONDS = 0.1  # how long the place is in which unbroken speech is cut
VAD_SECONDS = 300  # a stretch for the voice detector, whose memory grows with its length


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


def total(spans: Iterable[Span]) -> float:
    """Seconds of all the spans together."""
    return sum(span.duration for span in spans)


def speech_of(turns: Sequence[Turn]) -> tuple[Span, ...]:
    """Where anybody speaks. Mostly the same for the same audio, however many speakers were found in it.

    The offline diariser closes audible gaps of up to a second between turns of one speaker: who is taken for one
    decides about those.
    """
    spans = union((Span(turn.start, turn.end) for turn in turns), MERGED_GAP)
    return tuple(Span(round(span.start, 2), round(span.end, 2)) for span in spans)


def voice_activity(samples: Samples) -> list[Span]:
    """Speech as Silero's voice detector hears it; samples: (samples,) float32 or int16 at 16 kHz."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(min_silence_duration_ms=160, speech_pad_ms=100)
    size = VAD_SECONDS * SAMPLE_RATE
    found = [
        Span((first + part["start"]) / SAMPLE_RATE, (first + part["end"]) / SAMPLE_RATE)
        for first in range(0, len(samples), size)
        for part in get_speech_timestamps(as_float(samples[first : first + size]), options)
    ]
    return union(found, MERGED_GAP)


def pack(speech: Sequence[Span], samples: Samples) -> list[Span]:
    """Chunks of at most 30 s that hold all the speech, as few as good places for cuts allow.

    speech: in order, apart from each other. samples: (samples,) float32 or int16 at 16 kHz; they tell where
    unbroken speech is quietest. The chunks are in order and don't overlap.
    """
    cores = []
    for stretch in _stretches(speech, samples):
        cores += _cut(stretch)
    length = len(samples) / SAMPLE_RATE
    edges = [0.0, *(edge for core in cores for edge in (core.start, core.end)), length]
    chunks = []
    for i, core in enumerate(cores):
        before, after = edges[2 * i], edges[2 * i + 3]
        start = max(core.start - MARGIN, (before + core.start) / 2 if i else 0.0)
        end = min(core.end + MARGIN, (core.end + after) / 2 if i + 1 < len(cores) else length)
        chunks.append(Span(start, end))
    return chunks


def _stretches(speech: Sequence[Span], samples: Samples) -> Iterator[list[Span]]:
    """Speech without long pauses; every piece of it fits into a chunk."""
    longest = CHUNK_SECONDS - 2 * MARGIN
    pieces = [piece for span in speech for piece in _bounded(span, samples, longest)]
    stretch = pieces[:1]
    for before, piece in pairwise(pieces):
        if piece.start - before.end > MAX_PAUSE:
            yield stretch
            stretch = []
        stretch.append(piece)
    if stretch:
        yield stretch


def _bounded(span: Span, samples: Samples, longest: float) -> Iterator[Span]:
    """The span itself, or pieces of it, cut where it is quietest in the second half of what fits."""
    start = span.start
    while span.end - start > longest:
        cut = quietest(samples, start + longest / 2, start + longest)
        yield Span(start, cut)
        start = cut
    yield Span(start, span.end)


def quietest(samples: Samples, start: float, end: float) -> float:
    """The middle of the quietest tenth of a second between `start` and `end`, in seconds."""
    size = round(QUIET_SECONDS * SAMPLE_RATE)
    window = as_float(samples[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)])
    energy = np.square(window[: len(window) // size * size]).reshape(-1, size).sum(axis=1)
    return start + (int(energy.argmin()) + 0.5) * QUIET_SECONDS if len(energy) else (start + end) / 2


def _cut(pieces: list[Span]) -> list[Span]:
    """One stretch as chunks, each cut in the best pause of the second half of what fits."""
    longest, cores = CHUNK_SECONDS - 2 * MARGIN, list[Span]()
    first = 0
    while first < len(pieces):
        start = pieces[first].start
        last = first
        while last + 1 < len(pieces) and pieces[last + 1].end - start <= longest:
            last += 1
        if last + 1 < len(pieces):
            late = [i for i in range(first, last) if pieces[i].end - start >= longest / 2]
            last = max(
                [*late, last], key=lambda i: pieces[i + 1].start - pieces[i].end + BREATH * pieces[i].end
            )
        cores.append(Span(start, pieces[last].end))
        first = last + 1
    return cores
