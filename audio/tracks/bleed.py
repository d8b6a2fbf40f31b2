"""Whose sound a track holds at each moment: its own person's, or that of a neighbour who is loud in it.

A voice arrives at every microphone of a room at levels that stand in a fixed relation: its pattern. Each person's own
microphone has, of all patterns, the one in which it is the loudest for its gain. From the patterns follows how much of
each track is the others' bleed, and what exceeds that, and the noise, is its own person's. Two people at once stay
two: each exceeds what the other explains. A track that is explained throughout by others has nobody of its own.

Levels are those of the files, unchanged; gains of microphones may differ. Tracks lie on one time line to within some
tens of milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.fft import irfft, rfft
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from models.record.spans import Span, union
from models.runtime.samples import SAMPLE_RATE, Samples, as_float

FRAME = SAMPLE_RATE // 100  # samples of 10 ms
FRAMES_PER_SECOND = SAMPLE_RATE // FRAME
EMPHASIS = 0.6  # of the sample before, taken off: rumble isn't speech, hisses are
SILENCE = -100.0  # dB of full scale that stands for none
BLOCK_FRAMES = 60_000  # ten minutes, whose levels are measured at once

NOISE_SECONDS = 60  # in which the noise of a track is looked for ...
NOISE_PERCENTILE = 5  # ... as the level that this share of it stays under
LEAST_NOISE = -85.0  # dB of full scale: what a gate has silenced is no better than that

STEP = 10  # frames from one look at levels to the next
STEADY = 31  # frames over which levels are averaged before patterns are told from them: a syllable or two
LOUD = 15.0  # dB above its noise that a track has to be for a frame to tell a pattern
LOUDEST_PERCENTILE = 95  # of a track's levels: its gain, where nothing better is known
SAME_PATTERN = 4.0  # dB: two patterns that differ less everywhere are of one person
LEAST_SECONDS = 1.0  # of a pattern that are worth one
LOUDEST_BLEED = (
    85  # percentile of a person's levels in another track: what rides gains, or walks about, varies them
)
COMPARED_STEPS = 10  # a second, of which one says whether a track has anything of another's sound
COMPARED_SHARE = 0.8  # of it in which the other's person is the loudest
COMPARED_WINDOWS = 40  # of these seconds, at most
HEARD = 0.15  # mean correlation of what a microphone hears of a neighbour
ROUNDS = 6  # of telling patterns from frames and frames from patterns

REACH = 5  # frames within which bleed arrives, a way of 17 m or a placement that is a little off included
DECAY = 1.2  # dB a frame by which a room's echo falls: 60 dB in half a second
OVER_NOISE = 1.3  # times the power of the noise, which is explained, too
BEGINS = 5.0  # dB above what others and noise explain that somebody's own sound reaches somewhere ...
GOES_ON = 1.0  # ... and stays above
SPEECH_RANGE = 40.0  # dB from the loudest to the softest sound of one voice ...
LOUDEST_FRAMES = 601  # ... in 3 s to both sides
PAUSE = 0.3  # seconds; what lies between two sounds that are less apart is one with them
LEAST_SOUND = 0.1  # seconds of sound that may be somebody's

Levels = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Bleed:
    """How loud each person is in each track.

    `gains`: (tracks, tracks) dB, [j, i] the level in track i of the person of track j over that in j, where it is
    loud. `speaking`: (tracks,) False for a track that holds nobody of its own.
    """

    gains: Levels
    speaking: NDArray[np.bool_]


def sound_levels(samples: Samples) -> Levels:
    """(frames,) dB of full scale of each 10 ms. samples: (samples,) mono at 16 kHz."""
    count = len(samples) // FRAME
    levels = np.empty(count, dtype=np.float32)
    for first in range(0, count, BLOCK_FRAMES):
        last = min(count, first + BLOCK_FRAMES)
        block = as_float(samples[max(0, first * FRAME - 1) : last * FRAME])
        if first == 0:
            block = np.concatenate((block[:1], block))
        sharp = block[1:] - np.float32(EMPHASIS) * block[:-1]
        power = np.square(sharp).reshape(-1, FRAME).mean(axis=1)
        levels[first:last] = _decibels(power)
    return levels


def noise_levels(levels: Levels) -> Levels:
    """(tracks, frames) the level of what always sounds on each track, minute by minute."""
    size = min(NOISE_SECONDS * FRAMES_PER_SECOND, levels.shape[1])
    starts = np.arange(0, levels.shape[1] - size + 1, size)
    found = np.stack(
        [np.percentile(levels[:, s : s + size], NOISE_PERCENTILE, axis=1) for s in starts], axis=1
    )
    frames = np.arange(levels.shape[1])
    noise = np.stack([np.interp(frames, starts + size / 2, own) for own in found])
    found_noise: Levels = np.maximum(noise, LEAST_NOISE).astype(np.float32)
    return found_noise


def measure_bleed(rows: Sequence[Samples], levels: Levels, noise: Levels) -> Bleed:
    """The patterns of all who speak. rows: (samples,) of each track; levels, noise: (tracks, frames)."""
    tracks = len(levels)
    power = 10 ** (levels / 10)
    steady = _decibels(uniform_filter1d(power, STEADY, axis=1))
    steady = np.maximum(steady, noise)[:, ::STEP]
    quiet = noise[:, ::STEP]
    loud = (steady > quiet + LOUD).any(axis=0)
    steady, quiet = steady[:, loud], quiet[:, loud]
    gains = np.full((tracks, tracks), -np.inf, dtype=np.float32)
    np.fill_diagonal(gains, 0.0)
    least = LEAST_SECONDS * FRAMES_PER_SECOND / STEP
    if steady.shape[1] < least:
        return Bleed(gains, np.zeros(tracks, dtype=bool))
    loudest = np.percentile(steady, LOUDEST_PERCENTILE, axis=1)
    clearness = loudest - np.median(quiet, axis=1)
    owner = (steady - loudest[:, None]).argmax(axis=0)
    hears = np.eye(tracks, dtype=bool)
    for j in set(owner.tolist()):
        hears[j] = _hears(rows, j, np.flatnonzero(loud)[owner == j])
    patterns: dict[int, Levels] = {}
    for _ in range(ROUNDS):
        patterns = {
            j: np.median(steady[:, owner == j] - steady[j, owner == j], axis=1)
            for j in range(tracks)
            if (owner == j).sum() >= least
        }
        patterns = _told_apart(patterns, clearness, hears | hears.T)
        if not patterns:
            break
        own = list(patterns)
        shapes = np.stack([_shape(patterns[j][:, None]) for j in own])
        distances = np.abs(_shape(steady)[None] - shapes).mean(axis=1)
        owner = np.array(own)[distances.argmin(axis=0)]
    for j in patterns:
        relative = steady[:, owner == j] - steady[j, owner == j]
        gains[j] = np.where(hears[j], np.percentile(relative, LOUDEST_BLEED, axis=1), -np.inf)
    speaking = np.isin(np.arange(tracks), list(patterns))
    return Bleed(gains, speaking)


def _hears(rows: Sequence[Samples], j: int, steps: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(tracks,) whether each has anything of the sound of track j, that comes as late throughout.

    steps: those of STEP frames in which the person of j is the loudest.
    """
    size = COMPARED_STEPS * STEP * FRAME
    windows, counts = np.unique(steps // COMPARED_STEPS, return_counts=True)
    full = windows[counts >= min(COMPARED_SHARE * COMPARED_STEPS, counts.max())]
    chosen = full[np.linspace(0, len(full) - 1, min(len(full), COMPARED_WINDOWS)).astype(int)]
    likeness = np.zeros((len(rows), 2 * REACH * FRAME))
    for start in chosen * size:
        pieces = np.stack([_sharpened(row[start : start + size], size) for row in rows])
        spectra = rfft(pieces, 2 * size, axis=1)
        products = irfft(spectra * spectra[j].conj(), axis=1)
        scale = np.linalg.norm(pieces, axis=1) * np.linalg.norm(pieces[j])
        near = np.concatenate((products[:, -REACH * FRAME :], products[:, : REACH * FRAME]), axis=1)
        likeness += near / np.maximum(scale, np.finfo(np.float32).tiny)[:, None]
    heard: NDArray[np.bool_] = np.abs(likeness).max(axis=1) >= HEARD * len(chosen)
    return heard


def _sharpened(samples: Samples, size: int) -> Levels:
    """(size,) of samples as levels are taken of them, zeros after their end."""
    piece = np.pad(as_float(samples), (0, size - len(samples)))
    piece[1:] -= np.float32(EMPHASIS) * piece[:-1]
    return piece


def _told_apart(
    patterns: dict[int, Levels], clearness: Levels, related: NDArray[np.bool_]
) -> dict[int, Levels]:
    """Patterns without those that equal another, whose track has more of the same sound.

    related: (tracks, tracks) True where one hears something of the other.
    """
    kept: dict[int, Levels] = {}
    for j in sorted(patterns, key=lambda j: -clearness[j]):
        shape = _shape(patterns[j])
        if all(
            not related[j, k] or np.abs(shape - _shape(other)).max() >= SAME_PATTERN
            for k, other in kept.items()
        ):
            kept[j] = patterns[j]
    return dict(sorted(kept.items()))


def _shape(levels: Levels) -> Levels:
    """Levels in all tracks (tracks, ...) less their mean: the same however loud somebody talks."""
    shape: Levels = levels - levels.mean(axis=0)
    return shape


def own_excess(levels: Levels, noise: Levels, bleed: Bleed) -> Levels:
    """(tracks, frames) dB by which each track exceeds what others' bleed and its noise explain."""
    power = 10 ** (levels / 10)
    into = 10 ** (bleed.gains.T / 10) * bleed.speaking  # [i, j]: of the person of j into track i
    np.fill_diagonal(into, 0.0)
    own = power.copy()
    for _ in range(ROUNDS):  # what is heard of me in others' tracks isn't theirs
        own = (own + np.maximum(power - into @ _lasting(own), 0.0)) / 2
    floor = 10 ** (noise / 10) * OVER_NOISE
    excess: Levels = levels - _decibels(into @ _lasting(own) + floor)
    excess[~bleed.speaking] = np.minimum(excess[~bleed.speaking], 0.0)
    return excess


def _lasting(power: Levels) -> Levels:
    """(tracks, frames) how loud a sound can be in another track: late, and with its echo."""
    near = maximum_filter1d(power, REACH, axis=1)
    slope = DECAY * np.arange(power.shape[1], dtype=np.float64)
    lasting: Levels = (10 ** ((np.maximum.accumulate(_decibels(near) + slope, axis=1) - slope) / 10)).astype(
        np.float32
    )
    return lasting


def own_sounds(levels: Levels, noise: Levels, excess: Levels) -> list[Span]:
    """Where one track holds sound of its own person, in order. levels, noise, excess: (frames,) of that track."""
    heard = np.zeros(len(levels), dtype=bool)
    for first, end in _runs(excess > GOES_ON):
        heard[first:end] = excess[first:end].max() >= BEGINS
    if not heard.any():
        return []
    loudest = maximum_filter1d(np.where(heard, levels, SILENCE), LOUDEST_FRAMES)
    heard &= levels > loudest - SPEECH_RANGE
    spans = (Span(first / FRAMES_PER_SECOND, end / FRAMES_PER_SECOND) for first, end in _runs(heard))
    return [span for span in union(spans, PAUSE) if span.duration >= LEAST_SOUND]


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First index and end of each run of True."""
    edges = np.flatnonzero(np.diff(np.pad(flags.astype(np.int8), 1)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _decibels(power: Levels) -> Levels:
    decibels: Levels = 10 * np.log10(np.maximum(power, 10 ** (SILENCE / 10)))
    return decibels
