"""What an audio file is like before it is decoded: its length, loudness, and how to make it mono.

Listens to short excerpts spread over the file, so an hour costs about what a minute does.
Averaging stereo to mono is right for almost every podcast, and ruins two kinds: channels in
opposite phase cancel out, and a dead channel halves the speech. Those take the louder channel.
"""

from __future__ import annotations

import math
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from audio.media import ffmpeg
from audio.media.clip import AudioSegment, cut_track
from audio.media.decode import Mix
from models.record.errors import InputError

EXCERPTS = 8
EXCERPT_SECONDS = 4.0
CANCEL_DB = 10.0  # mean this much below the louder channel: opposite phase (unrelated channels give 3 to 6)
DEAD_DBFS = -65.0  # a channel that never gets above this carries no speech
SCAN_TIMEOUT = 900  # seconds for a walk over the whole file
SILENCE_DBFS = -math.inf


@dataclass(frozen=True, slots=True)
class Probe:
    """What a file holds. `codec`, `channels` and `rate` (Hz) are those of the track to listen to.

    `dbfs` (RMS) and `peak_dbfs` are measured on the excerpts after `mix`, `channel_dbfs` before;
    -inf is digital silence.
    """

    seconds: float
    tracks: int
    channels: int
    rate: int
    codec: str
    dbfs: float
    peak_dbfs: float
    channel_dbfs: tuple[float, ...]
    mix: Mix


def probe(path: str | os.PathLike[str]) -> Probe:
    """Listen into `path`; raises InputError as `decode` does."""
    found = ffmpeg.audio_streams(path)
    track = found.track
    seconds = found.seconds or _scan_seconds(path, track)
    excerpts = [cut_track(path, track, start, end) for start, end in _spread(seconds)]
    excerpts = [excerpt for excerpt in excerpts if len(excerpt)]
    if not excerpts:
        raise InputError(f"{path}: no audio could be decoded")
    channels = [_dbfs(channel) for channel in zip(*(e.split_to_mono() for e in excerpts), strict=True)]
    mix = _choose_mix(path, track, channels, [e.set_channels(1) for e in excerpts])
    mono = [_to_mono(excerpt, mix) for excerpt in excerpts]
    return Probe(
        seconds=seconds,
        tracks=len(found.audio),
        channels=track.channels,
        rate=track.rate,
        codec=track.codec,
        dbfs=_dbfs(mono),
        peak_dbfs=max(excerpt.max_dBFS for excerpt in mono),
        channel_dbfs=tuple(channels),
        mix=mix,
    )


def _spread(seconds: float) -> list[tuple[float, float]]:
    """Where the excerpts lie: evenly over the file, or one for all of a short file.

    >>> _spread(10.0)
    [(0.0, 10.0)]
    >>> _spread(3600.0)[:2]
    [(223.0, 227.0), (673.0, 677.0)]
    """
    if seconds <= EXCERPTS * EXCERPT_SECONDS:
        return [(0.0, seconds)]
    middles = (seconds * (i + 0.5) / EXCERPTS for i in range(EXCERPTS))
    return [(middle - EXCERPT_SECONDS / 2, middle + EXCERPT_SECONDS / 2) for middle in middles]


def _choose_mix(
    path: str | os.PathLike[str],
    track: ffmpeg.Track,
    channels: Sequence[float],
    means: Sequence[AudioSegment],
) -> Mix:
    """How to make `track` mono, given the loudness of each channel and their mean."""
    if len(channels) != 2 or max(channels) == SILENCE_DBFS:
        return "mean"
    louder: Mix = "left" if channels[0] >= channels[1] else "right"
    if max(channels) - _dbfs(means) > CANCEL_DB:
        return louder
    # A guest on a track of their own may be silent in every excerpt: only the whole file tells.
    if min(channels) < DEAD_DBFS < max(channels) and min(_scan_peaks(path, track)) < DEAD_DBFS:
        return louder
    return "mean"


def _to_mono(segment: AudioSegment, mix: Mix) -> AudioSegment:
    if mix == "mean":
        return segment.set_channels(1)
    return segment.split_to_mono()[0 if mix == "left" else 1]


def _dbfs(segments: Sequence[AudioSegment]) -> float:
    """RMS loudness of the segments taken together, in dB below full scale."""
    frames = sum(segment.frame_count() for segment in segments)
    power = sum(segment.rms**2 * segment.frame_count() for segment in segments) / frames
    full_scale = segments[0].max_possible_amplitude
    return 10 * math.log10(power / full_scale**2) if power else SILENCE_DBFS


def _scan_peaks(path: str | os.PathLike[str], track: ffmpeg.Track) -> list[float]:
    """The peak of each channel over the whole file, in dBFS."""
    said = _scan(path, track, "-af", "astats=measure_perchannel=Peak_level:measure_overall=none")
    return [float(value) for value in re.findall(r"Peak level dB: (\S+)", said)] or [0.0]


def _scan_seconds(path: str | os.PathLike[str], track: ffmpeg.Track) -> float:
    """How long the track plays, for files that don't declare it."""
    times = re.findall(r"time=(\d+):(\d\d):(\d\d\.\d+)", _scan(path, track, "-c", "copy"))
    if not times:
        raise InputError(f"{path}: no audio could be decoded")
    hours, minutes, seconds = times[-1]
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _scan(path: str | os.PathLike[str], track: ffmpeg.Track, *how: str) -> str:
    arguments = ffmpeg.command(path, "-map", f"0:{track.index}", *how, "-f", "null", "-")
    try:
        done = subprocess.run(arguments, capture_output=True, timeout=SCAN_TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        raise InputError(f"{path}: reading it took over {SCAN_TIMEOUT} s") from None
    return done.stderr.decode("utf-8", errors="replace")
