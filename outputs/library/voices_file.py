"""Where voices are kept: those that a show knows in its folder, those just heard on this machine only.

`<library>/<show>/voices.json` holds the voices of people who were named. Nothing else in the library
holds a voice: no episode's record, no published file. What a diarisation found out about everybody else
stays in the cache folder of the machine that ran it, so that a name given later can be learnt, and goes
after HEARD_DAYS.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.naming.voices import REGISTRY_VERSION, VoiceRegistry
from models.record.errors import OutputError
from models.record.transcript import Voice
from models.runtime.cache import cache_folder
from outputs.library.files import is_local, locked, replace_files

if TYPE_CHECKING:
    from pydantic import TypeAdapter

FILE_NAME = "voices.json"
LOCK_NAME = ".voices.lock"
HEARD_DAYS = 180
_HEARD = re.compile(r"[0-9a-f]{64}\.json")


def load(show: Path) -> VoiceRegistry:
    """The voices of the show in that folder; none where it has no file of them.

    Raises OutputError where the file is damaged or of a newer version.
    """
    path = show / FILE_NAME
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return VoiceRegistry()
    except OSError as error:
        raise OutputError(f"cannot read {path}: {error.strerror or error}") from error
    registry: VoiceRegistry = _read(VoiceRegistry, data, path)
    if registry.version != REGISTRY_VERSION:
        raise OutputError(
            f"{path}: version {registry.version}, this Episcribe reads {REGISTRY_VERSION}; update it"
        )
    return registry


def change(show: Path, how: Callable[[VoiceRegistry], VoiceRegistry]) -> VoiceRegistry:
    """Change the voices of a show while nobody else does, and return them as they are then.

    An unchanged registry is not written; an empty one that nobody is to stay out of has no file. In a
    library with a URL writers on other machines are not kept out: the later one wins.
    """
    with locked(show / FILE_NAME, LOCK_NAME):
        before = load(show)
        after = how(before)
        if after != before:
            _write(show / FILE_NAME, after)
        return after


def _write(path: Path, registry: VoiceRegistry) -> None:
    if registry == VoiceRegistry():
        path.unlink(missing_ok=True)
    else:
        replace_files({path: _adapter(VoiceRegistry).dump_json(registry) + b"\n"})
        if is_local(path):
            path.chmod(0o600)  # biometric data


def keep_episode_voices(sha256: str, voices: Sequence[Voice]) -> None:
    """Keep the voices that were heard in an audio, on this machine; none means there are none to keep."""
    path = _heard(sha256)
    drop_old()
    if not voices:
        path.unlink(missing_ok=True)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.parent.chmod(0o700)
    except OSError as error:
        raise OutputError(f"cannot write {path.parent}: {error.strerror or error}") from error
    replace_files({path: _adapter(tuple[Voice, ...]).dump_json(tuple(voices))})


def episode_voices(sha256: str) -> tuple[Voice, ...]:
    """The voices that were heard in an audio; none where this machine has not kept them."""
    path = _heard(sha256)
    try:
        data = path.read_bytes()
    except OSError:
        return ()
    voices: tuple[Voice, ...] = _read(tuple[Voice, ...], data, path)
    return voices


def voices_folder() -> Path:
    """Where this machine keeps the voices that were heard in episodes."""
    return cache_folder() / "voices"


def _heard(sha256: str) -> Path:
    # It may be of a record that somebody else wrote.
    name = sha256 if sha256.isalnum() else hashlib.sha256(sha256.encode("utf-8", "replace")).hexdigest()
    return voices_folder() / f"{name}.json"


def drop_old() -> None:
    """Delete what was heard in episodes longer ago than HEARD_DAYS, of whatever show."""
    oldest = time.time() - HEARD_DAYS * 24 * 3600
    with suppress(OSError), os.scandir(voices_folder()) as entries:
        for entry in entries:
            if _HEARD.fullmatch(entry.name) and entry.stat().st_mtime < oldest:
                Path(entry.path).unlink(missing_ok=True)


def _read(kind: Any, data: bytes, path: Path) -> Any:
    from pydantic import ValidationError

    try:
        return _adapter(kind).validate_json(data)
    except ValidationError as error:
        raise OutputError(f"{path}: damaged, or no voices of Episcribe; restore it or delete it") from error


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
