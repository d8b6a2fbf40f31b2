"""Whisper's two decoders behind one small interface: many chunks at once, or one with care."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.asr.chunking import CHUNK_SECONDS
from models.asr.engine import Hypothesis
from models.record.spans import Span
from models.record.transcript import Word
from models.runtime.samples import SAMPLE_RATE, Samples, as_float

PROBABILITY_DIGITS = 3
SEED = 1  # the careful engine draws at random where it is unsure; the same draws every time
HOP = 100  # feature frames a second: the unit in which faster-whisper names a chunk
LEAD = (
    3.0  # seconds before a chunk: faster-whisper shortens no stretched first word in the first 2.8 s of audio
)


@dataclass(frozen=True)
class FasterWhisperEngine:
    """A loaded model, the audio it hears and how it is to decode.

    samples: (samples,) float32 or int16 mono at 16 kHz. pipeline: faster-whisper's BatchedInferencePipeline.
    report: called after each piece of work with the share that is done of it; may raise to stop it.
    """

    pipeline: Any
    samples: Samples
    language: str
    beam_size: int = 5
    batch_size: int = 1
    hotwords: str | None = None
    report: Callable[[float], None] = field(default=lambda share: None)

    def decode(self, chunks: Sequence[Span]) -> list[Hypothesis]:
        """A hypothesis of each chunk, decoded many at once; features of a few batches are in memory at a time."""
        batches = [chunks[i : i + self.batch_size] for i in range(0, len(chunks), self.batch_size)]
        hypotheses: list[Hypothesis] = []
        pool = ThreadPoolExecutor(self.pipeline.model.model.num_workers)
        try:
            for batch in pool.map(self._batch, batches):
                hypotheses += batch
                self.report(len(hypotheses) / len(chunks))
        finally:
            pool.shutdown(cancel_futures=True)
        return hypotheses

    def _batch(self, chunks: Sequence[Span]) -> list[Hypothesis]:
        stride, lead = LEAD + CHUNK_SECONDS, round(LEAD * SAMPLE_RATE)
        audio = np.zeros((len(chunks), round(stride * SAMPLE_RATE)), dtype=np.float32)
        clips = []
        for index, (row, chunk) in enumerate(zip(audio, chunks, strict=True)):
            samples = self.samples_of(chunk)[: len(row) - lead]
            row[lead : lead + len(samples)] = samples
            start = index * stride + LEAD
            clips.append({"start": start, "end": start + len(samples) / SAMPLE_RATE})
        segments, _ = type(self.pipeline)(self.pipeline.model).transcribe(  # it remembers: one for each batch
            audio.ravel(),
            language=self.language,
            batch_size=len(chunks),
            beam_size=self.beam_size,
            hotwords=self.hotwords,
            word_timestamps=True,
            clip_timestamps=clips,
        )
        found: list[list[Any]] = [[] for _ in chunks]
        for segment in segments:
            found[int(segment.seek / (stride * HOP))].append(segment)
        return [
            hypothesis_of(chunk, own, chunk.start - clip["start"])
            for chunk, clip, own in zip(chunks, clips, found, strict=True)
        ]

    def decode_sequentially(self, chunk: Span, language: str | None = None) -> Hypothesis:
        """A hypothesis of one chunk by the sequential engine, which tries again where it is unsure or loops."""
        import ctranslate2

        ctranslate2.set_random_seed(SEED)
        segments, _ = self.pipeline.model.transcribe(
            self.samples_of(chunk),
            language=language or self.language,
            beam_size=self.beam_size,
            word_timestamps=True,
            condition_on_previous_text=False,
        )
        hypothesis = hypothesis_of(chunk, list(segments), offset=chunk.start)
        self.report(1.0)
        return hypothesis

    def language_probabilities(self, chunk: Span) -> dict[str, float]:
        """How probable each language is, by what is heard in the chunk; {} of a model that knows but one."""
        if not self.pipeline.model.model.is_multilingual:
            return {}
        _, _, probabilities = self.pipeline.model.detect_language(self.samples_of(chunk))
        return dict(probabilities)

    def samples_of(self, chunk: Span) -> NDArray[np.float32]:
        """(samples,) float32 of the chunk."""
        return as_float(self.samples[int(chunk.start * SAMPLE_RATE) : int(chunk.end * SAMPLE_RATE)])


def hypothesis_of(chunk: Span, segments: Sequence[Any], offset: float = 0.0) -> Hypothesis:
    """Segments of faster-whisper as a hypothesis; `offset` is added to their times.

    Word times never run backwards or leave the chunk.
    """
    words, latest = list[Word](), chunk.start
    for segment in segments:
        for word in segment.words or ():
            if re.search(r"\w", word.word) is None and not words:
                continue  # punctuation that hangs on nothing
            latest = min(max(offset + float(word.start), latest), chunk.end)
            until = min(max(offset + float(word.end), latest), chunk.end)
            words.append(Word(latest, until, word.word, round(float(word.probability), PROBABILITY_DIGITS)))
    if not words:
        return Hypothesis(chunk, (), 0.0, 1.0)
    tokens = [len(segment.tokens) + 1 for segment in segments]
    return Hypothesis(
        chunk,
        tuple(words),
        float(np.average([segment.avg_logprob for segment in segments], weights=tokens)),
        float(np.average([segment.no_speech_prob for segment in segments], weights=tokens)),
    )
