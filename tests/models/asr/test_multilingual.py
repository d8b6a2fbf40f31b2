"""Episodes in more than one language, by real speech."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import jiwer
import numpy as np
import pytest
from numpy.typing import NDArray

from models.asr.transcription import Transcription, TranscriptionOptions, transcribe
from models.record.spans import Span
from models.record.transcript import Turn
from models.runtime.samples import SAMPLE_RATE
from tests.models.conftest import read_audio

Waveform = NDArray[np.float32]
BASE = TranscriptionOptions(model="base")
PAUSE = np.zeros(SAMPLE_RATE // 2, dtype=np.float32)
CLIPS = ("de-001", "fr-002", "de-002", "es-003", "de-004")
LEVEL = 10 ** (-23 / 20)


def levelled(samples: Waveform) -> Waveform:
    return np.clip(samples * (LEVEL / np.sqrt(np.square(samples).mean())), -1, 1).astype(np.float32)


@pytest.fixture(scope="module")
def episode(fleurs: Path) -> tuple[Waveform, list[Turn], list[str]]:
    """A host who speaks German, guests who don't, and what each says."""
    parts, turns, texts, now = list[Waveform](), list[Turn](), list[str](), 0.0
    for clip in CLIPS:
        sound = levelled(read_audio(fleurs / f"fleurs-{clip}.ogg"))
        parts += [sound, PAUSE]
        turns.append(Turn(now, now + len(sound) / SAMPLE_RATE, clip[:2]))
        texts.append((fleurs / f"fleurs-{clip}.txt").read_text(encoding="utf-8"))
        now += (len(sound) + len(PAUSE)) / SAMPLE_RATE
    return np.concatenate(parts), turns, texts


def heard_in(
    episode: tuple[Waveform, list[Turn], list[str]], options: TranscriptionOptions = BASE
) -> Transcription:
    samples, turns, _ = episode
    return transcribe(samples, options, speech=[Span(turn.start, turn.end) for turn in turns], turns=turns)


def words_of(text: str) -> str:
    return re.sub(r"[^\w\s]", "", text.lower()).strip()


def errors(heard: Transcription, turns: list[Turn], texts: list[str]) -> list[float]:
    """WER of each turn."""
    said = [
        "".join(word.text for word in heard.words if turn.start <= (word.start + word.end) / 2 <= turn.end)
        for turn in turns
    ]
    return [jiwer.wer(words_of(text), words_of(own)) for text, own in zip(texts, said, strict=True)]


@pytest.fixture(scope="module")
def found(episode: tuple[Waveform, list[Turn], list[str]]) -> Transcription:
    return heard_in(episode)


def test_each_sentence_is_written_in_its_language(
    found: Transcription, episode: tuple[Waveform, list[Turn], list[str]]
) -> None:
    _, turns, texts = episode
    for turn in turns:
        languages = Counter(
            word.language for word in found.words if turn.start <= (word.start + word.end) / 2 <= turn.end
        )
        assert set(languages) == {turn.speaker}
    assert max(errors(found, turns, texts)) < 0.4
    assert found.language == "de"
    assert found.warnings == ()


@pytest.mark.slow
def test_languages_survive_a_quieter_recording_that_begins_later(
    episode: tuple[Waveform, list[Turn], list[str]], found: Transcription
) -> None:
    samples, turns, texts = episode
    late = SAMPLE_RATE // 2
    moved = [replace(turn, start=max(0, turn.start - 0.5), end=turn.end - 0.5) for turn in turns]
    again = heard_in((samples[late:] * np.float32(10 ** (-1 / 20)), moved, texts))
    told = [[word.language for word in each.words] for each in (found, again)]
    assert [sorted(set(each)) for each in told] == [["de", "es", "fr"]] * 2
    for language in ("de", "es", "fr"):
        one, other = (each.count(language) for each in told)
        assert one == pytest.approx(other, abs=4)


def test_no_other_languages_are_written_than_may_be(
    episode: tuple[Waveform, list[Turn], list[str]],
) -> None:
    samples, turns, texts = episode
    first = slice(0, round(turns[1].end * SAMPLE_RATE))
    heard = heard_in((samples[first], turns[:2], texts[:2]), replace(BASE, languages=("de", "en")))
    assert {word.language for word in heard.words} <= {"de", "en"}
