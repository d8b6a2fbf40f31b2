"""The samples of tracks that are streams or channels of files, side by side at their own levels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audio.media import ffmpeg
from audio.media.decode import channels
from audio.media.mixing import Floats
from models.runtime.samples import FULL_SCALE, SAMPLE_RATE

if TYPE_CHECKING:
    from audio.tracks.sources import TrackSource

Signals = NDArray[np.int16]

FULL_PEAK = 0.9  # of full scale, what is over it or far below comes to
SOFT_PEAK = 0.1

LISTENED_SECONDS = 600  # from the beginning
LISTENED_TRACKS = 8  # for so long; of more tracks there is less, so that the memory is bounded


def read_signals(sources: Sequence[TrackSource], seconds: float | None = None) -> Signals:
    """The beginning of tracks of one file: (tracks, samples) int16 at 16 kHz, zeros where one has ended.

    Nothing is mixed, but for streams whose channels are not told apart, which are averaged; where levels are too high
    or low for 16 bits, all get the same gain. A stream is decoded once for all its channels. seconds: LISTENED_SECONDS,
    of over LISTENED_TRACKS tracks less. sources: in order of their streams. InputError: a file or stream that can't be
    read.
    """
    if seconds is None:
        seconds = LISTENED_SECONDS * min(1.0, LISTENED_TRACKS / len(sources))
    tracks: list[Floats] = []
    for (path, stream), of_stream in groupby(sources, lambda source: (source.path, source.stream)):
        samples = _beginning(path, stream, round(seconds * SAMPLE_RATE))
        for source in of_stream:
            tracks.append(samples.mean(axis=1) if source.channel is None else samples[:, source.channel])
    peak = max(float(np.abs(track).max(initial=0.0)) for track in tracks)
    gain = FULL_PEAK / peak if peak > 1 or 0 < peak < SOFT_PEAK else 1.0
    signals = np.zeros((len(tracks), max(map(len, tracks))), dtype=np.int16)
    for row, track in zip(signals, tracks, strict=True):
        row[: len(track)] = np.clip(np.rint(track * (gain * FULL_SCALE)), -FULL_SCALE, FULL_SCALE - 1)
    return signals


def _beginning(path: str, stream: int | None, count: int) -> Floats:
    """(samples, channels) of a stream."""
    found = ffmpeg.audio_streams(path)
    track = found.track if stream is None else found.with_index(stream)
    taken = [np.zeros((0, track.channels), dtype=np.float32)]
    with channels(path, found, track) as (blocks, _):
        for block in blocks:
            taken.append(block)
            count -= len(block)
            if count <= 0:
                break
    whole = np.concatenate(taken)
    return whole[: len(whole) + min(count, 0)]
