from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from audio.media.decode import decode
from models.asr import faster_whisper, language
from models.asr.engine import Hypothesis
from models.asr.transcription import TranscriptionOptions, transcribe
from models.record.spans import Span
from models.runtime.samples import SAMPLE_RATE, as_float
from tests.models.conftest import read_audio


def test_the_language_that_was_asked_for_is_doubted_where_another_is_spoken(fleurs: Path) -> None:
    german = read_audio(fleurs / "fleurs-de-000.ogg")
    heard = transcribe(german, TranscriptionOptions(model="base", language="en"))
    assert heard.language == "en"
    assert heard.warnings == (
        "the language was set to en, but what is spoken sounds like de: see --language",
    )
    assert transcribe(german, TranscriptionOptions(model="base", language="de")).warnings == ()


@pytest.mark.parametrize("language", ["de", "es", "fr", "pt"])
def test_languages_are_told_and_written(language: str, fleurs: Path) -> None:
    clip = fleurs / f"fleurs-{language}-001.ogg"
    heard = transcribe(read_audio(clip), TranscriptionOptions(model="base"))
    assert heard.language == language
    said = set(re.findall(r"\w+", clip.with_suffix(".txt").read_text().casefold()))
    written = set(re.findall(r"\w+", "".join(word.text for word in heard.words).casefold()))
    assert len(said & written) >= len(said) / 2


def test_the_language_is_told_over_several_places(sample_wav: Path, fleurs: Path) -> None:
    engine = faster_whisper.load("base", "cpu")
    call = as_float(decode(sample_wav).samples)
    german = read_audio(fleurs / "fleurs-de-000.ogg")
    size = len(german) / SAMPLE_RATE
    episode = np.concatenate([german, call[7 * SAMPLE_RATE :], call[7 * SAMPLE_RATE :]])
    chunks = [Span(0, size), Span(size, size + 23), Span(size + 23, size + 46)]
    heard, probability = language.detect_language(engine.with_samples(episode), chunks)
    assert heard == "en"
    assert 0.5 < probability < 0.8


def test_where_no_language_is_probable_the_likeliest_that_makes_sense_is_taken(
    utterances: dict[str, list[np.ndarray]],
) -> None:
    """A language that is first by a hair may be one in which the model writes nothing."""
    engine = faster_whisper.load("base", "cpu").with_samples(utterances["1688"][0])
    chunks = [Span(0, min(29.0, len(utterances["1688"][0]) / SAMPLE_RATE))]

    class Doubtful(type(engine)):  # type: ignore[misc]
        def language_probabilities(self, chunk: Span) -> dict[str, float]:
            return {"la": 0.4, "en": 0.35, "cy": 0.2}

        def decode(self, chunks: list[Span]) -> list[Hypothesis]:
            return (
                [Hypothesis(chunk) for chunk in chunks] if self.language == "la" else super().decode(chunks)
            )

    doubtful = Doubtful(**{name: getattr(engine, name) for name in engine.__dataclass_fields__})
    assert language.detect_language(doubtful, chunks) == ("en", 0.35)
