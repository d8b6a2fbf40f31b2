"""The one engine there is: Whisper by faster-whisper, with both of its decoders.

The batched decoder takes several chunks at once and Whisper's first answer for each. The sequential one
takes a chunk by itself, and where the answer is unsure or repeats itself tries again with sampling.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import dropwhile
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from models.asr.chunking import CHUNK_SECONDS
from models.asr.engine import Hypothesis
from models.asr.whisper_models import check_model_language, resolve
from models.asr.word_times import lasting
from models.record.errors import ModelError
from models.record.graphemes import whole_letters
from models.record.progress import Report, no_report
from models.record.spans import Span
from models.record.transcript import Word
from models.runtime.device import resolve_device, usable_cores
from models.runtime.gpu_failures import FittingBatches
from models.runtime.memory import limit_malloc_arenas, return_freed_memory
from models.runtime.samples import SAMPLE_RATE, Samples, as_float

if TYPE_CHECKING:
    from faster_whisper import BatchedInferencePipeline

BATCH_SIZES = {"cpu": 1, "cuda": 16}  # on a CPU more at once is no faster, and takes 150 MB a chunk
MAX_WORKERS = 4  # batches decoded side by side on a CPU: a core each is faster than all cores for each
PROBABILITY_DIGITS = 3
SEED = 1  # the sequential decoder samples where it is unsure; the same samples every time
FRAME_RATE = 100  # feature frames a second: the unit in which faster-whisper names a chunk
LEAD = 3.0  # seconds before a chunk: in the first 2.8 s faster-whisper shortens no stretched first word


def load(
    model: str, device: str, *, beam_size: int = 5, batch_size: int | None = None
) -> FasterWhisperEngine:
    """The engine with the named Whisper model, and no recording yet. The model is loaded once.

    batch_size: chunks decoded at once by each worker; None for what suits the device.
    """
    where = resolve_device(device)
    name, path = resolve(model)
    return FasterWhisperEngine(
        name, _pipeline(path, where), beam_size=beam_size, batch_size=batch_size or BATCH_SIZES[where]
    )


@lru_cache(maxsize=1)
def _pipeline(path: str, device: str) -> BatchedInferencePipeline:
    # The voice detector's runtime is imported by faster-whisper in mid-work, where Ctrl-C would pass for its absence.
    import onnxruntime  # noqa: F401
    from faster_whisper import BatchedInferencePipeline

    from models.asr.encoder_limit import EncoderLimitedModel

    limit_malloc_arenas()
    workers = min(MAX_WORKERS, usable_cores()) if device == "cpu" else 1
    try:
        model = EncoderLimitedModel(
            path,
            device=device,
            compute_type="float16" if device == "cuda" else "int8",
            cpu_threads=max(1, usable_cores() // workers),
            num_workers=workers,
        )
    except (RuntimeError, ValueError, OSError) as error:
        raise ModelError(f"can't load the Whisper model in {path}: {error}") from error
    return_freed_memory()  # the weights as they were before they became int8
    return BatchedInferencePipeline(model)


@dataclass(frozen=True)
class FasterWhisperEngine:
    """`Engine` by faster-whisper. pipeline: its BatchedInferencePipeline, around the loaded model."""

    name: str
    pipeline: Any
    samples: Samples = field(default_factory=lambda: np.zeros(0, dtype=np.float32), repr=False)
    language: str = "en"
    beam_size: int = 5
    batch_size: int = 1
    report: Report = no_report

    def with_samples(self, samples: Samples) -> Self:
        """See `Engine`."""
        return replace(self, samples=samples)

    def with_language(self, language: str) -> Self:
        """See `Engine`."""
        check_model_language(language, self.pipeline.model.supported_languages)
        return replace(self, language=language)

    def with_report(self, report: Report) -> Self:
        """See `Engine`."""
        return replace(self, report=report)

    def decode(self, chunks: Sequence[Span], hotwords: str | None = None) -> list[Hypothesis]:
        """A hypothesis of each chunk by the batched decoder; features of a few batches are in memory at a time."""
        batches = [chunks[i : i + self.batch_size] for i in range(0, len(chunks), self.batch_size)]
        hypotheses: list[Hypothesis] = []
        fitting = FittingBatches()

        def decode(batch: Sequence[Span]) -> list[Hypothesis]:
            return fitting.run(lambda some: self._decode_batch(some, hotwords), batch)

        pool = ThreadPoolExecutor(self.pipeline.model.model.num_workers)
        try:
            for batch in pool.map(decode, batches):
                hypotheses += batch
                self.report(len(hypotheses), len(chunks))
        finally:
            pool.shutdown(cancel_futures=True)
        return hypotheses

    def _decode_batch(self, chunks: Sequence[Span], hotwords: str | None) -> list[Hypothesis]:
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
            hotwords=hotwords,
            word_timestamps=True,
            clip_timestamps=clips,
        )
        found: list[list[Any]] = [[] for _ in chunks]
        for segment in segments:
            found[int(segment.seek / (stride * FRAME_RATE))].append(segment)
        return [
            hypothesis_of(chunk, own, chunk.start - clip["start"])
            for chunk, clip, own in zip(chunks, clips, found, strict=True)
        ]

    def decode_sequentially(self, chunk: Span, language: str | None = None) -> Hypothesis:
        """A hypothesis of one chunk by the sequential decoder."""
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
        self.report(1, 1)
        return hypothesis

    def language_probabilities(self, chunk: Span) -> dict[str, float]:
        """See `Engine`."""
        if not self.pipeline.model.model.is_multilingual:
            return {}
        _, _, probabilities = self.pipeline.model.detect_language(self.samples_of(chunk))
        return dict(probabilities)

    def samples_of(self, chunk: Span) -> NDArray[np.float32]:
        """See `Engine`."""
        return as_float(self.samples[int(chunk.start * SAMPLE_RATE) : int(chunk.end * SAMPLE_RATE)])


def hypothesis_of(chunk: Span, segments: Sequence[Any], offset: float = 0.0) -> Hypothesis:
    """Segments of faster-whisper as a hypothesis; `offset` is added to their times.

    Words are whole letters, and their times hold together: see `whole_letters` and `lasting`.
    """
    written = [
        Word(
            offset + float(word.start),
            offset + float(word.end),
            word.word,
            round(float(word.probability), PROBABILITY_DIGITS),
        )
        for segment in segments
        for word in segment.words or ()
    ]
    # Punctuation that hangs on nothing is left out.
    words = list(dropwhile(lambda word: re.search(r"\w", word.text) is None, whole_letters(written)))
    if not words:
        return Hypothesis(chunk, (), 0.0, 1.0)
    tokens = [len(segment.tokens) + 1 for segment in segments]
    return Hypothesis(
        chunk,
        lasting(words, chunk),
        float(np.average([segment.avg_logprob for segment in segments], weights=tokens)),
        float(np.average([segment.no_speech_prob for segment in segments], weights=tokens)),
    )
