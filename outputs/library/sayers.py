"""Who says a translation, after somebody has corrected who says what it translates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from models.record.spans import Span, total, union, within
from models.record.transcript import Segment, Transcript, Translation

Speech = Mapping[str | None, list[Span]]
LOST = 0.5  # share of the time of its speaker's words that others have by now: then it is theirs


def with_sayers(translation: Translation, before: Transcript, now: Transcript) -> Translation:
    """The translation with the speakers of `now`, where those of `before` say less at its times.

    Its words stay: nobody knows how corrected words would have been translated.
    """
    were, are = _speech(before), _speech(now)
    segments = tuple(_said_by_whom(segment, were, are) for segment in translation.segments)
    return replace(translation, segments=segments)


def _speech(transcript: Transcript) -> Speech:
    """When each speaker says something."""
    said: dict[str | None, list[Span]] = defaultdict(list)
    for segment in transcript.segments:
        said[segment.speaker] += (Span(word.start, word.end) for word in segment.words)
    return {speaker: union(spans) for speaker, spans in said.items()}


def _said_by_whom(segment: Segment, were: Speech, are: Speech) -> Segment:
    span = Span(segment.start, segment.end)
    had, has = ({who: total(within(spans, span)) for who, spans in each.items()} for each in (were, are))
    own = had.get(segment.speaker, 0.0)
    if not own or has.get(segment.speaker, 0.0) > (1 - LOST) * own:
        return segment
    speaker = max(has, key=lambda who: has[who] - had.get(who, 0.0))
    words = tuple(replace(word, speaker=speaker) for word in segment.words)
    return replace(segment, speaker=speaker, words=words)
