from __future__ import annotations

from pathlib import Path

import pytest

from models.asr import whisper_models
from models.record.errors import InputError, ModelError


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
