"""Chapters for an episode that has none: where they begin, and what they are called."""

from __future__ import annotations

from models.record.transcript import PROPOSED, Chapter, Chapters, Transcript
from models.topics.boundaries import topic_starts
from models.topics.embedding import SentenceEmbedder
from models.topics.titles import Background, chapter_titles


def propose(
    transcript: Transcript, embedder: SentenceEmbedder, background: Background | None = None
) -> Chapters:
    """Chapters by topic, marked as proposed; none for a transcript of one topic.

    background: how common words are in the rest of the show; None where that isn't known.
    """
    starts = topic_starts(transcript, embedder)
    titles = chapter_titles(transcript, starts, background, embedder) if starts else ()
    chapters = (Chapter(start, title) for start, title in zip(starts, titles, strict=True))
    return Chapters(PROPOSED, tuple(chapters), embedder.name) if starts else Chapters()
