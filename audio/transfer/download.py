"""Audio from the web to disk, once: streamed, hashed on the way, resumed after a cut connection.

In the folder a file is called by its content, `<sha256><extension>`. Beside it, named by a hash of
the URL, lie what the server said about it (.json), what has arrived so far (.part) and a lock.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import httpx2

from audio.media.ffmpeg import check_file
from audio.transfer import addresses, http, network
from audio.transfer.access import Access
from audio.transfer.ranges import Part, content_range, place_of
from audio.transfer.sniff import HEAD_BYTES, Kind, content_kind, described, file_extension
from models.record.errors import DownloadError, InputError, NotAudioError, UnwritableError
from models.runtime.cache import locked_file, use

MAX_BYTES = 4_000_000_000  # about 70 hours at 128 kbit/s, or a long video
MAX_SECONDS = 2 * 3600  # for one download with all its retries
SPARE_BYTES = 200_000_000  # what must stay free on the disk
BLOCK_BYTES = 1 << 20
RANGE_REFUSED = frozenset(
    (400, 412, 501)
)  # what servers answer that know no ranges, or read If-Range wrongly

Progress = Callable[[int, int | None], None]
_Result = TypeVar("_Result")


class NoRoomError(DownloadError, UnwritableError):
    """The disk is too full for a file."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a download ends: size, time with all retries, attempts without progress."""

    bytes: int = MAX_BYTES
    seconds: float = MAX_SECONDS
    attempts: int = http.ATTEMPTS


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Bytes on disk; `fresh` is False where they were there already and had not changed."""

    path: Path
    sha256: str
    size: int
    fresh: bool = True


@dataclass(slots=True)
class _Record:
    """What is remembered of a URL: what its server said of its bytes, and the file once complete.

    `total` is how many bytes there are to be, None where it doesn't say.
    """

    etag: str = ""
    last_modified: str = ""
    name: str = ""
    sha256: str = ""
    size: int = 0
    total: int | None = None

    def conditions(self) -> dict[str, str]:
        """Headers that ask for the content only if it has changed."""
        return http.Validators(self.etag, self.last_modified).conditions()


def download(
    url: str,
    folder: str | os.PathLike[str],
    *,
    limits: Limits | None = None,
    allow_private: bool = False,
    access: Access | None = None,
    progress: Progress | None = None,
    sleep: http.Sleep = time.sleep,
) -> StoredFile:
    """The audio at `url` as a file in `folder`; see `RemoteSource` and its `save`."""
    options: dict[str, Any] = {
        "limits": limits,
        "allow_private": allow_private,
        "access": access,
        "sleep": sleep,
    }
    with RemoteSource(url, folder, **options) as source:
        return source.save(progress)


def local_file(path: str | os.PathLike[str]) -> StoredFile:
    """A file of the user's, hashed where it lies. InputError: missing, a folder, empty, unreadable."""
    file = check_file(path)
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256")
        return StoredFile(file.absolute(), digest.hexdigest(), opened.tell())


def kept(name: str, folder: Path) -> StoredFile | None:
    """The file that `keep` took into `folder` by this name, None where it isn't there any more."""
    record = _record_of(folder / f"{_key(name)}.json")
    if not record.name:
        return None
    use(folder, record.sha256)
    path = folder / record.name
    whole = path.is_file() and path.stat().st_size == record.size
    return StoredFile(path, record.sha256, record.size, fresh=False) if whole else None


def keep(file: Path, name: str, folder: Path, extension: str) -> StoredFile:
    """Take a file that came by another way into `folder`, called by its content, and remember it by `name`."""
    with _disk_faults(folder):
        with file.open("rb") as opened:
            sha256, size = hashlib.file_digest(opened, "sha256").hexdigest(), opened.tell()
        path = folder / f"{sha256}{extension}"
        use(folder, sha256)
        file.replace(path)
        _store_record(folder / f"{_key(name)}.json", _Record(name=path.name, sha256=sha256, size=size))
    return StoredFile(path, sha256, size)


