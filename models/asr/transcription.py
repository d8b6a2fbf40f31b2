"""Transcription: 16 kHz audio in, timed words out.

Speech is packed into chunks, an engine decodes them, what looks wrong is decoded again, and names that the
episode promises are spelled as it spells them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

from models.asr import faster_whisper
from models.asr.chunking import pack_chunks
from models.asr.engine import Engine, Hypothesis
from models.asr.language import detect_language, language_warning
from models.asr.language_path import Stretch, stretches
from models.asr.multilingual import decode_in_languages
from models.asr.repair import repair_hypotheses, without_words
from models.asr.vocabulary import correct_spelling
from models.asr.voice_activity import voice_activity
from models.record.languages import language_shares
from models.record.progress import Heard, Progress, silent, unheard
from models.record.spans import Span, total
from models.record.transcript import Repair, Turn, Word
from models.runtime.gpu_failures import cpu_when_gpu_fails
from models.runtime.memory import return_freed_memory
from models.runtime.samples import SAMPLE_RATE, Samples

MIN_SAMPLES = SAMPLE_RATE // 10  # less can't hold a word, and upsets the feature extractor
FIRST_DECODING = 0.85  # share of the work; the rest is repair
UNHEARD_SHARE = 0.02  # of the speech: more of it without words is worth a warning


@dataclass(frozen=True)
class TranscriptionOptions:
    """What decides the words; part of the cache key of a transcription.

    `model` is a size such as "base", a folder with a CTranslate2 model, or a hub id.
    `language` is an ISO 639-1 code, None to detect which are spoken, of `languages` or, where that is empty, of all.
    `vocabulary` are names and terms to expect, `misheard` what
    was written for some of them before.
    """

    model: str = "base"
    language: str | None = None
    languages: tuple[str, ...] = ()
    device: str = "auto"
    batch_size: int | None = None  # chunks of up to 30 s decoded at once by each worker; None: by device
    beam_size: int = 5
    vocabulary: tuple[str, ...] = ()
    misheard: tuple[tuple[str, str], ...] = ()

    def on_cpu(self) -> Self:
        """The same on the CPU, with the same model."""
        return replace(self, device="cpu")


@dataclass(frozen=True)
class Transcription:
    """Words in order of time, the main language ("" when nothing was said) and the model that heard them.

    `repairs` tell where the first answer was not taken, `warnings` what the reader should know.
    """

    words: tuple[Word, ...]
    language: str
    language_probability: float
    model: str
    repairs: tuple[Repair, ...] = ()
    warnings: tuple[str, ...] = ()


def load(options: TranscriptionOptions) -> Engine:
    """The engine that `options` ask for, with its model loaded; once. This is where an engine is chosen.

    Raises ModelError when the model isn't there.
    """
    return faster_whisper.load(
        options.model, options.device, beam_size=options.beam_size, batch_size=options.batch_size
    )


@cpu_when_gpu_fails("transcription")
def transcribe(
    samples: Samples,
    options: TranscriptionOptions,
    progress: Progress = silent,
    speech: Sequence[Span] | None = None,
    turns: Sequence[Turn] = (),
    listener: Heard = unheard,
) -> Transcription:
    """Recognise the speech in `samples`.

    samples: (samples,) float32 or int16 mono at 16 kHz. speech: where people speak, as the diariser heard it; a
    voice detector is asked where that isn't known. turns: who speaks when, no two at once, where that is known: people
    differ in the languages they speak. listener: is told what is written, before it is repaired. Word times are seconds
    from the first sample.
    Raises ModelError when the model isn't there, InputError for a language it doesn't know.
    """
    engine = load(options).with_samples(samples).with_choice(options.languages)
    if options.language is not None:
        engine = engine.with_language(options.language)
    seconds = len(samples) / SAMPLE_RATE
    progress("transcribe", 0.0, seconds)
    if speech is None:
        speech = voice_activity(samples)
    chunks = [chunk for chunk in pack_chunks(speech, samples) if chunk.duration * SAMPLE_RATE >= MIN_SAMPLES]
    if not chunks:
        progress("transcribe", seconds, seconds)
        return Transcription((), "", 0.0, engine.name, warnings=_wordless(samples))
    heard, probability = detect_language(engine, chunks)
    if options.language is None:
        engine = engine.with_language(heard)
    told = options.language is not None or not engine.multilingual
    said = [] if told else stretches(turns or [Turn(span.start, span.end, "") for span in speech], samples)
    hypotheses, repairs, sure = _decode_and_repair(
        engine.with_listener(listener),
        chunks,
        said,
        speech,
        options,
        lambda share: progress("transcribe", share * seconds, seconds),
    )
    return_freed_memory()
    progress("transcribe", seconds, seconds)
    words = tuple(
        replace(word, language=hypothesis.language) for hypothesis in hypotheses for word in hypothesis.words
    )
    missing = without_words(engine, words, seconds, speech, repairs)
    repairs = (*repairs, *missing)
    if not words:
        return Transcription((), "", 0.0, engine.name, repairs, _wordless(samples))
    language = options.language or language_shares(words)[0].language
    if told:
        sure = 1.0
        warnings = language_warning(options.language, heard, probability)
    else:
        warnings = language_warning(None, language, sure)
    warnings = (*warnings, *_unheard_warning(missing, speech))
    return Transcription(words, language, sure, engine.name, repairs, warnings)


def _wordless(samples: Samples) -> tuple[str, ...]:
    """What to warn of where a recording gave no words; silence may be what it is."""
    if not samples.any():
        return ()
    return (f"no words were found in {len(samples) / SAMPLE_RATE:.0f} s of sound",)


def _unheard_warning(missing: Sequence[Repair], speech: Sequence[Span]) -> tuple[str, ...]:
    """What to warn of where much of the speech stayed without words."""
    lost = sum(repair.end - repair.start for repair in missing if repair.reason == "unheard")
    if lost <= UNHEARD_SHARE * total(speech):
        return ()
    return (
        f"{lost:.0f} s of speech, {lost / total(speech):.0%} of it, stayed without words: they are marked as unclear",
    )


def _decode_and_repair(
    engine: Engine,
    chunks: Sequence[Span],
    said: Sequence[Stretch],
    speech: Sequence[Span],
    options: TranscriptionOptions,
    done: Callable[[float], None],
) -> tuple[list[Hypothesis], tuple[Repair, ...], float]:
    """The final hypotheses, what was changed in the first, and how sure their languages are.

    `done` is told the share of the work.
    """
    first = engine.with_report(lambda completed, total: done(completed / total * FIRST_DECODING))
    again = engine.with_report(lambda completed, total: done(FIRST_DECODING))
    decoded, sure = decode_in_languages(first, chunks, said)
    hypotheses, repairs = repair_hypotheses(again, decoded, speech)
    hypotheses, spelled = correct_spelling(again, hypotheses, options.vocabulary, options.misheard)
    return hypotheses, (*repairs, *spelled), sure
