"""How sure it is that a turn's voice is the one it was given to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.record.transcript import Turn

if TYPE_CHECKING:
    from models.runtime.pyannote import SlidingWindow

SLOPE, OFFSET = 0.45, -0.6  # log-odds of the right voice by the margin of a turn, which says too much


@dataclass(frozen=True)
class Assignment:
    """Which voice each local speaker was given to, and what that choice rests on.

    activity: (windows, frames, speakers), 0 or 1, of the windows that `window` tells duration and step of; voices:
    (windows, speakers) index of the voice; margins: (windows, speakers) log-likelihood ratio to the likeliest
    other one, 0 without embedding; centroids: (voices, dimension).
    """

    activity: NDArray[np.uint8]
    window: SlidingWindow
    voices: NDArray[np.int64]
    margins: NDArray[np.float64]
    centroids: NDArray[np.float64]

    def voice_of(self, centroid: NDArray[np.float64]) -> int:
        """Index of the voice that has this centroid, (dimension,)."""
        return int(np.abs(self.centroids - centroid).sum(axis=1).argmin())

    def told(self, turns: Iterable[Turn], voices: Mapping[str, int]) -> Iterator[Turn]:
        """The same turns with their probability, where `voices` has the voice of their speaker."""
        of = {speaker: self._margins_over_time(voice) for speaker, voice in voices.items()}
        for turn in turns:
            if turn.speaker not in of:
                yield turn
                continue
            margins, frames = of[turn.speaker]
            first, last = np.clip(
                (np.array((turn.start, turn.end)) / self._frame).round(), 0, len(frames) - 1
            )
            asked = max(1.0, frames[int(last)] - frames[int(first)])
            margin = (margins[int(last)] - margins[int(first)]) / asked
            yield replace(turn, probability=round(float(1 / (1 + np.exp(-SLOPE * margin - OFFSET))), 3))

    @property
    def _frame(self) -> float:
        return float(self.window.duration / self.activity.shape[1])

    def _margins_over_time(self, voice: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(frames + 1,) margins of what was given to `voice`, and in how many windows it was, summed up to there."""
        windows, length, _ = self.activity.shape
        places = np.rint(np.arange(windows) * self.window.step / self._frame).astype(np.int64)
        margins, frames = np.zeros((2, places[-1] + length + 1))
        for k in np.flatnonzero((self.voices == voice).any(axis=1)):
            own = self.voices[k] == voice
            active = self.activity[k][:, own].astype(np.float64)
            here = slice(places[k] + 1, places[k] + 1 + length)
            margins[here] += active @ self.margins[k, own]
            frames[here] += active.sum(axis=1)
        return margins.cumsum(), frames.cumsum()


Assigned = Callable[[Assignment], None]


def nobody_asks(assignment: Assignment) -> None:
    """Probabilities are not asked for."""
