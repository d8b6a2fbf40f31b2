"""What the qualities come to on machines of all sizes."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import get_args

import pytest

from flows import quality
from flows.options import Quality, RunOptions
from flows.quality import EFFORTS, Machine, choose, first_that_fits, machine_of
from models.record.errors import InputError, ModelError
from models.runtime.device import DEVICES
from models.runtime.offline_models import WHISPER_BASE

GB = 1e9
SMALL_CPU, LARGE_CPU = Machine("cpu", 2, 8 * GB), Machine("cpu", 16, 64 * GB)
SMALL_GPU, LARGE_GPU = Machine("cuda", 2, 4 * GB), Machine("cuda", 2, 80 * GB)


def everywhere(model: str) -> bool:
    return True


def offline(model: str) -> bool:
    return model in ("base", "tiny.en")


def test_every_quality_is_told_for_every_device() -> None:
    assert set(EFFORTS) == set(product(get_args(Quality), set(DEVICES) - {"auto"}))


def test_the_page_has_the_table_as_it_is() -> None:
    told = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    for (chosen, device), effort in EFFORTS.items():
        models = []
        for model in effort.models:
            needs = [f"{model.cores} cores"] * (model.cores > 1) + [f"{model.memory:g} GB"] * (
                model.memory > 0
            )
            models.append(model.name + (f" ({', '.join(needs)})" if needs else ""))
        where = {"cpu": "CPU", "cuda": "GPU"}[device]
        assert f"| `{chosen}` | {where} | {', '.join(models)} | {effort.beam_size} |" in told


def test_unless_told_otherwise_two_cores_take_base_and_a_beam_of_five() -> None:
    if machine_of("cpu").cores >= 8:
        pytest.skip("this machine is worth a larger model")
    options = RunOptions(device="cpu")
    assert options.transcription().model == "base"
    assert options.transcription().beam_size == 5


@pytest.mark.parametrize(
    ("chosen", "machine", "model"),
    [
        ("fast", LARGE_CPU, "base"),
        ("balanced", SMALL_CPU, "base"),
        ("balanced", LARGE_CPU, "small"),
        ("best", SMALL_CPU, "small"),
        ("best", Machine("cpu", 2, 2 * GB), "base"),
        ("best", LARGE_CPU, "large-v3-turbo"),
        ("fast", LARGE_GPU, "small"),
        ("balanced", LARGE_GPU, "large-v3-turbo"),
        ("balanced", SMALL_GPU, "small"),
        ("best", LARGE_GPU, "large-v3"),
    ],
)
def test_larger_machines_take_larger_models(chosen: Quality, machine: Machine, model: str) -> None:
    models = EFFORTS[chosen, machine.device].models
    assert first_that_fits(models, machine, everywhere) == model
    assert first_that_fits(models, machine, offline) == "base"


def test_without_base_tiny_en_is_what_there_is() -> None:
    models = EFFORTS["best", "cpu"].models
    assert first_that_fits(models, LARGE_CPU, lambda model: model == "tiny.en") == "tiny.en"


def test_what_is_asked_for_by_name_is_taken() -> None:
    chosen = choose("fast", "cpu", "some/model")
    assert chosen == quality.Choice("some/model", EFFORTS["fast", "cpu"].beam_size)


def test_a_larger_effort_searches_no_less() -> None:
    for device in ("cpu", "cuda"):
        fast, balanced, best = (EFFORTS[each, device] for each in get_args(Quality))
        assert fast.beam_size <= balanced.beam_size <= best.beam_size


def test_no_model_at_all_names_the_command_that_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EPISCRIBE_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match="run `episcribe models pull` once"):
        RunOptions(device="cpu").transcription()


def test_a_device_that_there_is_not_is_refused() -> None:
    with pytest.raises(InputError, match="no device 'tpu'"):
        choose("best", "tpu")


def test_the_choice_is_what_the_words_are_kept_under() -> None:
    from audio.tracks.recording import DecodedAudio
    from flows.episode import _heeded

    WHISPER_BASE.require()
    heard = DecodedAudio(1.0, 0, ())
    fast, plain = (
        _heeded(RunOptions(quality=each, model="base", device="cpu").transcription(), heard)
        for each in ("fast", "balanced")
    )
    assert {name for name in plain if plain[name] != fast[name]} == {"beam_size"}
