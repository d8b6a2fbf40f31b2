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

__all__ = ["AudioSegment", "cut", "encode"]

SAMPLE_BYTES = 2  # signed 16 bit
MAX_CUT_SECONDS = 600  # a segment is held in memory at the file's own rate
PREROLL_SECONDS = 1.0  # decoded and dropped: MP3 gives silence until it has some frames to build on
CUT_TIMEOUT = 120  # seconds


def cut(path: str | os.PathLike[str], start: float, end: float, *, track: int | None = None) -> AudioSegment:
    """The audio of `path` from `start` to `end` seconds of its time line, 16 bit at its own rate and channels.

    track: the index of the stream to cut from, the default track unless given. Shorter, maybe empty, where the file
    ends before. InputError: not audio, no such track, end not after start, more than MAX_CUT_SECONDS.
    """
    if not 0 <= start < end:
        raise InputError(f"can't cut from {start} s to {end} s: the end must come after the start")
    if end - start > MAX_CUT_SECONDS:
        raise InputError(f"can't cut {end - start:.0f} s at once: at most {MAX_CUT_SECONDS} s")
    found = ffmpeg.audio_streams(path)
    heard = found.track if track is None else found.with_index(track)
    if not heard.rate or not heard.channels:
        raise InputError(f"{path}: its audio track names no sample rate or channels")
    data = b""
    for stamped in (found.stamped, False):
        try:
            done = subprocess.run(
                _cutting(path, found, heard, start, end, stamped=stamped),
                capture_output=True,
                timeout=CUT_TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise InputError(f"{path}: cutting at {start:.1f} s took over {CUT_TIMEOUT} s") from None
        data = done.stdout
        if not (stamped and ffmpeg.REFORMED.encode() in done.stderr):
            break
    whole = len(data) - len(data) % (SAMPLE_BYTES * heard.channels)
    return AudioSegment(
        data=data[:whole],
        sample_width=SAMPLE_BYTES,
        frame_rate=heard.rate,
        channels=heard.channels,
    )


def _cutting(
    path: str | os.PathLike[str],
    found: ffmpeg.Streams,
    track: ffmpeg.Track,
    start: float,
    end: float,
    *,
    stamped: bool,
) -> list[str]:
    """The ffmpeg command that writes a cut to its pipe as samples."""
    early = min(start, PREROLL_SECONDS)
    line = ffmpeg.on_time_line(found, track, track.rate, start, stamped=stamped)
    length = ["-t", f"{end - start:.3f}"]
    if stamped:
        # The line is cut by its own times: what was decoded from before `start` on is dropped by the filter.
        timing = ["-copyts", "-af", f"{line},atrim=end_pts={round(end * track.rate)},asetpts=N", *length]
    else:
        timing = ["-ss", f"{early:.3f}", *length, "-af", line]
    output = ["-v", "info", "-nostats", "-map", f"0:{track.index}", *timing, *ffmpeg.channel_options(track)]
    return ffmpeg.command(path, *output, "-f", "s16le", "pipe:1", start=start - early)


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
