"""What to warn of in tracks: ones that are silent, the same as another, clipped, or far shorter than the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from models.runtime.samples import SAMPLE_RATE, Samples, as_float, has_sound

MUCH_SHORTER = 0.5  # of the longest track

FLAT_LEVEL = (
    0.7  # of the highest level: what lies over it for FLAT_RUN samples is the flat top of a clipped wave,
)
FLAT_RUN = 4  # which rings after resampling
CLIPPED = (
    0.03  # share of a track in flat tops; speech has up to 0.003, at 12 dB over full scale mostly over 0.03
)

EQUAL = 0.9  # correlation of the samples of what is one sound: encoding it twice costs a little
BLOCK = 60 * SAMPLE_RATE  # samples that are compared at once


def much_shorter(seconds: Sequence[float]) -> list[int]:
    """Which tracks play for less than half as long as the longest.

    >>> much_shorter([3600.0, 3580.0, 200.0])
    [2]
    """
    longest = max(seconds, default=0.0)
    return [number for number, each in enumerate(seconds) if each < MUCH_SHORTER * longest]


def silent_tracks(tracks: Sequence[Samples]) -> list[int]:
    """Which tracks, (samples,) float32 or int16, hold nothing but silence and its dither."""
    return [number for number, track in enumerate(tracks) if not has_sound(track)]


def clipped_share(track: Samples) -> float:
    """The share of a track, (samples,) float32 or int16 at 16 kHz, in which its waves are cut off flat."""
    loud = np.abs(as_float(track))
    if not loud.any():
        return 0.0
    flat = np.concatenate(([False], loud > FLAT_LEVEL * np.percentile(loud, 99.99), [False]))
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    runs = edges[1::2] - edges[::2]
    return float(runs[runs >= FLAT_RUN].sum() / len(track))


def equal_tracks(tracks: Sequence[Samples]) -> Iterator[tuple[int, int]]:
    """Pairs of tracks on one time line with the same sound, whatever their levels and polarity.

    tracks: (samples,) float32 or int16 at 16 kHz, of one length.
    """
    for first, second in combinations(range(len(tracks)), 2):
        products = np.zeros(3)
        for start in range(0, len(tracks[first]), BLOCK):
            one, other = (as_float(tracks[n][start : start + BLOCK]) for n in (first, second))
            products += (one @ other, one @ one, other @ other)
        if abs(products[0]) > EQUAL * np.sqrt(products[1] * products[2]):
            yield first, second
