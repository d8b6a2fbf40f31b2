"""Files that people sent: whole or in part, in a folder or a store with a URL, until their episodes are done.

A file is called by the id of its upload and an ending of ours, whatever its sender calls it. While it grows it is a
`.part` on this machine, whose length is how much has come.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from filelock import FileLock
from sqlalchemy import Connection, delete, func, insert, select, update

from audio.media import ffmpeg
from audio.media.extensions import AUDIO_EXTENSIONS, VIDEO_EXTENSIONS
from audio.tracks import archive
from audio.tracks.sources import check_sources
from audio.transfer.download import SPARE_BYTES
from audio.transfer.sniff import HEAD_BYTES, content_kind, described
from flows.keeping import fetched_folder
from flows.schedule.plan import ListedEpisode
from flows.schedule.queue import LIVE
from flows.schedule.settings import Settings
from flows.schedule.store import Store
from flows.schedule.tables import database_time, episodes
from flows.schedule.tables import uploads as _uploads
from models.record.errors import EpiscribeError, InputError, OutputError
from models.runtime.cache import cache_folder, holding, use
from outputs.library.files import is_local, resolve_location, upload_file
from outputs.text.terminal import printable

SCHEME = "upload:"  # of an Episode's audio_url, or of a track, before the id
KEEP_SECONDS = 14 * 86_400.0  # that a file is kept which no episode waits for
MAX_UNUSED = 100  # of one person, of which no episode was made
ORPHAN_SECONDS = 3600.0  # after which what grows without being listed was cut off when it began
OURS = re.compile(r"([0-9a-f]{32})\.(part|lock)")
MAX_NAME_CHARS = 200
ZIP = ".zip"
OTHER = ".audio"  # where a name has no ending that is known
ENDINGS = AUDIO_EXTENSIONS | VIDEO_EXTENSIONS | {ZIP}


class TooLargeError(InputError):
    """A file is larger than what one may send."""


class TooManyError(InputError):
    """Somebody has sent too many files and used none."""


class NoRoomError(EpiscribeError):
    """The disk is too full for a file."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that somebody sends or has sent: `size` in bytes, `sha256` once it is whole, the episode it is of."""

    id: str
    user: str
    name: str
    size: int
    sha256: str = ""
    episode: str = ""
    changed_at: float = 0.0

    @property
    def whole(self) -> bool:
        """Whether all of it has come and was found to be sound."""
        return bool(self.sha256)

    @property
    def file_name(self) -> str:
        """What the file is called where it is kept."""
        ending = PurePosixPath(self.name).suffix.lower()
        return f"{self.id}{ending if ending in ENDINGS else OTHER}"

    @property
    def expires_at(self) -> float:
        """When it is removed unless something happens to it; seconds since 1970."""
        return self.changed_at + KEEP_SECONDS


