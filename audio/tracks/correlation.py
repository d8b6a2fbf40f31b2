"""Where a stretch of one recording is heard in another: roughly by envelopes, then to a fraction of a sample.

Envelopes of a few bands tell where, anywhere in hours of sound and whatever was done to it, for little work; the
generalised cross-correlation with phase transform (Knapp and Carter 1976) then tells when, within some seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.ndimage import uniform_filter1d

from models.runtime.samples import FULL_SCALE, SAMPLE_RATE, Samples

Floats = NDArray[np.float32]

FRAME_RATE = 50  # envelope frames a second
HOP = SAMPLE_RATE // FRAME_RATE
WINDOW = 512  # samples that an envelope frame hears
EDGES = (150, 300, 450, 650, 900, 1250, 1700, 2400, 3600)  # Hz, of the bands
TREND = FRAME_RATE  # frames over which a band's slow changes are taken out: a second
OWN = 20.0  # dB below its loud frames at which a track still holds its own person
STILL = 10.0  # dB of one 16-bit step: softer is dither
SOUGHT = 8 * FRAME_RATE  # frames that are sought at once
PLACES = 24  # that are followed up at most: things are said twice, jingles are played again
STIR = 0.1  # of a window's own power, below which there is too little for a comparison
BLOCK = 60 * SAMPLE_RATE  # samples whose envelopes are made at once


@dataclass(frozen=True, slots=True, eq=False)
class Envelopes:
    """How the bands of a recording rise and fall.

    bands: (frames, bands) log energy without its slow changes, so that neither filters nor faders count; level:
    (frames,) energy in dB of one 16-bit step. Frame n is centred on the middle of the n-th HOP samples.
    """

    bands: Floats
    level: Floats


def envelopes(samples: Samples) -> Envelopes:
    """The envelopes of a recording of any length. samples: (samples,) int16, or float32 in -1 to 1."""
    energies = [_energies(samples, first) for first in range(0, len(samples), BLOCK)]
    energy = np.concatenate(energies) if energies else np.zeros((0, len(EDGES) - 1), dtype=np.float32)
    logs = np.log(energy + 1)
    if len(logs):
        logs -= uniform_filter1d(logs, TREND, axis=0, mode="nearest")
    level = 10 * np.log10(energy.sum(axis=1) + 1)
    return Envelopes(logs, level.astype(np.float32))


def _energies(samples: Samples, first: int) -> Floats:
    """(frames, bands) energy of a block, in squares of one 16-bit step a sample."""
    count = -(-min(BLOCK, len(samples) - first) // HOP)
    reach = (WINDOW - HOP) // 2
    block = stretch(samples, first - reach, first + count * HOP + reach)
    frames = np.lib.stride_tricks.sliding_window_view(block, WINDOW)[::HOP]
    window = np.hanning(WINDOW).astype(np.float32)
    power = np.abs(rfft(frames * window, axis=1)) ** 2
    edges = np.searchsorted(np.arange(power.shape[1]) * SAMPLE_RATE / WINDOW, EDGES)
    energy: Floats = np.add.reduceat(power, edges, axis=1)[:, :-1] * np.float32(
        2 / WINDOW / np.sum(window**2)
    )
    return energy


def stretch(samples: Samples, start: int, end: int) -> Floats:
    """Samples [start, end) of a recording, zeros where it has none, in 16-bit steps. (end - start,) float32."""
    piece = np.zeros(end - start, dtype=np.float32)
    inside = samples[max(start, 0) : max(end, 0)]
    piece[max(-start, 0) : max(-start, 0) + len(inside)] = inside
    if samples.dtype != np.int16:
        piece *= FULL_SCALE
    return piece


class Index:
    """A recording made ready to be searched for others' envelopes, block for block.

    The score of a place is the correlation, -1 to 1, of all bands over the frames that count.
    """

    def __init__(self, other: Envelopes, frames: int) -> None:
        """frames: how long the envelopes are that will be sought."""
        self.frames = frames
        self._size = next_fast_len(4 * frames, real=True)
        self._valid = self._size - frames + 1
        count = len(other.bands) + frames  # places from -frames on, so that half a window may stand out
        self._blocks = max(1, -(-count // self._valid))
        padded = np.zeros((self._blocks * self._valid + frames, other.bands.shape[1] + 1), dtype=np.float32)
        padded[frames : frames + len(other.bands), :-1] = other.bands
        padded[:, -1] = np.einsum("fb,fb->f", padded[:, :-1], padded[:, :-1])
        views = np.lib.stride_tricks.sliding_window_view(
            np.pad(padded, ((0, self._size), (0, 0))), self._size, axis=0
        )[:: self._valid][: self._blocks]
        # (frequencies, blocks, bands), for products of matrices
        self._spectra = np.ascontiguousarray(rfft(views, axis=2).transpose(2, 0, 1))

    def search(self, bands: Floats, weights: Floats, least: float) -> list[tuple[NDArray[np.int64], Floats]]:
        """The best places of each of some windows, as frames of this recording, and their scores above `least`.

        bands: (windows, frames, bands); weights: (windows, frames), how much each frame counts.
        """
        weighed = bands * weights[:, :, None]
        sought = rfft(weighed, self._size, axis=1).conj()  # (windows, frequencies, bands)
        sums = self._spectra[:, :, :-1] @ sought.transpose(1, 2, 0)  # (frequencies, blocks, windows)
        masks = rfft(weights, self._size, axis=1).conj()
        powers = self._spectra[:, :, -1:] * masks.T[:, None, :]
        scores = self._on_line(sums)
        here = np.einsum("wfb,wfb->w", weighed, bands)[:, None]
        # A place where the other recording is all but still would fit anything.
        scores /= np.sqrt(np.maximum(self._on_line(powers), STIR * here) * np.maximum(here, STIR))
        return [self._summits(line, least) for line in scores]

    def _summits(self, scores: Floats, least: float) -> tuple[NDArray[np.int64], Floats]:
        """The PLACES highest of the local maxima above `least`."""
        inner = scores[1:-1]
        places = np.flatnonzero((inner > least) & (inner >= scores[:-2]) & (inner > scores[2:])) + 1
        if len(places) > PLACES:
            places = np.sort(places[np.argpartition(scores[places], -PLACES)[-PLACES:]])
        return places - self.frames, scores[places]

    def _on_line(self, spectra: NDArray[np.complex64]) -> Floats:
        """(windows, places) of (frequencies, blocks, windows)."""
        lines: Floats = irfft(spectra.transpose(2, 1, 0), self._size, axis=2)[:, :, : self._valid]
        return lines.reshape(len(lines), -1)


class Recording:
    """Samples, (samples,) int16 or float32 in -1 to 1, mono at SAMPLE_RATE, with what they are compared by."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples
        self.envelopes = envelopes(samples)

    @cached_property
    def index(self) -> Index:
        """Of windows of SOUGHT frames."""
        return Index(self.envelopes, SOUGHT)

    @cached_property
    def own_level(self) -> float:
        """The level in dB from which a track holds its own person, if it is one: OWN below half of its energy."""
        ordered = np.sort(self.envelopes.level)
        energy = np.cumsum(10.0 ** (ordered / 10))
        half = ordered[np.searchsorted(energy, energy[-1] / 2)] if len(ordered) else 0.0
        return max(float(half) - OWN, STILL)

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return len(self.samples) / SAMPLE_RATE


