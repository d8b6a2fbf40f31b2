"""Which moment of another recording each second of a track fits: what a track's place is worked out from.

Only the track's own person tells it: seconds in which the track is loud. What the search by envelopes finds for some
seconds at once is narrowed down second by second, and of the places that fit the chain is taken that goes on as it
was, with as few jumps as there must be: nothing is heard before what was said before it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audio.tracks.correlation import (
    FRAME_RATE,
    HOP,
    LAG_RATE,
    SOUGHT,
    Envelopes,
    Index,
    Recording,
    halved,
    lags,
    summit,
)
from models.runtime.samples import SAMPLE_RATE, Samples

Times = NDArray[np.float64]

SOUGHT_EVERY = 4 * FRAME_RATE
SOUGHT_OWN = FRAME_RATE  # of these frames, those that must be the person's own
RESEMBLING = 0.3  # correlation of envelopes below which there is nothing to follow up

SECOND = SAMPLE_RATE  # samples that a lag is found for
EVERY = SAMPLE_RATE // 2
SECOND_OWN = 0.2  # of them, what must be the person's own
NEAR = 0.06  # seconds around a place that envelopes found
FAR = 4.0  # seconds around the place of its neighbours, for what may have been cut out between
SHORTENED = 0.3  # and as much for each second that they are away
FARTHEST = 12.0  # and no more than this
CLOSE = 3.0  # seconds away, beside which every second is tried at the same place; far off every other is
TURNS = 6  # in which what was found leads to more
APART = 320  # places between the two that are taken: 40 ms
AROUND = 20.0  # seconds of the track whose places are tried for a second
FITTING = 10.0  # standard deviations from which a place may be right
SURE = 40.0  # from which there is no doubt

STEADY = 0.03  # seconds that lags differ between who speaks: the air's, heard through the other's microphone
CLOCK = 300e-6  # seconds a second that clocks differ at most
JUMP = 0.35  # what a jump costs, in seconds that fit well
FARTHER = 0.1  # and as much for a jump of a second, of three, of seven and so on
REMEMBERED = 1000  # seconds that fit somewhere, after which a jump's start is forgotten


@dataclass(frozen=True, slots=True, eq=False)
class Fits:
    """Seconds of a track and where they fit, in order of time; all (seconds,).

    times: their middles, in seconds of the track; offsets: what is to be taken from that for the other's time;
    strength: 0 to 1; ratio: how loud the track is there beside the other, in dB. asked: the middles of all seconds
    that hold the person's own sound.
    """

    times: Times
    offsets: Times
    strength: Times
    ratio: Times
    asked: Times

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.int64] | slice) -> Fits:
        return Fits(
            self.times[chosen], self.offsets[chosen], self.strength[chosen], self.ratio[chosen], self.asked
        )

    @property
    def heard(self) -> Times:
        """When the other recording has them."""
        return self.times - self.offsets


NONE = np.zeros(0)


def find_fits(track: Recording, other: Recording) -> Fits:
    """The seconds of a track that are heard in another recording, by the likeliest chain."""
    own = track.envelopes.level > track.own_level
    anchors = _anchors(track.envelopes, own, other.index)
    starts = _starts(own, len(track.samples))
    middles = (starts + SECOND / 2) / SAMPLE_RATE
    nodes = np.zeros((0, 4))
    searched: set[tuple[int, float, float]] = set()
    fits = Fits(NONE, NONE, NONE, NONE, middles)
    for turn in range(TURNS if len(anchors) else 0):
        wanted = [
            (int(start), *around)
            for start, middle in zip(starts, middles, strict=True)
            if turn == 0 or middle not in fits.times
            for around in (
                _near(middle, anchors) if turn == 0 else _between(middle, fits, far=start % (2 * EVERY) == 0)
            )
        ]
        new = [search for search in wanted if search not in searched]
        searched.update(new)
        found = [place for search in new for place in _places(track.samples, other.samples, *search)]
        if not found:
            break
        nodes = np.concatenate([nodes, found])
        nodes = nodes[np.argsort(nodes[:, 0], kind="stable")]
        times, offsets, deviations, ratio = nodes.T
        strength = np.clip((deviations - FITTING) / (SURE - FITTING), 0.0, 1.0)
        chosen = chain(times, offsets, strength, JUMP)
        fits = Fits(times[chosen], offsets[chosen], strength[chosen], ratio[chosen], middles)
    return fits


def _near(middle: float, anchors: Times) -> list[tuple[float, float]]:
    """The (offset, reach) around which a second is looked for: what envelopes found for what is around it."""
    first, last = np.searchsorted(anchors[:, 0], [middle - AROUND, middle + AROUND])
    kept: list[float] = []
    for offset in np.sort(anchors[max(first - 1, 0) : last + 1, 1]):
        if not kept or offset - kept[-1] > NEAR:
            kept.append(float(offset))
    return [(offset, NEAR) for offset in kept]


def _between(middle: float, fits: Fits, *, far: bool) -> list[tuple[float, float]]:
    """The same for a second that fits nowhere yet: from where the one before fits to where the one after does."""
    after = int(np.searchsorted(fits.times, middle))
    beside = [n for n in (after - 1, after) if 0 <= n < len(fits)]
    if not far:
        close = [n for n in beside if abs(fits.times[n] - middle) < CLOSE]
        return [(round(float(fits.offsets[n]), 2), NEAR) for n in close]
    ranges = []
    for n in beside:
        reach = FAR + SHORTENED * abs(float(fits.times[n]) - middle)
        ranges.append((float(fits.offsets[n]), min(reach, FARTHEST)))
    if len(ranges) == 2:
        low = min(offset - reach for offset, reach in ranges)
        high = max(offset + reach for offset, reach in ranges)
        if high - low <= 2 * FARTHEST:
            return [(round((low + high) / 2, 1), round((high - low) / 2, 1))]
    return [(round(offset, 1), round(reach, 1)) for offset, reach in ranges]


def _anchors(track: Envelopes, own: NDArray[np.bool_], index: Index) -> Times:
    """(anchors, 2): middles of windows in the track's seconds, and the offsets that envelopes find for them."""
    padded = np.pad(own, (0, SOUGHT))
    windows = np.arange(0, len(own), SOUGHT_EVERY)
    masks = padded[windows[:, None] + np.arange(SOUGHT)]
    windows, masks = windows[masks.sum(axis=1) >= SOUGHT_OWN], masks[masks.sum(axis=1) >= SOUGHT_OWN]
    bands = np.pad(track.bands, ((0, SOUGHT), (0, 0)))
    nodes: list[tuple[float, float, float]] = []
    for first in range(0, len(windows), 32):
        some = windows[first : first + 32]
        weights = masks[first : first + 32].astype(np.float32)
        found = index.search(bands[some[:, None] + np.arange(SOUGHT)], weights, RESEMBLING)
        for window, (places, scores) in zip(some, found, strict=True):
            middle = (window + SOUGHT / 2) / FRAME_RATE
            nodes += [
                (middle, (window - place) / FRAME_RATE, score)
                for place, score in zip(places, scores, strict=True)
            ]
    if not nodes:
        return np.zeros((0, 2))
    times, offsets, scores = np.array(nodes).T
    chosen = chain(times, offsets, (scores - RESEMBLING) / (1 - RESEMBLING), JUMP)
    return np.stack([times[chosen], offsets[chosen]], axis=1)


