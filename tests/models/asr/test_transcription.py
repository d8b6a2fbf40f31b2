from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from audio.media.decode import decode
from models.asr.transcription import Transcription, TranscriptionOptions, transcribe
from models.record.errors import InputError
from models.record.spans import Span
from models.runtime.samples import SAMPLE_RATE, as_float
from tests import sounds


def test_words_of_the_sample(heard: Transcription) -> None:
    text = "".join(word.text for word in heard.words)
    assert heard.language == "en"
    assert heard.model == "base"
    for phrase in ("I didn't know you were there", "Neither did I", "originally from Chicago", "Sheila"):
        assert phrase in text


def test_times_run_forward_inside_the_audio(heard: Transcription) -> None:
    assert len(heard.words) > 60
    assert all(0 <= word.start <= word.end <= 30 for word in heard.words)
    assert all(a.start <= b.start for a, b in pairwise(heard.words))
    assert all(0 < word.probability <= 1 for word in heard.words)
    assert heard.words[0].start == pytest.approx(6.7, abs=0.6)  # where the reference has "Hello?"


def test_progress_ends_at_the_whole_length(sample_wav: Path) -> None:
    seen: list[tuple[str, float, float]] = []
    transcribe(
        decode(sample_wav).samples,
        TranscriptionOptions(model="tiny.en", beam_size=1),
        lambda *state: seen.append(state),
    )
    assert seen[0] == ("transcribe", 0.0, 30.0)
    assert seen[-1] == ("transcribe", 30.0, 30.0)


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.2, 40.0])
def test_silence_of_any_length_gives_no_words(seconds: float) -> None:
    silence = np.zeros(int(seconds * 16_000), dtype=np.float32)
    assert transcribe(silence, TranscriptionOptions(model="base")) == Transcription((), "", 0.0, "base")


def test_noise_gives_no_words() -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, 20 * 16_000).astype(np.float32)
    assert transcribe(noise, TranscriptionOptions(model="base")).words == ()


def test_a_raising_progress_stops_the_work(sample_wav: Path) -> None:
    def stop(stage: str, done: float, total: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        transcribe(decode(sample_wav).samples, TranscriptionOptions(model="base"), stop)


def test_a_language_nobody_speaks_is_refused() -> None:
    with pytest.raises(InputError, match="no language 'xx'"):
        transcribe(np.zeros(16_000, dtype=np.float32), TranscriptionOptions(model="base", language="xx"))


def test_the_english_model_refuses_another_language() -> None:
    with pytest.raises(InputError, match="English only"):
        transcribe(np.zeros(16_000, dtype=np.float32), TranscriptionOptions(model="tiny.en", language="fr"))


def test_sounds_without_words_give_none_even_where_speech_is_suspected() -> None:
    sound = sounds.wordless(12, seed=7)
    seconds = len(sound) / SAMPLE_RATE
    heard = transcribe(sound, TranscriptionOptions(model="base", language="en"), speech=[Span(0, seconds)])
    assert heard.words == ()
    assert {repair.reason for repair in heard.repairs} == {"wordless"}
    assert all(not repair.after for repair in heard.repairs)


def test_a_long_pause_gets_no_words_and_loses_none(sample_wav: Path, heard: Transcription) -> None:
    call = as_float(decode(sample_wav).samples)
    pause = sounds.noise(25, seed=3)
    words = transcribe(np.concatenate([call, pause, call]), TranscriptionOptions(model="base")).words
    assert not [word for word in words if 30.5 < word.start < 54.5]
    assert len(words) == pytest.approx(2 * len(heard.words), abs=6)
