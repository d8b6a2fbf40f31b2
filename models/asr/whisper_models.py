"""Which Whisper model a name means, where its files are, and which languages it knows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path

from models.record.errors import InputError, ModelError, WrongSettingError
from models.runtime import hub, offline_models
from models.runtime.cache import use_hub_model

OFFLINE = {"base": offline_models.WHISPER_BASE, "tiny.en": offline_models.WHISPER_TINY_EN}
WEIGHTS = "model.bin"
MULTILINGUAL_TOKENS = 51865  # of a vocabulary; that of an English-only model has one less
HUB_SECONDS = 3.0  # for the hub to say whether it has a model


def resolve(model: str) -> tuple[str, str]:
    """Which model `model` means: a name to print and a folder to load.

    Order: the offline set, a folder, the hub. Raises ModelError with the command that helps.
    """
    if model in OFFLINE:
        return model, str(OFFLINE[model].require())
    if Path(model).is_dir():
        if not (Path(model) / WEIGHTS).is_file():
            raise InputError(f"{model} holds no {WEIGHTS}: not a CTranslate2 Whisper model")
        return Path(model).name, model
    return model, _from_hub(model)


def is_here(model: str) -> bool:
    """Whether a model of the offline set or of the hub is on this machine."""
    if model in OFFLINE:
        return OFFLINE[model].present
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(_hub_id(model), WEIGHTS), str)


@cache
def hub_has(model: str) -> bool:
    """Whether the hub answers, and has a model for us; asked once, so that a process doesn't change its mind."""
    from huggingface_hub import HfApi

    try:
        HfApi().model_info(_hub_id(model), timeout=HUB_SECONDS)
    except Exception:  # whatever it is, the model can't be had
        return False
    return True


@cache
def _comes_from_hub(model: str) -> bool:
    try:
        _from_hub(model)
    except ModelError:
        return False
    return True


def can_be_had(model: str) -> bool:
    """Whether a model is here, where need be after fetching it from the hub."""
    return is_here(model) or (model not in OFFLINE and hub_has(model) and _comes_from_hub(model))


def _hub_id(model: str) -> str:
    from faster_whisper.utils import _MODELS

    return str(_MODELS.get(model, model))


def _from_hub(model: str) -> str:
    """Folder of a hub model, downloaded on first use. ModelError when the hub says no or is away."""
    from faster_whisper.utils import available_models, download_model

    if "/" not in model and model not in available_models():
        known = ", ".join(["auto", *OFFLINE, "small", "large-v3-turbo"])
        raise InputError(
            f"no Whisper model called {model!r}: use {known}, a folder, or a hub id such as org/name"
        )
    use_hub_model(_hub_id(model))
    try:
        return str(download_model(model))
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(
            f"the model hub did not give {model}: {reason}; --model base works without it",
            soon=hub.is_away(error),
        ) from error


@lru_cache(maxsize=4)
def weights_sha256(path: str) -> str:
    """What tells the model in a folder from every other: the SHA-256 of its weights."""
    with (Path(path) / WEIGHTS).open("rb") as weights:
        return hashlib.file_digest(weights, "sha256").hexdigest()


def check_language_code(language: str) -> None:
    """Refuse a language that no Whisper model knows; InputError, before anything is loaded."""
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    if language not in _LANGUAGE_CODES:
        raise _no_language(language)


def check_model_language(language: str, known: Sequence[str]) -> None:
    """Refuse a language that isn't among those a model knows; InputError."""
    if language in known:
        return
    if list(known) == ["en"]:
        raise WrongSettingError(f"this model knows English only, not {language!r}: choose --model base")
    raise _no_language(language)


def check_model_languages(folder: str, languages: Sequence[str]) -> None:
    """Refuse languages that the model in a folder doesn't know, before it is loaded; InputError, ModelError."""
    for language in languages:
        if language != "en" and not _is_multilingual(Path(folder)):
            check_model_language(language, ["en"])


def check_translating(model: str) -> None:
    """Refuse a model that can't translate; InputError, before anything is loaded. Raises as `resolve` does."""
    name, path = resolve(model)
    if not _is_multilingual(Path(path)):
        raise no_translation(name)


def no_translation(name: str) -> InputError:
    """What to say of a model that can't translate."""
    return InputError(
        f"{name} knows English only and can't translate: choose --model base, small or large-v3"
    )


def _is_multilingual(folder: Path) -> bool:
    """Whether a model knows more than English, by the size of its vocabulary. ModelError where that can't be read."""
    words = folder / "vocabulary.json"
    try:
        if words.is_file():
            return len(json.loads(words.read_bytes())) >= MULTILINGUAL_TOKENS
        return len((folder / "vocabulary.txt").read_bytes().splitlines()) >= MULTILINGUAL_TOKENS
    except FileNotFoundError as error:
        raise ModelError(f"{folder} holds no vocabulary: not a whole CTranslate2 Whisper model") from error
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"{folder}: can't read its vocabulary: {error}") from error


def _no_language(language: str) -> InputError:
    return WrongSettingError(f"Whisper has no language {language!r}: use a code such as en, de, es, fr or pt")
