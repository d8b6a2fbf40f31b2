from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from audio.decode import decode
from models import whisper
from models.errors import InputError, ModelError
from models.whisper import Transcription, WhisperOptions, transcribe


@pytest.fixture(scope="module")
def heard(sample_wav: Path) -> Transcription:
    return transcribe(decode(sample_wav).samples, WhisperOptions(model="base"))


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
        WhisperOptions(model="tiny.en", beam_size=1),
        lambda *state: seen.append(state),
    )
    assert seen[0] == ("transcribe", 0.0, 30.0)
    assert seen[-1] == ("transcribe", 30.0, 30.0)


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.2, 40.0])
def test_silence_of_any_length_gives_no_words(seconds: float) -> None:
    silence = np.zeros(int(seconds * 16_000), dtype=np.float32)
    assert transcribe(silence, WhisperOptions(model="base")) == Transcription((), "", 0.0, "base")


def test_noise_gives_no_words() -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, 20 * 16_000).astype(np.float32)
    assert transcribe(noise, WhisperOptions(model="base")).words == ()


def test_a_raising_progress_stops_the_work(sample_wav: Path) -> None:
    def stop(stage: str, done: float, total: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        transcribe(decode(sample_wav).samples, WhisperOptions(model="base"), stop)


def test_a_language_nobody_speaks_is_refused() -> None:
    with pytest.raises(InputError, match="no language 'xx'"):
        transcribe(np.zeros(16_000, dtype=np.float32), WhisperOptions(model="base", language="xx"))


def test_the_english_model_refuses_another_language() -> None:
    with pytest.raises(InputError, match="English only"):
        transcribe(np.zeros(16_000, dtype=np.float32), WhisperOptions(model="tiny.en", language="fr"))


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(InputError, match="no Whisper model called 'huge'"):
        whisper.resolve("huge", "cpu")


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no model\.bin"):
        whisper.resolve(str(tmp_path), "cpu")


def test_a_folder_with_a_model_is_used() -> None:
    folder = whisper.OFFLINE["base"].require()
    assert whisper.resolve(str(folder), "cpu") == ("whisper-base", str(folder))


def test_a_hub_that_is_away_is_one_clear_sentence() -> None:
    with pytest.raises(ModelError, match=r"the model hub did not give small: .*--model base works without"):
        whisper.resolve("small", "cpu")


def test_no_model_at_all_names_the_command_that_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EPISCRIBE_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match="run `episcribe models pull` once"):
        whisper.resolve("auto", "cpu")


def test_long_audio_is_cut_where_it_is_quiet() -> None:
    generator = np.random.default_rng(0)
    rate, length = whisper.SAMPLE_RATE, whisper.BLOCK_SECONDS * whisper.SAMPLE_RATE
    noise = generator.normal(0, 0.1, 2 * length + 5).astype(np.float32)
    quiet = length - 10 * rate
    noise[quiet : quiet + rate] = 0
    found = list(whisper.blocks(noise))
    assert found[0][0] == 0
    assert found[-1][1] == len(noise)
    assert all(before[1] == after[0] for before, after in pairwise(found))
    assert all(last - first <= length for first, last in found)
    assert quiet <= found[0][1] <= quiet + rate


def test_cutting_into_blocks_loses_no_words(
    sample_wav: Path, heard: Transcription, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whisper, "BLOCK_SECONDS", 20)
    monkeypatch.setattr(whisper, "SEARCH_SECONDS", 8)
    cut = transcribe(decode(sample_wav).samples, WhisperOptions(model="base"))
    assert cut.language == "en"
    assert len(cut.words) == pytest.approx(len(heard.words), abs=4)
    assert all(a.start <= b.start for a, b in pairwise(cut.words))
    assert cut.words[-1].end == pytest.approx(heard.words[-1].end, abs=0.5)
