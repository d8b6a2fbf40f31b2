"""What to warn of in tracks: ones that are silent, the same as another, clipped, or far shorter than the others."""

from __future__ import annotations

from collections.abc import Sequence

MUCH_SHORTER = 0.5  # of the longest track


def much_shorter(seconds: Sequence[float]) -> list[int]:
    """Which tracks play for less than half as long as the longest.

    >>> much_shorter([3600.0, 3580.0, 200.0])
    [2]
    """
    longest = max(seconds, default=0.0)
    return [number for number, each in enumerate(seconds) if each < MUCH_SHORTER * longest]
