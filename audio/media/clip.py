"""Short pieces of audio as pydub segments: cut from a file of any length, written to a new one.

pydub reads a whole file before it cuts, so ffmpeg seeks and cuts here and pydub gets the piece.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path

from audio.media import ffmpeg
from models.record.errors import InputError, OutputError

with warnings.catch_warnings():
    # pydub looks for ffmpeg on PATH when it is imported, and warns; it is told of ours below.
    warnings.simplefilter("ignore", RuntimeWarning)
    from pydub import AudioSegment
    from pydub.exceptions import CouldntEncodeError

__all__ = ["AudioSegment", "cut", "cut_track", "encode"]

SAMPLE_BYTES = 2  # signed 16 bit
MAX_CUT_SECONDS = 600  # a segment is held in memory at the file's own rate
PREROLL_SECONDS = 1.0  # decoded and dropped: MP3 gives silence until it has some frames to build on
CUT_TIMEOUT = 120  # seconds


def cut(path: str | os.PathLike[str], start: float, end: float) -> AudioSegment:
    """The audio of `path` from `start` to `end` seconds, 16 bit at its own rate and channels.

    Shorter, maybe empty, where the file ends before. InputError: not audio, end not after start,
    more than MAX_CUT_SECONDS.
    """
    if not 0 <= start < end:
        raise InputError(f"can't cut from {start} s to {end} s: the end must come after the start")
    if end - start > MAX_CUT_SECONDS:
        raise InputError(f"can't cut {end - start:.0f} s at once: at most {MAX_CUT_SECONDS} s")
    return cut_track(path, ffmpeg.audio_streams(path).track, start, end)


def cut_track(path: str | os.PathLike[str], track: ffmpeg.Track, start: float, end: float) -> AudioSegment:
    """As `cut`, for a track that is already known."""
    if not track.rate or not track.channels:
        raise InputError(f"{path}: its audio track names no sample rate or channels")
    early = min(start, PREROLL_SECONDS)
    output = ["-v", "error", "-map", f"0:{track.index}", "-ss", f"{early:.3f}", "-t", f"{end - start:.3f}"]
    shape = ["-ac", str(track.channels), "-ar", str(track.rate)]
    arguments = ffmpeg.command(path, *output, *shape, "-f", "s16le", "pipe:1", start=start - early)
    try:
        done = subprocess.run(arguments, capture_output=True, timeout=CUT_TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        raise InputError(f"{path}: cutting at {start:.1f} s took over {CUT_TIMEOUT} s") from None
    whole = len(done.stdout) - len(done.stdout) % (SAMPLE_BYTES * track.channels)
    return AudioSegment(
        data=done.stdout[:whole],
        sample_width=SAMPLE_BYTES,
        frame_rate=track.rate,
        channels=track.channels,
    )


def encode(
    segment: AudioSegment,
    path: str | os.PathLike[str],
    *,
    format: str = "mp3",
    bitrate: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> Path:
    """Write `segment` as `format` with `tags` such as title and artist; a reader sees all of it or nothing.

    OutputError where the format is unknown or the file can't be written.
    """
    target = Path(path)
    AudioSegment.converter = ffmpeg.executable()
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise OutputError(f"{target} can't be written: {error.strerror}") from error
    try:
        with open(handle, "w+b") as out:  # noqa: PTH123  (a descriptor)
            segment.export(out, format=format, bitrate=bitrate, tags=dict(tags or {}))
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except CouldntEncodeError as error:
        raise OutputError(f"{target} can't be encoded as {format}") from error
    except OSError as error:
        raise OutputError(f"{target} can't be written: {error.strerror}") from error
    finally:
        Path(name).unlink(missing_ok=True)
    return target
