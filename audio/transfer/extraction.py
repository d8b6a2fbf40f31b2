"""Audio of pages that have no feed and tell of none, such as those of YouTube, by yt-dlp (the extra `links`).

yt-dlp reads what strangers wrote, and a page made for it can keep it computing for hours. So it is asked in a process
of its own, `audio.transfer.extracting`, which is killed at the deadline. That one gets the request as a line of JSON on
standard input, where no list of processes shows its secrets, and says in such lines on standard output that it is
`ready`, what it `found`, how far it is (`done`, `total`) and that it `ended`, or its `error`. After what it found it
waits for a line before it downloads.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from audio.transfer.access import Access
from audio.transfer.addresses import checked_url, redacted
from audio.transfer.download import Limits, Progress, StoredFile, keep, kept
from audio.transfer.http import check_deadline
from audio.transfer.sniff import file_extension
from models.record.errors import DownloadError, InputError, NotAudioError
from models.runtime.children import child_command, child_environment

START_SECONDS = 60.0  # of a process, on a busy machine
LOOK_SECONDS = 120.0  # to find out what there is
TICK_SECONDS = (
    1.0  # between two times that progress is told although nothing moves, which is how runs are cancelled
)
SPARE_SECONDS = 2.0  # for the process to say itself that it is out of time
LOOK_BYTES = 100_000_000
MAX_LINE = 1_000_000  # bytes
MISSING = "pip install -e '.[links]' has yt-dlp look for audio in pages like this"
_ERRORS = {kind.__name__: kind for kind in (InputError, NotAudioError)}


@dataclass(frozen=True, slots=True)
class Extracted:
    """What yt-dlp knows of the one recording behind a page.

    `page` is its address, without a login; `published` is ISO 8601, `duration` in seconds; unknown is "" or 0.
    `people` are those who are named as its authors.
    """

    page: str
    title: str = ""
    show: str = ""
    published: str = ""
    duration: float = 0.0
    notes: str = ""
    people: tuple[str, ...] = ()


def is_available() -> bool:
    """Whether yt-dlp is installed."""
    from importlib.util import find_spec

    return find_spec("yt_dlp") is not None


def look(url: str, *, allow_private: bool = False, access: Access | None = None) -> Extracted:
    """What is behind a page, without its audio. Raises as `extract` does."""
    limits = Limits(bytes=LOOK_BYTES, seconds=LOOK_SECONDS)
    with _asked(url, limits, allow_private, access or Access()) as child:
        told = child.found()["told"]
        return Extracted(**{**told, "people": tuple(told["people"])})


def extract(
    url: str,
    folder: Path,
    *,
    limits: Limits | None = None,
    allow_private: bool = False,
    access: Access | None = None,
    progress: Progress | None = None,
) -> StoredFile:
    """The best audio behind a page as a file in `folder`, called by its content as those of `RemoteSource` are.

    What is there already is not fetched again. InputError: no such page, several recordings, one that goes on, too big,
    yt-dlp is not installed. DownloadError: gone, unreachable, out of time. `progress` is also told when nothing moves;
    what it raises ends all.
    """
    limits = limits or Limits()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="extract-", dir=folder) as place:
        file = Path(place) / "media"
        with _asked(url, limits, allow_private, access or Access(), file, progress) as child:
            found = child.found()
            if stored := kept(found["name"], folder):
                return stored
            child.download(limits.seconds)
        if not file.is_file():
            raise InputError(f"{redacted(url)} is bigger than {limits.bytes:,} bytes, or empty")
        return keep(file, found["name"], folder, file_extension(f"media.{found['ext']}", ""))


@contextmanager
def _asked(
    url: str,
    limits: Limits,
    allow_private: bool,
    access: Access,
    file: Path | None = None,
    progress: Progress | None = None,
) -> Iterator[_Child]:
    """The process that asks yt-dlp, ready to; when this ends it is gone, and what it started with it."""
    checked_url(url)
    if not is_available():
        raise InputError(f"{redacted(url)}: {MISSING}")
    request = {
        "url": url,
        "max_bytes": limits.bytes,
        "seconds": limits.seconds,
        "allow_private": allow_private,
        "access": asdict(replace(access, secret=dict(access.secret))),
        "file": str(file.absolute()) if file else None,
    }
    with subprocess.Popen(
        child_command("audio.transfer.extracting"),
        env=child_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        start_new_session=True,
    ) as process:
        try:
            child = _Child(process, url, progress)
            child.tell(json.dumps(request))
            child.answer("ready")
            child.give(min(limits.seconds, LOOK_SECONDS))
            yield child
        finally:
            with suppress(ProcessLookupError, PermissionError):  # none is left but it, which is dead
                os.killpg(process.pid, signal.SIGKILL)


class _Child:
    """What a process that asks yt-dlp says until a deadline; its errors are raised here as ours."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, progress: Progress | None) -> None:
        self._process, self._url, self._progress = process, url, progress
        self._told: tuple[int, int | None] = (0, None)
        self._read = b""
        self.give(START_SECONDS)

    def give(self, seconds: float) -> None:
        """Set the deadline."""
        self._deadline = time.monotonic() + seconds + SPARE_SECONDS

    def found(self) -> dict[str, Any]:
        """What there is: what is `told` of it, the `name` of that audio among downloads, its file's `ext`."""
        found: dict[str, Any] = self.answer("found")["found"]
        return found

    def download(self, seconds: float) -> None:
        """Have it fetch what it found."""
        self.give(seconds)
        self.tell("")
        while "ended" not in (answer := self.answer("ended", "done")):
            self._told = answer["done"], answer["total"]
            self._tick()

    def _tick(self) -> None:
        if self._progress is not None:
            self._progress(*self._told)

    def tell(self, line: str) -> None:
        """Say a line; one that hears no more has said why."""
        pipe = self._process.stdin
        assert pipe is not None
        rest = memoryview(f"{line}\n".encode())
        with suppress(BrokenPipeError):
            while rest:
                rest = rest[pipe.write(rest) :]

    def answer(self, *expected: str) -> dict[str, Any]:
        """The next thing it says, which has one of these names."""
        line = self._line()
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if isinstance(answer, dict) and "error" in answer:
            kind, message = answer["error"], answer["message"]
            raise (
                _ERRORS[kind](message)
                if kind in _ERRORS
                else DownloadError(message, transient=answer["transient"])
            )
        if not isinstance(answer, dict) or not any(name in answer for name in expected):
            raise DownloadError(f"{redacted(self._url)}: yt-dlp broke off, such as for want of memory")
        return answer

    def _line(self) -> bytes:
        check_deadline(self._url, self._deadline)
        pipe = self._process.stdout
        assert pipe is not None
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while b"\n" not in self._read and len(self._read) < MAX_LINE:
                if not selector.select(min(max(self._deadline - time.monotonic(), 0.0), TICK_SECONDS)):
                    self._tick()
                elif piece := os.read(pipe.fileno(), 65536):
                    self._read += piece
                else:
                    break
                check_deadline(self._url, self._deadline)
        line, _, self._read = self._read.partition(b"\n")
        return line
