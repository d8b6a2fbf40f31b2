"""Detected speech without words leaves a trace, always; and what people say is not lost on the way."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.asr.engine import Hypothesis
from models.asr.repair import lost_speech
from models.asr.transcription import Transcription, TranscriptionOptions, transcribe
from models.record.spans import Span
from models.runtime.samples import SAMPLE_RATE
from tests import sounds
from tests.models.conftest import SHARED, read_audio

BASE = TranscriptionOptions(model="base")
Sound = NDArray[np.float32]


def silence(seconds: float) -> Sound:
    return np.zeros(round(seconds * SAMPLE_RATE), dtype=np.float32)


def leveled(sound: Sound, decibels: float = -23.0) -> Sound:
    louder: Sound = (sound * 10 ** (decibels / 20) / np.sqrt(np.mean(np.square(sound)))).astype(np.float32)
    return louder


def said(heard: Transcription) -> str:
    return "".join(word.text for word in heard.words)


def untraced(heard: Transcription, speech: list[Span], seconds: float) -> list[Span]:
    """Gaps of speech without words that no repair tells of."""
    gaps = [gap for gap, _ in lost_speech(Hypothesis(Span(0, seconds), heard.words), speech)]
    told = [Span(repair.start, repair.end) for repair in heard.repairs if not repair.after]
    return [gap for gap in gaps if not any(gap.shared(span) > gap.duration / 2 for span in told)]


@pytest.fixture(scope="module")
def jfk() -> Sound:
    path = SHARED / "read_speech" / "jfk" / "jfk.flac"
    if not path.is_file():
        pytest.skip(f"no recording at {path}")
    return read_audio(path)


def test_what_is_really_said_twelve_times_is_written_twelve_times(jfk: Sound) -> None:
    ask_not = jfk[round(3.25 * SAMPLE_RATE) : round(4.35 * SAMPLE_RATE)]
    parts, speech, at = [jfk[: round(2.3 * SAMPLE_RATE)], silence(0.4)], [Span(0.1, 2.3)], 2.7
    for _ in range(12):
        parts += [ask_not, silence(0.4)]
        speech.append(Span(at, at + 1.1))
        at += 1.5
    parts.append(jfk[round(4.35 * SAMPLE_RATE) :])
    sound = np.concatenate(parts)
    heard = transcribe(sound, BASE, speech=[*speech, Span(at + 0.9, len(sound) / SAMPLE_RATE - 0.3)])
    text = re.sub(r"[^a-z ]", "", said(heard).lower())
    assert len(re.findall("ask not", text)) == 12
    assert text.endswith("ask what you can do for your country")


@pytest.mark.parametrize("language", ["de", "es", "fr", "pt"])
def test_a_quotation_in_another_language_is_written_or_marked(
    language: str, fleurs: Path, utterances: dict[str, list[Sound]]
) -> None:
    before, after = leveled(utterances["1688"][0]), leveled(utterances["1688"][1])
    quotation = leveled(read_audio(fleurs / f"fleurs-{language}-002.ogg"))[: 6 * SAMPLE_RATE]
    sound = np.concatenate([before, silence(1), quotation, silence(1), after])
    edges = np.cumsum([len(before), SAMPLE_RATE, len(quotation), SAMPLE_RATE, len(after)]) / SAMPLE_RATE
    speech = [Span(0.2, edges[0]), Span(edges[1] + 0.2, edges[2]), Span(edges[3] + 0.2, edges[4] - 0.2)]
    heard = transcribe(sound, BASE, speech=speech)
    assert heard.language == "en"
    assert untraced(heard, speech, edges[4]) == []
    within = [word for word in heard.words if edges[1] < word.start < edges[2]]
    assert within or any(repair.reason == "unheard" for repair in heard.repairs)


def test_a_soft_last_sentence_is_written_or_marked(utterances: dict[str, list[Sound]]) -> None:
    for person, spoken in sorted(utterances.items())[:3]:
        first, last = leveled(spoken[0]), leveled(spoken[1], -41)
        sound = np.concatenate([first, silence(0.6), last])
        length = len(sound) / SAMPLE_RATE
        speech = [Span(0.2, len(first) / SAMPLE_RATE), Span(len(first) / SAMPLE_RATE + 0.8, length - 0.2)]
        heard = transcribe(sound, BASE, speech=speech)
        assert untraced(heard, speech, length) == [], person
        assert len(heard.words) > 5


def test_speech_that_nobody_understands_is_marked(utterances: dict[str, list[Sound]]) -> None:
    """Played backwards it is still a voice."""
    plain, spoken = leveled(utterances["1688"][3]), utterances["1688"][5]
    backwards = leveled(np.ascontiguousarray(spoken[::-1]))
    sound = np.concatenate([plain, silence(2.5), backwards])
    start, length = len(plain) / SAMPLE_RATE + 2.5, len(sound) / SAMPLE_RATE
    speech = [Span(0.2, len(plain) / SAMPLE_RATE), Span(start, length)]
    heard = transcribe(sound, BASE, speech=speech)
    assert untraced(heard, speech, length) == []
    assert any(repair.reason == "unheard" and repair.end - repair.start > 1.5 for repair in heard.repairs)
    assert "stayed without words" in " ".join(heard.warnings)


def test_sound_without_a_word_is_a_warning() -> None:
    assert transcribe(sounds.noise(10, 0), BASE).warnings == ("no words were found in 10 s of sound",)
    told = transcribe(sounds.noise(10, 0), BASE, speech=[Span(1, 9)])
    assert (told.words, told.warnings) == ((), ("no words were found in 10 s of sound",))
    assert transcribe(silence(10), BASE).warnings == ()
