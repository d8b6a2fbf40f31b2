"""The episodes that are being edited in the app: opened once each, watched, their files written again after edits."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

from flows.web.hub import Hub
from outputs.library.editing import EditingSession

OPEN = 8  # episodes that are kept in memory


class Desk:
    """Safe to use from several threads. `close` brings all files up to date."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._lock = threading.Lock()
        self._open: OrderedDict[Path, EditingSession] = OrderedDict()

    def session(self, folder: Path) -> EditingSession:
        """The editing of an episode."""
        with self._lock:
            found = self._open.get(folder)
        if found is None:
            found = EditingSession(folder)
        with self._lock:
            found = self._open.setdefault(folder, found)
            self._open.move_to_end(folder)
            while len(self._open) > OPEN:
                self._open.popitem(last=False)
        return found
