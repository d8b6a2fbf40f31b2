"""Whisper base translates read German and Spanish."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.asr import faster_whisper
from models.asr.transcription import TranscriptionOptions
from models.asr.voice_activity import voice_activity
from models.asr.word_times import spread
from models.record.errors import InputError
from models.record.spans import Span
from models.record.transcript import Segment, Word
from models.runtime.samples import SAMPLE_RATE, Samples
from models.translation.by_sound import is_faulty, translate
from models.translation.pieces import Piece
from tests.models.asr.conftest import fleurs  # noqa: F401  (a fixture)
from tests.models.conftest import read_audio
from tests.outputs.samples import said

OPTIONS = TranscriptionOptions(model="base", device="cpu")


def read_out(clip: Path, speaker: str, language: str, at: float) -> tuple[Samples, Segment]:
    """A clip, and its words as a segment that begins with it `at` seconds; each about when it is said."""
    samples = read_audio(clip)
    speech = [Span(span.start + at, span.end + at) for span in voice_activity(samples)]
    text = clip.with_suffix(".txt").read_text(encoding="utf-8").split()
    words = spread([Word(0, 0, f" {word}", speaker=speaker, language=language) for word in text], speech)
    return samples, Segment(words[0].start, words[-1].end, speaker, words, language=language)


def under_another(segment: Segment) -> Segment:
    return replace(segment, words=tuple(replace(word, overlap=True) for word in segment.words))


@pytest.fixture(scope="module")
def german(fleurs: Path) -> tuple[Samples, Segment]:  # noqa: F811
    return read_out(fleurs / "fleurs-de-004.ogg", "A", "de", 0.0)


def test_speech_is_in_english_by_whom_and_when_it_is_said(
    german: tuple[Samples, Segment],
    fleurs: Path,  # noqa: F811
) -> None:
    cave, first = german[0], under_another(german[1])
    funeral, second = read_out(fleurs / "fleurs-es-002.ogg", "B", "es", len(cave) / SAMPLE_RATE)
    end = (len(cave) + len(funeral)) / SAMPLE_RATE
    english = replace(said("Untouched", end, 1.0, "A"), language="en")
    nobody = said("nada nada nada nada nada", end + 2, 0.3, "B")
    samples = np.concatenate([cave, funeral, np.zeros(10 * SAMPLE_RATE, dtype=np.float32)])
    found = translate(samples, OPTIONS, [first, second, english, nobody], "es", apart=True)
    texts = {
        (who, language): " ".join(
            one.text for one in found.segments if (one.speaker, one.language) == (who, language)
        )
        for who, language in (("A", "en"), ("B", "en"), ("B", "es"))
    }
    assert "mountains" in texts["A", "en"]
    assert texts["A", "en"].endswith(" Untouched")
    assert "San Pedro" in texts["B", "en"] or "San Peter" in texts["B", "en"]
    assert texts["B", "es"] == nobody.text  # silence: what is no translation stays
    assert found.warnings == ("1 of 3 pieces could not be translated into en and stay as they were said",)
    for segment in found.segments:
        source = next(one for one in (first, second, english, nobody) if one.start <= segment.start < one.end)
        assert segment.end <= source.end
        assert segment.speaker == source.speaker
    assert found.engine == "Whisper base"


def test_what_is_said_under_another_voice_stays(german: tuple[Samples, Segment]) -> None:
    samples, segment = german
    found = translate(samples, OPTIONS, [under_another(segment)], "de", target="en-GB")
    assert " ".join(one.text for one in found.segments) == segment.text


def test_speech_that_is_written_in_its_own_language_is_no_translation(
    german: tuple[Samples, Segment],
) -> None:
    samples, segment = german
    engine = faster_whisper.load("base", "cpu").with_samples(samples).with_language("de")
    chunk = Span(0.0, len(samples) / SAMPLE_RATE)
    (heard,) = engine.decode([chunk])
    piece = Piece("de", (0,), (replace(segment, words=heard.words),))
    assert is_faulty(heard, piece)
    assert not is_faulty(engine.translating().decode([chunk])[0], piece)
    half = replace(heard, words=engine.translating().decode([chunk])[0].words[:4])
    assert is_faulty(half, piece)  # the beginning alone


def test_a_model_for_english_alone_is_refused() -> None:
    with pytest.raises(InputError, match=r"tiny\.en knows English only and can't translate"):
        faster_whisper.load("tiny.en", "cpu").translating()
