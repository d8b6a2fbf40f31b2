"""How tracks lie to each other where there is no mix: by what each person's microphone hears of the others.

A voice reaches the neighbour's microphone late, by as much as theirs reaches this one: the mean of what both voices
tell is right. Tracks that don't hear each other may both hear a third.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf

import numpy as np

from audio.tracks.correlation import Recording
from audio.tracks.edges import Heard, whole_pieces
from audio.tracks.fits import JUMP, Fits, chain, find_fits
from audio.tracks.lines import find_lines, own_voice
from models.record.transcript import TrackPiece

Pieces = tuple[TrackPiece, ...]

DISTANCE = 0.06  # seconds, most of the way there and back


def pieces_by_bleed(track: Recording, clock: Recording) -> Pieces:
    """The pieces of a track on the time line of another; none where they share no sound."""
    both = _meeting(find_fits(track, clock), _turned(find_fits(clock, track)))
    return whole_pieces(find_lines(both), Heard(track, clock, against=0.0))


def _turned(fits: Fits) -> Fits:
    """The same, told of the other recording."""
    return Fits(fits.heard, -fits.offsets, fits.strength, -fits.ratio, fits.heard)


def _meeting(there: Fits, back: Fits) -> Fits:
    """The own voices of both, brought together halfway."""
    there = there[own_voice(there)]
    back = back[own_voice(_turned(back))]
    if len(there) and len(back):
        nearest = np.abs(there.heard[:, None] - back.heard[None]).argmin(axis=1)
        ways = back.offsets[nearest] - there.offsets
        ways = ways[np.abs(ways) < DISTANCE]
        way = float(np.median(ways)) / 2 if len(ways) else 0.0
        there, back = (
            replace(fits, offsets=fits.offsets + late) for fits, late in ((there, way), (back, -way))
        )
    times, offsets, strength = (
        np.concatenate([getattr(there, name), getattr(back, name)])
        for name in ("times", "offsets", "strength")
    )
    order = np.argsort(times, kind="stable")
    order = order[chain(times[order], offsets[order], strength[order], JUMP)]
    return Fits(times[order], offsets[order], strength[order], np.zeros(len(order)), times[order])


def composed(pieces: Pieces, clock: Pieces) -> Pieces:
    """Pieces on the time line of a track that itself is in pieces on another; its clock goes on before and after it.

    >>> composed((TrackPiece(0, 9, offset=2),), (TrackPiece(1, 5, offset=-1), TrackPiece(6, 8, offset=0)))
    (TrackPiece(start=1.0, end=5, offset=1.0, drift_ppm=0.0), TrackPiece(start=6, end=9.0, offset=2.0, drift_ppm=0.0))
    """
    made = []
    for n, under in enumerate(clock):
        slow = 1 + under.drift_ppm * 1e-6
        first = under.start if n > 0 else -inf
        last = under.end if n < len(clock) - 1 else inf
        for piece in pieces:
            start = max(first, (piece.start - under.offset) / slow)
            end = min(last, (piece.end - under.offset) / slow)
            if end > start:
                drift = 1 + piece.drift_ppm * 1e-6
                offset = piece.offset + under.offset * drift
                made.append(TrackPiece(start, end, offset, (drift * slow - 1) * 1e6))
    return tuple(made)


def shifted(pieces: Pieces, seconds: float) -> Pieces:
    """The same pieces on a time line that began so many seconds earlier."""
    return tuple(
        TrackPiece(
            piece.start + seconds,
            piece.end + seconds,
            piece.offset - seconds * (1 + piece.drift_ppm * 1e-6),
            piece.drift_ppm,
        )
        for piece in pieces
    )


def linked(recordings: Sequence[Recording]) -> list[tuple[Pieces, bool]]:
    """The pieces of each recording on one time line, and whether it was found by what it shares with another.

    Those that share nothing with those before begin with the first.
    """
    found: list[tuple[Pieces, bool]] = [((), False)] * len(recordings)
    left = list(range(len(recordings)))
    while left:
        first = left.pop(0)
        found[first] = ((TrackPiece(0.0, recordings[first].seconds, 0.0),), False)
        clocks = [first]
        for clock in clocks:
            for n in list(left):
                pieces = composed(pieces_by_bleed(recordings[n], recordings[clock]), found[clock][0])
                if pieces:
                    found[n], found[first] = (pieces, True), (found[first][0], True)
                    clocks.append(n)
                    left.remove(n)
    return found
