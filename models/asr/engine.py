"""Whisper's two decoders behind one small interface: many chunks at once, or one with care."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from models.record.spans import Span
from models.record.transcript import Word


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What one decoding of a chunk gave.

    `confidence` is the mean log-probability of a token, 0 being certain; `no_speech_probability` how probable
    the model thinks it that nobody speaks. A hypothesis that `undecoded` still has to be decoded.
    """

    chunk: Span
    words: tuple[Word, ...] = ()
    confidence: float = 0.0
    no_speech_probability: float = 0.0
    undecoded: bool = False

    @property
    def text(self) -> str:
        """The words as running text."""
        return "".join(word.text for word in self.words).strip()

    @property
    def compression_ratio(self) -> float:
        """How many times smaller the text gets by compression; over 2.4 it repeats itself (Whisper's rule)."""
        data = self.text.encode()
        return len(data) / len(zlib.compress(data)) if data else 0.0
