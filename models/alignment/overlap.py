"""Where two people speak at once, and which words are said there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from models.record.spans import Span, total, within
from models.record.transcript import Turn, Word


def mark_overlapped_words(words: Sequence[Word], turns: Sequence[Turn]) -> list[Word]:
    """The words with `overlap` set where for half of their time or more two people speak. turns: in order."""
    both = overlaps(turns)
    flagged = []
    for word in words:
        shared = total(within(both, Span(word.start, word.end)))
        flagged.append(replace(word, overlap=shared > 0 and shared >= (word.end - word.start) / 2))
    return flagged


def overlaps(turns: Sequence[Turn]) -> list[Span]:
    """Where turns of two speakers overlap, in order, none inside another. turns: in order of time.

    >>> overlaps([Turn(0, 3, "A"), Turn(2, 4, "B"), Turn(5, 6, "A")])
    [Span(start=2, end=3)]
    """
    found: list[Span] = []
    longest: dict[str, float] = {}
    for turn in turns:
        for speaker, end in longest.items():
            start = max(turn.start, found[-1].end) if found else turn.start
            if speaker != turn.speaker and min(end, turn.end) > start:
                found.append(Span(start, min(end, turn.end)))
        longest[turn.speaker] = max(turn.end, longest.get(turn.speaker, turn.end))
    return found
