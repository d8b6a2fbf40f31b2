"""Where models run: the CPU, of so many cores, or an NVIDIA GPU."""

from __future__ import annotations

import os
from functools import cache

from models.record.errors import InputError

DEVICES = ("auto", "cpu", "cuda")


def resolve_device(device: str) -> str:
    """ "cpu" or "cuda" for `device`; "auto" is "cuda" where there is a usable GPU.

    Raises InputError for an unknown name, or for "cuda" where there is none.
    """
    if device not in DEVICES:
        raise InputError(f"no device {device!r}: use {', '.join(DEVICES)}")
    if device == "cpu":
        return "cpu"
    if has_gpu():
        return "cuda"
    if device == "cuda":
        raise InputError(
            "--device cuda, but there is no NVIDIA GPU that both torch and CTranslate2 can use here"
        )
    return "cpu"


@cache
def has_gpu() -> bool:
    """Whether both torch and CTranslate2 can use an NVIDIA GPU."""
    import ctranslate2

    if ctranslate2.get_cuda_device_count() == 0:
        return False  # spares machines without a GPU the seconds that importing torch takes
    import torch

    return bool(torch.cuda.is_available())


def usable_cores() -> int:
    """Cores this process may use, which in a container are fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
