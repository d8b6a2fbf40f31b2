"""How speech is packed into the chunks that Whisper hears at a time.

A chunk is one unbroken stretch of audio, so that the times of its words need no mapping back. It
begins and ends in a pause, in the middle of a word only where somebody talks for half a minute
without any.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from models.record.spans import Span
from models.runtime.samples import SAMPLE_RATE, Samples, as_float

CHUNK_SECONDS = 30.0  # what Whisper hears at once
FRAME_RATE = 100  # feature frames a second that it hears
SILENCE = 2.0  # seconds of silence after a chunk that it is given, too: it is used to hear some
MARGIN = 0.4  # seconds of context before and after the speech of a chunk
MAX_PAUSE = 2.0  # seconds without speech inside a chunk: more of it makes Whisper invent words
BREATH = 0.03  # seconds of longer pause that a second of unused chunk is worth
QUIET_SECONDS = 0.1  # how long the place is in which unbroken speech is cut


def pack_chunks(speech: Sequence[Span], samples: Samples) -> list[Span]:
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
        cut = quietest_moment(samples, start + longest / 2, start + longest)
        yield Span(start, cut)
        start = cut
    yield Span(start, span.end)


def quietest_moment(samples: Samples, start: float, end: float) -> float:
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
