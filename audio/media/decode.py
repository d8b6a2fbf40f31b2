"""Any audio file to the one form that is kept of it: 16 bits, mono, 16 kHz, on the file's own time line, at one level.

ffmpeg's output goes from its pipe through the mixing into the result, so that decoding needs the memory of one copy:
an hour is 115 MB.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread, Timer
from typing import IO, TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from audio.media import ffmpeg, ogg
from audio.media.mixing import Floats, Mixed, mix_down
from models.record.errors import InputError
from models.runtime.samples import SAMPLE_RATE

if TYPE_CHECKING:
    from audio.media.levels import Samples

MAX_SECONDS = 24 * 3600  # a small file can claim to play for ever
FIRST_SECONDS = 60  # room to begin with where the file doesn't say how long it is
BLOCK_SECONDS = 10  # read at once, and at most between two calls of `progress`
SLACK_SECONDS = 2.0  # by how much a file may be shorter or longer than it declares:
SLACK_SHARE = 0.01  # this much, or this share of its length if that is more
LOST_SECONDS = 2.0  # of sound, cancelled out between channels, that are worth a warning
STALL_SECONDS = 300  # for a block that should take one: a damaged file can make ffmpeg walk in circles
ERROR_LINES = 5  # the last lines of ffmpeg's complaints that are kept
LOUDEST = 1e15  # what samples are held below: the square of more is no float32

Progress = Callable[[float, float | None], None]

_COMPLAINT = re.compile(r"\[(?:error|fatal|panic)\] (.*)")


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """Decoded audio.

    `samples` has shape (samples,), int16, mono, SAMPLE_RATE. `declared_seconds` is what the file says (None: nothing);
    `warnings` tell of a file that broke off, and of sound that was lost between its channels.
    """

    samples: Samples
    declared_seconds: float | None
    warnings: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """How long the samples play."""
        return len(self.samples) / SAMPLE_RATE


@dataclass(slots=True)
class _Said:
    """What ffmpeg said: its last complaints, whether the sound changed its form on the way, and its exit status."""

    complaints: deque[str] = field(default_factory=lambda: deque(maxlen=ERROR_LINES))
    reformed: bool = False
    status: int = 0


def decode(
    path: str | os.PathLike[str],
    *,
    track: int | None = None,
    channel: int | None = None,
    even: bool = True,
    progress: Progress | None = None,
) -> Decoded:
    """Decode an audio track of `path`, its default one unless another is given, all its channels mixed to one.

    track: the index of the stream. channel: the only one of its channels to hear. even: at one level throughout, or
    else with the gain of the recording.
    `progress(done_seconds, total_seconds)` is called as it goes, total None where unknown. A file
    that breaks off gives what there is, with a warning. InputError: missing, empty, not audio,
    video without audio, no such track, nothing decoded, longer than MAX_SECONDS.
    """
    from audio.media.levels import (
        Levels,
        gains,
        to_full_scale,
    )  # with scipy, only where there is sound to decode

    found = ffmpeg.audio_streams(path)
    heard = found.track if track is None else found.with_index(track)
    room = min((found.seconds or FIRST_SECONDS) + 1, MAX_SECONDS)
    declared = None if found.guessed else found.seconds
    for stamped in (found.stamped, False):
        levels, mixed, overlong = Levels(room), Mixed(), False
        with channels(path, found, heard, stamped=stamped) as (blocks, said):
            picked = (block[:, channel] for block in blocks) if channel is not None else None
            for mono in mix_down(blocks, mixed) if picked is None else picked:
                levels.add(mono)
                overlong = stamped and levels.seconds > min(_with_slack(declared or np.inf), MAX_SECONDS)
                if overlong:
                    break
                if levels.seconds > MAX_SECONDS:
                    raise InputError(f"{path} plays for over {MAX_SECONDS // 3600} hours: cut it first")
                if progress is not None:
                    progress(levels.seconds, found.seconds)
        # A filter that is built anew in mid-file has forgotten where on the time line it was, and a line that goes on
        # beyond the end of the file is broken.
        if not (stamped and (said.reformed or overlong)):
            break
    samples = levels.finish(gains if even else to_full_scale)
    if len(samples) == 0:
        reason = said.complaints[-1] if said.complaints else "its audio track is empty"
        raise InputError(f"{path}: no audio could be decoded ({reason})")
    seconds = len(samples) / SAMPLE_RATE
    warnings = (*_broken_off(path, found, seconds, said), *_lost(mixed))
    return Decoded(samples, found.seconds, warnings)


@contextmanager
def channels(
    path: str | os.PathLike[str], found: ffmpeg.Streams, track: ffmpeg.Track, *, stamped: bool | None = None
) -> Iterator[tuple[Iterator[Floats], _Said]]:
    """The channels of a track, block for block: (samples, channels) float32 at SAMPLE_RATE, each its own level.

    Blocks have BLOCK_SECONDS, but for the last one. stamped: whether the times of packets count, if not by the format.
    What ffmpeg said is complete after the last block. ffmpeg is gone, whatever happens, when the block is left.
    """
    if not track.channels:
        raise InputError(f"{path}: its audio track names no channels")
    stamped = found.stamped if stamped is None else stamped
    line = ffmpeg.on_time_line(found, track, SAMPLE_RATE, stamped=stamped)
    # The number of channels is said again, for tracks that change it.
    output = ["-copyts", "-map", f"0:{track.index}", "-af", line, *ffmpeg.channel_options(track)]
    quiet = ["-v", "level+info", "-nostats"]
    child = subprocess.Popen(
        ffmpeg.command(path, *quiet, *output, "-f", "f32le", "pipe:1"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    )
    said = _Said()
    assert child.stdout is not None
    assert child.stderr is not None
    listener = Thread(target=_listen, args=(child.stderr, said), daemon=True)
    listener.start()
    try:
        yield _blocks(child, track.channels, said), said
        child.stdout.close()  # whoever has heard enough leaves a full pipe, on which it would wait for ever
        said.status = child.wait()
    finally:
        child.kill()
        child.wait()
        listener.join()
        child.stdout.close()
        child.stderr.close()


def _listen(pipe: IO[bytes], said: _Said) -> None:
    # Read in pieces: a damaged file can make ffmpeg write a line that never ends.
    rest = ""
    while piece := pipe.read(4096):
        *lines, rest = (rest[-4096:] + piece.decode("utf-8", errors="replace")).splitlines(
            keepends=False
        ) or [""]
        for line in (*lines, rest):
            said.reformed |= ffmpeg.REFORMED in line
        said.complaints.extend(match[1] for line in lines if (match := _COMPLAINT.search(line)))


def _blocks(child: subprocess.Popen[bytes], channels: int, said: _Said) -> Iterator[npt.NDArray[np.float32]]:
    assert child.stdout is not None
    pipe, ended = child.stdout, False
    while not ended:
        block = np.empty((BLOCK_SECONDS * SAMPLE_RATE, channels), dtype=np.float32)
        room, filled = block.data.cast("B"), 0
        with _given_up(child, said):
            while filled < len(room) and (got := pipe.readinto(room[filled:])):  # type: ignore[attr-defined]
                filled += got
        ended = filled < len(room)
        block = block[: filled // (block.itemsize * channels)]
        if len(block):
            # Floats from strangers may be no numbers, or as large as floats can be.
            yield np.clip(np.nan_to_num(block, copy=False, posinf=0, neginf=0), -LOUDEST, LOUDEST, out=block)


@contextmanager
def _given_up(child: subprocess.Popen[bytes], said: _Said) -> Iterator[None]:
    """Ends a child that takes longer for this than any sound file does."""

    def give_up() -> None:
        said.complaints.append(f"nothing came for {STALL_SECONDS} s")
        child.kill()

    timer = Timer(STALL_SECONDS, give_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _with_slack(seconds: float, direction: int = 1) -> float:
    """A length with as much more, or less (-1), as says nothing."""
    return seconds + direction * max(SLACK_SECONDS, SLACK_SHARE * seconds)


def _broken_off(
    path: str | os.PathLike[str], found: ffmpeg.Streams, seconds: float, said: _Said
) -> tuple[str, ...]:
    """What the reader should know about a file that gave less than it promised."""
    declared = 0.0 if found.guessed else found.seconds or 0.0
    enough = _with_slack(declared, -1)
    # A track may be shorter than others of its file: it is the whole that has to be there.
    if seconds < enough and not (found.stamped and ffmpeg.demuxed_seconds(path, found) >= enough):
        return (f"the audio breaks off at {seconds:.1f} s of {declared:.1f} s: the file may be truncated",)
    if found.container == "ogg" and not ogg.is_finished(path):
        return (f"the audio breaks off at {seconds:.1f} s without its last page: the file may be truncated",)
    if said.status != 0:
        reason = said.complaints[-1] if said.complaints else f"ffmpeg left with status {said.status}"
        return (f"decoding stopped at {seconds:.1f} s: {reason}",)
    return ()


def _lost(mixed: Mixed) -> tuple[str, ...]:
    """What the reader should know about channels that cancel each other out."""
    if mixed.lost > LOST_SECONDS:
        return (f"{mixed.lost:.0f} s of sound cancel out between the channels, and were not heard",)
    if mixed.rescued > LOST_SECONDS:
        return (f"the channels cancel each other out for {mixed.rescued:.0f} s: one of them was heard there",)
    return ()
