"""What the sources of `episcribe run` and `watch` mean: files, folders, patterns, zips, addresses, lists of them.

A folder is one episode where its files are the tracks of one recording (`audio.tracks.folders`), and else as many as
there are files in it and in the folders within it.
"""

from __future__ import annotations

import codecs
import glob
import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import BinaryIO, Literal

from audio.media import ffmpeg
from audio.tracks.folders import verdict
from audio.tracks.sources import EXTENSIONS, MAX_DEPTH, MAX_TRACKS
from audio.transfer.addresses import redacted, web_address
from flows.schedule import settings as configuration
from models.record.errors import InputError
from models.runtime.cache import cache_folder
from outputs.formats.registry import EPISODE
from outputs.library.files import is_local, resolve_location
from outputs.library.migration import MARKER
from outputs.text.terminal import printable

MAX_LIST_BYTES = 64_000_000
FILE_ADDRESS = re.compile(r"file:/", re.IGNORECASE)
ANY_FOLDERS = "**"  # in a pattern
PROBES = 8  # files whose headers are read at once
# Folders of systems, and names of what other programs have not finished.
NOT_OURS = frozenset(
    ("__macosx", "@eadir", "#recycle", "$recycle.bin", "system volume information", "lost+found")
)
UNFINISHED = re.compile(r"~.*|.*\.(te?mp|part|partial|crdownload|download|f\d+)", re.IGNORECASE)
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
PARTS = (".part", ".crdownload", ".download", ".partial", ".aria2", ".!qB", ".filepart")

Kind = Literal["file", "folder", "address"]


@dataclass(frozen=True, slots=True)
class Source:
    """One episode that is meant, or why it can't be: `error`.

    place: an absolute path, of a file, a zip, or the folder of its tracks; or an address. called: what to call it.
    named: whether somebody wrote this very name, and no pattern or folder that it is in. note: what to say of it.
    """

    place: str
    kind: Kind = "file"
    called: str = ""
    named: bool = False
    note: str = ""
    error: str = ""


def is_pattern(source: str) -> bool:
    """Whether a source is a pattern such as "talks/*.mp3", rather than the name of something that is there."""
    return "://" not in source and glob.has_magic(source) and not os.path.lexists(source)


def expand(given: Sequence[str], tracks: str = "auto") -> Iterator[Source]:
    """All episodes that are meant, in the order given, those of a pattern or folder as people count; each file once.

    tracks: as of `RunOptions`; unless it is auto, each folder is one episode.
    """
    seen = set[str]()
    for source in given:
        for found in _meant(source, tracks):
            key = found.place if found.kind == "address" else os.path.realpath(found.place)
            if key not in seen:
                seen.add(key)
                yield found


def _meant(source: str, tracks: str) -> Iterator[Source]:
    if FILE_ADDRESS.match(source):
        source, host = _path_of(source)
        if host:
            reason = f"{source} is a file of {printable(host)}, and not of this machine"
            yield Source(source, called=source, named=True, error=reason)
            return
    if "://" in web_address(source):
        yield Source(source, "address", _shown(source), named=True)
    elif is_pattern(source):
        found = sorted(_matching(_escaped(_at_home(source))), key=natural)
        if not found:
            yield Source(_absolute(source), called=source, error=f"nothing is called {source}")
        for name in found:
            yield from _of_path(name, name, tracks, named=False)
    else:
        plain = source if os.path.lexists(source) else _at_home(source)
        yield from _of_path(plain, source, tracks, named=True)


def _shown(address: str) -> str:
    """An address without the secrets that may be in it, also where it is none that can be used."""
    try:
        return redacted(web_address(address))
    except InputError:
        return f"{address.partition('://')[0]}://..."


def _matching(pattern: str) -> Iterator[str]:
    """What a pattern means; ** in it are the folder there and all within it that `look_through` goes into."""
    parts = PurePath(pattern).parts
    if ANY_FOLDERS not in parts:
        yield from glob.glob(pattern)  # noqa: PTH207  (a pattern may begin anywhere)
        return
    at = parts.index(ANY_FOLDERS)
    rest = parts[at + 1 :]
    while rest[:1] == (ANY_FOLDERS,):
        rest = rest[1:]
    for begin in glob.glob(str(PurePath(*parts[:at]))) if at else ["."]:  # noqa: PTH207
        for folder in look_through(Path(begin)).all_folders():
            yield from _matching(str(PurePath(glob.escape(str(folder)), *(rest or ("*",)))))


