"""Transcription: 16 kHz audio in, timed words out, by faster-whisper."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models import files, guard
from models.decoder import Decoder
from models.device import resolve_device
from models.errors import InputError, ModelError
from models.memory import give_back, share_heap
from models.progress import Progress, silent
from models.samples import SAMPLE_RATE, Samples
from models.speech import Span, pack, voice_activity
from models.transcript import Repair, Word
from models.vocabulary import spell

if TYPE_CHECKING:
    from faster_whisper import BatchedInferencePipeline

MIN_SAMPLES = SAMPLE_RATE // 10  # less can't hold a word, and upsets the feature extractor
OFFLINE = {"base": files.WHISPER_BASE, "tiny.en": files.WHISPER_TINY_EN}
BEST_ON_GPU = "large-v3-turbo"
LANGUAGE_PLACES = 4  # chunks, spread over the episode, by which its language is told
SURE_LANGUAGE = 0.8  # mean probability over those places from which a language that was asked for is doubted
BATCH_SIZES = {"cpu": 1, "cuda": 16}  # on a CPU more at once is no faster, and takes 150 MB a chunk
MAX_WORKERS = 4  # batches decoded side by side on a CPU: a core each is faster than all cores for each
MAIN_SHARE = 0.85  # of the work is the first decoding, before anything is mended


@dataclass(frozen=True)
class WhisperOptions:
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
    options: WhisperOptions,
    progress: Progress = silent,
    speech: Sequence[Span] | None = None,
) -> Transcription:
    """Recognise the speech in `samples`.

    samples: (samples,) float32 or int16 mono at 16 kHz. speech: where people speak, as the diariser heard it; a
    voice detector is asked where that isn't known. Word times are seconds from the first sample.
    Raises ModelError when the model isn't there, InputError for a language Whisper doesn't know.
    """
    name, pipeline = load(options.model, options.device)
    check_language(options.language, pipeline.model)
    seconds = len(samples) / SAMPLE_RATE
    progress("transcribe", 0.0, seconds)
    if speech is None:
        speech = voice_activity(samples)
    chunks = [chunk for chunk in pack(speech, samples) if chunk.duration * SAMPLE_RATE >= MIN_SAMPLES]
    if not chunks:
        progress("transcribe", seconds, seconds)
        return Transcription((), "", 0.0, name)
    decoder = Decoder(
        pipeline,
        samples,
        options.language or "en",
        options.beam_size,
        options.batch_size or BATCH_SIZES[pipeline.model.model.device],
        report=lambda share: progress("transcribe", share * MAIN_SHARE * seconds, seconds),
    )
    heard, probability = language_heard(decoder, chunks)
    decoder = replace(decoder, language=options.language or heard)
    drafts = decoder.batched(chunks)
    decoder = replace(decoder, report=lambda _: progress("transcribe", MAIN_SHARE * seconds, seconds))
    drafts, repairs = guard.mend(decoder, drafts, speech)
    drafts, spelled = spell(decoder, drafts, options.vocabulary)
    give_back()
    progress("transcribe", seconds, seconds)
    words = tuple(word for draft in drafts for word in draft.words)
    repairs += spelled
    if not words:
        return Transcription((), "", 0.0, name, tuple(repairs))
    warning = language_warning(options.language, heard, probability)
    sure = probability if options.language is None else 1.0
    return Transcription(words, decoder.language, sure, name, tuple(repairs), warning)


def language_heard(decoder: Decoder, chunks: Sequence[Span]) -> tuple[str, float]:
    """The language that is most probable over several places of the audio, and its mean probability."""
    count = min(LANGUAGE_PLACES, len(chunks))
    places = [chunks[(2 * i + 1) * len(chunks) // (2 * count)] for i in range(count)]
    total: dict[str, float] = {}
    for place in places:
        for code, probability in decoder.languages(place).items():
            total[code] = total.get(code, 0.0) + probability / count
    if not total:
        return "en", 1.0  # a model for English alone
    heard = max(total, key=lambda code: total[code])
    return heard, float(total[heard])


def language_warning(asked: str | None, heard: str, probability: float) -> tuple[str, ...]:
    """One warning where another language is spoken than was asked for, or it is hard to tell which; or none."""
    if asked is not None and asked != heard and probability >= SURE_LANGUAGE:
        return (f"the language was set to {asked}, but what is spoken sounds like {heard}: see --language",)
    if asked is None and probability < 0.5:
        return (f"the language is unsure: {heard} was taken, give it with --language if that is wrong",)
    return ()


def _no_language(language: str) -> InputError:
    return InputError(f"Whisper has no language {language!r}: use a code such as en, de, es, fr or pt")


def check_code(language: str | None) -> None:
    """Refuse a language that no Whisper model knows; InputError, before anything is loaded."""
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    if language is not None and language not in _LANGUAGE_CODES:
        raise _no_language(language)


def check_language(language: str | None, model: Any) -> None:
    """Refuse a language the model can't write, before any work is done."""
    if language is None or language in model.supported_languages:
        return
    known = model.supported_languages
    if known == ["en"]:
        raise InputError(f"this model knows English only, not {language!r}: choose --model base")
    raise _no_language(language)


