"""Recordings and documents of other people, which lie beside the checkout and never in it."""

from __future__ import annotations

from pathlib import Path

import pytest

DATA = Path(__file__).parents[3] / "shared" / "data"


def shared(path: str) -> Path:
    """A file or folder of the shared data; skips the test where it is not there."""
    found = DATA / path
    if not found.exists():
        pytest.skip(f"needs {path} in ../shared/data")
    return found
