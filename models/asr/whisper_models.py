"""Transcription: 16 kHz audio in, timed words out, by faster-whisper."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from models.record.errors import InputError, ModelError
from models.runtime import offline_models
from models.runtime.device import resolve_device
from models.runtime.memory import limit_malloc_arenas, return_freed_memory

if TYPE_CHECKING:
    from faster_whisper import BatchedInferencePipeline


OFFLINE = {"base": offline_models.WHISPER_BASE, "tiny.en": offline_models.WHISPER_TINY_EN}
BEST_ON_GPU = "large-v3-turbo"
MAX_WORKERS = 4  # batches decoded side by side on a CPU: a core each is faster than all cores for each


def load(model: str, device: str) -> tuple[str, BatchedInferencePipeline]:
    """The named model, ready: its resolved name and the batched pipeline around it. Loaded once."""
    where = resolve_device(device)
    name, path = resolve(model, where)
    return name, _pipeline(path, where)


def resolve(model: str, device: str) -> tuple[str, str]:
    """Which model `model` means on `device`: a name to print and a folder to load.

    Order: a folder, the offline set, the hub. `auto` takes the largest on a GPU when the hub has it,
    otherwise what is on this machine. Raises ModelError with the command that helps.
    """
    if model == "auto":
        return _resolve_auto(device)
    if model in OFFLINE:
        return model, str(OFFLINE[model].require())
    if Path(model).is_dir():
        if not (Path(model) / "model.bin").is_file():
            raise InputError(f"{model} holds no model.bin: not a CTranslate2 Whisper model")
        return Path(model).name, model
    return model, _from_hub(model)


def _resolve_auto(device: str) -> tuple[str, str]:
    if device == "cuda":
        try:
            return BEST_ON_GPU, _from_hub(BEST_ON_GPU)
        except ModelError:
            pass  # no hub: the offline set is what `auto` promises then
    for name, offline in OFFLINE.items():
        if offline.present:
            return name, str(offline.folder)
    raise ModelError(
        f"no Whisper model on this machine: run `{offline_models.PULL_COMMAND}` once (217 MB, no account)"
    )


def _from_hub(model: str) -> str:
    """Folder of a hub model, downloaded on first use. ModelError when the hub says no or is away."""
    from faster_whisper.utils import available_models, download_model

    if "/" not in model and model not in available_models():
        known = ", ".join(["auto", *OFFLINE, "small", BEST_ON_GPU])
        raise InputError(
            f"no Whisper model called {model!r}: use {known}, a folder, or a hub id such as org/name"
        )
    try:
        return str(download_model(model))
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(
            f"the model hub did not give {model}: {reason}; --model base works without it"
        ) from error


@lru_cache(maxsize=4)
def weights_sha256(path: str) -> str:
    """What tells the model in a folder from every other: the SHA-256 of its weights."""
    with (Path(path) / "model.bin").open("rb") as weights:
        return hashlib.file_digest(weights, "sha256").hexdigest()


@lru_cache(maxsize=1)
def _pipeline(path: str, device: str) -> BatchedInferencePipeline:
    # The voice detector's runtime is imported by faster-whisper in mid-work, where Ctrl-C would pass for its absence.
    import onnxruntime  # noqa: F401
    from faster_whisper import BatchedInferencePipeline

    from models.asr.encoder_limit import EncoderLimitedModel

    limit_malloc_arenas()
    workers = min(MAX_WORKERS, usable_cores()) if device == "cpu" else 1
    try:
        model = EncoderLimitedModel(
            path,
            device=device,
            compute_type="float16" if device == "cuda" else "int8",
            cpu_threads=max(1, usable_cores() // workers),
            num_workers=workers,
        )
    except (RuntimeError, ValueError, OSError) as error:
        raise ModelError(f"can't load the Whisper model in {path}: {error}") from error
    return_freed_memory()  # the weights as they were before they became int8
    return BatchedInferencePipeline(model)


def usable_cores() -> int:
    """Cores this process may use, which in a container are fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