def load(model: str, device: str) -> tuple[str, BatchedInferencePipeline]:
    """The named model, ready: its resolved name and the batched pipeline around it. Loaded once."""
    where = resolve_device(device)
    name, path = resolve(model, where)
    return name, _pipeline(path, where)


def resolve(model: str, device: str) -> tuple[str, str]:
    """Which model `model` means on `device`: a name to print and a folder to load.

    Order: a folder, the offline set, the hub. `auto` takes the largest on a GPU when the hub has it,
    otherwise what is on this machine. Raises ModelError with the command that helps.
    """
    if model == "auto":
        return _resolve_auto(device)
    if model in OFFLINE:
        return model, str(OFFLINE[model].require())
    if Path(model).is_dir():
        if not (Path(model) / "model.bin").is_file():
            raise InputError(f"{model} holds no model.bin: not a CTranslate2 Whisper model")
        return Path(model).name, model
    return model, _from_hub(model)


def _resolve_auto(device: str) -> tuple[str, str]:
    if device == "cuda":
        try:
            return BEST_ON_GPU, _from_hub(BEST_ON_GPU)
        except ModelError:
            pass  # no hub: the offline set is what `auto` promises then
    for name, offline in OFFLINE.items():
        if offline.present:
            return name, str(offline.folder)
    raise ModelError(
        f"no Whisper model on this machine: run `{files.PULL_COMMAND}` once (217 MB, no account)"
    )


def _from_hub(model: str) -> str:
    """Folder of a hub model, downloaded on first use. ModelError when the hub says no or is away."""
    from faster_whisper.utils import available_models, download_model

    if "/" not in model and model not in available_models():
        known = ", ".join(["auto", *OFFLINE, "small", BEST_ON_GPU])
        raise InputError(
            f"no Whisper model called {model!r}: use {known}, a folder, or a hub id such as org/name"
        )
    try:
        return str(download_model(model))
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(
            f"the model hub did not give {model}: {reason}; --model base works without it"
        ) from error


@lru_cache(maxsize=4)
def identity(path: str) -> str:
    """What tells the model in a folder from every other: the SHA-256 of its weights."""
    with (Path(path) / "model.bin").open("rb") as weights:
        return hashlib.file_digest(weights, "sha256").hexdigest()


@lru_cache(maxsize=1)
def _pipeline(path: str, device: str) -> BatchedInferencePipeline:
    # The voice detector's runtime is imported by faster-whisper in mid-work, where Ctrl-C would pass for its absence.
    import onnxruntime  # noqa: F401
    from faster_whisper import BatchedInferencePipeline

    from models.recogniser import Recogniser

    share_heap()
    workers = min(MAX_WORKERS, usable_cores()) if device == "cpu" else 1
    try:
        model = Recogniser(
            path,
            device=device,
            compute_type="float16" if device == "cuda" else "int8",
            cpu_threads=max(1, usable_cores() // workers),
            num_workers=workers,
        )
    except (RuntimeError, ValueError, OSError) as error:
        raise ModelError(f"can't load the Whisper model in {path}: {error}") from error
    give_back()  # the weights as they were before they became int8
    return BatchedInferencePipeline(model)


def usable_cores() -> int:
    """Cores this process may use, which in a container are fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
