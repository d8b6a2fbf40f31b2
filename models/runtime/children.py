"""Processes of our own: they run our code wherever we are, not what lies in that folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).parents[2]


def child_command(module: str, *arguments: str) -> list[str]:
    """What runs a module of ours, with the environment of `child_environment`."""
    isolated = "-P"  # the folder we are in is not ours
    return [sys.executable, isolated, "-m", module, *arguments]


def child_environment(more: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """What such a process sees: our variables, and these."""
    return {**os.environ, **more, "PYTHONPATH": str(ROOT)}