LAG_RATE = SAMPLE_RATE // 2  # Hz, of the samples that lags are found with
WHITENING = 0.7  # of 1, the phase transform: with less loud frequencies count a little more, and noise less
BAND = (100, 3600)  # Hz that lags are found in: telephones and small files have little above


def halved(samples: Samples, start: int, count: int) -> Floats:
    """(count,) samples at LAG_RATE of a recording from one of its samples on, the high frequencies raised."""
    piece = stretch(samples, start, start + 2 * count + 4)
    smooth = piece[0:-3:2] + piece[3::2]
    smooth += 3 * (piece[1:-2:2] + piece[2:-1:2])
    return np.diff(smooth[: count + 1])


def lags(sought: Floats, other: Floats) -> Floats:
    """How well a stretch fits at each place of a longer one, in standard deviations of what chance gives.

    sought: (n,), other: (m,) with m >= n, both at LAG_RATE. (m - n + 1,): by the sample to start at.
    """
    size = next_fast_len(len(other), real=True)
    cross = rfft(other, size)
    cross *= rfft(sought, size).conj()
    fitting: Floats = irfft(whitened(cross, size)[0], size)
    deviation = float(np.sqrt(np.mean(np.square(fitting))))
    return fitting[: len(other) - len(sought) + 1] / (deviation or 1.0)


def whitened(cross: NDArray[np.complex64], size: int) -> tuple[NDArray[np.complex64], Floats]:
    """A cross spectrum in whose BAND loud frequencies count little more than others, and the most it may sum up to.

    cross: (..., frequencies) of `size` samples at LAG_RATE, changed in place. The sum, (...,), is what its inverse
    is at the lag of a perfect fit.
    """
    low, high = (round(edge * size / LAG_RATE) for edge in BAND)
    cross[..., :low], cross[..., high:] = 0, 0
    magnitude = np.maximum(np.abs(cross), np.finfo(np.float32).tiny)
    cross /= magnitude**WHITENING
    most: Floats = np.sum(magnitude[..., low:high] ** (1 - WHITENING), axis=-1) * np.float32(2 / size)
    return cross, most


def summit(fitting: Floats, place: int) -> float:
    """Where between its places a curve is highest, next to a place that is higher than its neighbours (parabola)."""
    if not 0 < place < len(fitting) - 1:
        return float(place)
    before, here, after = (float(value) for value in fitting[place - 1 : place + 2])
    bend = before - 2 * here + after
    return place + (0.5 * (before - after) / bend if bend < 0 else 0.0)
