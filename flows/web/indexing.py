"""The library's index, kept up to date by a process beside the app.

It looks at the folders every second or two, so whoever changes an episode, on a page, by a command or on another
machine, need tell nobody. A process of its own with low priority, for reading the record of a long episode would hold
up all requests meanwhile.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from flows import logs
from flows.web.lasting import Lasting
from models.record.errors import EpiscribeError
from models.runtime.children import child_command, child_environment
from outputs.library.index import MEANING_FILE_NAME, update

PAUSE_SECONDS = 1.0  # between two looks, at least ...
PAUSE_SHARE = 10.0  # ... and so many times as long as a look took, or ...
PAUSE_AFTER_WORK = 3.0  # ... as one took that found something
NICENESS = 10
EMBED_SECONDS = 10.0  # until it is looked again for new episodes, whose words are there to be found sooner
END_SECONDS = 5.0


class Indexer:
    """The process; it ends with this one, however that ends."""

    def __init__(self, library: Path) -> None:
        self._library = library
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Indexer:
        self._process = subprocess.Popen(
            child_command(__name__, str(self._library.absolute())),
            env=child_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        return self

    def __exit__(self, *_: object) -> None:
        """What the index lacks then it gets the next time."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(END_SECONDS)
            if self._process.stdin is not None:
                self._process.stdin.close()


def _keep_up(library: Path) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the parent ends us
    os.nice(NICENESS)
    told, looking = "", Lasting("the index")
    while True:
        begun, share = time.monotonic(), PAUSE_SHARE
        with looking.once():
            try:
                changes = update(library)
                if changes.indexed or changes.removed:
                    share = PAUSE_AFTER_WORK
                if _embedded(library):
                    share = 0.0
            except EpiscribeError as error:
                if library.is_dir() and str(error) != told:
                    told = str(error)
                    logs.warn(f"episcribe: {told}")
        time.sleep(max(PAUSE_SECONDS, share * (time.monotonic() - begun)))


def _embedded(library: Path) -> bool:
    """Embed what is new for some seconds, where somebody searches by meaning; whether there was something new."""
    if not (library / MEANING_FILE_NAME).exists():
        return False
    from outputs.library import meaning

    if not meaning.is_behind(library):
        return False
    from models.topics.embedding import load_embedder

    changes = meaning.update(library, load_embedder(), seconds=EMBED_SECONDS)
    if not meaning.is_behind(library):
        load_embedder.cache_clear()  # half a gigabyte
    return bool(changes.updated or changes.removed)


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    _keep_up(Path(sys.argv[1]))