class Uploads:
    """All files that were sent, by the settings and the store."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._store = store
        self.max_bytes = settings.limits.audio_bytes
        self.folder = resolve_location(settings.uploads)
        self.parts = self.folder if is_local(self.folder) else cache_folder() / "uploads"

    def create(self, user: str, name: str, size: int) -> Upload:
        """Begin one; refused by its size, before a byte of it comes."""
        if size < 1:
            raise InputError("an empty file can't be heard")
        if size > self.max_bytes:
            raise TooLargeError(f"{size:,} bytes are more than the {self.max_bytes:,} that a file may have")
        self.sweep()
        upload = Upload(secrets.token_hex(16), user, tidy_name(name), size)
        with _disk(self.parts):
            self.parts.mkdir(parents=True, exist_ok=True)
            with FileLock(self.parts / ".room.lock"):  # what one is promised, another can't be
                self._check_room(upload)
                self.part(upload).open("xb").close()
                with self._store.begin() as connection:
                    row = {"id": upload.id, "user": user, "name": upload.name, "size": size}
                    connection.execute(insert(_uploads).values(**row, changed_at=database_time(connection)))
        return self.get(upload.id)

    def _check_room(self, upload: Upload) -> None:
        if len(self.of_user(upload.user)) >= MAX_UNUSED:
            raise TooManyError(f"{MAX_UNUSED} files were sent and not used: add or remove some")
        promised = sum(other.size - self.offset(other) for other in self._unfinished())
        if shutil.disk_usage(self.parts).free < promised + upload.size + SPARE_BYTES:
            raise NoRoomError(f"there is no room for {upload.size:,} bytes")

    def get(self, upload_id: str) -> Upload:
        """The one with this id; InputError where there is none."""
        with self._store.look() as connection:
            row = connection.execute(select(_uploads).where(_uploads.c.id == upload_id)).mappings().first()
        if row is None:
            raise InputError(f"there is no upload {printable(upload_id)[:64]}: it expired, or was used")
        return Upload(**row)

    def of_user(self, user: str) -> list[Upload]:
        """All of one person that no episode was made of yet."""
        with self._store.look() as connection:
            mine = (_uploads.c.user == user) & (_uploads.c.episode == "")
            rows = connection.execute(select(_uploads).where(mine).order_by(_uploads.c.changed_at))
            return [Upload(**row) for row in rows.mappings()]

    def _unfinished(self) -> list[Upload]:
        with self._store.look() as connection:
            rows = connection.execute(select(_uploads).where(_uploads.c.sha256 == ""))
            return [Upload(**row) for row in rows.mappings()]

    def part(self, upload: Upload) -> Path:
        """The file in which it grows."""
        return self.parts / f"{upload.id}.part"

    def lock(self, upload: Upload) -> Path:
        """The file that whoever writes it holds a lock on."""
        return self.parts / f"{upload.id}.lock"

    def offset(self, upload: Upload) -> int:
        """How many bytes of it have come: as many as are on the disk."""
        if upload.whole:
            return upload.size
        with suppress(FileNotFoundError):
            return self._grown(upload).stat().st_size
        return 0

    def _grown(self, upload: Upload) -> Path:
        """Where it is while it isn't whole: where it grows, unless `finish` was cut off after it had been moved."""
        part, moved = self.part(upload), self.folder / upload.file_name
        return moved if is_local(moved) and moved.exists() else part

    def touch(self, upload: Upload) -> Upload:
        """It is being sent: it expires later."""
        with self._store.begin() as connection:
            mine = update(_uploads).where(_uploads.c.id == upload.id)
            connection.execute(mine.values(changed_at=database_time(connection)))
        return self.get(upload.id)

    def finish(self, upload: Upload) -> Upload:
        """All has come: look at what it is, and put it where runs find it. InputError: nothing that can be heard."""
        part = self._grown(upload)
        try:
            check_sound(part, upload.name)
        except InputError:
            self.remove(upload)
            raise
        with _disk(self.folder):
            with part.open("rb") as file:
                os.fsync(file.fileno())
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            target = self.folder / upload.file_name
            if is_local(self.folder):
                part.replace(target)
            else:
                upload_file(part, target)
        with self._store.begin() as connection:
            mine = update(_uploads).where(_uploads.c.id == upload.id)
            connection.execute(mine.values(sha256=sha256, changed_at=database_time(connection)))
        with suppress(OSError):
            self.part(upload).unlink(missing_ok=True)
        return self.get(upload.id)

    def attach(self, connection: Connection, uploads: Iterable[Upload], episode_id: str) -> None:
        """These are of an episode from now on, if the transaction is kept; InputError where one is of another."""
        for upload in uploads:
            free = _uploads.c.episode.in_(("", episode_id))
            mine = update(_uploads).where(_uploads.c.id == upload.id, free)
            values = {"episode": episode_id, "changed_at": database_time(connection)}
            if not connection.execute(mine.values(**values)).rowcount:
                raise InputError(f"{upload.name} was used already: send it again")

    def remove(self, upload: Upload) -> bool:
        """Forget it, with its files; False where it is gone, or of an episode by now."""
        with self._store.begin() as connection:
            same = (_uploads.c.id == upload.id) & (_uploads.c.episode == upload.episode)
            if not connection.execute(delete(_uploads).where(same)).rowcount:
                return False
            self._erase(upload)  # before the row is gone for good: killed in between, it is removed next time
        return True

    def _erase(self, upload: Upload) -> None:
        for left in (self.part(upload), self.lock(upload)):
            with suppress(OSError):
                left.unlink(missing_ok=True)
        with suppress(Exception):  # each kind of store has its own
            (self.folder / upload.file_name).unlink(missing_ok=True)

    def remove_unwanted(self, ids: Iterable[str]) -> None:
        """Forget those of these whose episode is done, or that expired and no episode waits for."""
        for upload_id in ids:
            with self._store.begin() as connection:
                # Whoever uses it again waits, or has done so before we look.
                mine = select(_uploads.c.id).where(_uploads.c.id == upload_id)
                connection.execute(mine.with_for_update())
                for upload in _unwanted(connection, _uploads.c.id == upload_id):
                    connection.execute(delete(_uploads).where(_uploads.c.id == upload_id))
                    self._erase(upload)

    def sweep(self) -> None:
        """Remove what expired and no episode waits for, what was left of episodes that are done, and of uploads."""
        with self._store.look() as connection:
            gone = [upload.id for upload in _unwanted(connection)]
        self.remove_unwanted(gone)
        with suppress(OSError):
            self._remove_orphans()

    def _remove_orphans(self) -> None:
        """Remove what the removal of an upload, or its beginning, left behind when it was cut off."""
        long_ago = time.time() - ORPHAN_SECONDS
        found = [path for path in self.parts.iterdir() if OURS.fullmatch(path.name)]
        old = [path for path in found if path.stat().st_mtime < long_ago]
        with self._store.look() as connection:
            known = set(connection.execute(select(_uploads.c.id)).scalars()) if old else set()
        for path in old:
            if path.stem not in known:
                path.unlink(missing_ok=True)

    @contextmanager
    def at_hand(self, upload: Upload) -> Iterator[Path]:
        """The file on this machine, while the block lasts. InputError where it is gone."""
        there = self.folder / upload.file_name
        if is_local(self.folder):
            if not there.is_file():
                raise InputError(f"the file {upload.name} is not in {self.folder}: send it again")
            yield there
            return
        here = fetched_folder() / upload.file_name
        with _disk(here.parent):
            here.parent.mkdir(parents=True, exist_ok=True)
        with holding():
            use(here.parent, here.name)
            yield from self._fetched(upload, there, here)

    def _fetched(self, upload: Upload, there: Path, here: Path) -> Iterator[Path]:
        try:
            try:
                with there.open("rb") as source, here.open("wb") as file:
                    shutil.copyfileobj(source, file, 8 << 20)
            except FileNotFoundError:
                raise InputError(f"the file {upload.name} is not in {self.folder}: send it again") from None
            except Exception as error:
                raise EpiscribeError(f"{upload.name} can't be fetched from {self.folder}: {error}") from error
            yield here
        finally:
            with suppress(OSError):
                here.unlink(missing_ok=True)


