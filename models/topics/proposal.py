"""Chapters for an episode that has none: where they begin, and what they are called."""

from __future__ import annotations

from collections.abc import Mapping

from models.record.transcript import PROPOSED, Chapter, Chapters, Transcript
from models.topics.boundaries import topic_starts
from models.topics.embedding import SentenceEmbedder

TITLE_WORDS = 6


def propose(
    transcript: Transcript, embedder: SentenceEmbedder, background: Mapping[str, float] | None = None
) -> Chapters:
    """Chapters by topic, marked as proposed; none for a transcript of one topic.

    background: how common words are in the rest of the show, None where that isn't known.
    """
    starts = topic_starts(transcript, embedder)
    if not starts:
        return Chapters()
    chapters = tuple(Chapter(start, _first_words(transcript, start)) for start in starts)
    return Chapters(PROPOSED, chapters, embedder.name)


def _first_words(transcript: Transcript, start: float) -> str:
    words = [w.text for s in transcript.segments if s.start >= start for w in s.words[:TITLE_WORDS]]
    return "".join(words[:TITLE_WORDS]).strip()
