from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.asr import whisper_models
from models.record.errors import InputError, ModelError


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(InputError, match="no Whisper model called 'huge'"):
        whisper_models.resolve("huge")


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no model\.bin"):
        whisper_models.resolve(str(tmp_path))


def test_a_folder_with_a_model_is_used() -> None:
    folder = whisper_models.OFFLINE["base"].require()
    assert whisper_models.resolve(str(folder)) == ("whisper-base", str(folder))


def test_models_of_the_offline_set_are_here_when_they_were_pulled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert whisper_models.can_be_had("base")
    monkeypatch.setenv("EPISCRIBE_CACHE", str(tmp_path))
    assert not whisper_models.can_be_had("base")


def test_a_hub_that_is_away_has_nothing() -> None:
    assert not whisper_models.hub_has("large-v3")
    assert not whisper_models.can_be_had("large-v3")


def test_a_model_that_the_hub_gave_before_is_here(tmp_path: Path) -> None:
    code = "from models.asr import whisper_models as w; print(w.is_here('small'), w.is_here('medium'))"
    folder, revision = tmp_path / "hub" / "models--Systran--faster-whisper-small", "0" * 40
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(revision)
    (folder / "snapshots" / revision).mkdir(parents=True)
    (folder / "snapshots" / revision / "model.bin").touch()
    environment = {**os.environ, "HF_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "False"]


def test_a_hub_that_is_away_is_one_clear_sentence() -> None:
    with pytest.raises(ModelError, match=r"the model hub did not give small: .*--model base works without"):
        whisper_models.resolve("small")


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        (None, "", "holds no vocabulary"),
        ("vocabulary.json", "[", "can't read its vocabulary"),
        ("vocabulary.txt", "a\n" * 51863 + "a", "knows English only"),
        ("vocabulary.txt", "a\n" * 51864 + "a", None),
    ],
)
def test_what_can_translate_is_told_by_its_vocabulary(
    name: str | None, text: str, what: str | None, tmp_path: Path
) -> None:
    (tmp_path / "model.bin").touch()
    if name:
        (tmp_path / name).write_text(text)
    if what is None:
        whisper_models.check_translating(str(tmp_path))
        return
    with pytest.raises((ModelError, InputError), match=what) as refused:
        whisper_models.check_translating(str(tmp_path))
    assert "\n" not in str(refused.value)
