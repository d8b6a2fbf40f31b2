"""A track on another clock's time line: its samples at times between them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from audio.tracks.correlation import Floats, stretch
from models.record.transcript import TrackPiece
from models.runtime.samples import FULL_SCALE, SAMPLE_RATE, Samples

BLOCK = 1 << 15  # samples that are made at once: some of them fit a processor's cache
TAPS = np.arange(
    -2, 4
)  # samples around one that lies between 0 and 1, for Lagrange's polynomials of degree 5


def on_time_line(track: Samples, pieces: Iterable[TrackPiece], count: int) -> NDArray[np.int16]:
    """(count,) int16 at SAMPLE_RATE: a track on the time line of the mix, zeros where no piece is.

    track: (samples,) int16, or float32 in -1 to 1, at SAMPLE_RATE. pieces: in order, apart from each other.
    """
    line = np.zeros(count, dtype=np.int16)
    for piece in pieces:
        first, last = (min(max(round(time * SAMPLE_RATE), 0), count) for time in (piece.start, piece.end))
        for start in range(first, last, BLOCK):
            end = min(start + BLOCK, last)
            samples = resampled(track, piece, start, end)
            line[start:end] = np.rint(np.clip(samples, -FULL_SCALE, FULL_SCALE - 1, out=samples))
    return line


def resampled(track: Samples, piece: TrackPiece, start: int, end: int) -> Floats:
    """Samples [start, end) of the mix's time line, on a piece's line, in 16-bit steps. (end - start,) float32."""
    step = 1 + piece.drift_ppm * 1e-6
    begin = piece.offset * SAMPLE_RATE + start * step
    if not piece.drift_ppm:
        first = round(begin)
        return stretch(track, first, first + end - start)
    out = np.empty(end - start, dtype=np.float32)
    at = 0
    while at < len(out):
        # As far as the same samples of the track lie around each sample of the line.
        position = begin + at * step
        whole = int(np.floor(position))
        slip = (whole + (step > 1) - position) / (step - 1) if step != 1 else len(out)
        stop = min(max(at + int(np.ceil(slip)), at + 1), len(out))
        between = (position - whole + np.arange(stop - at) * (step - 1)).astype(np.float32)
        around = stretch(track, whole + TAPS[0], whole + TAPS[-1] + stop - at)
        out[at:stop] = _interpolated(around, between)
        at = stop
    return out


def _interpolated(around: Floats, between: Floats) -> Floats:
    """(n,): samples `between` (n,), 0 to 1, after those at -TAPS[0] of `around`, (n + TAPS - 1,)."""
    count = len(between)
    made = np.zeros(count, dtype=np.float32)
    away = [between - np.float32(tap) for tap in TAPS]
    before = [np.ones(count, dtype=np.float32)]
    for each in away[:-1]:
        before.append(before[-1] * each)
    after = np.ones(count, dtype=np.float32)
    for n in range(len(TAPS) - 1, -1, -1):
        scale = np.prod([float(TAPS[n] - tap) for tap in TAPS if tap != TAPS[n]])
        weight = before[n] * after
        weight *= np.float32(1 / scale)
        weight *= around[n : n + count]
        made += weight
        after *= away[n]
    return made
