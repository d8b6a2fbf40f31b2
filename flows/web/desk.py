"""The episodes that people have open in the app: edited one edit at a time, watched, their files written after edits.

All files of an episode are written again a moment after its last edit, by a process of its own that yields to the app:
to render a long episode takes seconds, for which nobody should wait.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import threading
import time
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from flows import logs
from flows.library.speakers import learn_confirmed
from flows.web.hub import Hub
from flows.web.lasting import Lasting
from models.record.errors import EpiscribeError
from models.record.transcript import Transcript
from models.runtime.children import child_command, child_environment
from outputs.library import rerendering
from outputs.library.editing import EditingSession, stamps

OPEN_WORDS = 250_000  # of the episodes that are kept in memory; a word takes some 750 bytes
PAGES_BYTES = 64 << 20  # of pages that are kept compressed
OPENING = 8  # episodes that are opened at the same time
COMPRESSION = 6  # of 9
WATCH_SECONDS = 1.0  # between looks at the files of episodes that somebody has open
RENDER_SECONDS = 1.5  # of quiet after an edit before all files are written again
LATEST_SECONDS = 10.0  # after an edit they are, even where edits go on
RENDERING_SECONDS = 600  # at most for the files of an episode


class Desk:
    """Safe to use from several threads, from `start` to `close`, which brings all files up to date."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._lock = threading.Lock()
        self._open: OrderedDict[Path, EditingSession] = OrderedDict()
        self._opening = [threading.Lock() for _ in range(OPENING)]
        self._pages: OrderedDict[str, bytes] = OrderedDict()
        self._alive: WeakValueDictionary[Path, EditingSession] = WeakValueDictionary()
        self._told: dict[Path, tuple[object, str]] = {}  # stamps and revision of what somebody has open
        self._due: dict[Path, tuple[float, float]] = {}  # the time of the first edit, and when to write
        self._rendering: list[Path] = []
        self._present: dict[Path, Counter[str]] = defaultdict(Counter)
        self._woken, self._ended = threading.Event(), threading.Event()
        self._teacher = ThreadPoolExecutor(1, "voices")
        self._threads = [
            threading.Thread(target=target, name=name, daemon=True)
            for target, name in ((self._watch, "watch"), (self._keep_rendered, "render"))
        ]

    def start(self) -> None:
        """Begin to watch."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End, with all files up to date."""
        self._ended.set()
        self._woken.set()
        for thread in self._threads:
            thread.join()
        self._teacher.shutdown()

    def session(self, folder: Path) -> EditingSession:
        """The editing of an episode."""
        return self._remembered(folder) or self._opened(folder)

    def _remembered(self, folder: Path) -> EditingSession | None:
        with self._lock:
            if (found := self._alive.get(folder)) is not None:
                self._open[folder] = found
                self._open.move_to_end(folder)
        return found

    def _opened(self, folder: Path) -> EditingSession:
        with self._opening[hash(folder) % len(self._opening)]:
            if (found := self._remembered(folder)) is not None:  # whoever came at the same time opened it
                return found
            opened = EditingSession(folder)
            if opened.is_behind:  # whoever corrected it last was ended before that
                self._teach_soon(folder, opened.record, opened.given_names)
                self._render_soon(folder)
            with self._lock:
                self._alive[folder] = self._open[folder] = opened
                words = sum(session.word_count for session in self._open.values())
                while words > OPEN_WORDS and len(self._open) > 1:
                    words -= self._open.popitem(last=False)[1].word_count
            return opened

    def refreshed(self, folder: Path) -> EditingSession:
        """The editing of an episode as it is by now; who listens is told where another program changed it."""
        session = self.session(folder)
        with session.lock:
            session.refresh()
            before = self._note(folder, session)
            if before not in (None, session.revision):
                self._hub.publish(topic(folder), {"event": "reload", "revision": session.revision})
        return session

    def _note(self, folder: Path, session: EditingSession) -> str | None:
        """Remember what those have been told who have an episode open; the revision that they knew before."""
        with self._lock:
            _, before = self._told.get(folder, (None, None))
            if folder in self._present:
                self._told[folder] = session.seen, session.revision
            return before

    def kept_page(self, tag: str) -> bytes | None:
        """The JSON of the page of an entity tag, gzipped, if it is kept."""
        with self._lock:
            return self._pages.get(tag)

    def keep_page(self, tag: str, page: Mapping[str, Any]) -> bytes:
        """The JSON of a page, gzipped, kept for others who ask for it."""
        data = gzip.compress(json.dumps(page).encode(), COMPRESSION)
        with self._lock:
            self._pages[tag] = data
            size = sum(map(len, self._pages.values()))
            while size > PAGES_BYTES and len(self._pages) > 1:
                size -= len(self._pages.popitem(last=False)[1])
        return data

    def edit(self, folder: Path, op: str, by: str, do: Mapping[str, Any]) -> dict[str, Any]:
        """Do an edit, as `EditingSession.edit` does; who listens is told, voices are taught, and files follow."""
        session = self.session(folder)
        with session.alone():  # so that all hear of edits in their order
            self.refreshed(folder)
            before, names = session.revision, session.given_names
            patch = session.edit(op, by, do)
            if session.revision != before:
                self._note(folder, session)
                told = {name: value for name, value in patch.items() if name != "undo"}
                self._hub.publish(topic(folder), told)
                self._render_soon(folder)
                after = session.given_names
                changed = {
                    label: after.get(label) for label in names | after if names.get(label) != after.get(label)
                }
                self._teach_soon(folder, session.record, changed)
        return patch

    @property
    def is_busy(self) -> bool:
        """Whether files are being written again, or soon will be."""
        with self._lock:
            return bool(self._due or self._rendering)

    # Who is there.

    @contextmanager
    def attended(self, folder: Path, user: str) -> Iterator[None]:
        """While somebody has an episode open."""
        self._count(folder, user, 1)
        try:
            yield
        finally:
            self._count(folder, user, -1)

    def present(self, folder: Path) -> dict[str, Any]:
        """The message of who has an episode open."""
        with self._lock:
            users = sorted(self._present.get(folder, {}))
        return {"event": "present", "users": users}

    def _count(self, folder: Path, user: str, one: int) -> None:
        with self._lock:
            users = self._present[folder]
            before = set(users)
            users[user] += one
            if not users[user]:
                del users[user]
            if not users:
                del self._present[folder]
                self._told.pop(folder, None)
            changed = set(users) != before
        if changed:
            self._hub.publish(topic(folder), self.present(folder))

    def _watch(self) -> None:
        looking = Lasting("the watch over episodes")
        while not self._ended.wait(WATCH_SECONDS):
            with self._lock:
                watched = {folder: self._told.get(folder) for folder in self._present}
            for folder, told in watched.items():
                with looking.once():  # a failure of ours is told to whoever asks for the episode
                    if told is None or stamps(folder) != told[0]:
                        self.refreshed(folder)

    # Files.

    def _render_soon(self, folder: Path) -> None:
        now = time.monotonic()
        with self._lock:
            first, _ = self._due.get(folder, (now, now))
            self._due[folder] = first, min(now + RENDER_SECONDS, first + LATEST_SECONDS)
        self._woken.set()

    def _keep_rendered(self) -> None:
        while True:
            with self._lock:
                now = time.monotonic()
                due = [one for one, (_, when) in self._due.items() if when <= now or self._ended.is_set()]
                for folder in due:
                    del self._due[folder]
                pause = min((when for _, when in self._due.values()), default=None)
                self._rendering = due
                self._woken.clear()
            for folder in due:
                with _going_on(f"can't write the files of {folder} again"):
                    self._render(folder)
            if not due and self._ended.is_set():
                return
            if not due:
                self._woken.wait(None if pause is None else max(0.0, pause - now))

    def _render(self, folder: Path) -> None:
        command = child_command(rerendering.__name__, str(folder))
        # In a session of its own: Ctrl-C is for the app, which lets this end.
        done = subprocess.run(
            command, env=child_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            start_new_session=True, check=False, timeout=RENDERING_SECONDS,
        )  # fmt: skip
        if done.returncode:
            told = done.stderr.strip().rpartition("\n")[2]
            logs.warn(f"episcribe: the files of {folder} are not up to date: {told}")
        with suppress(EpiscribeError):  # it is told to whoever asks for the episode
            self.refreshed(folder)

    def _teach_soon(self, folder: Path, record: Transcript, names: Mapping[str, str | None]) -> None:
        if names:
            self._teacher.submit(_teach, folder, record, names)


@contextmanager
def _going_on(told: str) -> Iterator[None]:
    """What fails within is told in a line, and no reason for a thread to end."""
    try:
        yield
    except Exception as error:
        logs.warn(f"episcribe: {told}: {error}")


def topic(folder: Path) -> str:
    """What those listen to who have an episode open."""
    return f"episode {folder}"


def _teach(folder: Path, record: Transcript, names: Mapping[str, str | None]) -> None:
    """Have the show know the voices of labels by these names, and by none that was taken back."""
    for label, name in names.items():
        with _going_on(f"warning: the voice of {name!r} was not learnt"):
            learn_confirmed(record, [label], name, folder.absolute().parent)
