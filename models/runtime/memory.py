"""How much memory there is, and keeping what a process holds near what it needs."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

CGROUP_LIMITS = (  # of a container: version 2, version 1
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
M_ARENA_MAX = -8  # glibc's mallopt parameter: how many heaps the threads of a process have between them
SELDOM = 20_000  # new objects before Python looks for unreachable ones; it has 700


def collect_garbage_seldom() -> None:
    """Have Python look for unreachable objects after 20,000 new ones rather than 700.

    What is imported are a million objects that all stay; to look through them again and again takes a fifth of a start.
    """
    gc.set_threshold(SELDOM)


def limit_malloc_arenas() -> None:
    """Let all threads take memory from one heap, so that what one frees another can use.

    The models' threads allocate seldom and much: a heap each costs 100 MB and saves no time. glibc
    alone; elsewhere do nothing.
    """
    if sys.platform == "linux":
        set_option = getattr(ctypes.CDLL(None), "mallopt", None)
        if set_option is not None:
            set_option(M_ARENA_MAX, 1)


def return_freed_memory() -> None:
    """Return freed memory to the system, which glibc keeps for itself otherwise; elsewhere do nothing."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def memory_of(device: str) -> int:
    """Bytes of memory that models may have on "cpu" or "cuda", in a container those that it has."""
    if device == "cuda":
        import torch

        return int(torch.cuda.get_device_properties(0).total_memory)
    return min([os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *limits_in(CGROUP_LIMITS)])


def limits_in(files: Sequence[Path]) -> list[int]:
    """Bytes that a container may use, from such of the files as are there and hold a limit."""
    found = []
    for file in files:
        with suppress(OSError, ValueError):  # not there, or "max"
            found.append(int(file.read_text()))
    return found
