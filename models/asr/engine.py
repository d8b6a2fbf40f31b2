"""What the rest needs of a speech recogniser, so that another one can take the place of faster-whisper.

An engine is a loaded model, the recording it hears, and the languages it writes: chunks of the recording
go in, hypotheses with timed words come out. To add one, write a module like `faster_whisper.py` with a
class that has the methods of `Engine` and a `load` for it, and choose it in `transcription.load`. Model
names that `--model` doesn't know yet are added to `whisper_models.resolve`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from models.record.progress import Heard, Report
from models.record.spans import Span
from models.record.transcript import Word
from models.runtime.samples import Samples

LOOP_COMPRESSION_RATIO = 2.4  # of a text that repeats itself, as Whisper has it
UNSURE_LOGPROB = -1.0  # mean log-probability under which Whisper itself decodes again

Languages = Mapping[
    str, float
]  # how probable each is, by its ISO 639-1 code; empty where a model knows but one
Waits = Callable[
    [Sequence[Languages]], bool
]  # whether a chunk is left undecoded, by the languages of its stretches


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What one decoding of a chunk gave.

    `words` are whole letters (`models.record.graphemes`), in order, apart from each other, and lie in the chunk.
    `confidence` is the mean log-probability of a token, 0 being certain; `no_speech_probability` how probable
    the model thinks it that nobody speaks. `language` is what it was heard as. `languages` tell how probable each is
    in each stretch that was asked for. One that is `undecoded` holds the place of speech whose chunk is still to be
    decoded.
    """

    chunk: Span
    words: tuple[Word, ...] = ()
    confidence: float = 0.0
    no_speech_probability: float = 0.0
    language: str = field(default="", kw_only=True)
    languages: tuple[Languages, ...] = field(default=(), compare=False, repr=False, kw_only=True)
    undecoded: bool = field(default=False, kw_only=True)

    @property
    def text(self) -> str:
        """The words as running text."""
        return "".join(word.text for word in self.words).strip()

    @property
    def compression_ratio(self) -> float:
        """How many times smaller the text gets by compression; over 2.4 it repeats itself (Whisper's rule)."""
        data = self.text.encode()
        return len(data) / len(zlib.compress(data)) if data else 0.0


class Engine(Protocol):
    """A loaded model, the recording it hears and the languages it writes. Never changed in place.

    Chunks are spans of the recording, in seconds, of at most 30 s; so are the times of the words.
    """

    @property
    def name(self) -> str:
        """The model's, as transcripts tell it."""

    @property
    def language(self) -> str:
        """ISO 639-1 code of the language it writes where it isn't told another."""

    @property
    def multilingual(self) -> bool:
        """Whether it knows more than one language."""

    def with_samples(self, samples: Samples) -> Self:
        """The same engine, hearing another recording: (samples,) float32 or int16 mono at 16 kHz."""

    def with_language(self, language: str) -> Self:
        """The same engine, writing another language; InputError for one that its model doesn't know."""

    def with_choice(self, languages: Sequence[str]) -> Self:
        """The same engine, that hears no other languages than these; InputError for one that its model doesn't know."""

    def translating(self) -> Self:
        """The same engine, writing English whatever its language is; InputError where its model can't."""

    def with_report(self, report: Report) -> Self:
        """The same engine, telling how many chunks of a decoding are done; what `report` raises stops it."""

    def with_listener(self, heard: Heard) -> Self:
        """The same engine, telling what it writes as it goes on."""

    def decode(
        self,
        chunks: Sequence[Span],
        hotwords: str | None = None,
        *,
        languages: Sequence[str] = (),
        stretches: Sequence[Sequence[Span]] = (),
        waits: Waits | None = None,
    ) -> list[Hypothesis]:
        """The first hypothesis of each chunk, several at once.

        hotwords: names to expect, as running text. languages: that of each chunk, if not the engine's. stretches: of
        each chunk, those whose `languages` are to be told, from the one encoding. waits: told those, whether the
        chunk stays `undecoded`, as it is if they are not the engine's.
        """

    def decode_sequentially(self, chunk: Span, language: str | None = None) -> Hypothesis:
        """A hypothesis of one chunk, with second tries where it is unsure: slower. language: if not the engine's."""

    def language_probabilities(self, chunk: Span) -> Languages:
        """How probable each language is, by what is heard."""

    def samples_of(self, chunk: Span) -> NDArray[np.float32]:
        """(samples,) float32 of a chunk, mono at 16 kHz."""
