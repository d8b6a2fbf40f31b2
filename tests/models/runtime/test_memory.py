"""What the process keeps of memory that was freed, as glibc tells."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from models.runtime.memory import limits_in, memory_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="glibc's own settings")

HEAPS = """
import ctypes, sys, threading
from models.runtime.memory import limit_malloc_arenas
if sys.argv[1] == "shared":
    limit_malloc_arenas()
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.fopen.restype = ctypes.c_void_p
together = threading.Barrier(4)
def take():
    libc.malloc(ctypes.c_size_t(1000))
    together.wait()
threads = [threading.Thread(target=take) for _ in range(4)]
[thread.start() for thread in threads], [thread.join() for thread in threads]
out = libc.fopen(sys.argv[2].encode(), b"w")
libc.malloc_info(0, ctypes.c_void_p(out)), libc.fclose(ctypes.c_void_p(out))
print(open(sys.argv[2]).read().count("<heap "))
"""
KEPT = """
import os, psutil
import numpy as np
from models.runtime.memory import return_freed_memory
held = psutil.Process(os.getpid()).memory_info
many = [np.ones(1000) for _ in range(20_000)]
full = held().rss
last = many[-1]
del many
before = held().rss
return_freed_memory()
print(full, before, held().rss)
"""


@pytest.mark.parametrize(("sharing", "expected"), [("shared", 1), ("not shared", 5)])
def test_all_threads_share_one_heap(tmp_path: Path, sharing: str, expected: int) -> None:
    out = tmp_path / "info.xml"
    done = subprocess.run(
        [sys.executable, "-c", HEAPS, sharing, str(out)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) == expected


def test_what_was_freed_goes_back_to_the_system() -> None:
    """160 MB below one last small object, which alone would keep them."""
    done = subprocess.run([sys.executable, "-c", KEPT], capture_output=True, text=True, check=True)
    full, before, after = map(int, done.stdout.split())
    assert full - after > 0.8 * 160e6
    assert before - after > 0.5 * 160e6


def test_a_process_may_have_what_the_machine_has_and_no_more() -> None:
    assert 0 < memory_of("cpu") <= psutil.virtual_memory().total


def test_a_container_has_what_its_files_say(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("two", "one", "none")]
    files[0].write_text("4294967296\n")
    files[1].write_text("max\n")
    assert limits_in(files) == [4_294_967_296]
