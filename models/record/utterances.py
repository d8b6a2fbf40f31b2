"""Transcripts that others made: who says what from when on, whatever file it was told in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True, slots=True)
class Utterance:
    """What somebody says from `start` seconds on; `speaker` is "" where nobody tells who."""

    start: float
    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class PublishedTranscript:
    """A transcript of an episode that somebody else made. `source` is where it was found, for messages."""

    source: str
    utterances: tuple[Utterance, ...]

    @property
    def speakers(self) -> tuple[str, ...]:
        """Those who are told to speak, as they are written, in order of first words."""
        return tuple(dict.fromkeys(one.speaker for one in self.utterances if one.speaker))

    @property
    def paragraphs(self) -> Iterator[str]:
        """What each speaker says in a row, as running text: cues break lines within sentences."""
        for _, run in groupby(self.utterances, key=lambda one: one.speaker):
            yield " ".join(one.text for one in run)
