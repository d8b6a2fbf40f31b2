"""Marks where somebody speaks and no words were found, for who reads the transcript."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from models.record.spans import Span
from models.record.transcript import Repair, Segment, Transcript, Word

MARKED_SECONDS = 2.0  # of speech without words; less is a word or two that nobody will miss
MARK = "(unclear)"


def with_unclear(transcript: Transcript) -> Transcript:
    """The transcript with a mark, as a word of whoever speaks there, at each long stretch of speech without words."""
    segments = list(transcript.segments)
    for repair in transcript.repairs:
        if repair.reason == "unheard" and repair.end - repair.start >= MARKED_SECONDS:
            _insert(segments, repair, transcript)
    return replace(transcript, segments=tuple(segments))


def _insert(segments: list[Segment], repair: Repair, transcript: Transcript) -> None:
    mark = Word(repair.start, repair.end, f" {MARK}", probability=0.0)
    for index, segment in enumerate(segments):
        if segment.start <= repair.start and repair.end <= segment.end:
            at = sum(word.start < repair.start for word in segment.words)
            own = replace(mark, language=segment.language)
            words = (*segment.words[:at], own, *segment.words[at:])
            segments[index] = replace(segment, words=words)
            return
    at = sum(segment.start < repair.start for segment in segments)
    segments.insert(at, Segment(mark.start, mark.end, _speaker(repair, transcript), (mark,)))


def _speaker(repair: Repair, transcript: Transcript) -> str | None:
    """Who speaks longest there."""
    span, seconds = Span(repair.start, repair.end), defaultdict[str, float](float)
    for turn in transcript.turns:
        seconds[turn.speaker] += span.shared(Span(turn.start, turn.end))
    return max(seconds, key=lambda speaker: seconds[speaker]) if any(seconds.values()) else None
