"""Where models run: the CPU or an NVIDIA GPU."""

from __future__ import annotations

from models.errors import InputError

DEVICES = ("auto", "cpu", "cuda")


def resolve_device(device: str) -> str:
    """"cpu" or "cuda" for `device`; "auto" is "cuda" where there is a usable GPU.

    Raises InputError for an unknown name, or for "cuda" where there is none.
    """
    if device not in DEVICES:
        raise InputError(f"no device {device!r}: use {', '.join(DEVICES)}")
    if device == "cpu":
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if device == "cuda":
        raise InputError("--device cuda, but torch finds no NVIDIA GPU here: use --device cpu")
    return "cpu"
