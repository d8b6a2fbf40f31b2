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
from audio.tracks.correlation import Recording
from audio.tracks.edges import Heard, find_pieces
from audio.tracks.fits import find_fits
from audio.tracks.lines import find_lines
from audio.tracks.together import linked, shifted
from models.record.spans import Span, uncovered, union
from models.record.transcript import TrackPiece
from models.runtime.samples import SAMPLE_RATE, Samples, has_sound


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


def place_on_mix(track: Samples, mix: Samples) -> Placement:
    """Where a track is heard in a mix, which may be cut, processed, or have parts that no track has.

    track, mix: (samples,) int16, or float32 in -1 to 1, mono at SAMPLE_RATE. No pieces: nowhere.
    """
    heard = Heard(Recording(track), Recording(mix))
    fits = find_fits(heard.track, heard.mix)
    unheard = np.setdiff1d(fits.asked, fits.times)
    pieces = find_pieces(find_lines(fits), unheard, heard)
    return Placement(pieces, len(fits) / len(fits.asked)) if pieces else Placement()


def on_time_line(track: Samples, placement: Placement, count: int) -> NDArray[np.int16]:
    """(count,) int16 at SAMPLE_RATE: a track on the time line of the mix, zeros where no piece is."""
    return resampling.on_time_line(track, placement.pieces, count)


def place_together(tracks: Sequence[Samples]) -> list[Placement]:
    """Where each track belongs on a time line of their own, which begins with the earliest.

    tracks: (samples,) each, int16 or float32 in -1 to 1, mono at SAMPLE_RATE. How they lie is told by what each
    person's microphone hears of the others. Tracks that share no sound with others begin with the first one, and
    `matched` is 0, else 1; silent ones are nowhere.
    """
    recordings = {n: Recording(track) for n, track in enumerate(tracks) if has_sound(track)}
    found = dict(zip(recordings, linked(list(recordings.values())), strict=True))
    earliest = min((piece.start for pieces, _ in found.values() for piece in pieces), default=0.0)
    return [
        Placement(shifted(found[n][0], -earliest), float(found[n][1])) if n in found else Placement()
        for n in range(len(tracks))
    ]