def _unwanted(connection: Connection, *among: Any) -> list[Upload]:
    """What expired and no episode waits for, and what was left of episodes that are done."""
    old = _uploads.c.changed_at < database_time(connection) - KEEP_SECONDS
    state = select(episodes.c.state).where(episodes.c.id == _uploads.c.episode).correlate(_uploads)
    told = func.coalesce(state.scalar_subquery(), "")
    rows = connection.execute(select(_uploads).where((told == "done") | (old & told.not_in(LIVE)), *among))
    return [Upload(**row) for row in rows.mappings()]


def tidy_name(name: str) -> str:
    """What a sender calls a file, without folders and what can't be shown.

    >>> tidy_name("../../etc/Talk\\0 1.mp3"), tidy_name("C:\\\\takes\\\\anne.wav"), tidy_name("\\x07")
    ('Talk 1.mp3', 'anne.wav', 'file')
    """
    last = printable(name.replace("\\", "/").rpartition("/")[2].replace("\0", "")).strip()
    stem, dot, ending = last.rpartition(".")
    if dot and len(ending) < 10:
        last = f"{stem[: MAX_NAME_CHARS - len(ending) - 1]}.{ending}"
    return last[:MAX_NAME_CHARS] or "file"


def title_of(name: str) -> str:
    """The title of an episode that is a file of this name, as a run gives it."""
    return PurePosixPath(name).stem or name


def check_sound(path: Path, name: str) -> None:
    """InputError, about `name`, unless a file is audio or video, or a zip of tracks that can be unpacked."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        if archive.is_zip(path):
            archive.check(path)
            check_sources(str(path), (), "auto")
        elif content_kind("", head, name) != "audio":
            raise InputError(f"{name} is neither audio nor video, but {described('', head, name)}")
        else:
            ffmpeg.audio_streams(path)
    except InputError as error:
        raise InputError(str(error).replace(str(path), name)) from None


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror or error}") from error


def is_sent(listed: ListedEpisode) -> bool:
    """Whether an episode is made of files that somebody sent."""
    return bool(ids_in(listed.episode.audio_url, listed.options.get("track", ())))


def ids_in(audio_url: str, tracks: Iterable[str]) -> list[str]:
    """The ids of the uploads that an episode is made of.

    >>> ids_in("upload:1", ["Anne=upload:2", "upload:3"]), ids_in("https://example.org/1.mp3", [])
    (['1', '2', '3'], [])
    """
    told = (audio_url, *(track.rpartition("=")[2] for track in tracks))
    return [one.removeprefix(SCHEME) for one in told if one.startswith(SCHEME)]
