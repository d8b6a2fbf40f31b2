"""The folder for what can be made or fetched again, and what of it is in use.

What lies in a folder under a name has a small file beside it, `.used/<name>`: when it was last used is the time of that
file, and whoever needs it just now holds a shared lock on it, which the system lets go of when a process dies. Who
removes things takes the lock for itself alone. On Windows there are no such locks: there a file that is open stays.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Literal

Kind = Literal["downloads", "results", "models"]
KINDS: tuple[Kind, ...] = ("downloads", "results", "models")
Budgets = Mapping[Kind, int | None]  # bytes; None for no bound

USED = ".used"
HUB_MODEL = re.compile(r"models--[\w.-]+")

_holding: ContextVar[ExitStack | None] = ContextVar("holding", default=None)


def cache_folder() -> Path:
    """Where Episcribe keeps what it can make again: $EPISCRIBE_CACHE, or the user's cache folder."""
    configured = os.environ.get("EPISCRIBE_CACHE")
    if configured:
        return Path(configured).expanduser().absolute()
    import platformdirs

    return platformdirs.user_cache_path("episcribe")


@contextmanager
def holding() -> Iterator[None]:
    """Within, and in this thread, what is told to be used stays, whoever makes room meanwhile."""
    with ExitStack() as held:
        before = _holding.set(held)
        try:
            yield
        finally:
            _holding.reset(before)


def use(folder: Path, name: str) -> None:
    """Note that what `folder` has under `name` is used now, and keep it there while the `holding` around this lasts.

    To be called before one looks whether it is there. Where locks or notes can't be had nothing is kept.
    """
    with suppress(OSError):
        note = folder / USED / name
        note.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as here:
            (_holding.get() or here).enter_context(locked_file(note, shared=True))
            os.utime(note)


def use_hub_model(repository: str) -> None:
    """As `use`, of a model in the cache of Hugging Face's hub, which other programs share."""
    use(cache_folder(), hub_folder(repository))


def hub_folder(repository: str) -> str:
    """What the hub's cache calls the folder of a model.

    >>> hub_folder("Systran/faster-whisper-small")
    'models--Systran--faster-whisper-small'
    """
    return f"models--{repository.replace('/', '--')}"


def last_used(folder: Path) -> dict[str, float]:
    """When each name in a folder was last used, as far as that was noted; seconds since 1970."""
    try:
        with os.scandir(folder / USED) as notes:
            return {note.name: note.stat().st_mtime for note in notes}
    except OSError:
        return {}


def is_held(lock: Path) -> bool:
    """Whether somebody holds a lock file, as far as can be told."""
    try:
        with lock.open("rb") as file:
            _lock(file, shared=False, wait=False)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


@contextmanager
def unused(lock: Path) -> Iterator[bool]:
    """Whether nobody holds a lock file. Then nobody gets it before the block ends, and it is gone with it."""
    file = None
    with suppress(OSError):  # held, or where there are no locks: who knows whether it is in use
        lock.parent.mkdir(parents=True, exist_ok=True)
        file = locked_file(lock, wait=False)
    if file is None:
        yield False
        return
    with file:
        yield True
        with suppress(OSError):
            lock.unlink(missing_ok=True)


def locked_file(path: Path, *, shared: bool = False, wait: bool = True) -> IO[bytes]:
    """A lock file, made if need be, locked until it is closed: for oneself alone, or with others who share it.

    Raises OSError where it can't be made or locked; BlockingIOError where others have it and one doesn't `wait`.
    """
    while True:
        file = path.open("ab")
        try:
            _lock(file, shared=shared, wait=wait)
            if os.fstat(file.fileno()).st_ino == path.stat().st_ino:
                return file
        except FileNotFoundError:
            pass  # removed by who had it before, as is one that is another file by now
        except BaseException:
            file.close()
            raise
        file.close()


def _lock(file: IO[bytes], *, shared: bool, wait: bool) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        return
    fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
