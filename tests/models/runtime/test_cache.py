"""What is in use of the cache folder, with real locks of other processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from models.runtime.cache import USED, holding, is_held, last_used, unused, use
from tests.waiting import wait_until

ROOT = Path(__file__).parents[3]
HOLDER = """
import sys
from pathlib import Path
from models.runtime.cache import holding, use
with holding():
    use(Path(sys.argv[1]), sys.argv[2])
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_elsewhere(folder: Path, name: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that needs what `folder` has under `name`, until it is killed."""
    command = [sys.executable, "-c", HOLDER, str(folder), name]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_who_needs_something_keeps_it_until_its_end_however_that_comes(tmp_path: Path) -> None:
    lock = tmp_path / USED / "talk"
    with held_elsewhere(tmp_path, "talk") as first, held_elsewhere(tmp_path, "talk") as second:
        for process in (first, second):
            assert is_held(lock)
            with unused(lock) as free:
                assert not free
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert not is_held(lock)
    with unused(lock) as free:
        assert free
    assert not lock.exists()


def test_a_use_is_noted_and_over_at_once_where_nobody_holds(tmp_path: Path) -> None:
    use(tmp_path, "talk")
    lock = tmp_path / USED / "talk"
    os.utime(lock, (5.0, 5.0))
    assert last_used(tmp_path) == {"talk": 5.0}
    use(tmp_path, "talk")
    assert last_used(tmp_path)["talk"] > 5.0
    assert not is_held(lock)
    with holding():
        use(tmp_path, "talk")
        assert is_held(lock)
    assert not is_held(lock)


def test_who_comes_while_something_is_removed_holds_a_lock_that_is_there(tmp_path: Path) -> None:
    lock = tmp_path / USED / "talk"
    opened = set[str]()

    def come() -> None:
        with holding():
            use(tmp_path, "talk")
            opened.add("held" if is_held(lock) else "in vain")

    with unused(lock) as free:
        assert free
        comer = Thread(target=come)
        comer.start()
        open_files = Path("/proc/self/fd")
        if open_files.is_dir():
            wait_until(lambda: _links_to(open_files, lock) == 2, "the other's look at the lock")
        assert not opened
    comer.join()
    assert opened == {"held"}


def _links_to(folder: Path, file: Path) -> int:
    return sum(os.path.realpath(link) == str(file) for link in folder.iterdir())


def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with holding():
        use(tmp_path / "file", "talk")
    assert last_used(tmp_path / "file") == {}
    with unused(tmp_path / "file" / USED / "talk") as free:
        assert not free
