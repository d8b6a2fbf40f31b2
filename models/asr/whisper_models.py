"""Which Whisper model a name means, where its files are, and which languages it knows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from models.record.errors import InputError, ModelError
from models.runtime import offline_models

OFFLINE = {"base": offline_models.WHISPER_BASE, "tiny.en": offline_models.WHISPER_TINY_EN}
BEST_ON_GPU = "large-v3-turbo"


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


def check_language_code(language: str | None) -> None:
    """Refuse a language that no Whisper model knows; InputError, before anything is loaded."""
    if language is None:
        return
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    if language not in _LANGUAGE_CODES:
        raise _no_language(language)


def check_model_language(language: str, known: Sequence[str]) -> None:
    """Refuse a language that isn't among those a model knows; InputError."""
    if language in known:
        return
    if list(known) == ["en"]:
        raise InputError(f"this model knows English only, not {language!r}: choose --model base")
    raise _no_language(language)


def _no_language(language: str) -> InputError:
    return InputError(f"Whisper has no language {language!r}: use a code such as en, de, es, fr or pt")
