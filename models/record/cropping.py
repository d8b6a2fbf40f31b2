"""A piece of a transcript, with times of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from models.record.languages import language_shares
from models.record.transcript import Segment, Transcript, Turn, Word


def crop(transcript: Transcript, start: float, end: float) -> Transcript:
    """What is said from `start` to `end` seconds, timed from `start` on: words with their middle in there."""
    segments = _segments(transcript.segments, start, end)
    words = (word for segment in segments for word in segment.words)
    translations = (
        replace(one, segments=_segments(one.segments, start, end)) for one in transcript.translations
    )
    return replace(
        transcript,
        audio=replace(transcript.audio, seconds=end - start),
        segments=segments,
        languages=language_shares(words, transcript.language),
        translations=tuple(translations),
        turns=_turns(transcript.turns, start, end),
        exclusive=_turns(transcript.exclusive, start, end),
    )


def _segments(segments: Iterable[Segment], start: float, end: float) -> tuple[Segment, ...]:
    return tuple(
        replace(segment.with_words(words), continues=False)
        for segment in segments
        if (words := tuple(_words(segment.words, start, end)))
    )


def _words(words: Iterable[Word], start: float, end: float) -> Iterable[Word]:
    for word in words:
        if start <= (word.start + word.end) / 2 < end:
            yield replace(word, start=max(word.start, start) - start, end=min(word.end, end) - start)


def _turns(turns: Iterable[Turn], start: float, end: float) -> tuple[Turn, ...]:
    inside = (turn for turn in turns if turn.start < end and turn.end > start)
    return tuple(
        replace(turn, start=max(turn.start, start) - start, end=min(turn.end, end) - start) for turn in inside
    )
