"""A library that stands for the NVIDIA driver: it says what is asked of it, and nothing can be computed with it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = """
int cuInit(unsigned flags) {{ return {code}; }}
int cuDeviceGetCount(int *count) {{ *count = {cards}; return 0; }}
int cuGetErrorString(int code, const char **words) {{ *words = "{words}"; return 0; }}
"""


def with_driver(folder: Path, *, cards: int = 0, code: int = 0, words: str = "") -> dict[str, str]:
    """The environment of processes on a machine whose driver shows so many cards, or fails to start with a code."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    (folder / "driver.c").write_text(SOURCE.format(code=code, cards=cards, words=words))
    command = [compiler, "-shared", "-fPIC", "-Wl,-soname,libcuda.so.1", "-o", "libcuda.so.1", "driver.c"]
    subprocess.run(command, cwd=folder, check=True)
    return {**os.environ, "LD_LIBRARY_PATH": str(folder)}
