"""Waiting for events: tests never wait for a time to pass, and only give up when something must be broken."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 300  # seconds; how fast a machine is is not what is tested


def wait_until(
    condition: Callable[[], bool], what: str, still_possible: Callable[[], None] = lambda: None
) -> None:
    """Return when `condition` holds. `still_possible` raises when it never will, such as after a crash."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come"
        still_possible()
        time.sleep(0.05)
