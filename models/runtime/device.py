"""Where models run: the CPU, of so many cores, or an NVIDIA GPU."""

from __future__ import annotations

import os

from models.record.errors import InputError, MachineError
from models.runtime.gpu import find_gpu

DEVICES = ("auto", "cpu", "cuda")
NO_GPU = "the NVIDIA driver shows no GPU here (nvidia-smi lists those it has; a container needs --gpus all)"


def resolve_device(device: str) -> str:
    """ "cpu" or "cuda" for `device`; "auto" is "cuda" where there is a GPU that has been tried out.

    Raises InputError, with what to do, for an unknown name, or for "cuda" where that can't be used.
    """
    if device not in DEVICES:
        raise InputError(f"no device {device!r}: use {', '.join(DEVICES)}")
    if device == "cpu":
        return "cpu"
    gpu = find_gpu()
    if gpu.name:
        return "cuda"
    if device == "cuda":
        raise MachineError(f"--device cuda, but {gpu.failure or NO_GPU}: mend that, or leave --device out")
    return "cpu"


def device_warnings(device: str) -> tuple[str, ...]:
    """What to warn of where `device` leaves the choice, and there is a GPU that can't be used."""
    failure = find_gpu().failure if device == "auto" else ""
    return (f"the CPU is used in place of the GPU: {failure}",) if failure else ()


def usable_cores() -> int:
    """Cores this process may use, which in a container are fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
