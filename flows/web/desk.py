"""The episodes that people have open in the app: edited one edit at a time, watched, their files written after edits.

All files of an episode are written again a moment after its last edit, by a process of its own that yields to the app:
to render a long episode takes seconds, for which nobody should wait.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from flows.library.speakers import learn_confirmed
from flows.web.hub import Hub
from models.record.errors import EpiscribeError
from models.record.transcript import Transcript
from outputs.library import rerendering
from outputs.library.editing import EditingSession

OPEN = 8  # episodes that are kept in memory
PAGES = 32  # that are kept compressed
COMPRESSION = 6  # of 9
WATCH_SECONDS = 1.0  # between looks at the files of episodes that somebody has open
RENDER_SECONDS = 1.5  # of quiet after an edit before all files are written again
ROOT = Path(__file__).parents[2]


class Desk:
    """Safe to use from several threads, from `start` to `close`, which brings all files up to date."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._lock = threading.Lock()
        self._open: OrderedDict[Path, EditingSession] = OrderedDict()
        self._pages: OrderedDict[str, bytes] = OrderedDict()
        self._due: dict[Path, float] = {}
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
        with self._lock:
            found = self._open.get(folder)
        opened = EditingSession(folder) if found is None else found
        if found is None and opened.is_behind:
            self._render_soon(folder)  # whoever corrected it last was ended before that
        with self._lock:
            opened = self._open.setdefault(folder, opened)
            self._open.move_to_end(folder)
            while len(self._open) > OPEN:
                self._open.popitem(last=False)
        return opened

    def refreshed(self, folder: Path) -> EditingSession:
        """The editing of an episode as it is by now; who listens is told where another program changed it."""
        session = self.session(folder)
        with session.lock:
            if session.refresh():
                self._hub.publish(topic(folder), {"event": "reload", "revision": session.revision})
        return session

    def kept_page(self, tag: str) -> bytes | None:
        """The JSON of the page of an entity tag, gzipped, if it is kept."""
        with self._lock:
            return self._pages.get(tag)

    def keep_page(self, tag: str, page: Mapping[str, Any]) -> bytes:
        """The JSON of a page, gzipped, kept for others who ask for it."""
        data = gzip.compress(json.dumps(page).encode(), COMPRESSION)
        with self._lock:
            self._pages[tag] = data
            while len(self._pages) > PAGES:
                self._pages.popitem(last=False)
        return data

    def edit(self, folder: Path, op: str, by: str, do: Mapping[str, Any]) -> dict[str, Any]:
        """Do an edit, as `EditingSession.edit` does; who listens is told, voices are taught, and files follow."""
        session = self.session(folder)
        with session.lock:  # so that all hear of edits in their order
            self.refreshed(folder)
            before, names = session.revision, session.given_names
            patch = session.edit(op, by, do)
            if session.revision != before:
                told = {name: value for name, value in patch.items() if name != "undo"}
                self._hub.publish(topic(folder), told)
                self._render_soon(folder)
                after = session.given_names
                changed = {
                    label: after.get(label) for label in names | after if names.get(label) != after.get(label)
                }
                if changed:
                    self._teacher.submit(_teach, folder, session.record, changed)
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
            changed = set(users) != before
        if changed:
            self._hub.publish(topic(folder), self.present(folder))

    def _watch(self) -> None:
        while not self._ended.wait(WATCH_SECONDS):
            with self._lock:
                watched = list(self._present)
            for folder in watched:
                with suppress(EpiscribeError):  # it is told to whoever asks for the episode
                    self.refreshed(folder)

    # Files.

    def _render_soon(self, folder: Path) -> None:
        with self._lock:
            self._due[folder] = time.monotonic() + RENDER_SECONDS
        self._woken.set()

    def _keep_rendered(self) -> None:
        while True:
            with self._lock:
                now = time.monotonic()
                due = [folder for folder, when in self._due.items() if when <= now or self._ended.is_set()]
                for folder in due:
                    del self._due[folder]
                pause = min(self._due.values(), default=None)
                self._rendering = due
                self._woken.clear()
            for folder in due:
                self._render(folder)
            if not due and self._ended.is_set():
                return
            if not due:
                self._woken.wait(None if pause is None else max(0.0, pause - now))

    def _render(self, folder: Path) -> None:
        command = [sys.executable, "-P", "-m", rerendering.__name__, str(folder)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        try:
            # In a session of its own: Ctrl-C is for the app, which lets this end.
            done = subprocess.run(
                command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                start_new_session=True, check=False,
            )  # fmt: skip
        except OSError as error:
            print(f"episcribe: can't write the files of {folder} again: {error}", file=sys.stderr)
            return
        if done.returncode:
            told = done.stderr.strip().rpartition("\n")[2]
            print(f"episcribe: the files of {folder} are not up to date: {told}", file=sys.stderr)
        with suppress(EpiscribeError):
            self.refreshed(folder)


def topic(folder: Path) -> str:
    """What those listen to who have an episode open."""
    return f"episode {folder}"


def _teach(folder: Path, record: Transcript, names: Mapping[str, str | None]) -> None:
    """Have the show know the voices of labels by these names, and by none that was taken back."""
    for label, name in names.items():
        try:
            learn_confirmed(record, [label], name, folder.absolute().parent)
        except (EpiscribeError, OSError) as error:
            print(f"episcribe: warning: the voice of {name!r} was not learnt: {error}", file=sys.stderr)
