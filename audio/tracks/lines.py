"""Straight lines through what fits: one for each part of a track between two jumps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from audio.tracks.fits import CLOCK, EVERY, STEADY, Fits
from models.runtime.samples import SAMPLE_RATE

OWN_SHARE = 0.03  # of all seconds that fit, those whose level beside the mix is the own voice's
OWN_RATIO = 4.0  # dB below that at which it still is
BEND = 0.004  # seconds by which a part's middle may lie off its line; more are two parts
SMOOTHED = 9  # fits whose median says how far off
LAG_ERROR = 0.0003  # seconds by which lags scatter, of which the greater are held to be mistaken
CLOCK_ERROR = 50e-6  # seconds a second by which clocks differ commonly
ROUNDS = 10  # of weighing each lag by how far off it was
CERTAIN = 0.5  # strength that seconds hardly have by chance
LEAST = 3  # of them in one part, and so on a line, never do
UNHEARD = 3.0  # seconds of own sound which don't fit, after which a part ends


@dataclass(frozen=True, slots=True)
class Line:
    """A part of a track: its time is `offset` + the other's time * (1 + `drift`).

    first, last: the times of the other recording between which it was seen to fit.
    """

    offset: float
    drift: float
    first: float
    last: float

    def track_time(self, time: float) -> float:
        """When, in the track, a moment of the other recording is."""
        return self.offset + time * (1 + self.drift)

    def heard(self, time: float) -> float:
        """When, in the other recording, a moment of the track is."""
        return (time - self.offset) / (1 + self.drift)

    def jump(self, after: Line) -> float:
        """By how many seconds a later line lies earlier in the track, halfway between both."""
        middle = (self.last + after.first) / 2
        return self.track_time(middle) - after.track_time(middle)


def find_lines(fits: Fits) -> list[Line]:
    """The lines of all parts, in order; none where what fits may do so by chance. fits: one chain of them."""
    if not _certain(fits):
        return []
    own = own_voice(fits)
    parts, drift = _straight(_runs(fits), fits, own)
    lines = []
    for part in parts:
        offset = _offset(part, fits, own, drift)
        for seen in _heard_through(part, fits):
            heard = fits.heard[seen]
            lines.append(Line(offset, drift, float(heard[0]), float(heard[-1])))
    return lines


def own_voice(fits: Fits) -> NDArray[np.bool_]:
    """(seconds,): which seconds are the own person's, not a neighbour's who is heard late, through the air.

    Beside the other recording, neighbours are softer than one's own voice.
    """
    if not len(fits):
        return np.zeros(0, dtype=np.bool_)
    number = max(min(LEAST, len(fits)), round(OWN_SHARE * len(fits)))
    own: NDArray[np.bool_] = fits.ratio >= np.sort(fits.ratio)[-number] - OWN_RATIO
    return own


Part = NDArray[np.int64]  # numbers of consecutive fits


def _runs(fits: Fits) -> list[Part]:
    """Parts between jumps that are greater than what the air can do."""
    steps = np.abs(np.diff(fits.offsets))
    jumps = steps > STEADY + CLOCK * np.diff(fits.times)
    return np.split(np.arange(len(fits)), np.flatnonzero(jumps) + 1)


def _certain(fits: Fits) -> bool:
    certain = fits.strength >= CERTAIN
    return any(np.count_nonzero(certain[run]) >= LEAST for run in _runs(fits))


def _told(part: Part, fits: Fits, own: NDArray[np.bool_]) -> Part:
    """The fits of a part that its line is drawn through: the own voice, or else the loudest that there is."""
    if own[part].any():
        return part[own[part]]
    loudest: Part = part[fits.ratio[part] >= fits.ratio[part].max() - OWN_RATIO]
    return loudest


def _offset(part: Part, fits: Fits, own: NDArray[np.bool_], drift: float) -> float:
    told = _told(part, fits, own)
    return float(np.median(fits.offsets[told] - drift * fits.heard[told]))


def _drift(parts: list[Part], fits: Fits, own: NDArray[np.bool_]) -> float:
    """The drift that all parts share, in seconds a second (least squares, by Huber's weights)."""
    told = [_told(part, fits, own) for part in parts if own[part].any()]
    heard = [fits.heard[some] for some in told]
    offsets = [fits.offsets[some] for some in told]
    weights = [np.ones(len(some)) for some in told]
    drift = 0.0
    for _ in range(ROUNDS):
        steepness, spread = 0.0, (LAG_ERROR / CLOCK_ERROR) ** 2
        for x, y, w in zip(heard, offsets, weights, strict=True):
            centred = x - np.average(x, weights=w)
            steepness += float(np.sum(w * centred * (y - np.average(y, weights=w))))
            spread += float(np.sum(w * centred**2))
        drift = steepness / spread
        left = [y - drift * x for x, y in zip(heard, offsets, strict=True)]
        weights = [
            np.minimum(1.0, LAG_ERROR / np.maximum(np.abs(each - np.median(each)), 1e-9)) for each in left
        ]
    return drift


def _straight(parts: list[Part], fits: Fits, own: NDArray[np.bool_]) -> tuple[list[Part], float]:
    """Parts, cut further until none of them lies off its line, and their drift: clocks lose milliseconds at once, too.

    What lies off for a while and then as before was a neighbour, and stays.
    """
    while True:
        drift = _drift(parts, fits, own)
        bends = [_bend(part, fits, own, drift) for part in parts]
        worst = max(range(len(parts)), key=lambda n: bends[n][0])
        if bends[worst][0] <= BEND:
            break
        cut = bends[worst][1]
        parts = [*parts[:worst], parts[worst][:cut], parts[worst][cut:], *parts[worst + 1 :]]
    for reach in (1, 2, 1):
        n = 0
        while n + reach < len(parts):
            offsets = [_offset(part, fits, own, drift) for part in parts[n : n + reach + 1]]
            if abs(offsets[0] - offsets[-1]) < BEND and abs(offsets[0] - offsets[1]) < STEADY:
                parts[n : n + reach + 1] = [np.concatenate(parts[n : n + reach + 1])]
            else:
                n += 1
    return parts, drift


def _bend(part: Part, fits: Fits, own: NDArray[np.bool_], drift: float) -> tuple[float, int]:
    """How far a part lies off its line, in seconds, and where it is best cut in two."""
    told = _told(part, fits, own)
    if len(told) < 2 * SMOOTHED:
        return 0.0, 0
    left = fits.offsets[told] - drift * fits.heard[told]
    smooth = median_filter(left, SMOOTHED, mode="mirror")
    sums, squares = np.cumsum(smooth), np.cumsum(smooth**2)
    counts = np.arange(1, len(smooth))
    before = squares[:-1] - sums[:-1] ** 2 / counts
    after = squares[-1] - squares[:-1] - (sums[-1] - sums[:-1]) ** 2 / (len(smooth) - counts)
    best = int((before + after).argmin())
    return float(np.abs(smooth - np.median(left)).max()), int(np.searchsorted(part, told[best + 1]))


def _heard_through(part: Part, fits: Fits) -> list[Part]:
    """A part without the stretches in which the person speaks, and nothing of it is heard in the other recording."""
    asked = np.searchsorted(fits.asked, fits.times[part])
    unheard = np.diff(asked) - 1
    return np.split(part, np.flatnonzero(unheard * EVERY / SAMPLE_RATE >= UNHEARD) + 1)
