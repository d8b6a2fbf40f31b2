"""Files put where everybody can fetch them: S3, or any other place behind an fsspec URL.

Beside the files lies a list of what was sent, with sizes and digests, so that only what differs is sent again, and
nothing is ever removed that came from elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from models.record.errors import EpiscribeError, InputError, OutputError
from outputs.formats.registry import FORMATS, format_of
from outputs.library import read
from outputs.library.folders import library_episodes
from outputs.publishing.changes import Changes
from outputs.publishing.site import shared_files

SENT = ".episcribe-files.json"
# Stores that know no folders; some would make a bucket of a mistyped name.
OBJECT_STORES = frozenset(("s3", "s3a", "gs", "gcs", "az", "abfs", "adl", "memory"))
_TYPES = {PurePosixPath(one.file_name).suffix: one.content_type for one in FORMATS.values() if not one.needs}


@dataclass(frozen=True, slots=True)
class Sent:
    """What is known of a file that was sent: bytes, SHA-256, and the time of ours that it is a copy of."""

    bytes: int
    sha256: str
    mtime_ns: int


def public_files(library: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """The files of a library that are for everybody, by their names below it: no records, voices, corrections.

    And for folders that can't be read the reason.
    """
    found, skipped = dict[str, Path](), dict[str, str]()
    for folder in library_episodes(library):
        name, page = folder.relative_to(library).as_posix(), folder / FORMATS["html"].file_name
        try:
            files = [*shared_files(read.load_record(folder), folder), *([page] if page.is_file() else [])]
        except EpiscribeError as error:
            skipped[name] = str(error)
        else:
            found |= {f"{name}/{file.name}": file for file in files}
    return found, skipped


def upload(files: Mapping[str, Path], url: str, *, dry_run: bool = False, remove: bool = False) -> Changes:
    """Send files to a folder with an fsspec URL; a dry run only tells what that would change.

    files: by the names that they get there. remove: what was sent earlier and is not among them goes. Raises
    InputError for a URL that can't be used, OutputError where what is there can't be read or written.
    """
    place = _Place(url)
    try:
        known, there = place.sent(), place.sizes()
        wanted = {name: _described(file, known.get(name)) for name, file in sorted(files.items())}
        same = {
            name
            for name, own in wanted.items()
            if name in known and there.get(name) == own.bytes and known[name].sha256 == own.sha256
        }
        changes = Changes(
            added=tuple(name for name in wanted if name not in there),
            changed=tuple(name for name in wanted if name in there and name not in same),
            removed=tuple(sorted(known.keys() & there.keys() - wanted.keys())),
            unchanged=len(same),
        )
        if not dry_run:
            for name in (*changes.added, *changes.changed):
                place.put(files[name], name)
            for name in changes.removed if remove else ():
                place.remove(name)
            kept = {} if remove else {name: known[name] for name in changes.removed}
            place.write_sent({**kept, **wanted})
    except Exception as error:  # each kind of store has its own
        reason = str(error) or type(error).__name__
        raise OutputError(f"cannot send files to {without_login(url)}: {reason}") from error
    return changes


def without_login(url: str) -> str:
    """An fsspec URL as it may be shown.

    >>> without_login("sftp://me:secret@host/folder"), without_login("s3://bucket/folder")
    ('sftp://host/folder', 's3://bucket/folder')
    """
    return re.sub(r"(?<=://)[^/]*@", "", url)


def _described(file: Path, known: Sent | None) -> Sent:
    """What there is to know of a file of ours; it is read only where it may have changed since it was sent."""
    found = file.stat()
    if known is not None and (known.bytes, known.mtime_ns) == (found.st_size, found.st_mtime_ns):
        return known
    with file.open("rb") as data:
        digest = hashlib.file_digest(data, "sha256").hexdigest()
    return Sent(found.st_size, digest, found.st_mtime_ns)


def _content_type(name: PurePosixPath) -> str | None:
    """That of a format of ours by its name, of all else by its ending."""
    found = format_of(name.name)
    return found[0].content_type if found else _TYPES.get(name.suffix)


class _Place:
    """A folder behind an fsspec URL."""

    def __init__(self, url: str) -> None:
        from fsspec.core import url_to_fs

        try:
            self._system: Any
            self._system, root = url_to_fs(url, use_listings_cache=False)
        except (ImportError, ValueError) as error:
            raise InputError(f"{without_login(url)} can't be used: {error}") from None
        self._root = root.rstrip("/")
        protocol = self._system.protocol
        self._protocols = {protocol} if isinstance(protocol, str) else set(protocol)

    def sizes(self) -> dict[str, int]:
        """All files that are there with their bytes."""
        with suppress(FileNotFoundError):
            found = self._system.find(self._root, detail=True)
            start = len(self._root) + 1
            return {path[start:]: entry["size"] for path, entry in found.items() if len(path) >= start}
        return {}

    def sent(self) -> dict[str, Sent]:
        """What the list beside the files says."""
        with suppress(FileNotFoundError, ValueError, TypeError):  # without it all is sent again
            told = json.loads(self._system.cat_file(self._path(SENT)))
            return {name: Sent(*entry) for name, entry in told.items()}
        return {}

    def write_sent(self, sent: Mapping[str, Sent]) -> None:
        """Write that list."""
        told = {name: (one.bytes, one.sha256, one.mtime_ns) for name, one in sorted(sent.items())}
        self._make_folder(SENT)
        self._system.pipe_file(self._path(SENT), json.dumps(told).encode())

    def put(self, file: Path, name: str) -> None:
        """Send a file, a piece at a time."""
        self._make_folder(name)
        content_type = _content_type(PurePosixPath(name)) if "s3" in self._protocols else None
        told = {"ContentType": content_type} if content_type else {}
        self._system.put_file(str(file), self._path(name), **told)

    def remove(self, name: str) -> None:
        """Remove a file."""
        self._system.rm_file(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _make_folder(self, name: str) -> None:
        if not self._protocols & OBJECT_STORES:
            self._system.makedirs(self._path(name).rpartition("/")[0], exist_ok=True)
