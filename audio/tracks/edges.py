"""The moments at which the pieces of a track begin and end: frame for frame, which line is heard in the mix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.ndimage import maximum_filter1d

from audio.tracks.correlation import LAG_RATE, STILL, Floats, Recording, halved, whitened
from audio.tracks.fits import Times
from audio.tracks.lines import Line
from models.record.transcript import TrackPiece
from models.runtime.samples import SAMPLE_RATE

FRAME = SAMPLE_RATE // 50  # samples between two frames
LENGTH = LAG_RATE // 8  # samples at LAG_RATE that a frame hears
LATE = LAG_RATE // 40  # of them, by which what is heard of others may come later or earlier
ALIKE = 0.22  # coherence, 0 to 1, between what is the same sound and what isn't
FADING = 5.0  # dB over which frames, louder than others' sound in a track, gain weight
MARGIN = 0.6  # seconds before the end of what was seen to fit, or after its beginning, from which its edges are sought
LONG = 3.0  # seconds over which what fits by chance doesn't
WITHIN = 0.25  # seconds around the middle of a second that fits
ENOUGH = 4  # seconds that fit nowhere, behind which a piece doesn't go on
BREATH = 1.0  # seconds between pieces of one line that are none
GRACE = (
    2.0  # of evidence, a fifth of a second's, against the rest of the track's being heard, that is let pass
)
JOINED = 0.5  # of evidence against there being nothing unheard between two lines, that is let pass
TIE = 1e-6  # of evidence, by which nothing is decided
FAINT = 0.3  # of a loud frame's weight
BESIDE = 50  # frames from a loud one in which faint ones count
BATCH = 256  # frames at once


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """A track, and the recording in which it is heard.

    against: how much loud frames that aren't heard speak against a line: 0 where nobody says that the other has them.
    """

    track: Recording
    mix: Recording
    against: float = 1.0

    def evidence(self, line: Line, first: int, last: int) -> Floats:
        """For each of the mix's frames [first, last) how much a track on a line is heard: 0 where it is still.

        Loud frames that aren't heard speak against the line; faint ones beside them, as words begin and end, don't.
        """
        loud, faint = self._weights(line, first, last)
        found = np.zeros(last - first, dtype=np.float32)
        asked = (loud > 0) | faint
        for begin in range(0, last - first, BATCH):
            some = begin + np.flatnonzero(asked[begin : begin + BATCH])
            if len(some):
                surplus = self._alike(line, first + some) - ALIKE
                surplus *= np.where(loud[some] > 0, loud[some], FAINT)
                found[some] = np.where(surplus > 0, surplus, surplus * self.against * (loud[some] > 0))
        return found

    def bears_out(self, line: Line) -> bool:
        """Whether a line fits where it was seen to, all in all."""
        first, last = _frame(line.first - WITHIN), _frame(line.last + WITHIN)
        return bool(self.evidence(line, first, last).sum() > 0)

    def _weights(self, line: Line, first: int, last: int) -> tuple[Floats, NDArray[np.bool_]]:
        """How loud the track is at frames of the mix, 0 to 1, and where it is faint beside something loud."""
        times = (np.arange(first, last) + 0.5) * FRAME / SAMPLE_RATE
        frames = np.floor((line.offset + times * (1 + line.drift)) * SAMPLE_RATE / FRAME).astype(np.int64)
        inside = (frames >= 0) & (frames < len(self.track.envelopes.level))
        level = np.where(
            inside, self.track.envelopes.level[np.clip(frames, 0, len(self.track.envelopes.level) - 1)], 0
        )
        loud: Floats = np.clip((level - self.track.own_level) / FADING, 0, 1).astype(np.float32)
        faint = (level > STILL) & (loud == 0) & maximum_filter1d(loud > 0, 2 * BESIDE + 1)
        return loud, faint

    def _alike(self, line: Line, frames: NDArray[np.int64]) -> Floats:
        """(frames,): the coherence, at the best of the lags that air may cause, around frames of a few seconds."""
        size = next_fast_len(LENGTH + 2 * LATE, real=True)
        steps = (frames - frames[0]) * (FRAME // 2)  # at LAG_RATE; drift moves nothing within a batch
        begin = int(frames[0]) * FRAME + FRAME // 2 - LENGTH
        at = round(line.track_time(begin / SAMPLE_RATE) * SAMPLE_RATE)
        sought = sliding_window_view(halved(self.track.samples, at, steps[-1] + LENGTH), LENGTH)[steps]
        reach = LENGTH + 2 * LATE
        around = sliding_window_view(halved(self.mix.samples, begin - 2 * LATE, steps[-1] + reach), reach)[
            steps
        ]
        cross, most = whitened(rfft(around, size) * rfft(sought, size).conj(), size)
        best: Floats = irfft(cross, size)[:, : 2 * LATE + 1].max(axis=1) / np.maximum(most, TIE)
        return best


def find_pieces(lines: Sequence[Line], unheard: Times, heard: Heard) -> tuple[TrackPiece, ...]:
    """The pieces whose lines are known, each from where it is first heard in the mix to where it is last heard.

    unheard: the seconds of the track, in order, that hold its own person's sound and fit nowhere.
    """
    lines = [line for line in lines if line.last - line.first > LONG or heard.bears_out(line)]
    if not lines:
        return ()
    return _pieces(lines, _beginning(lines[0], unheard, heard), _ending(lines[-1], unheard, heard), heard)


def whole_pieces(lines: Sequence[Line], heard: Heard) -> tuple[TrackPiece, ...]:
    """The pieces of a track all of which belongs there, from its beginning, maybe before the other's, to its end."""
    if not lines:
        return ()
    return _pieces(lines, lines[0].heard(0.0), lines[-1].heard(heard.track.seconds), heard)


