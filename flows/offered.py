"""Small files that a feed offers beside its audio: fetched with the show's login, kept in case its server is down."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote, urlsplit

from audio.transfer.access import Access
from audio.transfer.addresses import redacted
from audio.transfer.http import fetch_bytes
from flows.keeping import transcripts_folder
from models.record.errors import DownloadError, InputError
from outputs.formats.registry import is_our_file
from outputs.library.files import replace_files

if TYPE_CHECKING:
    from flows.options import RunOptions

MAX_BYTES = 8 << 20  # three hours of a transcript with the time of each word take 4 MB
MAX_SECONDS = 60.0  # for one of them
ATTEMPTS = 3
_Read = TypeVar("_Read")


def fetched(
    url: str, read: Callable[[bytes], _Read], options: RunOptions, access: Access | None = None
) -> tuple[_Read, Path]:
    """What `read` makes of what is at an address, and the file that it is kept in.

    Where the server is down, of what was kept before. DownloadError; InputError, as `read` raises it with the address.
    """
    file = transcripts_folder() / hashlib.sha256(url.encode()).hexdigest()
    try:
        page = fetch_bytes(
            url,
            MAX_BYTES,
            allow_private=options.allow_private,
            access=access,
            seconds=MAX_SECONDS,
            attempts=ATTEMPTS,
        )
    except DownloadError as error:
        if error.transient and file.exists():
            return read_file(file, read, redacted(url)), file
        raise
    found = _named(page.data, read, redacted(url))
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
    replace_files({file: page.data})
    return found, file


def is_own(url: str, folder: Path) -> bool:
    """Whether an address is that of a file of ours in the folder of an episode, as `episcribe publish` links to it."""
    path = path_of(url)
    return is_our_file(path.name) and path.parts[-3:-1] == (folder.parent.name, folder.name)


def path_of(url: str) -> PurePosixPath:
    """Where on its server an address is."""
    return PurePosixPath(unquote(urlsplit(url).path))


def read_file(file: Path, read: Callable[[bytes], _Read], source: str) -> _Read:
    """What `read` makes of a file. InputError where it is none; `source` says where it is from."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {source}: {error.strerror or error}") from error
    return _named(data, read, source)


def _named(data: bytes, read: Callable[[bytes], _Read], source: str) -> _Read:
    try:
        return read(data)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