def _key(name: str) -> str:
    """By what the record of an address is called."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def _record_of(path: Path) -> _Record:
    # A record that can't be read is worth as much as none: the file is fetched again.
    with suppress(OSError, ValueError, TypeError):
        return _Record(**json.loads(path.read_text("utf-8")))
    return _Record()


def _store_record(path: Path, record: _Record) -> None:
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_text(json.dumps(asdict(record)), "utf-8")
    temporary.replace(path)


class RemoteSource:
    """An address somebody gave, opened with one GET to see its `content_kind` ("feed", "audio", "page").

    Then `read` it as a feed, or `save` it as audio, from the same response; `looks_like` says what it is in words.
    `access` tells as whom to ask, and by which way.
    """

    def __init__(
        self,
        url: str,
        folder: str | os.PathLike[str],
        *,
        limits: Limits | None = None,
        allow_private: bool = False,
        access: Access | None = None,
        sleep: http.Sleep = time.sleep,
    ) -> None:
        addresses.checked_url(url)
        self.url = url
        self.kind: Kind = "page"
        self.content_type = ""
        self.looks_like = ""
        self._folder = Path(folder)
        self._limits = limits or Limits()
        self._allow_private = allow_private
        self._access = access or Access()
        self._sleep = sleep
        self._stack = ExitStack()
        self._key = _key(url)
        self._part = self._folder / f"{self._key}.part"
        self._response: _Response | None = None
        self._stored: StoredFile | None = None
        self._furthest = 0
        self._begun_again = 0
        self._served_in_parts = False
        self._digest: tuple[int, Any] = 0, hashlib.sha256()  # of so many bytes

    def __enter__(self) -> RemoteSource:
        self._deadline = time.monotonic() + self._limits.seconds
        with ExitStack() as stack:
            with _disk_faults(self._folder):
                self._folder.mkdir(parents=True, exist_ok=True)
                # Waits until no other process downloads the same URL; on Windows that is up to the caller.
                stack.enter_context(locked_file(self._folder / f"{self._key}.lock"))
            self._record = self._load("json")
            self._client = stack.enter_context(
                network.open_client(
                    allow_private=self._allow_private, deadline=self._deadline, proxy=self._access.proxy
                )
            )
            stack.callback(self._close)
            self._retrying(self._open)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def read(self, max_bytes: int) -> http.Page:
        """The whole response, for a feed. InputError over `max_bytes`."""
        return self._retrying(lambda: self._read(max_bytes))

    def save(self, progress: Progress | None = None) -> StoredFile:
        """Stream the audio to disk; `progress(done_bytes, total_bytes)`, total None where unknown.

        A cut connection is resumed where the server vouches that the bytes are the same, and
        started again where it doesn't; what has arrived stays for the next call. A server that sends
        less than all is asked for the rest. NotAudioError, InputError: too big. DownloadError: gone,
        unreachable, never whole, out of time or disk.
        """
        return self._retrying(lambda: self._save(progress))

    def _retrying(self, action: Callable[[], _Result]) -> _Result:
        return http.with_retries(
            action,
            attempts=self._limits.attempts,
            sleep=self._sleep,
            progress=lambda: self._furthest // BLOCK_BYTES,
        )

    def _open(self) -> None:
        """Send the request, and say in `kind` and `content_type` what came back."""
        self._close()
        http.check_deadline(self.url, self._deadline)
        part = self._part_at_hand()
        headers = {"Accept-Encoding": "identity"}
        if part.size:
            headers |= part.headers()
        elif self._is_stored():
            headers |= self._record.conditions()
        try:
            raw = http.get(self._client, self.url, headers, self._access)
        except (http.RefusedError, http.UnavailableError) as error:
            if not part.size or error.status not in RANGE_REFUSED:
                raise
            self._begin_again(part)
            return
        place = place_of(raw.status_code, raw.headers, part)
        if place == "useless":
            raw.close()
            self._begin_again(part)
        else:
            self._response = _Response(raw, 0 if place == "start" else part.size, part.total)
            self._inspect(self._response)

    def _part_at_hand(self) -> Part:
        """What has arrived and may be continued: something must vouch that it is of the same file.

        Of a server that sends parts only, the file could not be had otherwise: then, while this lasts, the total does.
        """
        known = self._load("part.json")
        size = self._part.stat().st_size if self._part.exists() else 0
        part = Part(size, known.etag, known.last_modified, known.total)
        return part if part.validator or self._served_in_parts else Part()

    def _begin_again(self, part: Part) -> None:
        """Ask for all of the file, since the part we have is of no use."""
        told = addresses.redacted(self.url)
        if not part.size:
            raise DownloadError(f"{told} sent a part of a file although all was asked for")
        if self._begun_again >= (1 if self._served_in_parts else self._limits.attempts):
            of = "" if part.total is None else f" of {part.total:,}"
            raise DownloadError(f"{told} sends {part.size:,}{of} bytes and does not go on from there")
        self._begun_again += 1
        self._part.unlink()
        self._open()

    def _inspect(self, response: _Response) -> None:
        self.content_type = response.content_type
        if response.unchanged:
            record = self._record
            self._stored = StoredFile(self._folder / record.name, record.sha256, record.size, fresh=False)
            self.kind = "audio"
        elif response.offset:
            self.kind = "audio"  # only audio is ever kept in part
        else:
            with http.network_errors(self.url):
                head = response.head(self.url, self._deadline)
            if not head:
                # Some hosts list an episode before its audio is there.
                raise http.UnavailableError(f"{addresses.redacted(self.url)}: the server sent 0 bytes")
            self.kind = content_kind(self.content_type, head, response.url)
            self.looks_like = described(self.content_type, head, response.url)

    def _current(self) -> _Response:
        if self._response is None:
            self._open()
        assert self._response is not None
        return self._response

    def _close(self) -> None:
        if self._response is not None:
            self._response.close()
            self._response = None

    def _read(self, max_bytes: int) -> http.Page:
        response = self._current()
        try:
            data = http.read_all(response.pieces(), self.url, max_bytes, self._deadline)
            return http.Page(data, response.url, self.content_type)
        finally:
            self._close()

    def _save(self, progress: Progress | None) -> StoredFile:
        while True:
            response = self._current()
            if self._stored is not None:
                return self._stored
            try:
                self._check(response)
                with _disk_faults(self._folder):
                    size = self._stream(response, progress)
                    if response.is_last(size):
                        return self._finish(size)
                self._go_on(response, size)
            finally:
                self._close()

    def _go_on(self, response: _Response, size: int) -> None:
        """See that the rest is asked for after a response that ended too early."""
        where = f"{size:,} of {'?' if response.total is None else format(response.total, ',')} bytes"
        if not response.partial or size == response.offset:
            raise http.UnavailableError(f"{addresses.redacted(self.url)} broke off at {where}")
        self._served_in_parts = True

    def _check(self, response: _Response) -> None:
        """Refuse what isn't audio or can't fit before a byte is written."""
        if self.kind != "audio":
            named = f" ({self.content_type})" if self.content_type else ""
            raise NotAudioError(f"{addresses.redacted(self.url)} is {self.looks_like}, not audio{named}")
        total = response.total
        if total is None:
            if response.is_live:
                raise NotAudioError(f"{addresses.redacted(self.url)} is a live stream, which has no end")
            return
        if total > self._limits.bytes:
            raise InputError(self._too_big())
        free = shutil.disk_usage(self._folder).free
        if total - response.offset > free - SPARE_BYTES:
            raise NoRoomError(
                f"no room for {total:,} bytes in {self._folder}: {free:,} are free, and some must stay so; "
                "`episcribe cache prune --downloads SIZE` makes room"
            )

    def _too_big(self) -> str:
        return f"{addresses.redacted(self.url)} is bigger than {self._limits.bytes:,} bytes"

    def _stream(self, response: _Response, progress: Progress | None) -> int:
        """Append the response to the part; returns the size of all of it, the hash of which is kept."""
        if not response.offset:
            self._part.unlink(missing_ok=True)
            self._store("part.json", response.record)
        digest, piece = self._hashed(response.offset), b""
        done = response.offset
        with self._part.open("ab") as file:
            with http.network_errors(self.url):
                for piece in response.pieces():
                    file.write(piece)
                    digest.update(piece)
                    done += len(piece)
                    self._furthest = max(self._furthest, done)
                    self._watch(done, response.total, progress)
            file.flush()
            os.fsync(file.fileno())
        self._digest = done, digest
        self._check_surplus(response, piece, done)
        return done

    def _check_surplus(self, response: _Response, end: bytes, done: int) -> None:
        """Not take bytes that were cut off for the whole: the length that a server announces may be too small."""
        too_many = response.total is not None and done > response.total
        if too_many:  # nobody knows which of them are right
            self._part.unlink()
        elif response.has_surplus(end):
            self._store("part.json", replace(self._load("part.json"), total=None))
        else:
            return
        raise http.UnavailableError(
            f"{addresses.redacted(self.url)} sent more than the length that it announced"
        )

    def _hashed(self, size: int) -> Any:
        """The hash of the first `size` bytes, which are all of the part."""
        if not size:
            return hashlib.sha256()
        if self._digest[0] == size:
            return self._digest[1]
        with self._part.open("rb") as file:
            return hashlib.file_digest(file, "sha256")

    def _watch(self, done: int, total: int | None, progress: Progress | None) -> None:
        if done > self._limits.bytes:
            self._part.unlink(missing_ok=True)
            raise InputError(self._too_big())
        if total is None and (free := shutil.disk_usage(self._folder).free) < SPARE_BYTES:
            self._part.unlink(missing_ok=True)
            raise NoRoomError(f"no room for more than {done:,} bytes in {self._folder}: {free:,} are free")
        http.check_deadline(self.url, self._deadline)
        if progress is not None:
            progress(done, total)

    def _finish(self, size: int) -> StoredFile:
        sha256 = self._digest[1].hexdigest()
        path = self._folder / f"{sha256}{file_extension(self.url, self.content_type)}"
        said = self._load("part.json")
        use(self._folder, sha256)
        self._part.replace(path)
        self._store("json", _Record(said.etag, said.last_modified, path.name, sha256, size))
        (self._folder / f"{self._key}.part.json").unlink(missing_ok=True)
        return StoredFile(path, sha256, size)

    def _is_stored(self) -> bool:
        if not self._record.name:
            return False
        use(self._folder, self._record.sha256)
        path = self._folder / self._record.name
        return path.is_file() and path.stat().st_size == self._record.size

    def _load(self, suffix: str) -> _Record:
        return _record_of(self._folder / f"{self._key}.{suffix}")

    def _store(self, suffix: str, record: _Record) -> None:
        _store_record(self._folder / f"{self._key}.{suffix}", record)


class _Response:
    """An opened response that gives the bytes from `offset` on (0 unless it continues a part).

    known_total: what was said before of the length of the whole file.
    """

    def __init__(self, raw: httpx2.Response, offset: int, known_total: int | None) -> None:
        self._raw = raw
        self._known_total = known_total
        self._pieces = raw.iter_bytes() if raw.status_code != 416 else iter(())
        self._head: list[bytes] = []
        self.offset = offset
        self.url = http.final_url(raw)
        self.content_type = raw.headers.get("Content-Type", "")

    @property
    def partial(self) -> bool:
        """Whether it is a part of the file by its own account, which may be all of it."""
        told = content_range(self._raw.headers.get("Content-Range", ""))
        cut = told is not None and told.start == 0 and told.end < (told.total or 0)
        return self._raw.status_code == 206 or (cut and self._raw.status_code != 416)

    @property
    def total(self) -> int | None:
        """The length of the whole file, or None where the server doesn't say."""
        if self._raw.status_code == 416:
            return self.offset
        if self.partial:
            told = content_range(self._raw.headers.get("Content-Range", ""))
            known = self._known_total if self.offset else None
            return told.total if told is not None and told.total is not None else known
        return None if _is_packed(self._raw) else http.announced_length(self._raw)

    def is_last(self, size: int) -> bool:
        """Whether a file of `size` bytes is complete after it."""
        return size == self.total if self.partial or self.total is not None else True

    def has_surplus(self, end: bytes) -> bool:
        """Whether more came after the `end` than the server had announced."""
        return not _is_packed(self._raw) and http.surplus(self._raw, end)

    @property
    def is_live(self) -> bool:
        """Whether it is a station's, which goes on for ever; by the headers of SHOUTcast and Icecast."""
        return any(name.lower().startswith("icy-") for name in self._raw.headers)

    @property
    def unchanged(self) -> bool:
        return self._raw.status_code == 304

    @property
    def record(self) -> _Record:
        """What to ask with next time; nothing if the bytes came packed, since parts of those don't join."""
        if _is_packed(self._raw):
            return _Record()
        said = self._raw.headers
        return _Record(said.get("ETag", ""), said.get("Last-Modified", ""), total=self.total)

    def head(self, url: str, deadline: float) -> bytes:
        """The first HEAD_BYTES or so, before the `deadline` (monotonic); `pieces` gives them again."""
        while sum(map(len, self._head)) < HEAD_BYTES:
            http.check_deadline(url, deadline)
            piece = next(self._pieces, b"")
            if not piece:
                break
            self._head.append(piece)
        return b"".join(self._head)

    def pieces(self) -> Iterator[bytes]:
        """The body."""
        yield from self._head
        yield from self._pieces

    def close(self) -> None:
        self._raw.close()


def _is_packed(raw: httpx2.Response) -> bool:
    return raw.headers.get("Content-Encoding", "identity").lower() not in ("", "identity")


@contextmanager
def _disk_faults(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = (
            "the disk is full: `episcribe cache prune --downloads SIZE` makes room"
            if full
            else error.strerror
        )
        kind = NoRoomError if full else DownloadError
        raise kind(f"can't write to {folder}: {reason}") from error
