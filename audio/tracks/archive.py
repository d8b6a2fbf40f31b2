"""Zips of tracks, which come from strangers: unpacked within bounds, under names of ours, once."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from zipfile import ZipFile, ZipInfo

from models.record.errors import EpiscribeError, InputError
from models.runtime.cache import use

MAX_ENTRIES = 10_000
MAX_LIST_BYTES = 3_000_000  # of a zip's own list, which is read before its entries can be counted
MAX_BYTES = 32 * 1024**3  # unpacked, all tracks together: twenty hours of stereo at 48 kHz in 24 bits
BLOCK_BYTES = 1024**2
SPARE_BYTES = 200_000_000  # what must stay free on the disk

UTF8_NAME = 0x800  # flag of an entry
ENCRYPTED = 0x1


def is_zip(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins as zips do, also ones without entries."""
    try:
        with Path(path).open("rb") as opened:
            return opened.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
    except OSError:
        return False


def names(path: str | os.PathLike[str]) -> list[str]:
    """The names of the files in a zip, with folders, in order; InputError for one that can't be read."""
    with _opened(path) as opened:
        return [name for name, _ in _entries(opened, path)]


def check(path: str | os.PathLike[str]) -> None:
    """Refuse what `unpacked` would refuse, as far as a zip's own list tells; InputError."""
    with _opened(path) as opened:
        _check_size([entry for _, entry in _entries(opened, path)], path)


def unpacked(
    path: str | os.PathLike[str], work: Path, wanted: Callable[[str], bool]
) -> list[tuple[str, Path]]:
    """The wanted files of a zip: the name of each in the zip, with folders, and where it lies now, in order of names.

    They go into a folder of `work` that is named by the content of the zip, and once they are there stay as they are.
    InputError: damaged, encrypted, packed in a way that isn't known, over MAX_BYTES or MAX_ENTRIES.
    """
    with Path(path).open("rb") as file:
        folder = work / f"zip-{hashlib.file_digest(file, 'sha256').hexdigest()[:32]}"
    with _opened(path) as opened:
        entries = [(name, entry) for name, entry in _entries(opened, path) if wanted(name)]
        ours = [
            f"{number:04}{PurePosixPath(name).suffix.lower()}" for number, (name, _) in enumerate(entries)
        ]
        use(work, folder.name)
        if not folder.is_dir():
            _unpack(opened, path, [entry for _, entry in entries], ours, folder)
    return [(name, folder / own) for (name, _), own in zip(entries, ours, strict=True)]


class _Bounded(io.BufferedReader):
    """A zip of which no more is read at once than the list of one with MAX_ENTRIES entries takes."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MAX_LIST_BYTES:
            raise InputError(f"{self.name} holds too many files: give one with the tracks alone")
        return super().read(size)


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[ZipFile]:
    try:
        with _Bounded(io.FileIO(path)) as file, ZipFile(file) as opened:
            yield opened
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise InputError(f"{path} is a damaged zip ({error})") from None
    except NotImplementedError:
        raise InputError(
            f"{path} is packed in a way that isn't known: unpack it and give the folder"
        ) from None


def _entries(opened: ZipFile, path: str | os.PathLike[str]) -> list[tuple[str, ZipInfo]]:
    listed = opened.infolist()
    if len(listed) > MAX_ENTRIES:
        raise InputError(f"{path} holds {len(listed)} files: give one with the tracks alone")
    return sorted(
        ((_name(entry), entry) for entry in listed if not entry.is_dir() and not _is_link(entry)),
        key=lambda named: named[0],
    )


def _name(entry: ZipInfo) -> str:
    """The name of an entry, with slashes; that of a Mac is UTF-8, without saying so."""
    name = entry.filename
    if not entry.flag_bits & UTF8_NAME:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def _is_link(entry: ZipInfo) -> bool:
    return stat.S_ISLNK(entry.external_attr >> 16)


def _unpack(
    opened: ZipFile,
    path: str | os.PathLike[str],
    entries: list[ZipInfo],
    names: list[str],
    folder: Path,
) -> None:
    _check_size(entries, path)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _check_room(entries, path, folder.parent)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="zip-") as made:
            for entry, name in zip(entries, names, strict=True):
                _write(opened, entry, Path(made) / name)
            if not folder.is_dir():  # another run may have been faster
                shutil.copytree(made, folder, copy_function=os.replace)
    except OSError as error:
        raise EpiscribeError(f"{path} can't be unpacked into {folder.parent}: {error}") from None


def _check_size(entries: list[ZipInfo], path: str | os.PathLike[str]) -> None:
    """What can be told before anything is unpacked: no more than what is declared is ever read of an entry."""
    if any(entry.flag_bits & ENCRYPTED for entry in entries):
        raise InputError(f"{path} is encrypted: unpack it and give the folder")
    if sum(entry.file_size for entry in entries) > MAX_BYTES:
        raise InputError(f"{path} unpacks to over {MAX_BYTES // 1024**3} GB: give the tracks alone")


def _check_room(entries: list[ZipInfo], path: str | os.PathLike[str], folder: Path) -> None:
    """A zip of silence, or one that is meant to harm, may be a thousand times larger than it looks."""
    size = sum(entry.file_size for entry in entries)
    if size + SPARE_BYTES > shutil.disk_usage(folder).free:
        raise EpiscribeError(f"{path} unpacks to {size:,} bytes, for which {folder} has no room")


def _write(opened: ZipFile, entry: ZipInfo, to: Path) -> None:
    with opened.open(entry) as packed, to.open("xb") as file:
        shutil.copyfileobj(packed, file, BLOCK_BYTES)
