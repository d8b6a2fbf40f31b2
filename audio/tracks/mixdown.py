"""The sum of a session's tracks, for those who have published none: to play and to cut clips from.

Each track is as loud as the others, and softer while its person is silent, as automatic mixers do it.
"""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audio.media import ffmpeg
from audio.media.levels import FRAME, Levels, loudness
from models.record.errors import EpiscribeError
from models.record.spans import Span
from models.runtime.samples import FULL_SCALE, SAMPLE_RATE, as_float

DUCKED = 0.25  # of its level, what a track adds while its person is silent
AROUND = 0.3  # seconds around what somebody says in which the track is not softer
BLOCK = 10 * SAMPLE_RATE  # samples

Int16 = NDArray[np.int16]
Floats = NDArray[np.float32]


def write_sum(tracks: Sequence[Int16], sounds: Sequence[Sequence[Span]], path: Path) -> None:
    """Write the sum of tracks as FLAC, whole or not at all.

    tracks: (samples,) each, on one time line; sounds: where each holds its own person's, in seconds.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{secrets.token_hex(4)}.flac")
    samples = _summed(tracks, sounds)
    form = ["-f", "s16le", "-ar", str(SAMPLE_RATE), "-ac", "1", "-i", "pipe:0"]
    done = subprocess.run(
        [ffmpeg.executable(), "-v", "error", *form, "-y", str(part)],
        input=samples.tobytes(),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        part.unlink(missing_ok=True)
        raise EpiscribeError(
            f"the sum of the tracks can't be written: {done.stderr.decode(errors='replace').strip()}"
        )
    part.replace(path)


def _summed(tracks: Sequence[Int16], sounds: Sequence[Sequence[Span]]) -> Int16:
    """(samples,) of all of them."""
    loud = [_loudness(track, own) for track, own in zip(tracks, sounds, strict=True)]
    heard = [level for level in loud if level > -np.inf]
    gains = [10 ** ((max(heard) - level) / 20) if level > -np.inf else 0.0 for level in loud]
    opened = [_opened(own, len(track), gain) for track, own, gain in zip(tracks, sounds, gains, strict=True)]
    levels = Levels(len(tracks[0]) / SAMPLE_RATE)
    for first in range(0, len(tracks[0]), BLOCK):
        block = np.zeros(min(BLOCK, len(tracks[0]) - first), dtype=np.float32)
        for track, gain in zip(tracks, opened, strict=True):
            piece = slice(first, first + len(block))
            times = np.arange(first, first + len(block)) / FRAME
            block += as_float(track[piece]) * np.interp(times, np.arange(len(gain)), gain)
        levels.add(block)
    return levels.finish()


def _loudness(track: Int16, sounds: Sequence[Span]) -> float:
    """dB of what a track's own person says, -inf where nothing is."""
    cut = [track[round(s.start * SAMPLE_RATE) : round(s.end * SAMPLE_RATE)] for s in sounds]
    frames = [piece[: len(piece) // FRAME * FRAME].reshape(-1, FRAME) for piece in cut]
    power = [np.square(each.astype(np.float64) / FULL_SCALE).mean(axis=1) for each in frames]
    said = np.concatenate(power) if power else np.zeros(0)
    return loudness(said) if len(said) else -np.inf


def _opened(sounds: Sequence[Span], samples: int, gain: float) -> Floats:
    """(frames,) by what a track is multiplied."""
    opened = np.full(samples // FRAME + 2, DUCKED * gain, dtype=np.float32)
    for span in sounds:
        first = max(0.0, span.start - AROUND) * SAMPLE_RATE
        opened[round(first / FRAME) : round((span.end + AROUND) * SAMPLE_RATE / FRAME) + 1] = gain
    return opened
