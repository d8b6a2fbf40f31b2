"""Which speaker's turn each word lies in, by time alone."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate

from models.record.spans import Span, total, union, within
from models.record.transcript import Turn, Word

TurnsBySpeaker = Mapping[str | None, Sequence[Span]]


def spans_by_speaker(turns: Sequence[Turn]) -> dict[str | None, list[Span]]:
    """Where each speaker speaks, in order."""
    own: dict[str | None, list[Span]] = {}
    for turn in turns:
        own.setdefault(turn.speaker, []).append(Span(turn.start, turn.end))
    return {speaker: union(spans) for speaker, spans in own.items()}


def covered_seconds(word: Word, speaker: str | None, own: TurnsBySpeaker) -> float:
    """Seconds of a word in which a speaker has a turn."""
    return total(within(own.get(speaker, ()), Span(word.start, word.end)))


def assign_speakers(words: Sequence[Word], turns: Sequence[Turn]) -> list[Word]:
    """The words with the speaker whose turn covers most of each, else of the nearest turn.

    >>> turns = [Turn(0.0, 1.0, "A"), Turn(1.2, 2.0, "B")]
    >>> [w.speaker for w in assign_speakers([Word(0.7, 1.1, " hi"), Word(1.9, 2.6, " you")], turns)]
    ['A', 'B']
    """
    if not turns:
        return list(words)
    turns = sorted(turns)
    latest = list(accumulate(turns, _later_end))
    return [replace(word, speaker=_speaker_of(word, turns, latest)) for word in words]


def _speaker_of(word: Word, turns: Sequence[Turn], latest: Sequence[Turn]) -> str:
    """The speaker of the closest turn. turns: by start; latest: for each the one that ends last up to there."""
    first = bisect_left(latest, word.start, key=lambda turn: turn.end)
    near = [latest[first - 1]] if first else []
    for turn in turns[first:]:
        near.append(turn)
        if turn.start >= word.end:
            break
    return max(near, key=lambda turn: _closeness(word, turn)).speaker


def _later_end(one: Turn, other: Turn) -> Turn:
    return one if one.end >= other.end else other


def _closeness(word: Word, turn: Turn) -> tuple[float, float, float]:
    """Seconds of overlap, then nearness of the word's middle, then brevity: the larger, the better the match."""
    overlap = min(word.end, turn.end) - max(word.start, turn.start)
    middle = (word.start + word.end) / 2
    distance = max(turn.start - middle, middle - turn.end, 0.0)
    return max(overlap, 0.0), -distance, -turn.duration
