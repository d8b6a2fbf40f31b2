"""Transcription: 16 kHz audio in, timed words out, by faster-whisper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from models.asr import repair
from models.asr.chunking import pack_chunks
from models.asr.faster_whisper import FasterWhisperEngine
from models.asr.vocabulary import correct_spelling
from models.asr.voice_activity import voice_activity
from models.record.progress import Progress, silent
from models.record.spans import Span
from models.record.transcript import Repair, Word
from models.runtime.memory import return_freed_memory
from models.runtime.samples import SAMPLE_RATE, Samples

if TYPE_CHECKING:
    pass
from models.asr.language import check_model_language, detect_language, language_warning
from models.asr.whisper_models import load

MIN_SAMPLES = SAMPLE_RATE // 10  # less can't hold a word, and upsets the feature extractor
BATCH_SIZES = {"cpu": 1, "cuda": 16}  # on a CPU more at once is no faster, and takes 150 MB a chunk
MAIN_SHARE = 0.85  # of the work is the first decoding, before anything is mended


@dataclass(frozen=True)
class TranscriptionOptions:
    """What decides the words; part of the cache key of a transcription.

    `model` is "auto", a size such as "base", a folder with a CTranslate2 model, or a hub id.
    `language` is an ISO 639-1 code, None to detect it. `vocabulary` are names and terms to expect.
    """

    model: str = "auto"
    language: str | None = None
    device: str = "auto"
    batch_size: int | None = None  # chunks of up to 30 s decoded at once by each worker; None: by device
    beam_size: int = 5
    vocabulary: tuple[str, ...] = ()


@dataclass(frozen=True)
class Transcription:
    """Words in order of time, the language ("" when nothing was said) and the model that heard them.

    `repairs` tell where the first answer was not taken, `warnings` what the reader should know.
    """

    words: tuple[Word, ...]
    language: str
    language_probability: float
    model: str
    repairs: tuple[Repair, ...] = ()
    warnings: tuple[str, ...] = ()


def transcribe(
    samples: Samples,
    options: TranscriptionOptions,
    progress: Progress = silent,
    speech: Sequence[Span] | None = None,
) -> Transcription:
    """Recognise the speech in `samples`.

    samples: (samples,) float32 or int16 mono at 16 kHz. speech: where people speak, as the diariser heard it; a
    voice detector is asked where that isn't known. Word times are seconds from the first sample.
    Raises ModelError when the model isn't there, InputError for a language Whisper doesn't know.
    """
    name, pipeline = load(options.model, options.device)
    check_model_language(options.language, pipeline.model)
    seconds = len(samples) / SAMPLE_RATE
    progress("transcribe", 0.0, seconds)
    if speech is None:
        speech = voice_activity(samples)
    chunks = [chunk for chunk in pack_chunks(speech, samples) if chunk.duration * SAMPLE_RATE >= MIN_SAMPLES]
    if not chunks:
        progress("transcribe", seconds, seconds)
        return Transcription((), "", 0.0, name)
    engine = FasterWhisperEngine(
        pipeline,
        samples,
        options.language or "en",
        options.beam_size,
        options.batch_size or BATCH_SIZES[pipeline.model.model.device],
        report=lambda share: progress("transcribe", share * MAIN_SHARE * seconds, seconds),
    )
    heard, probability = detect_language(engine, chunks)
    engine = replace(engine, language=options.language or heard)
    hypotheses = engine.decode(chunks)
    engine = replace(engine, report=lambda _: progress("transcribe", MAIN_SHARE * seconds, seconds))
    hypotheses, repairs = repair.repair_hypotheses(engine, hypotheses, speech)
    hypotheses, spelled = correct_spelling(engine, hypotheses, options.vocabulary)
    return_freed_memory()
    progress("transcribe", seconds, seconds)
    words = tuple(word for hypothesis in hypotheses for word in hypothesis.words)
    repairs += spelled
    if not words:
        return Transcription((), "", 0.0, name, tuple(repairs))
    warning = language_warning(options.language, heard, probability)
    sure = probability if options.language is None else 1.0
    return Transcription(words, engine.language, sure, name, tuple(repairs), warning)