def _escaped(pattern: str) -> str:
    """A pattern in which the folders that it begins with, where there are such, are taken by their very names."""
    path = PurePath(pattern)
    for folder in path.parents:
        if glob.has_magic(str(folder)) and Path(folder).is_dir():
            return str(PurePath(glob.escape(str(folder)), path.relative_to(folder)))
    return pattern


def _at_home(path: str) -> str:
    """A path with ~ in front as a shell reads it; a user that there isn't is part of a name."""
    try:
        return str(Path(path).expanduser())
    except RuntimeError:
        return path


def _absolute(path: str | Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100  (links stay: what was named is told by its name)


def _path_of(address: str) -> tuple[str, str]:
    """The path of a file: address, and the machine that it is of, "" for this one (RFC 8089)."""
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    try:
        parts = urlsplit(address)
    except ValueError:  # brackets left open
        return address, address.split("/")[2]
    host = parts.netloc if parts.netloc.lower() != "localhost" else ""
    return url2pathname(parts.path), host


def _of_path(path: str, called: str, tracks: str, *, named: bool) -> Iterator[Source]:
    if not Path(path).is_dir():
        yield Source(_absolute(path), called=called, named=named)
        return
    if not named and _is_left_out(Path(path), _own_folders()):
        return
    if tracks != "auto":
        yield Source(_absolute(path), "folder", called, named)
        return
    found = list(episodes_in(Path(path)))
    if not found:
        yield Source(_absolute(path), "folder", called, error=f"{called} is a folder without audio files")
    yield from found


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that was looked through: the files with sound in it, the folders in it, and what could not be read."""

    path: Path
    files: tuple[Path, ...]
    folders: tuple[Folder, ...]
    errors: tuple[Source, ...] = ()

    def below(self, depth: int = MAX_DEPTH) -> Iterator[Path]:
        """All files with sound in it, of so many folders within each other."""
        yield from self.files
        for folder in self.folders if depth else ():
            yield from folder.below(depth - 1)

    def everything(self) -> Iterator[Path]:
        """All files with sound in it, however deep."""
        yield from self.files
        for folder in self.folders:
            yield from folder.everything()

    def all_folders(self) -> Iterator[Path]:
        """This folder and all within it, however deep."""
        yield self.path
        for folder in self.folders:
            yield from folder.all_folders()


def look_through(folder: Path) -> Folder:
    """What is in a folder, sorted as people count; links to folders are followed, and each is looked into once.

    Libraries within it are left out, as are uploads and the cache: what is there was heard before, or is about to be.
    """
    return _looked_through(folder, _own_folders())


def _own_folders() -> set[tuple[int, int]]:
    """Which folders are of the library, the uploads and the cache that the settings name."""
    settings, found = configuration.current(), set[tuple[int, int]]()
    for place in map(resolve_location, (settings.library, settings.uploads, str(cache_folder()))):
        with suppress(OSError):
            if is_local(place):
                told = place.stat()
                found.add((told.st_dev, told.st_ino))
    return found


def _looked_through(folder: Path, visited: set[tuple[int, int]]) -> Folder:
    """The same; into what was `visited` it doesn't go again."""
    try:
        told = folder.stat()
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: natural(entry.name))
    except OSError as error:
        reason = f"{folder} can't be read: {error.strerror}"
        return Folder(folder, (), (), (Source(_absolute(folder), "folder", str(folder), error=reason),))
    names = {entry.name for entry in found}
    visited.add((told.st_dev, told.st_ino))
    files, folders = list[Path](), list[Folder]()
    for entry in found:
        if entry.name.startswith(".") or entry.name.casefold() in NOT_OURS:
            continue
        with suppress(OSError):
            if not entry.is_dir():
                if is_media(entry.name) and not any(f"{entry.name}{part}" in names for part in PARTS):
                    files.append(folder / entry.name)
                continue
            if not _is_left_out(folder / entry.name, visited):
                folders.append(_looked_through(folder / entry.name, visited))
    return Folder(folder, tuple(files), tuple(folders))


