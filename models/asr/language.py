"""Transcription: 16 kHz audio in, timed words out, by faster-whisper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from models.asr.faster_whisper import FasterWhisperEngine
from models.record.errors import InputError
from models.record.spans import Span

if TYPE_CHECKING:
    pass


LANGUAGE_PLACES = 4  # chunks, spread over the episode, by which its language is told
SURE_LANGUAGE = 0.8  # mean probability over those places from which a language that was asked for is doubted


def detect_language(engine: FasterWhisperEngine, chunks: Sequence[Span]) -> tuple[str, float]:
    """The language that is most probable over several places of the audio, and its mean probability."""
    count = min(LANGUAGE_PLACES, len(chunks))
    places = [chunks[(2 * i + 1) * len(chunks) // (2 * count)] for i in range(count)]
    total: dict[str, float] = {}
    for place in places:
        for code, probability in engine.language_probabilities(place).items():
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


def check_language_code(language: str | None) -> None:
    """Refuse a language that no Whisper model knows; InputError, before anything is loaded."""
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    if language is not None and language not in _LANGUAGE_CODES:
        raise _no_language(language)


def check_model_language(language: str | None, model: Any) -> None:
    """Refuse a language the model can't write, before any work is done."""
    if language is None or language in model.supported_languages:
        return
    known = model.supported_languages
    if known == ["en"]:
        raise InputError(f"this model knows English only, not {language!r}: choose --model base")
    raise _no_language(language)
