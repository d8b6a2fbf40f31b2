"""What can be tried without a GPU: everything but a GPU that computes."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import pytest

from models.record.errors import ModelError
from models.runtime.gpu import CUBLAS_PACKAGE, count_cards, try_ctranslate2, try_torch
from models.runtime.tiny_whisper import FRAMES, WIDTH, encode_second
from tests.gpu_driver import with_driver

ROOT = Path(__file__).parents[3]
LOAD = "from models.runtime.gpu import load_cublas; load_cublas(); "
ASK = "import ctypes; library = ctypes.CDLL('libcublas.so.12'); "
SAY = "number = ctypes.c_int(); library.cublasGetProperty(0, ctypes.byref(number)); print(number.value); "
FIND = "from models.runtime.gpu import find_gpu; print(find_gpu()); "


def python(code: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**(environment or os.environ), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def _cublas() -> None:
    try:
        distribution(CUBLAS_PACKAGE)
    except PackageNotFoundError:
        pytest.skip(f"no {CUBLAS_PACKAGE}: set up with TORCH=cpu")


@pytest.mark.usefixtures("_cublas")
@pytest.mark.parametrize("order", [LOAD + "import torch; ", "import torch; " + LOAD])
def test_the_library_that_ctranslate2_asks_for_is_found_by_name_beside_torchs_own(order: str) -> None:
    assert python(ASK).returncode != 0  # or else the next line would say nothing
    done = python(order + ASK + SAY)
    assert done.stdout == "12\n", done.stderr


@pytest.mark.usefixtures("_cublas")
def test_nobody_else_sees_its_symbols() -> None:
    done = python(LOAD + "import ctypes; ctypes.CDLL(None).cublasGetProperty")
    assert "undefined symbol: cublasGetProperty" in done.stderr


def test_without_the_library_it_says_what_brings_it() -> None:
    absent = "import models.runtime.gpu as gpu; gpu.CUBLAS_PACKAGE = 'not-installed'; gpu.load_cublas()"
    done = python(absent)
    assert "ModelError: libcublasLt.so.12: cannot open" in done.stderr
    assert "`make setup` brings it" in done.stderr


def test_a_device_that_computes_passes() -> None:
    try_torch("cpu")
    try_ctranslate2("cpu")


def test_a_device_that_computes_something_else_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(2).standard_normal((FRAMES // 2, WIDTH)).astype(np.float32)
    heard = {"int8": noise, "float32": encode_second("cpu", "float32")}
    monkeypatch.setattr("models.runtime.tiny_whisper.encode_second", lambda device, kind: heard[kind])
    with pytest.raises(ModelError, match="wrong numbers"):
        try_ctranslate2("cpu")
    heard["int8"] = np.full_like(noise, np.nan)
    with pytest.raises(ModelError, match="wrong numbers"):
        try_ctranslate2("cpu")


def test_without_a_driver_there_is_no_gpu_and_nothing_heavy_is_imported(tmp_path: Path) -> None:
    try:
        cards = count_cards()
    except ModelError:
        cards = 1
    if cards:
        pytest.skip("there is a GPU here")
    done = python(FIND + "import sys; print({'torch', 'ctranslate2'} & set(sys.modules))")
    assert done.stdout == "none\nset()\n", done.stderr


@pytest.mark.parametrize(
    ("driver", "said"),
    [
        ({"cards": 0}, "none"),
        ({"code": 100}, "none"),
        (
            {"code": 804, "words": "forward compatibility was attempted"},
            "not used: the NVIDIA driver does not start: forward compatibility was attempted (CUDA error 804)",
        ),
    ],
)
def test_what_the_driver_says_is_told(tmp_path: Path, driver: dict[str, str | int], said: str) -> None:
    done = python(FIND, with_driver(tmp_path, **driver))  # type: ignore[arg-type]
    assert done.stdout == f"{said}\n", done.stderr


def test_a_card_that_cannot_compute_is_not_used(tmp_path: Path) -> None:
    environment = with_driver(tmp_path, cards=1)
    environment |= {"EPISCRIBE_CACHE": str(tmp_path / "cache"), "CUDA_CACHE_PATH": ""}
    del environment["CUDA_CACHE_PATH"]
    done = python(
        "from models.runtime.device import device_warnings, resolve_device as on\n"
        "print(on('auto'), on('cpu'), *device_warnings('auto'), device_warnings('cpu'), sep='|')\n"
        "on('cuda')",
        environment,
    )
    auto, cpu, warning, none = done.stdout.strip().split("|")
    assert (auto, cpu, none) == ("cpu", "cpu", "()")
    assert warning.startswith("the CPU is used in place of the GPU: ")
    reason = warning.removeprefix("the CPU is used in place of the GPU: ")
    assert reason
    assert done.stderr.splitlines()[-1].endswith(
        f"MachineError: --device cuda, but {reason}: mend that, or leave --device out"
    )
    assert (tmp_path / "cache" / "cuda").is_dir()  # where CUDA would have kept what it compiles


@pytest.mark.parametrize("own", [True, False])
def test_compiled_kernels_are_kept_in_a_folder_of_ours_unless_the_user_has_one(
    tmp_path: Path, own: bool
) -> None:
    environment = {**os.environ, "EPISCRIBE_CACHE": str(tmp_path)}
    environment.pop("CUDA_CACHE_PATH", None)
    if own:
        environment["CUDA_CACHE_PATH"] = "/elsewhere"
    done = python(FIND + "import os; print(os.environ['CUDA_CACHE_PATH'])", environment)
    assert done.stdout.splitlines()[-1] == ("/elsewhere" if own else str(tmp_path / "cuda"))