def _is_left_out(folder: Path, visited: Set[tuple[int, int]]) -> bool:
    """Whether a folder was visited, or is a library or an episode's."""
    told = folder.stat()
    return (told.st_dev, told.st_ino) in visited or any(
        (folder / name).exists() for name in (MARKER, EPISODE.file_name)
    )


def is_media(name: str) -> bool:
    """Whether a file is called like one with sound that is finished."""
    path = PurePath(name)
    return path.suffix.lower() in EXTENSIONS and not UNFINISHED.fullmatch(path.stem)


def episodes_in(
    folder: Path | Folder, ready: Callable[[Sequence[Path]], bool] = lambda files: True
) -> Iterator[Source]:
    """The episodes of a folder and of those within it. ready: whether these files may be looked at, all together."""
    inside = look_through(folder) if isinstance(folder, Path) else folder
    yield from inside.errors
    files = []
    for file in inside.below():
        files.append(file)
        if len(files) > MAX_TRACKS:
            break
    note = ""
    if 2 <= len(files) <= MAX_TRACKS:
        if not ready(files):
            return
        told = verdict([file.relative_to(inside.path) for file in files], lambda: lengths(files))
        note = f"{inside.path}: {told.why}" if told.why else ""
        if told.session:
            note += ", so they are heard as the tracks of one recording"
            yield Source(_absolute(inside.path), "folder", str(inside.path), note=note)
            return
        note = note and f"{note}, so each is an episode; --tracks separate hears them as tracks of one"
    for file in inside.files:
        if ready([file]):
            yield Source(_absolute(file), called=str(file), note=note)
            note = ""
    for within in inside.folders:
        yield from episodes_in(within, ready)


def lengths(files: Sequence[Path]) -> list[float | None]:
    """How long files play, in seconds, by their headers; None where they don't tell."""

    def seconds(file: Path) -> float | None:
        with suppress(InputError):
            return ffmpeg.streams(file).seconds
        return None

    with ThreadPoolExecutor(PROBES) as pool:
        return list(pool.map(seconds, files))


def natural(name: str) -> list[tuple[bool, int, str]]:
    """What sorts names as people count.

    >>> sorted(["10 b.mp3", "9 a.mp3", "B.mp3", "a.mp3"], key=natural)
    ['9 a.mp3', '10 b.mp3', 'a.mp3', 'B.mp3']
    """
    pieces = re.split(r"(\d+)", unicodedata.normalize("NFC", name).casefold())
    return [
        (not piece.isdecimal(), int(piece) if piece.isdecimal() else 0, piece) for piece in pieces if piece
    ]


def read_list(file: BinaryIO, name: str) -> list[str]:
    """The sources that a list names, one a line, or between NULs as `find -print0` writes them.

    Blank lines are passed over, and those that begin with # where no file is called so. InputError for what is no list.
    """
    data = file.read(MAX_LIST_BYTES + 1)
    if len(data) > MAX_LIST_BYTES:
        raise InputError(f"{name} is no list of sources: it has over {MAX_LIST_BYTES:,} bytes")
    text = _text(data)
    if "\0" in text:
        return [line for line in text.split("\0") if line.strip()]
    lines = (line.strip() for line in text.splitlines())
    return [_unquoted(line) for line in lines if line and not _is_comment(line)]


def _is_comment(line: str) -> bool:
    return line.startswith("#") and not os.path.lexists(line)


def _text(data: bytes) -> str:
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        # On Linux names are bytes, of which a list may hold any.
        return os.fsdecode(data) if os.name == "posix" else data.decode("cp1252", errors="replace")


def _unquoted(line: str) -> str:
    """A line without the quotes that Windows puts around a path.

    >>> _unquoted('"C:\\\\talks\\\\a b.mp3"')
    'C:\\\\talks\\\\a b.mp3'
    """
    quoted = len(line) > 1 and line[0] == line[-1] and line[0] in "\"'"
    return line[1:-1] if quoted and not os.path.lexists(line) else line