def chain(times: Times, offsets: Times, scores: Times, jump: float) -> NDArray[np.int64]:
    """The best of all chains of places (Viterbi), as their numbers in order.

    times: (places,) in order, several at a time being alternatives; scores: (places,) of each; jump: what it costs
    where the offset doesn't go on as it was. Other than by a jump back in the track, the other recording's time
    never goes back.
    """
    best = np.array(scores, dtype=np.float64)
    before = np.full(len(times), -1)
    heard = times - offsets
    for n in range(1, len(times)):
        first = max(0, n - REMEMBERED)
        past = times[n] - times[first:n]
        moved = np.abs(offsets[n] - offsets[first:n])
        cost = np.where(moved <= STEADY + CLOCK * past, 0.2 * moved, jump + FARTHER * np.log2(1 + moved))
        gained = np.where((past > 0) & (heard[first:n] < heard[n]), best[first:n] - cost, -np.inf)
        choice = int(gained.argmax())
        if gained[choice] > 0:
            best[n] += gained[choice]
            before[n] = first + choice
    chosen = [int(best.argmax())] if len(best) else []
    while chosen and before[chosen[-1]] >= 0:
        chosen.append(int(before[chosen[-1]]))
    return np.array(chosen[::-1], dtype=np.int64)


def _starts(own: NDArray[np.bool_], samples: int) -> NDArray[np.int64]:
    """The first samples of the seconds that hold enough of the person's own sound."""
    counts = np.concatenate([[0], np.cumsum(own)])
    starts = np.arange(0, max(samples - SECOND, 0) + 1, EVERY)
    frames = np.minimum(starts // HOP, len(own))
    share = (counts[np.minimum(frames + SECOND // HOP, len(own))] - counts[frames]) / (SECOND / HOP)
    enough: NDArray[np.int64] = starts[share >= SECOND_OWN]
    return enough


def _places(
    track: Samples, other: Samples, start: int, offset: float, reach: float
) -> list[tuple[float, float, float, float]]:
    """(middle, offset, deviations, ratio) of the two best places of a second within `reach` seconds of an offset."""
    sought = halved(track, start, LAG_RATE)
    begin = start - round((offset + reach) * SAMPLE_RATE)
    around = halved(other, begin, LAG_RATE + round(2 * reach * LAG_RATE))
    fitting = lags(sought, around)
    found = []
    for _ in range(2):
        place = int(fitting.argmax())
        if fitting[place] < FITTING:
            break
        there = around[place : place + LAG_RATE]
        ratio = 10 * np.log10((sought @ sought + 1) / (there @ there + 1))
        at = (start - begin) / SAMPLE_RATE - summit(fitting, place) / LAG_RATE
        found.append(((start + SECOND / 2) / SAMPLE_RATE, at, float(fitting[place]), float(ratio)))
        fitting[max(place - APART, 0) : place + APART] = 0
    return found
