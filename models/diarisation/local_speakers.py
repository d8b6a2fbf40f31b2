"""The local speakers of segmentation windows, cut into subsegments of a second or two.

A segmentation window of 10 s sometimes takes two alike voices for one local speaker. One embedding of
such a mixture drags two people together; embeddings of its subsegments show both of them. Windows overlap,
so what is embedded in one window is shared with others that hold the same speech.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MAX_SUBSEGMENTS = 8  # that a local speaker is cut into at most
SUBSEGMENT_FRAMES = 70  # about 1.2 s of segmentation frames: what a subsegment holds at least
PAUSE_FRAMES = 12  # about 0.2 s without own speech: where to cut rather than elsewhere
REACH_FRAMES = 48  # about 0.8 s: how far a cut moves to fall into a pause
COVERED = 0.7  # share of a subsegment's frames that other windows must hold for it to take their embeddings

Activity = NDArray[np.uint8]


def split_local_speakers(activity: Activity) -> Activity:
    """Cut local speakers into subsegments.

    activity: (chunks, frames, speakers), 0 or 1. Returns (chunks, frames, speakers * MAX_SUBSEGMENTS)
    whose columns [s * MAX_SUBSEGMENTS, (s + 1) * MAX_SUBSEGMENTS) add up to local speaker s.
    """
    chunks, frames, speakers = activity.shape
    subsegments = np.zeros((chunks, frames, speakers * MAX_SUBSEGMENTS), dtype=np.uint8)
    for chunk, speaker in zip(*np.nonzero(activity.any(axis=1)), strict=True):
        own = np.flatnonzero(activity[chunk, :, speaker])
        for i, subsegment in enumerate(np.split(own, _cuts(own))):
            subsegments[chunk, subsegment, speaker * MAX_SUBSEGMENTS + i] = 1
    return subsegments


def _cuts(own: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where to cut the frames `own` (ascending): in equal shares, cuts moved to the nearest pause."""
    count = min(MAX_SUBSEGMENTS, len(own) // SUBSEGMENT_FRAMES)
    if count < 2:
        return np.empty(0, dtype=np.int64)
    pauses = np.flatnonzero(np.diff(own) > PAUSE_FRAMES) + 1
    cuts = []
    for ideal in np.arange(1, count) * len(own) // count:
        near = pauses[np.abs(pauses - ideal) <= REACH_FRAMES]
        cuts.append(near[np.abs(near - ideal).argmin()] if len(near) else ideal)
    return np.unique(np.array(cuts, dtype=np.int64))


def without_overlap(activity: Activity) -> Activity:
    """The frames in which a local speaker is alone: same shape as `activity`."""
    return activity * (activity.sum(axis=2, keepdims=True) == 1)


def spaced_windows(chunks: int, step: float, hop: float) -> NDArray[np.bool_]:
    """(chunks,) True for windows about `hop` seconds apart, and for the last one."""
    chosen = np.zeros(chunks, dtype=bool)
    chosen[:: max(1, round(hop / step))] = True
    chosen[-1:] = True
    return chosen


class SharedSpeech:
    """Which subsegments of unembedded windows may take the embeddings of those they share speech with.

    activity: (chunks, frames, subsegments); chosen: (chunks,) windows that are embedded themselves; shift:
    segmentation frames between two windows.
    """

    def __init__(self, activity: Activity, chosen: NDArray[np.bool_], shift: float) -> None:
        self.activity, self.chosen, self.shift = activity, chosen, shift
        self.reach = int(activity.shape[1] / shift)

    def sources(self, chunk: int) -> list[tuple[int, NDArray[np.float32]]]:
        """Chosen windows that overlap `chunk`, and the frames each pair of subsegments shares, (own, theirs)."""
        own = self.activity[chunk].astype(np.float32)
        sources = []
        for other in range(max(0, chunk - self.reach), min(len(self.chosen), chunk + self.reach + 1)):
            if not self.chosen[other] or other == chunk:
                continue
            offset = round((other - chunk) * self.shift)
            here, there = (own[offset:], self.activity[other][: len(own) - offset])
            if offset < 0:
                here, there = own[:offset], self.activity[other][-offset:]
            sources.append((other, here.T @ there.astype(np.float32)))
        return sources

    def covered(self, chunk: int) -> NDArray[np.bool_]:
        """(subsegments,) True where the chosen windows hold their speech."""
        best = np.zeros(self.activity.shape[2], dtype=np.float32)
        for _, shared in self.sources(chunk):
            best = np.maximum(best, shared.sum(axis=1))
        return best >= COVERED * self.activity[chunk].sum(axis=0)
