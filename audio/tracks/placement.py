"""Where each person's own track belongs on the time line of the published mix.

Recorders start at different times, their clocks differ by some ten millionths, some lose a second on the way; and a mix
may be edited: an intro put in front, minutes cut out, silences made short. So a track has pieces, each with its own
offset, in the order in which both tell it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audio.tracks import resampling
from audio.tracks.correlation import Index, envelopes
from audio.tracks.edges import Heard, find_pieces
from audio.tracks.fits import SOUGHT, find_fits
from audio.tracks.lines import find_lines
from models.record.spans import Span, uncovered, union
from models.record.transcript import TrackPiece
from models.runtime.samples import SAMPLE_RATE, Samples

OWN_RATIO = 3.0  # dB below the loudest that a track gets beside the mix, where it is its own person's voice
LEAST = 3  # seconds of own sound that must fit before a track has a place


@dataclass(frozen=True, slots=True)
class Placement:
    """Where in the mix a track is heard.

    pieces: in order of the mix, which is also that of the track; matched: the share, 0 to 1, of the seconds with the
    person's own sound that were found where the pieces say.
    """

    pieces: tuple[TrackPiece, ...] = ()
    matched: float = 0.0

    @property
    def nowhere(self) -> bool:
        """Whether nothing of the track is heard in the mix."""
        return not self.pieces

    def missing(self, seconds: float) -> list[Span]:
        """The parts of a track of so many seconds, in its own time, that aren't in the mix."""
        covered = (
            Span(track_time(piece, piece.start), track_time(piece, piece.end)) for piece in self.pieces
        )
        return uncovered(Span(0.0, seconds), union(covered, gap=1 / SAMPLE_RATE))


def track_time(piece: TrackPiece, mix_time: float) -> float:
    """When, in seconds of the track, a moment of the mix is heard.

    >>> track_time(TrackPiece(0, 100, offset=2, drift_ppm=100), 50)
    52.005
    """
    return piece.offset + mix_time * (1 + piece.drift_ppm * 1e-6)


def mix_time(piece: TrackPiece, track_time: float) -> float:
    """When, in seconds of the mix, a moment of the track is heard.

    >>> mix_time(TrackPiece(0, 100, offset=2, drift_ppm=100), 52.005)
    50.0
    """
    return (track_time - piece.offset) / (1 + piece.drift_ppm * 1e-6)


def place_on_mix(track: Samples, mix: Samples) -> Placement:
    """Where a track is heard in a mix, which may be cut, processed, or have parts that no track has.

    track, mix: (samples,) int16, or float32 in -1 to 1, mono at SAMPLE_RATE. No pieces: nowhere.
    """
    heard = Heard(track, envelopes(track), mix)
    fits = find_fits(track, mix, heard.envelopes, Index(envelopes(mix), SOUGHT))
    if fits.strength.sum() < LEAST:
        return Placement()
    unheard = np.setdiff1d(fits.asked, fits.times)
    return Placement(find_pieces(find_lines(fits), unheard, heard), len(fits) / len(fits.asked))


def on_time_line(track: Samples, placement: Placement, count: int) -> NDArray[np.int16]:
    """(count,) int16 at SAMPLE_RATE: a track on the time line of the mix, zeros where no piece is."""
    return resampling.on_time_line(track, placement.pieces, count)


def place_together(tracks: Sequence[Samples]) -> list[Placement]:
    """Where each track belongs on a time line of their own, which begins with the earliest.

    tracks: (samples,) each, int16 or float32. What one person's voice says in another's track tells how they lie; the
    way through the air delays it, and in the other direction as much, so that both directions' mean is right. Tracks
    that share no sound begin together.
    """
    offsets = [0.0] * len(tracks)
    for n in range(1, len(tracks)):
        there = place_on_mix(tracks[n], tracks[0])
        back = place_on_mix(tracks[0], tracks[n])
        told = [piece.offset for piece in there.pieces] + [-piece.offset for piece in back.pieces]
        offsets[n] = float(np.mean(told)) if told else 0.0
    earliest = max(offsets)
    return [
        Placement(
            (TrackPiece(earliest - offset, earliest - offset + len(track) / SAMPLE_RATE, offset - earliest),),
            1.0,
        )
        for offset, track in zip(offsets, tracks, strict=True)
    ]
