"""The NVIDIA GPU of this machine: made ready for torch and CTranslate2, and tried out before anything relies on it."""

from __future__ import annotations

import ctypes
import os
import sys
import warnings
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np

from models.record.errors import ModelError
from models.runtime.cache import cache_folder

DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
NO_DEVICE = 100  # CUDA_ERROR_NO_DEVICE: the driver is there, and shows no GPU
CUBLAS_PACKAGE = "nvidia-cublas-cu12"
CUBLAS = ("libcublasLt.so.12", "libcublas.so.12")  # in the order in which they need each other
LEAST_ALIKE = 0.99  # cosine of what a device encodes to the CPU's in float32: rounding takes far less from it


@dataclass(frozen=True)
class Gpu:
    """What trying the GPU gave; nothing is known of it where there is none.

    name: the card's, "" where it can't be used. memory: bytes on it. failure: why it can't be used.
    """

    name: str = ""
    memory: int = 0
    failure: str = ""

    def __str__(self) -> str:
        if self.failure:
            return f"not used: {self.failure}"
        return f"{self.name}, {self.memory / 1e9:.0f} GB" if self.name else "none"


@cache
def find_gpu() -> Gpu:
    """The first GPU that the driver shows, tried out: torch and CTranslate2 both have computed on it.

    Takes seconds where there is one, more the first time that CTranslate2's kernels are compiled for a new card, and
    no time elsewhere. Of several GPUs CUDA_VISIBLE_DEVICES chooses.
    """
    os.environ.setdefault("CUDA_CACHE_PATH", str(kernels_folder()))  # read when CUDA starts
    try:
        if not count_cards():
            return Gpu()
        with suppress(OSError):  # then each process compiles its own
            Path(os.environ["CUDA_CACHE_PATH"]).mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, about what fails right after
            try_torch("cuda")
        load_cublas()
        try_ctranslate2("cuda")
        import torch

        card = torch.cuda.get_device_properties(0)
        return Gpu(card.name, card.total_memory)
    except Exception as error:
        return Gpu(failure=(str(error).splitlines() or [type(error).__name__])[0])


def kernels_folder() -> Path:
    """Where CUDA keeps what it compiles for cards that are newer than CTranslate2's own kernels."""
    return cache_folder() / "cuda"


def count_cards() -> int:
    """How many GPUs the NVIDIA driver shows to this process; 0 where there is no driver.

    Raises ModelError, in the driver's words, where it can't start.
    """
    try:
        driver = ctypes.CDLL(DRIVER)
    except OSError:
        return 0
    count, words = ctypes.c_int(), ctypes.c_char_p()
    code = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    if code == NO_DEVICE:
        return 0
    if code:
        driver.cuGetErrorString(code, ctypes.byref(words))
        reason = (words.value or b"unknown error").decode()
        raise ModelError(f"the NVIDIA driver does not start: {reason} (CUDA error {code})")
    return count.value


def load_cublas() -> None:
    """Load CUDA 12's cuBLAS, which CTranslate2 asks for by name when it first multiplies.

    A library that is loaded already is found by its name, wherever it came from. torch's cuBLAS 13 has other names
    and other symbol versions, so each finds its own; to be sure this one's symbols are shown to nobody else.
    Raises ModelError where it isn't there.
    """
    if sys.platform != "linux":
        return
    try:
        files = distribution(CUBLAS_PACKAGE).files or []
        paths = {file.name: str(file.locate()) for file in files}
    except PackageNotFoundError:
        paths = {}  # the system may have it
    for name in CUBLAS:
        try:
            ctypes.CDLL(paths.get(name, name), mode=ctypes.RTLD_LOCAL)
        except OSError as error:
            raise ModelError(
                f"{error}; `make setup` brings it in the package {CUBLAS_PACKAGE}, `make setup TORCH=cpu` does not"
            ) from error


def try_torch(device: str) -> None:
    """Multiply and convolve by torch on a device; raises what torch raises where it can't."""
    import torch

    if device == "cuda" and torch.version.cuda is None:
        raise ModelError(
            f"torch {torch.__version__} is built without CUDA: `make setup TORCH=pypi` brings it"
        )
    ones = torch.ones(64, 64, device=device)
    product = (ones @ ones).sum().item()
    convolved = torch.conv1d(ones[None], ones[:, :, None]).sum().item()
    if not product == convolved == 64.0**3:
        raise ModelError(f"torch computes wrong numbers on {device}")


def try_ctranslate2(device: str) -> None:
    """Encode a second by CTranslate2 on a device, and write it down; raises what CTranslate2 raises where it can't."""
    from models.runtime.tiny_whisper import encode_second

    there = encode_second(device, "float16" if device == "cuda" else "int8").ravel()
    here = encode_second("cpu", "float32").ravel()
    cosine = there @ here / (np.linalg.norm(there) * np.linalg.norm(here))
    if not cosine > LEAST_ALIKE:  # also where it is no number
        raise ModelError(f"CTranslate2 computes wrong numbers on {device}")
