"""What to warn of in tracks: ones that are silent, the same as another, clipped, or far shorter than the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from models.runtime.samples import SAMPLE_RATE, Samples, as_float, has_sound

MUCH_SHORTER = 0.5  # of the longest track

FLAT_LEVEL = 0.7  # of the highest level: what lies over it for FLAT_RUN samples is the flat top of a clipped wave,
FLAT_RUN = 4  # which rings after resampling
CLIPPED = 0.03  # share of a track in flat tops; speech has up to 0.003, at 12 dB over full scale mostly over 0.03

ENVELOPE_RATE = 100  # Hz, of the levels by which the same sound is looked for at another time
MAX_OFFSET = 120  # seconds
SIMILAR = 0.9  # correlation of envelopes that makes it worth comparing samples
EQUAL = 0.9  # correlation of the samples of what is one sound: encoding it twice costs a little
COMPARED_SECONDS = 20  # of samples


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


def equal_tracks(tracks: Sequence[Samples]) -> Iterator[tuple[int, int, float]]:
    """Pairs of tracks with the same sound, and by how many seconds it is later in the second.

    tracks: (samples,) float32 or int16 at 16 kHz. The levels of the same sound may differ, and its polarity.
    """
    envelopes = [_envelope(track) for track in tracks]
    for first, second in combinations(range(len(tracks)), 2):
        shift = _shift(envelopes[first], envelopes[second])
        if shift is None:
            continue
        exact = _exact_shift(tracks[first], tracks[second], shift * SAMPLE_RATE // ENVELOPE_RATE)
        if exact is not None:
            yield first, second, exact / SAMPLE_RATE


def track_warnings(names: Sequence[str], tracks: Sequence[Samples]) -> tuple[str, ...]:
    """What the user should know of tracks; names: what to call them, tracks: whole ones, as `equal_tracks` takes them.

    That one is far shorter is told where tracks are found, by what their files say.
    """
    silent = silent_tracks(tracks)
    heard = [number for number in range(len(tracks)) if number not in silent]
    shares = {number: clipped_share(tracks[number]) for number in heard}
    return (
        *(f"{names[number]} is silent" for number in silent),
        *(
            f"{names[heard[first]]} and {names[heard[second]]} hold the same sound"
            + (f", {abs(later):.1f} s apart" if abs(later) >= 0.05 else "")
            for first, second, later in equal_tracks([tracks[number] for number in heard])
        ),
        *(
            f"{names[number]} is clipped: {share:.0%} of it was recorded too loud"
            for number, share in shares.items()
            if share > CLIPPED
        ),
    )


def _envelope(track: Samples) -> NDArray[np.float64]:
    """(frames,) at ENVELOPE_RATE, loudness about its mean: a power that keeps soft speech from counting for nothing."""
    size = SAMPLE_RATE // ENVELOPE_RATE
    energy = [
        np.square(as_float(track[first : first + size * 1000])[: size * 1000]).reshape(-1, size).mean(axis=1)
        for first in range(0, len(track) // size * size, size * 1000)
    ]
    loudness = np.concatenate(energy) ** 0.15
    return loudness - loudness.mean()
