"""Any audio file to the one form that is kept of it: 16 bits, mono, 16 kHz.

ffmpeg's output goes straight from its pipe into the result, so that decoding needs the memory of
one copy: an hour is 115 MB.
"""

from __future__ import annotations

import os
import subprocess
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import IO, Literal

import numpy as np
import numpy.typing as npt

from audio.media import ffmpeg
from models.record.errors import InputError
from models.runtime.samples import SAMPLE_RATE

SAMPLE_BYTES = 2  # int16
MAX_SECONDS = 24 * 3600  # a small file can claim to play for ever
FIRST_SECONDS = 60  # room to begin with where the file doesn't say how long it is
READ_SAMPLES = 10 * SAMPLE_RATE  # at most this many between two calls of `progress`
SHORTFALL_SECONDS = 2.0  # how much may be missing before it is worth a warning:
SHORTFALL_SHARE = 0.01  # this much, or this share of the declared length if that is more
ERROR_LINES = 5  # the last lines of ffmpeg's complaints that are kept

Mix = Literal["mean", "left", "right"]
Samples = npt.NDArray[np.int16]
Progress = Callable[[float, float | None], None]


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """Decoded audio.

    `samples` has shape (samples,), int16, mono, SAMPLE_RATE. `declared_seconds` is what the file
    says (None: nothing); `warning` is "" unless the file broke off before that.
    """

    samples: Samples
    declared_seconds: float | None
    warning: str

    @property
    def seconds(self) -> float:
        """How long the samples play."""
        return len(self.samples) / SAMPLE_RATE


def decode(path: str | os.PathLike[str], *, mix: Mix = "mean", progress: Progress | None = None) -> Decoded:
    """Decode the default audio track of `path`; `mix` says which channels make up the one.

    `progress(done_seconds, total_seconds)` is called as it goes, total None where unknown. A file
    that breaks off gives what there is, with a warning. InputError: missing, empty, not audio,
    video without audio, nothing decoded, longer than MAX_SECONDS.
    """
    found = ffmpeg.audio_streams(path)
    output = ["-v", "error", "-map", f"0:{found.track.index}", "-af", _mono(found.track.channels, mix)]
    arguments = ffmpeg.command(path, *output, "-f", "s16le", "pipe:1")
    with _running(arguments) as (child, complaints):
        assert child.stdout is not None
        samples = _read(child.stdout, path, found.seconds, progress)
    if len(samples) == 0:
        reason = complaints[-1] if complaints else "its audio track is empty"
        raise InputError(f"{path}: no audio could be decoded ({reason})")
    declared = None if found.guessed else found.seconds
    warning = _warning(len(samples) / SAMPLE_RATE, declared, child.returncode, complaints)
    return Decoded(samples, found.seconds, warning)


def _mono(channels: int, mix: Mix) -> str:
    """The ffmpeg filter that makes one channel at SAMPLE_RATE; `mix` matters for stereo alone."""
    # Without a maximum of 1 the float mix of equal channels comes out 3 dB too loud and clips.
    resample = f"aresample={SAMPLE_RATE}:out_chlayout=mono:rematrix_maxval=1:internal_sample_fmt=fltp"
    if channels != 2 or mix == "mean":
        return resample
    return f"pan=mono|c0={'c0' if mix == 'left' else 'c1'},{resample}"


@contextmanager
def _running(arguments: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], deque[str]]]:
    """ffmpeg with its pipe open; gone, whatever happens, when the block is left."""
    child = subprocess.Popen(
        arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    )
    complaints: deque[str] = deque(maxlen=ERROR_LINES)
    assert child.stderr is not None
    listener = Thread(target=_listen, args=(child.stderr, complaints), daemon=True)
    listener.start()
    try:
        yield child, complaints
        child.wait()
    finally:
        child.kill()
        child.wait()
        listener.join()
        for pipe in (child.stdout, child.stderr):
            if pipe is not None:
                pipe.close()


def _listen(pipe: IO[bytes], lines: deque[str]) -> None:
    # Read in pieces: a damaged file can make ffmpeg write a line that never ends.
    while piece := pipe.read(4096):
        lines.extend(line for line in piece.decode("utf-8", errors="replace").splitlines() if line.strip())


def _read(
    pipe: IO[bytes], path: str | os.PathLike[str], declared: float | None, progress: Progress | None
) -> Samples:
    """Everything in the pipe as int16, shape (samples,), read in place."""
    room = min(declared + 1, MAX_SECONDS) if declared else FIRST_SECONDS
    buffer: Samples = np.empty(int(room * SAMPLE_RATE), dtype=np.int16)
    filled = 0  # bytes
    while True:
        if filled == buffer.nbytes:
            # realloc: on Linux big blocks are moved without being copied
            buffer.resize(len(buffer) + len(buffer) // 4 + READ_SAMPLES, refcheck=False)
        free = buffer.data.cast("B")[filled : filled + READ_SAMPLES * SAMPLE_BYTES]
        got = pipe.readinto(free)  # type: ignore[attr-defined]
        free.release()
        if not got:
            break
        filled += got
        seconds = filled / SAMPLE_BYTES / SAMPLE_RATE
        if seconds > MAX_SECONDS:
            raise InputError(f"{path} plays for over {MAX_SECONDS // 3600} hours: cut it first")
        if progress is not None:
            progress(seconds, declared)
    buffer.resize(filled // SAMPLE_BYTES, refcheck=False)
    return buffer


def _warning(seconds: float, declared: float | None, status: int, complaints: deque[str]) -> str:
    """What the reader should know about a file that gave less than it promised."""
    missing = (declared or 0.0) - seconds
    if missing > max(SHORTFALL_SECONDS, SHORTFALL_SHARE * (declared or 0.0)):
        return f"the audio breaks off at {seconds:.1f} s of {declared:.1f} s: the file may be truncated"
    if status != 0:
        reason = complaints[-1] if complaints else f"ffmpeg left with status {status}"
        return f"decoding stopped at {seconds:.1f} s: {reason}"
    return ""
