"""What to warn of in tracks: ones that are silent, the same as another, clipped, or far shorter than the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from audio.tracks.correlation import FRAME_RATE, HOP, LAG_RATE, Envelopes, Index, envelopes, halved, lags
from models.runtime.samples import SAMPLE_RATE, Samples, as_float, has_sound

MUCH_SHORTER = 0.5  # of the longest track

FLAT_LEVEL = (
    0.7  # of the highest level: what lies over it for FLAT_RUN samples is the flat top of a clipped wave,
)
FLAT_RUN = 4  # which rings after resampling
CLIPPED = (
    0.03  # share of a track in flat tops; speech has up to 0.003, at 12 dB over full scale mostly over 0.03
)

COMPARED_SECONDS = 20  # the loudest ones of a track, that are looked for in another
SEARCHED = SAMPLE_RATE // 4  # samples about the place that envelopes tell
SIMILAR = 0.6  # score of envelopes, over which it is worth comparing samples
EQUAL = 0.9  # correlation of the samples of what is one sound: encoding it twice costs a little
BLOCK = 60 * SAMPLE_RATE  # samples compared at once


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
    found = [envelopes(track) for track in tracks]
    for first, second in combinations(range(len(tracks)), 2):
        one, other = tracks[first], tracks[second]
        later = _offset(one, found[first], other, found[second])
        if later is not None and abs(_correlation(one, other, later)) > EQUAL:
            yield first, second, later / SAMPLE_RATE


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


def _offset(one: Samples, of_one: Envelopes, other: Samples, of_other: Envelopes) -> int | None:
    """By how many samples the loudest part of a track comes later in another one; None where it isn't there."""
    frames = min(COMPARED_SECONDS * FRAME_RATE, len(of_one.bands), len(of_other.bands))
    if frames < FRAME_RATE:
        return None
    sums = np.cumsum(np.concatenate(([0.0], of_one.level)))
    start = int(np.argmax(sums[frames:] - sums[:-frames]))
    window = of_one.bands[None, start : start + frames]
    places, scores = Index(of_other, frames).search(window, np.ones((1, frames), dtype=np.float32), 1)
    if scores[0, 0] < SIMILAR:
        return None
    first, place = start * HOP, int(places[0, 0]) * HOP - SEARCHED
    step = SAMPLE_RATE // LAG_RATE
    count = frames * HOP // step
    fitting = lags(halved(one, first, count), halved(other, place, count + 2 * SEARCHED // step))
    return place + step * int(np.argmax(np.abs(fitting))) - first


def _correlation(one: Samples, other: Samples, later: int) -> float:
    """That of two tracks where both play, with the second one put so many samples earlier."""
    one, other = one[max(-later, 0) :], other[max(later, 0) :]
    count = min(len(one), len(other))
    sums = np.zeros(3)
    for first in range(0, count, BLOCK):
        a, b = (as_float(track[first : min(first + BLOCK, count)]) for track in (one, other))
        sums += (a @ b, a @ a, b @ b)
    return float(sums[0] / np.sqrt(sums[1] * sums[2])) if sums[1:].all() else 0.0
