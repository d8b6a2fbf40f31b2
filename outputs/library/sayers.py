"""Who says a translation, after somebody has corrected who says what it translates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from models.record.spans import Span, total, union, within
from models.record.transcript import Segment, Transcript, Translation

Speech = Mapping[str | None, list[Span]]
LOST = (
    0.5  # share of the time of its speaker's words that are not theirs by now: then neither is what it tells
)


def with_sayers(translation: Translation, before: Transcript, now: Transcript) -> Translation:
    """The translation with the speakers of `now`, where those of `before` say less at its times.

    Its words stay: nobody knows how corrected words would have been translated. What nobody says any more goes.
    """
    were, are = _said(before), _said(now)
    own, left = _united(were), _united(are)
    gained = _united({speaker: spans - were.get(speaker, set()) for speaker, spans in are.items()})
    segments = (_said_by_whom(segment, own, left, gained) for segment in translation.segments)
    return replace(translation, segments=tuple(segment for segment in segments if segment))


def _said(transcript: Transcript) -> dict[str | None, set[Span]]:
    """When each speaker says a word."""
    said: dict[str | None, set[Span]] = defaultdict(set)
    for segment in transcript.segments:
        said[segment.speaker].update(Span(word.start, word.end) for word in segment.words)
    return said


def _united(said: Mapping[str | None, set[Span]]) -> Speech:
    return {speaker: union(spans) for speaker, spans in said.items()}


def _said_by_whom(segment: Segment, own: Speech, left: Speech, gained: Speech) -> Segment | None:
    """The segment with who says it; None where that was deleted. gained: what is said by whom, and was not."""
    span = Span(segment.start, segment.end)

    def seconds(speech: Speech, speaker: str | None) -> float:
        return total(within(speech.get(speaker, ()), span))

    had, has = seconds(own, segment.speaker), seconds(left, segment.speaker)
    if not had or has > (1 - LOST) * had:
        return segment
    others = {speaker: seconds(gained, speaker) for speaker in gained if speaker != segment.speaker}
    if sum(others.values()) < LOST * (had - has):
        return None
    speaker = max(others, key=lambda who: others[who])
    words = tuple(replace(word, speaker=speaker) for word in segment.words)
    return replace(segment, speaker=speaker, words=words)
