"""The one engine there is: Whisper by faster-whisper, with both of its decoders.

The batched decoder takes several chunks at once and Whisper's first answer for each. It calls the model directly, so
that little more is encoded than is heard, and words are put together while the model goes on. The sequential one is
faster-whisper's: it takes a chunk by itself, and where the answer is unsure or repeats itself tries again by sampling.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import dropwhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from models.asr.chunking import CHUNK_SECONDS, FRAME_RATE, SILENCE
from models.asr.engine import Hypothesis, Languages, Waits
from models.asr.whisper_models import check_model_language, no_translation, resolve
from models.asr.word_times import lasting
from models.record.errors import ModelError
from models.record.graphemes import whole_letters
from models.record.progress import Heard, Report, no_report, unheard
from models.record.spans import Span
from models.record.transcript import Word
from models.runtime.device import resolve_device, usable_cores
from models.runtime.gpu_failures import FittingBatches
from models.runtime.memory import limit_malloc_arenas, return_freed_memory
from models.runtime.samples import SAMPLE_RATE, Samples, as_float

if TYPE_CHECKING:
    from ctranslate2 import StorageView
    from faster_whisper.tokenizer import Tokenizer

    from models.asr.encoder_limit import EncoderLimitedModel

BATCH_SIZE_CPU = 4  # chunks: one at a time takes half as long again to write
BATCH_SIZE_CUDA = 16  # at most: more is no faster on an H100
CHUNK_BYTES = 100e6  # of a GPU's memory that a chunk takes, for attention, in half precision ...
CHUNK_WEIGHTS = 0.4  # ... and for keys and values, as a share of the weights, with five beams
FREE_SHARE = 0.8  # of a GPU's free memory that batches may take
MAX_WORKERS = 4  # batches decoded side by side on a CPU: a core each is faster than all cores for each
PROBABILITY_DIGITS = 3
SEED = 1  # the sequential decoder samples where it is unsure; the same samples every time
ENCODED_RATE = 50  # frames a second of an encoding
LEAST_PROBABILITY = 1e-4  # of a language that is told
CONTEXT_STEP = 3.0  # seconds: encoded chunks have few lengths, and those of one length are decoded together
LEAST_CONTEXT = 15.0  # seconds that are encoded at least: of a few by themselves Whisper makes less sense


def load(
    model: str, device: str, *, beam_size: int = 5, batch_size: int | None = None
) -> FasterWhisperEngine:
    """The engine with the named Whisper model, and no recording yet. The model is loaded once.

    batch_size: chunks decoded at once by each worker; None for what suits the device.
    """
    where = resolve_device(device)
    name, path = resolve(model)
    loaded = _loaded(path, where)
    return FasterWhisperEngine(
        name, loaded, beam_size=beam_size, batch_size=batch_size or _fitting_batch_size(path, where)
    )


@lru_cache(maxsize=1)
def _loaded(path: str, device: str) -> EncoderLimitedModel:
    # The voice detector's runtime is imported by faster-whisper in mid-work, where Ctrl-C would pass for its absence.
    import onnxruntime  # noqa: F401

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
            features_device=device if device == "cuda" else None,
        )
    except (RuntimeError, ValueError, OSError) as error:
        raise ModelError(f"can't load the Whisper model in {path}: {error}") from error
    return_freed_memory()  # the weights as they were before they became int8
    return model


def _fitting_batch_size(path: str, device: str) -> int:
    """How many chunks are decoded at once."""
    if device == "cpu":
        return BATCH_SIZE_CPU
    import torch

    free, _ = torch.cuda.mem_get_info()
    return batch_size_for(free, (Path(path) / "model.bin").stat().st_size)


def batch_size_for(free: int, weights: int) -> int:
    """How many chunks at once a GPU has the memory for. free: its free bytes. weights: bytes of those of the model.

    >>> [batch_size_for(free * 10**9, weights * 10**6) for free, weights in ((8, 145), (8, 1600), (2, 1600), (0, 145))]
    [16, 8, 2, 1]
    """
    fitting = int(FREE_SHARE * free / (CHUNK_BYTES + CHUNK_WEIGHTS * weights))
    return max(1, min(BATCH_SIZE_CUDA, fitting))


def context_frames(chunk: Span) -> int:
    """Frames of features that are encoded of a chunk: some silence after it, not as in training all of 30 s.

    Attention takes time that grows with their square, most of what the encoder takes.

    >>> [context_frames(Span(60, end)) for end in (60.5, 72, 76.1, 90)]
    [1500, 1500, 2100, 3000]
    """
    seconds = math.ceil((chunk.duration + SILENCE) / CONTEXT_STEP) * CONTEXT_STEP
    return round(FRAME_RATE * min(CHUNK_SECONDS, max(LEAST_CONTEXT, seconds)))


@dataclass(frozen=True, slots=True)
class _Decoding:
    """What the model wrote of a chunk: tokens of text, when each is heard, and how sure it is.

    A segment to `hypothesis_of`, as soon as it has words.
    """

    tokens: Sequence[int]
    alignment: Any
    avg_logprob: float
    no_speech_prob: float
    words: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A chunk to decode: its language, and the stretches of it whose languages are to be told."""

    span: Span
    language: str
    stretches: Sequence[Span]


