"""A folder that is watched: what appears in it is an episode once it has stopped growing.

The operating system only says when to look; what counts is what a look finds, so nothing depends on each event coming,
or on the order in which they do.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from flows.local.batch import stamp_of
from flows.local.sources import Folder, Source, episodes_in, look_through
from models.record.errors import EpiscribeError, InputError

QUIET_SECONDS = 2.0  # without a change, after which a file is whole
EMPTY_SECONDS = (
    60.0  # after which one that stays empty is left out: some programs make all files first, then fill them
)
TICK_SECONDS = 0.5  # between two looks while something is not quiet, or where nobody tells of changes
AGAIN_SECONDS = 30.0  # between two looks although nobody told of a change
REMOTE = (
    "nfs",
    "cifs",
    "smb",
    "9p",
    "fuse.",
    "vboxsf",
    "afs",
    "ceph",
    "glusterfs",
    "prl_fs",
)  # kinds of file systems

Stamp = tuple[int, int, int]
Say = Callable[[str], None]


class Settling:
    """Which files have stopped growing. clock: seconds, from anywhere."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[Path, tuple[Stamp, float]] = {}  # since when a file looks as it does
        self._decided: set[tuple[Path, Stamp]] = set()
        self._offered: set[tuple[Path, Stamp]] = set()

    def look(self, folder: Folder) -> Folder:
        """Note how the files in a folder look now; returns it without those that stay empty."""
        now, seen = self._clock(), dict[Path, tuple[Stamp, float]]()
        for file in folder.everything():
            try:
                told = file.stat()
            except OSError:  # gone meanwhile, or a link to nothing
                continue
            stamp = (told.st_size, told.st_mtime_ns, told.st_ino)
            before, since = self._seen.get(file, (None, now))
            seen[file] = (stamp, since if before == stamp else now)
        self._seen = seen
        return self._without_empty(folder, now)

    def _without_empty(self, folder: Folder, now: float) -> Folder:
        def counts(file: Path) -> bool:
            (size, _, _), since = self._seen.get(file, ((0, 0, 0), -EMPTY_SECONDS))
            return size > 0 or now - since < EMPTY_SECONDS

        within = tuple(self._without_empty(one, now) for one in folder.folders)
        return replace(folder, files=tuple(filter(counts, folder.files)), folders=within)

    @property
    def quiet(self) -> bool:
        """Whether all that was seen was decided on, so that only a change can bring something new."""
        return all((file, stamp) in self._decided for file, (stamp, _) in self._seen.items())

    def ready(self, files: Sequence[Path]) -> bool:
        """Whether files are whole, all of them, and one of them was not decided on yet as it is."""
        now = self._clock()
        told = [(file, *self._seen.get(file, ((0, 0, 0), now))) for file in files]
        if all((file, stamp) in self._decided for file, stamp, _ in told):
            return False
        if any(stamp[0] == 0 or now - since < QUIET_SECONDS for _, stamp, since in told):
            return False
        if any(is_being_written(file) for file in files):
            return False
        self._offered.update((file, stamp) for file, stamp, _ in told)
        return True

    def decide(self) -> None:
        """What was ready is decided on, until it changes."""
        self._decided = (self._decided | self._offered) & {
            (file, told[0]) for file, told in self._seen.items()
        }
        self._offered = set()


def is_being_written(file: Path) -> bool:
    """Whether a program has a file open to write it, as far as the system tells: of our own files on local disks.

    A read lease (fcntl(2), F_SETLEASE) is refused while anybody has the file open for writing.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return False
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        opened = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        # Who opens it meanwhile waits until we let go, of which a signal would tell that otherwise ends us.
        fcntl.fcntl(opened, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(opened, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(opened, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:  # somebody else's file, or a file system without leases
        return False
    finally:
        os.close(opened)
    return False


def appearing(folder: Path, tracks: str, stopped: threading.Event, say: Say) -> Iterator[Source]:
    """The episodes in a folder, and those that come, each once it is whole, until stopped.

    A file in it is an episode; of a folder in it what `episodes_in` says. InputError where there is no such folder,
    EpiscribeError where it goes away.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    folder = Path(os.path.abspath(folder))  # noqa: PTH100  (links stay)
    settling, taken = Settling(), dict[str, str]()
    for _ in _looks(folder, stopped, say, settling):
        inside = look_through(folder)
        if inside.errors:
            raise EpiscribeError(f"{inside.errors[0].error}: it can't be watched any more")
        for source in _ready(settling.look(inside), tracks, settling.ready):
            try:
                stamp = stamp_of(Path(source.place)) if not source.error else source.error
            except OSError:  # gone meanwhile
                continue
            if taken.get(source.place) != stamp:
                taken[source.place] = stamp
                yield replace(source, called=os.path.relpath(source.place, folder))
        settling.decide()


def _ready(inside: Folder, tracks: str, ready: Callable[[Sequence[Path]], bool]) -> Iterator[Source]:
    for file in inside.files:
        if ready([file]):
            yield Source(str(file))
    for within in inside.folders:
        if tracks == "auto":
            yield from episodes_in(within, ready)
        elif (files := list(within.below())) and ready(files):
            yield Source(str(within.path), "folder")


def _looks(folder: Path, stopped: threading.Event, say: Say, settling: Settling) -> Iterator[None]:
    """Returns whenever there may be something new: after changes, and while something is not decided on."""
    changed, last = True, 0.0
    for told in _changes(folder, stopped, say):
        changed = changed or told
        now = time.monotonic()
        if changed or not settling.quiet or now - last > AGAIN_SECONDS:
            yield
            changed, last = False, now
            stopped.wait(min(AGAIN_SECONDS, time.monotonic() - now))  # half of the time for other things


def _changes(folder: Path, stopped: threading.Event, say: Say) -> Iterator[bool]:
    """Whether something has changed, at least once a tick; where nobody can tell, that it may have."""
    why = "WATCHFILES_FORCE_POLLING is set" if os.environ.get("WATCHFILES_FORCE_POLLING") else _remote(folder)
    if not why:
        from watchfiles import watch
        from watchfiles._rust_notify import WatchfilesRustInternalError

        try:
            for changes in watch(
                folder,
                watch_filter=None,
                stop_event=stopped,
                rust_timeout=int(TICK_SECONDS * 1000),
                debounce=int(TICK_SECONDS * 1000),
                yield_on_timeout=True,
                raise_interrupt=False,
                ignore_permission_denied=True,
            ):
                yield bool(changes)
            if stopped.is_set():
                return
        except (OSError, WatchfilesRustInternalError) as error:
            why = str(error)
    say(f"{folder} is looked through again and again, since nobody tells of changes: {why}")
    while not stopped.wait(2 * TICK_SECONDS):
        yield True


def _remote(folder: Path) -> str:
    """The kind of network file system that a folder is on, in words; "" where it is on none, or that can't be told."""
    try:
        mounts = [
            line.split() for line in Path("/proc/self/mounts").read_text("utf-8", "replace").splitlines()
        ]
    except OSError:
        return ""
    path = folder.resolve()
    places = [(Path(mount[1].replace("\\040", " ")), mount[2]) for mount in mounts if len(mount) > 2]
    _, kind = max(
        ((place, kind) for place, kind in places if path.is_relative_to(place)),
        key=lambda one: len(one[0].parts),
        default=(Path(), ""),
    )
    return f"it is on a network file system ({kind})" if kind.startswith(REMOTE) else ""
