"""Files that are whole or not there, on this machine's disks or in a store behind an fsspec URL.

A folder is a Path, or a UPath where the library is an fsspec URL such as s3://bucket/shows.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

from models.record.errors import InputError, OutputError, UnwritableError
from models.runtime.cache import cache_folder

LOCK_SECONDS = 30  # to wait for another writer
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)
UPLOAD_BYTES = 8 << 20  # that are in memory at a time


def resolve_location(location: str | os.PathLike[str]) -> Path:
    """A folder or file by its path, or by an fsspec URL. InputError for a kind of URL that can't be used."""
    if "://" not in str(location):
        return Path(location)
    from upath import UPath

    try:
        # Remembered listings don't tell what another machine has written since: files would seem damaged or absent.
        found: Any = UPath(str(location), use_listings_cache=False)
    except (ImportError, ValueError) as error:
        raise InputError(f"{location} can't be used as a library: {error}") from None
    return Path(found.path) if found.protocol in ("file", "local") else cast(Path, found)


def is_local(path: Path) -> bool:
    """Whether a path is of this machine's file system, rather than a store that has URLs."""
    return isinstance(path, Path)


def unwritable(target: Path, error: OSError) -> OutputError:
    """What to say where a file or folder can't be written: UnwritableError where nothing else there could be."""
    kind = UnwritableError if error.errno in NO_ROOM else OutputError
    return kind(f"cannot write {target}: {error.strerror or error}")


@contextmanager
def locked(file: Path, lock_name: str) -> Iterator[None]:
    """Within, no other program of this machine that asks for the same lock changes `file`.

    The lock is a file beside it, or for a library with a URL, which has no locks, one on this machine: there writers on
    other machines are not kept out. Raises OutputError where the file stays in use.
    """
    from filelock import FileLock, Timeout

    try:
        with FileLock(_lock_of(file.parent, lock_name), timeout=LOCK_SECONDS):
            yield
    except Timeout as error:
        raise OutputError(f"{file} is in use by another program: try again") from error
    except OSError as error:
        raise unwritable(file, error) from error


def _lock_of(folder: Path, name: str) -> Path:
    if is_local(folder):
        return folder / name
    locks = cache_folder() / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    return locks / f"{hashlib.sha256(str(folder).encode()).hexdigest()[:32]}.lock"


def stamp(file: Path) -> Hashable:
    """Changes when a file is written; None where there is none."""
    try:
        found = file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return (
        getattr(found, "st_mtime_ns", 0),
        found.st_size,
        found.st_ino,
        str(found) if not is_local(file) else "",
    )


def replace_files(contents: Mapping[Path, bytes | None]) -> None:
    """Write files into folders that are there: all under temporary names first, then renamed; None removes a file.

    A reader sees each file whole or as it was, and what is there when this returns outlasts a power cut. Raises
    OutputError where one can't be written. Stores such as S3 show a file only once it is whole, and can't rename:
    there each is written under its own name, in order.
    """
    if not all(map(is_local, contents)):
        _upload(contents)
        return
    written = {target: data for target, data in contents.items() if data is not None}
    parts = {target: target.with_name(f".{target.name}.{secrets.token_hex(4)}.part") for target in written}
    target = Path()
    try:
        for target, part in parts.items():
            _write(part, written[target])
        for target in contents.keys() - written.keys():
            target.unlink(missing_ok=True)
        for target, part in parts.items():
            part.replace(target)
        for folder in {target.parent for target in contents}:
            sync_folder(folder)
    except OSError as error:
        raise unwritable(target, error) from error
    finally:
        for part in parts.values():
            with suppress(OSError):
                part.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Have what files are called in a folder outlast a power cut; not where folders can't be opened (Windows)."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _upload(contents: Mapping[Path, bytes | None]) -> None:
    for target, data in contents.items():
        try:
            if data is None:
                target.unlink(missing_ok=True)
            else:
                target.write_bytes(data)
        except Exception as error:  # each kind of store has its own
            raise OutputError(f"cannot write {target}: {error}") from error


def upload_file(source: Path, target: Path) -> None:
    """As `_upload`, for a file that may be larger than memory."""
    try:
        with source.open("rb") as data, target.open("wb") as out:
            shutil.copyfileobj(data, out, UPLOAD_BYTES)
    except Exception as error:
        raise OutputError(f"cannot write {target}: {error}") from error


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
