"""The archive's export: episodes with their audio in a BagIt bag, whose checksums tell whether all is as it was.

https://www.rfc-editor.org/rfc/rfc8493
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from flows.library.audio import find_audio
from models.record.errors import InputError, OutputError
from models.record.transcript import Episode
from outputs.formats.html import KEPT_AUDIO
from outputs.library import read
from outputs.library.editing import stamps
from outputs.library.files import is_local
from outputs.library.placement import UNTITLED_SHOW
from outputs.text.characters import one_line
from outputs.text.slug import safe_name, told_apart

VERSION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
DECLARATION = "bagit.txt"  # what tells that a folder is a bag
CHECKSUMS = ["sha256", "sha512"]
COPIES = 5  # of an episode that is written to meanwhile, before it is taken as it is
COPY_BYTES = 8 << 20  # that are in memory at a time


@dataclass(frozen=True, slots=True)
class MadeBag:
    """What is in a bag: how many episodes, files and bytes, and in words what is not in it."""

    episodes: int
    files: int
    bytes: int
    missing: tuple[str, ...]


def make_bag(folders: Sequence[Path], out: Path, organization: str = "", *, force: bool = False) -> MadeBag:
    """Copy episodes into a bag at `out`: `data/<show>/<episode>/`, the audio beside the files where it can be found.

    It is made under another name, checked, and then renamed, so it is there as a whole or not at all. `force` replaces
    a bag; other folders are never written over. Links are not followed. InputError where `out` is in use or an episode
    isn't one, OutputError where something can't be read or written.
    """
    _check_target(out, force)
    part = out.with_name(f".{out.name}.{secrets.token_hex(4)}.part")
    try:
        part.mkdir(parents=True)
        packer = _Packer(part)
        for folder in folders:
            packer.pack(folder)
        size, files = _seal(part, packer.info(organization))
        _put(part, out)
    except OSError as error:
        raise OutputError(f"cannot make the bag {out}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return MadeBag(len(folders), files, size, tuple(packer.missing))


class _Packer:
    """Puts episodes into a folder, and remembers what to tell of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._episodes = list[Episode]()
        self._no_audio = list[str]()
        self.missing = list[str]()

    def pack(self, folder: Path) -> None:
        """Copy an episode; again where somebody writes it meanwhile, so that its files fit each other."""
        folder = read.record_file(folder).parent
        folder = folder.absolute() if is_local(folder) else folder
        episode = read.load_episode(folder)
        place = self._place(folder, episode)
        for _ in range(COPIES):
            before = stamps(folder)
            shutil.rmtree(place, ignore_errors=True)
            linked = list(_copy_files(folder, place))
            if stamps(folder) == before:
                break
        self._episodes.append(episode)
        self.missing += [f"{self._told(place)}/{one}: a link, which may lead anywhere" for one in linked]
        self._add_audio(folder, place)

    def _place(self, folder: Path, episode: Episode) -> Path:
        """The folder in the bag, which no other episode has."""
        show, name = self._folder / safe_name(folder.parent.name or UNTITLED_SHOW), safe_name(folder.name)
        taken = {one.name.casefold() for one in show.iterdir()} if show.is_dir() else set()
        return show / (name if name.casefold() not in taken else told_apart(f"{name} {episode.id}"))

    def _add_audio(self, folder: Path, place: Path) -> None:
        audio = read.load_audio(folder)
        if read.kept_audio(place, audio) is not None:
            return
        with suppress(InputError):
            found = find_audio(folder, audio)
            target = place / f"{KEPT_AUDIO}{found.suffix.lower()}"
            if _copy(found, target) == audio.sha256:
                return
            target.unlink()
        self._no_audio.append(self._told(place))
        self.missing.append(f"{self._told(place)}: its audio is not kept here")

    def _told(self, place: Path) -> str:
        return place.relative_to(self._folder).as_posix()

    def info(self, organization: str) -> dict[str, list[str]]:
        """The tags of bag-info.txt but those that the library adds."""
        told = {
            "Source-Organization": [organization],
            "External-Description": [one.show for one in self._episodes],
            "External-Identifier": [
                *(one.feed_url for one in self._episodes),
                *(one.guid or one.id for one in self._episodes),
            ],
            "Missing-Audio": self._no_audio,
            "Bag-Software-Agent": [f"episcribe {version('episcribe')}"],
        }
        lines = {name: [*dict.fromkeys(map(_tag, values))] for name, values in told.items()}
        return {name: [*filter(None, values)] for name, values in lines.items() if any(values)}


def _tag(text: str) -> str:
    return one_line(text).strip().encode("utf-8", "replace").decode()


def _copy_files(folder: Path, place: Path) -> Iterator[str]:
    """Copy what lies in a folder, but for locks and unfinished files, whose names begin with a dot; tells links."""
    place.mkdir(parents=True)
    taken = set[str]()
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.name.startswith("."):
            continue
        name = safe_name(entry.name)
        if name.casefold() in taken:  # to systems that make no difference between "A" and "a"
            name = told_apart(entry.name)
        taken.add(name.casefold())
        if entry.is_symlink():
            yield entry.name
        elif entry.is_dir():
            yield from (f"{entry.name}/{link}" for link in _copy_files(entry, place / name))
        elif entry.is_file():
            _copy(entry, place / name)


def _copy(source: Path, target: Path) -> str:
    """Copy a file; the SHA-256 of what was read."""
    digest = sha256()
    try:
        with source.open("rb") as data, target.open("xb") as out:
            while block := data.read(COPY_BYTES):
                digest.update(block)
                out.write(block)
    except Exception as error:  # each kind of store has its own
        raise OutputError(f"cannot copy {source}: {error}") from error
    return digest.hexdigest()


def _check_target(out: Path, force: bool) -> None:
    if not is_local(out):
        raise InputError(
            f"{out}: a bag is made in a folder of this machine; it can be sent elsewhere as it is"
        )
    if not os.path.lexists(out):
        return
    if not (out / DECLARATION).is_file():
        raise InputError(f"{out} is there already, and is no bag: give another name")
    if not force:
        raise InputError(f"{out} is there already: give another name, or --force to replace it")


def _seal(folder: Path, info: Mapping[str, Sequence[str]]) -> tuple[int, int]:
    """Make a folder a bag, and read all of it again; how many bytes and files it holds."""
    import bagit

    try:
        made = bagit.make_bag(str(folder), dict(info), checksums=CHECKSUMS)
        # The library writes what the RFC calls 1.0 as the draft before it, 0.97.
        (folder / DECLARATION).write_bytes(VERSION)
        made.save()
        bag = bagit.Bag(str(folder))
        bag.validate()
    except bagit.BagError as error:
        raise OutputError(f"the bag is not as it should be, is the disk sound? {error}") from error
    size, files = bag.info["Payload-Oxum"].split(".")
    return int(size), int(files)


def _put(made: Path, out: Path) -> None:
    """Have a finished bag take its name, and the place of the bag that has it."""
    old = made.with_suffix(".old")
    if out.exists():
        out.rename(old)
    try:
        made.rename(out)
    except OSError:
        with suppress(OSError):
            old.rename(out)
        raise
    shutil.rmtree(old, ignore_errors=True)