@dataclass(frozen=True)
class FasterWhisperEngine:
    """`Engine` by faster-whisper. model: its WhisperModel, loaded."""

    name: str
    model: EncoderLimitedModel = field(repr=False)
    samples: Samples = field(default_factory=lambda: np.zeros(0, dtype=np.float32), repr=False)
    language: str = "en"
    choice: tuple[str, ...] = ()
    beam_size: int = 5
    batch_size: int = 1
    report: Report = no_report
    heard: Heard = unheard
    task: Literal["transcribe", "translate"] = "transcribe"

    def with_samples(self, samples: Samples) -> Self:
        """See `Engine`."""
        return replace(self, samples=samples)

    def with_language(self, language: str) -> Self:
        """See `Engine`."""
        check_model_language(language, self.model.supported_languages)
        return replace(self, language=language)

    def with_choice(self, languages: Sequence[str]) -> Self:
        """See `Engine`."""
        for language in languages:
            check_model_language(language, self.model.supported_languages)
        return replace(self, choice=tuple(languages))

    def with_report(self, report: Report) -> Self:
        """See `Engine`."""
        return replace(self, report=report)

    def with_listener(self, heard: Heard) -> Self:
        """See `Engine`."""
        return replace(self, heard=heard)

    @property
    def multilingual(self) -> bool:
        """See `Engine`."""
        return bool(self.model.model.is_multilingual)

    def translating(self) -> Self:
        """See `Engine`."""
        if not self.multilingual:
            raise no_translation(self.name)
        return replace(self, task="translate")

    def decode(
        self,
        chunks: Sequence[Span],
        hotwords: str | None = None,
        *,
        languages: Sequence[str] = (),
        stretches: Sequence[Sequence[Span]] = (),
        waits: Waits | None = None,
    ) -> list[Hypothesis]:
        """See `Engine`. Words are put together here, while the workers decode the next chunks."""
        written = list(languages) or [self.language] * len(chunks)
        asked = stretches if stretches and self.multilingual else [()] * len(chunks)
        all_chunks = [_Chunk(*each) for each in zip(chunks, written, asked, strict=True)]
        tokenizers = {language: self._tokenizer(language) for language in set(written)}
        found: dict[int, Hypothesis] = {}
        batches = self._batches(all_chunks)
        fitting = FittingBatches()

        def decode(numbers: Sequence[int]) -> list[tuple[tuple[Languages, ...], _Decoding | None]]:
            some = [all_chunks[i] for i in numbers]
            return self._decode_batch(some, tokenizers[some[0].language], hotwords, waits)

        pool = ThreadPoolExecutor(self.model.model.num_workers)
        try:
            decoded = pool.map(lambda batch: fitting.run(decode, batch), batches)
            for batch, decodings in zip(batches, decoded, strict=True):
                for i, (heard, decoding) in zip(batch, decodings, strict=True):
                    language = written[i]
                    hypothesis = Hypothesis(chunks[i], undecoded=True)
                    if decoding is not None:
                        hypothesis = _hypothesis(chunks[i], decoding, tokenizers[language])
                    found[i] = replace(hypothesis, language=language, languages=heard)
                self.report(len(found), len(chunks))
                if words := " ".join(found[i].text for i in batch if found[i].words):
                    self.heard(words)
        finally:
            pool.shutdown(cancel_futures=True)
        return [found[i] for i in range(len(chunks))]

    def _batches(self, chunks: Sequence[_Chunk]) -> list[list[int]]:
        """Numbers of chunks that are decoded together, of one language and encoded length, and some for each worker."""
        alike: dict[tuple[int, str], list[int]] = {}
        for number, chunk in enumerate(chunks):
            alike.setdefault((context_frames(chunk.span), chunk.language), []).append(number)
        size = min(self.batch_size, math.ceil(len(chunks) / self.model.model.num_workers))
        return [numbers[i : i + size] for numbers in alike.values() for i in range(0, len(numbers), size)]

    def _decode_batch(
        self, chunks: Sequence[_Chunk], tokenizer: Tokenizer, hotwords: str | None, waits: Waits | None
    ) -> list[tuple[tuple[Languages, ...], _Decoding | None]]:
        """The languages of the stretches of each chunk, and what the model writes of it unless it waits.

        From one encoding, of as many frames as the longest has.
        """
        encoded = self._encoded([chunk.span for chunk in chunks])
        heard = self._languages_in(encoded, chunks)
        ready = [i for i, each in enumerate(heard) if waits is None or not waits(each)]
        if len(ready) < len(chunks):
            encoded = _part(encoded, ready)
        decodings = self._written([chunks[i].span for i in ready], encoded, tokenizer, hotwords)
        found = dict(zip(ready, decodings, strict=True))
        return [(each, found.get(i)) for i, each in enumerate(heard)]

    def _written(
        self, chunks: Sequence[Span], encoded: StorageView, tokenizer: Tokenizer, hotwords: str | None
    ) -> list[_Decoding]:
        """What the model writes of encoded chunks."""
        from faster_whisper.transcribe import get_suppressed_tokens

        if not chunks:
            return []
        model = self.model.model
        prompt = self.model.get_prompt(tokenizer, [], without_timestamps=True, hotwords=hotwords)
        results = model.generate(
            encoded,
            [prompt] * len(chunks),
            beam_size=self.beam_size,
            max_length=self.model.max_length,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
        )
        written = [result.sequences_ids[0] for result in results]
        texts = [[token for token in tokens if token < tokenizer.eot] for tokens in written]
        frames = [math.ceil(chunk.duration) * FRAME_RATE for chunk in chunks]
        alignments = model.align(encoded, tokenizer.sot_sequence, texts, frames)
        return [
            _Decoding(
                text, alignment, result.scores[0] * len(tokens) / (len(tokens) + 1), result.no_speech_prob
            )
            for text, alignment, result, tokens in zip(texts, alignments, results, written, strict=True)
        ]

    def _encoded(self, chunks: Sequence[Span]) -> StorageView:
        return self.model.encode_chunks(
            [self.samples_of(chunk) for chunk in chunks], max(map(context_frames, chunks))
        )

    def _languages_in(self, encoded: StorageView, chunks: Sequence[_Chunk]) -> list[tuple[Languages, ...]]:
        """How probable each language is in each of the stretches of each encoded chunk.

        A stretch of an encoding, with silence after it, tells its language as well as an encoding of its own.
        """
        if not any(chunk.stretches for chunk in chunks):
            return [() for _ in chunks]
        from models.asr.encoder_limit import on_host

        states = on_host(encoded)
        return [
            tuple(self._language_in(states[i], chunk.span, stretch) for stretch in chunk.stretches)
            for i, chunk in enumerate(chunks)
        ]

    def _language_in(self, states: NDArray[Any], chunk: Span, stretch: Span) -> Languages:
        """states: (frames, width), the encoding of the chunk."""
        from ctranslate2 import StorageView

        first, last = (round((at - chunk.start) * ENCODED_RATE) for at in (stretch.start, stretch.end))
        part = np.concatenate([states[first:last], self.model.silence.astype(states.dtype)])
        return self._languages_of(StorageView.from_array(part[np.newaxis]))[0]

    def _languages_of(self, encoded: StorageView) -> list[dict[str, float]]:
        """How probable each language is in each encoded chunk, of those that may be chosen; none that hardly is."""
        found = []
        for each in self.model.model.detect_language(encoded):
            heard = {token[2:-2]: probability for token, probability in each}
            if self.choice:
                chosen = {language: heard[language] + LEAST_PROBABILITY for language in self.choice}
                heard = {code: probability / sum(chosen.values()) for code, probability in chosen.items()}
            else:
                heard = {code: told for code, told in heard.items() if told >= LEAST_PROBABILITY}
            found.append(heard)
        return found

    def _tokenizer(self, language: str) -> Tokenizer:
        from faster_whisper.tokenizer import Tokenizer

        return Tokenizer(self.model.hf_tokenizer, self.multilingual, self.task, language)

    def decode_sequentially(self, chunk: Span, language: str | None = None) -> Hypothesis:
        """A hypothesis of one chunk by the sequential decoder."""
        import ctranslate2

        ctranslate2.set_random_seed(SEED)
        segments, _ = self.model.transcribe(
            self.samples_of(chunk),
            language=language or self.language,
            task=self.task,
            beam_size=self.beam_size,
            word_timestamps=True,
            condition_on_previous_text=False,
        )
        hypothesis = hypothesis_of(chunk, list(segments), offset=chunk.start)
        self.report(1, 1)
        return replace(hypothesis, language=language or self.language)

    def language_probabilities(self, chunk: Span) -> Languages:
        """See `Engine`."""
        return self._languages_of(self._encoded([chunk]))[0] if self.multilingual else {}

    def samples_of(self, chunk: Span) -> NDArray[np.float32]:
        """See `Engine`."""
        return as_float(self.samples[int(chunk.start * SAMPLE_RATE) : int(chunk.end * SAMPLE_RATE)])


def _hypothesis(chunk: Span, decoding: _Decoding, tokenizer: Tokenizer) -> Hypothesis:
    from models.asr.aligned_words import aligned_words

    words = aligned_words(tokenizer, decoding.tokens, decoding.alignment)
    return hypothesis_of(chunk, [replace(decoding, words=words)], offset=chunk.start)


def _part(encoded: StorageView, chunks: Sequence[int]) -> StorageView:
    """The encoding of some of the chunks; the model brings it to its device."""
    from ctranslate2 import StorageView

    from models.asr.encoder_limit import on_host

    return StorageView.from_array(on_host(encoded)[list(chunks)])


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
