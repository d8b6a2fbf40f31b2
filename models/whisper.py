"""Transcription: 16 kHz audio in, timed words out, by faster-whisper."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models import files
from models.device import resolve_device
from models.errors import InputError, ModelError
from models.memory import give_back
from models.progress import Progress, silent
from models.transcript import Word

if TYPE_CHECKING:
    from faster_whisper import BatchedInferencePipeline

SAMPLE_RATE = 16_000  # Hz
MIN_SAMPLES = SAMPLE_RATE // 10  # less can't hold a word, and upsets the feature extractor
OFFLINE = {"base": files.WHISPER_BASE, "tiny.en": files.WHISPER_TINY_EN}
BEST_ON_GPU = "large-v3-turbo"
PROBABILITY_DIGITS = 3
BLOCK_SECONDS = 1200  # transcribed at once; voice activity and features of that much are in memory
SEARCH_SECONDS = 30  # at the end of a block, in which the quietest place is looked for
QUIET_SAMPLES = SAMPLE_RATE // 4  # how long such a place is


@dataclass(frozen=True)
class WhisperOptions:
    """What decides the words; part of the cache key of a transcription.

    `model` is "auto", a size such as "base", a folder with a CTranslate2 model, or a hub id.
    `language` is an ISO 639-1 code, None to detect it. `hotwords` are names and terms to expect.
    """

    model: str = "auto"
    language: str | None = None
    device: str = "auto"
    batch_size: int = 8  # 30 s pieces decoded at once
    beam_size: int = 5
    hotwords: str | None = None


@dataclass(frozen=True)
class Transcription:
    """Words in order of time, the language ("" when nothing was said) and the model that heard them."""

    words: tuple[Word, ...]
    language: str
    language_probability: float
    model: str


def transcribe(
    samples: NDArray[np.float32], options: WhisperOptions, progress: Progress = silent
) -> Transcription:
    """Recognise the speech in `samples`.

    samples: (samples,) float32 mono at 16 kHz. Word times are seconds from the first sample.
    Raises ModelError when the model isn't there, InputError for a language Whisper doesn't know.
    """
    name, pipeline = load(options.model, options.device)
    check_language(options.language, pipeline.model)
    seconds = len(samples) / SAMPLE_RATE
    language, probability, words = options.language, 1.0, list[Word]()
    progress("transcribe", 0.0, seconds)
    for first, last in blocks(samples):
        if last - first < MIN_SAMPLES:
            continue
        segments, info = pipeline.transcribe(
            samples[first:last],
            language=language,
            batch_size=options.batch_size,
            beam_size=options.beam_size,
            hotwords=options.hotwords,
            word_timestamps=True,
            vad_filter=True,
        )
        heard = list(_words(segments, first / SAMPLE_RATE, last / SAMPLE_RATE, seconds, progress))
        if heard and language is None:
            language, probability = info.language, float(info.language_probability)
        words += heard
        progress("transcribe", last / SAMPLE_RATE, seconds)
        give_back()
    if not words:
        return Transcription((), "", 0.0, name)
    return Transcription(tuple(words), language or "", probability, name)


def blocks(samples: NDArray[np.float32]) -> Iterator[tuple[int, int]]:
    """Where to cut long audio so that memory doesn't grow with its length: (first, last) samples.

    Each cut is in the quietest place of the last seconds of its block, where nobody is in mid-word.
    """
    first = 0
    while len(samples) - first > BLOCK_SECONDS * SAMPLE_RATE:
        end = first + BLOCK_SECONDS * SAMPLE_RATE
        window = samples[end - SEARCH_SECONDS * SAMPLE_RATE : end]
        energy = np.square(window).reshape(-1, QUIET_SAMPLES).mean(axis=1)
        last = end - len(window) + int(energy.argmin()) * QUIET_SAMPLES + QUIET_SAMPLES // 2
        yield first, last
        first = last
    yield first, len(samples)


def _words(segments: Any, start: float, end: float, total: float, progress: Progress) -> Iterator[Word]:
    """Whisper's words of the audio from `start` to `end`; times never run backwards or leave that."""
    latest = start
    for segment in segments:
        for word in segment.words or ():
            if not word.word.strip():
                continue
            latest = min(max(start + float(word.start), latest), end)
            until = min(max(start + float(word.end), latest), end)
            yield Word(latest, until, word.word, round(float(word.probability), PROBABILITY_DIGITS))
        progress("transcribe", min(start + segment.end, end), total)


def check_language(language: str | None, model: Any) -> None:
    """Refuse a language the model can't write, before any work is done."""
    if language is None or language in model.supported_languages:
        return
    known = model.supported_languages
    if known == ["en"]:
        raise InputError(f"this model knows English only, not {language!r}: choose --model base")
    raise InputError(
        f"Whisper has no language {language!r}: use a code such as {', '.join(sorted(known)[:5])}"
    )


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
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    try:
        model = WhisperModel(
            path,
            device=device,
            compute_type="float16" if device == "cuda" else "int8",
            cpu_threads=usable_cores(),
        )
    except (RuntimeError, ValueError, OSError) as error:
        raise ModelError(f"can't load the Whisper model in {path}: {error}") from error
    return BatchedInferencePipeline(model)


def usable_cores() -> int:
    """Cores this process may use, which in a container are fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
