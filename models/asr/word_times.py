"""Times of words that hold together: in order, apart from each other, none too short to be heard.

Whisper's alignment gives words one and the same instant where they are finer than its frames, or where it is lost.
Where nothing tells when each is said, they share the time of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

from models.record.spans import Span, total
from models.record.transcript import Word

FRAME = 0.02  # seconds: the step of Whisper's alignment, so no word is shorter


def lasting(words: Sequence[Word], chunk: Span) -> tuple[Word, ...]:
    """The words, in order, inside the chunk, none overlapping another, each a frame long or longer.

    A word is moved or cut short no more than it takes. One that is too short goes on after its end, and what follows
    gives way; what would leave the chunk moves forward, and what precedes gives way. Where a chunk is too short for
    all its words, those share it evenly.

    >>> words = [Word(0, 1, " a"), Word(1, 1, " b"), Word(1, 1, " c"), Word(1, 2, " d"), Word(2, 2, " e")]
    >>> [(round(w.start, 2), round(w.end, 2)) for w in lasting(words, Span(0, 2))]
    [(0, 1), (1, 1.02), (1.02, 1.04), (1.04, 1.98), (1.98, 2)]
    """
    if not words:
        return ()
    frame = min(FRAME, chunk.duration / len(words))
    pushed = accumulate(
        (max(word.start, chunk.start) for word in words), lambda last, start: max(last + frame, start)
    )
    latest = (chunk.end - frame * left for left in range(len(words), 0, -1))
    starts = [max(chunk.start, min(times)) for times in zip(pushed, latest, strict=True)]
    return tuple(
        replace(word, start=start, end=min(max(word.end, start + frame), limit))
        for word, start, limit in zip(words, starts, [*starts[1:], chunk.end], strict=True)
    )


def spread(words: Sequence[Word], speech: Sequence[Span]) -> tuple[Word, ...]:
    """The words, in order, with the time of some speech shared among them by their length.

    speech: in order, apart from each other; some of it at least. A word that would lie in two of its spans ends with
    the first.

    >>> words = [Word(0, 0, text) for text in (" one", " two", " four", " six")]
    >>> [(word.start, word.end) for word in spread(words, [Span(0.0, 8.0), Span(10.0, 19.0)])]
    [(0.0, 4.0), (4.0, 8.0), (10.0, 15.0), (15.0, 19.0)]
    """
    ends = list(accumulate(max(1, len(word.text)) for word in words))
    edges = [0.0, *(total(speech) * end / ends[-1] for end in ends)] if ends else []
    spans = [_place(speech, start, end) for start, end in pairwise(edges)]
    return tuple(
        replace(word, start=span.start, end=span.end) for word, span in zip(words, spans, strict=True)
    )


def _place(speech: Sequence[Span], start: float, end: float) -> Span:
    """Where in speech the seconds of it from `start` to `end` begin, and how far they go in the same span."""
    for span in speech:
        if start < span.duration or span is speech[-1]:
            break
        start, end = start - span.duration, end - span.duration
    return Span(span.start + start, min(span.end, span.start + end))