def _pieces(lines: Sequence[Line], start: float, end: float, heard: Heard) -> tuple[TrackPiece, ...]:
    changes = [_change(before, after, heard) for before, after in pairwise(lines)]
    starts = [start, *(begun for _, begun in changes)]
    ends = [*(ended for ended, _ in changes), end]
    made: list[TrackPiece] = []
    for line, first, last in zip(lines, starts, ends, strict=True):
        piece = TrackPiece(first, last, line.offset, line.drift * 1e6)
        if made and made[-1].offset == piece.offset and first - made[-1].end < BREATH:
            piece = replace(piece, start=made.pop().start)
        if piece.end > piece.start:
            made.append(piece)
    return tuple(made)


def _change(before: Line, after: Line, heard: Heard) -> tuple[float, float]:
    """When, in the mix, one line ends and the next one begins."""
    first = _frame(max(before.last - MARGIN, (before.first + before.last) / 2))
    last = _frame(min(after.first + MARGIN, (after.first + after.last) / 2)) + 1
    jump = max(before.jump(after), 0.0)
    gap = min(_frame(jump), last - first)
    until = np.concatenate([[0.0], np.cumsum(heard.evidence(before, first, last), dtype=np.float64)])
    since = np.cumsum(heard.evidence(after, first, last)[::-1], dtype=np.float64)[::-1]
    since = np.concatenate([since, [0.0]])
    # What was cut out or lost leaves nothing unheard between the lines; what was put in its place does.
    joined = until[: len(until) - gap] + since[gap:]
    apart = np.maximum.accumulate(until)[: len(until) - gap] + since[gap:]
    if joined.max() >= apart.max() - JOINED:
        end = _middle(joined)
        return _time(first + end), _time(first + end) + jump
    start = _middle(apart) + gap
    end = int(np.flatnonzero(until[: start - gap + 1] >= until[: start - gap + 1].max() - TIE)[-1])
    return _time(first + end), _time(first + start)


def _middle(evidence: NDArray[np.float64]) -> int:
    """The middle of the places where there is most of it."""
    return int(np.median(np.flatnonzero(evidence >= evidence.max() - TIE)))


def _beginning(line: Line, unheard: Times, heard: Heard) -> float:
    earlier = unheard[unheard < line.track_time(line.first)][-ENOUGH:]
    least = line.heard(earlier[0]) if len(earlier) == ENOUGH else 0.0
    least = max(least, line.heard(0.0), 0.0)
    first = _frame(least)
    last = max(_frame(min(line.first + MARGIN, (line.first + line.last) / 2)), first) + 1
    since = np.cumsum(heard.evidence(line, first, last)[::-1], dtype=np.float64)[::-1]
    if since[0] >= since.max() - GRACE:
        return least
    return _time(first + int(np.flatnonzero(since >= since.max() - TIE)[0]))


def _ending(line: Line, unheard: Times, heard: Heard) -> float:
    later = unheard[unheard > line.track_time(line.last)][:ENOUGH]
    most = line.heard(later[-1]) if len(later) == ENOUGH else np.inf
    most = min(most, line.heard(heard.track.seconds), heard.mix.seconds)
    first = _frame(max(line.last - MARGIN, (line.first + line.last) / 2))
    last = max(_frame(most), first) + 1
    until = np.cumsum(heard.evidence(line, first, last), dtype=np.float64)
    if until[-1] >= until.max() - GRACE:
        return float(most)
    return _time(first + int(np.flatnonzero(until >= until.max() - TIE)[-1]) + 1)


def _frame(time: float) -> int:
    return round(time * SAMPLE_RATE / FRAME)


def _time(frame: int) -> float:
    return frame * FRAME / SAMPLE_RATE
