"""The archive's export: episodes with their audio in a BagIt bag, whose checksums tell whether all is as it was.

https://www.rfc-editor.org/rfc/rfc8493
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from itertools import chain, count
from pathlib import Path

from flows.library.audio import find_audio
from models.record.errors import InputError, OutputError
from models.record.transcript import Episode
from models.runtime.cache import cache_folder, locked_file
from outputs.formats.html import KEPT_AUDIO
from outputs.library import read
from outputs.library.editing import stamps
from outputs.library.files import is_local, sync_folder
from outputs.library.placement import UNTITLED_SHOW
from outputs.text.characters import one_line
from outputs.text.slug import safe_name, told_apart

VERSION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
DECLARATION = "bagit.txt"  # what tells that a folder is a bag
CHECKSUMS = ["sha256", "sha512"]
COPIES = 5  # of an episode that is written to meanwhile, before it is taken as it is
PART, OLD = ".part", ".old"  # endings of what is being made, and of what is replaced
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
    isn't one or would hold the bag, OutputError where something can't be read or written.
    """
    _check_local(out)
    with _alone(out):
        _check_target(out, force)
        episodes = list({_identity(folder): folder for folder in map(_folder_of, folders)}.values())
        _check_apart(episodes, out)
        part = out.with_name(f".{out.name}.{secrets.token_hex(4)}{PART}")
        try:
            part.mkdir(parents=True)
            packer = _Packer(part)
            for folder in episodes:
                packer.pack(folder)
            size, files = _seal(part, packer.info(organization))
            _put(part, out)
        except OSError as error:
            raise OutputError(f"cannot make the bag {out}: {error.strerror or error}") from error
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return MadeBag(len(episodes), files, size, tuple(packer.missing))


def _folder_of(episode: Path) -> Path:
    """The folder of an episode, which may be given by its record. InputError where there is none."""
    folder = read.record_file(episode).parent
    return folder.absolute() if is_local(folder) else folder


def _identity(folder: Path) -> Path:
    """The same for all names of a folder."""
    return Path(os.path.realpath(folder)) if is_local(folder) else folder


def _check_apart(episodes: Sequence[Path], out: Path) -> None:
    """InputError where a bag would be made within what goes into it, or replace that."""
    made = _identity(out)
    for folder in map(_identity, filter(is_local, episodes)):
        if made.is_relative_to(folder):
            raise InputError(f"{out} is in the folder of an episode that goes into it: give another name")
        if folder.is_relative_to(made):
            raise InputError(f"{folder} is in {out}, which the bag would replace: give another name")


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Within, no other process of this machine makes this bag, and nothing is left of one that was killed.

    InputError where another one does. Where no locks can be had, what is left stays.
    """
    place = hashlib.sha256(os.fsencode(_identity(out))).hexdigest()[:32]
    lock = cache_folder() / "locks" / f"{place}.bag"
    with ExitStack() as held:
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            held.enter_context(locked_file(lock, wait=False))
        except BlockingIOError:
            raise InputError(
                f"{out} is being made by another program: try again, or give another name"
            ) from None
        except OSError:
            pass
        else:
            held.callback(lock.unlink, missing_ok=True)
            _tidy(out)
        yield


def _tidy(out: Path) -> None:
    """Remove what a killed process left of a bag; one that it had begun to replace gets its name back."""
    left = re.compile(rf"\.{re.escape(out.name)}\.[0-9a-f]{{8}}({re.escape(PART)}|{re.escape(OLD)})")
    with suppress(OSError):
        for path in out.parent.iterdir():
            if not (of := left.fullmatch(path.name)):
                continue
            if of[1] == OLD and not os.path.lexists(out):
                path.rename(out)
            else:
                _remove(path)


def _remove(path: Path) -> None:
    """Remove a folder, or a link to one but not what it leads to."""
    if path.is_symlink():
        path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)


class _Packer:
    """Puts episodes into a folder, and remembers what to tell of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shows = dict[str, str]()
        self._episodes = list[Episode]()
        self._no_audio = list[str]()
        self.missing = list[str]()

    def pack(self, folder: Path) -> None:
        """Copy an episode; again where somebody writes it meanwhile, so that its files fit each other."""
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
        show, name = self._folder / self._show(folder.parent.name or UNTITLED_SHOW), safe_name(folder.name)
        taken = {one.name.casefold() for one in show.iterdir()} if show.is_dir() else set[str]()
        others = (told_apart(f"{name} {episode.id}{number or ''}") for number in count())
        return show / next(one for one in chain([name], others) if one.casefold() not in taken)

    def _show(self, name: str) -> str:
        """What a show's folder is called, which on no system is that of another show."""
        if name not in self._shows:
            safe, taken = safe_name(name), {one.casefold() for one in self._shows.values()}
            self._shows[name] = told_apart(name) if safe.casefold() in taken else safe
        return self._shows[name]

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
    digest = hashlib.sha256()
    try:
        with source.open("rb") as data, target.open("xb") as out:
            while block := data.read(COPY_BYTES):
                digest.update(block)
                out.write(block)
    except Exception as error:  # each kind of store has its own
        raise OutputError(f"cannot copy {source}: {error}") from error
    return digest.hexdigest()


def _check_local(out: Path) -> None:
    if not is_local(out):
        raise InputError(
            f"{out}: a bag is made in a folder of this machine; it can be sent elsewhere as it is"
        )


def _check_target(out: Path, force: bool) -> None:
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
    """Have a finished bag take its name, and the place of the bag that has it, and outlast a power cut."""
    _sync(made)
    old = made.with_suffix(OLD)
    if os.path.lexists(out):
        out.rename(old)
    try:
        made.rename(out)
    except OSError:
        with suppress(OSError):
            old.rename(out)
        raise
    sync_folder(out.parent)
    _remove(old)


def _sync(folder: Path) -> None:
    for place, _, files in os.walk(folder):
        for name in files:
            with Path(place, name).open("r+b") as file:
                os.fsync(file.fileno())
        sync_folder(Path(place))
