from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from audio.media.decode import decode
from models.asr import language, repair, whisper_models
from models.asr.engine import Hypothesis
from models.asr.faster_whisper import FasterWhisperEngine
from models.asr.transcription import Transcription, TranscriptionOptions, transcribe
from models.record.errors import InputError, ModelError
from models.record.spans import Span
from models.record.transcript import Word
from models.runtime.samples import SAMPLE_RATE, as_float
from tests import sounds
from tests.models.conftest import SHARED, read_audio


@pytest.fixture(scope="session")
def fleurs() -> Path:
    """Read sentences in German, Spanish, French and Portuguese, with their words."""
    folder = SHARED / "non_english" / "fleurs"
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}")
    return folder


@pytest.fixture(scope="module")
def heard(sample_wav: Path) -> Transcription:
    return transcribe(decode(sample_wav).samples, TranscriptionOptions(model="base"))


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


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(InputError, match="no Whisper model called 'huge'"):
        whisper_models.resolve("huge", "cpu")


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no model\.bin"):
        whisper_models.resolve(str(tmp_path), "cpu")


def test_a_folder_with_a_model_is_used() -> None:
    folder = whisper_models.OFFLINE["base"].require()
    assert whisper_models.resolve(str(folder), "cpu") == ("whisper-base", str(folder))


def test_a_hub_that_is_away_is_one_clear_sentence() -> None:
    with pytest.raises(ModelError, match=r"the model hub did not give small: .*--model base works without"):
        whisper_models.resolve("small", "cpu")


def test_no_model_at_all_names_the_command_that_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EPISCRIBE_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match="run `episcribe models pull` once"):
        whisper_models.resolve("auto", "cpu")


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
    _, pipeline = whisper_models.load("base", "cpu")
    call = as_float(decode(sample_wav).samples)
    german = read_audio(fleurs / "fleurs-de-000.ogg")
    size = len(german) / SAMPLE_RATE
    episode = np.concatenate([german, call[7 * SAMPLE_RATE :], call[7 * SAMPLE_RATE :]])
    chunks = [Span(0, size), Span(size, size + 23), Span(size + 23, size + 46)]
    heard, probability = language.detect_language(FasterWhisperEngine(pipeline, episode, "en"), chunks)
    assert heard == "en"
    assert 0.5 < probability < 0.8


def test_chunks_decoded_together_are_the_same_as_one_by_one(sample_wav: Path) -> None:
    _, pipeline = whisper_models.load("base", "cpu")
    engine = FasterWhisperEngine(pipeline, decode(sample_wav).samples, "en", batch_size=3)
    chunks = [Span(6.3, 14.4), Span(14.4, 17.9), Span(18.1, 30)]
    together, alone = engine.decode(chunks), replace(engine, batch_size=1).decode(chunks)
    assert [hypothesis.chunk for hypothesis in together] == chunks
    assert [hypothesis.text for hypothesis in together] == [hypothesis.text for hypothesis in alone]
    for one, other in zip(together, alone, strict=True):
        assert one.words
        assert [word.start for word in one.words] == pytest.approx([w.start for w in other.words], abs=0.1)


def test_lost_speech_is_found_again(sample_wav: Path, heard: Transcription) -> None:
    assert heard.repairs == ()
    samples = decode(sample_wav).samples
    _, pipeline = whisper_models.load("base", "cpu")
    engine = FasterWhisperEngine(pipeline, samples, "en")
    half = [word for word in heard.words if word.end < 15]
    hypotheses, repairs = repair.repair_hypotheses(
        engine, [Hypothesis(Span(6, 30), tuple(half), -0.3, 0.1)], [Span(6.7, 14.8), Span(15.2, 29.8)]
    )
    text = " ".join(hypothesis.text for hypothesis in hypotheses)
    assert {repair.reason for repair in repairs} == {"lost"}
    assert "originally from Chicago" in text
    assert text.startswith("".join(word.text for word in half).strip())


def test_a_loop_is_decoded_again(sample_wav: Path, heard: Transcription) -> None:
    _, pipeline = whisper_models.load("base", "cpu")
    engine = FasterWhisperEngine(pipeline, decode(sample_wav).samples, "en")
    chunk = Span(6, 30)
    loop = tuple(Word(7 + i, 8 + i, text) for i, text in enumerate([" thank", " you."] * 10))
    (hypothesis, *more), (first, *_) = repair.repair_hypotheses(
        engine, [Hypothesis(chunk, loop, -0.2, 0.1)], []
    )
    assert not more
    assert (first.reason, first.start, first.end) == ("loop", 6, 30)
    assert "originally from Chicago" in hypothesis.text
    assert "thank you. thank you." not in hypothesis.text


def test_sounds_without_words_give_none_even_where_speech_is_suspected() -> None:
    sound = sounds.wordless(12, seed=7)
    seconds = len(sound) / SAMPLE_RATE
    heard = transcribe(sound, TranscriptionOptions(model="base", language="en"), speech=[Span(0, seconds)])
    assert heard.words == ()
    assert {repair.reason for repair in heard.repairs} == {"wordless"}
    assert all(repair.before and not repair.after for repair in heard.repairs)


def test_a_long_pause_gets_no_words_and_loses_none(sample_wav: Path, heard: Transcription) -> None:
    call = as_float(decode(sample_wav).samples)
    pause = sounds.noise(25, seed=3)
    words = transcribe(np.concatenate([call, pause, call]), TranscriptionOptions(model="base")).words
    assert not [word for word in words if 30.5 < word.start < 54.5]
    assert len(words) == pytest.approx(2 * len(heard.words), abs=6)
