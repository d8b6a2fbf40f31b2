"""Clips made ready to be heard: as loud as podcasts are, without a click at either end."""

from __future__ import annotations

import math
import re
import subprocess

from audio.media import ffmpeg
from audio.media.clip import AudioSegment
from models.record.errors import EpiscribeError

TARGET_LUFS = {1: -19.0}  # what podcast apps expect of mono; it plays in both ears
STEREO_LUFS = -16.0  # what they expect of anything else, and what Apple Podcasts recommends
CEILING_DBTP = -1.0  # true peak that no encoder turns into clipping
SILENCE_LUFS = -60.0  # nothing to be made louder
FADE_IN_MS, FADE_OUT_MS = 20, 60  # too short to take away from a word
MEASURE_TIMEOUT = 120  # seconds


def loudness(segment: AudioSegment) -> tuple[float, float]:
    """Integrated loudness in LUFS and true peak in dBTP (EBU R 128), -inf for silence."""
    shape = ["-f", "s16le", "-ar", str(segment.frame_rate), "-ac", str(segment.channels), "-i", "pipe:0"]
    command = [ffmpeg.executable(), "-hide_banner", *shape, "-af", "ebur128=peak=true", "-f", "null", "-"]
    done = subprocess.run(
        command, input=segment.raw_data, capture_output=True, timeout=MEASURE_TIMEOUT, check=False
    )
    said = done.stderr.decode("utf-8", errors="replace").rpartition("Summary:")[2]
    found = [re.search(pattern, said) for pattern in (r"I:\s+(\S+) LUFS", r"Peak:\s+(\S+) dBFS")]
    if not all(found):
        raise EpiscribeError("ffmpeg did not tell how loud the clip is")
    level, peak = (float(match[1]) for match in found if match)
    return level, peak


def normalise_loudness(segment: AudioSegment) -> AudioSegment:
    """The same at podcast loudness, or as near to it as its peaks allow: nothing is compressed."""
    if not len(segment):
        return segment
    level, peak = loudness(segment)
    if level <= SILENCE_LUFS or math.isinf(peak):
        return segment
    wanted = TARGET_LUFS.get(segment.channels, STEREO_LUFS) - level
    return segment.apply_gain(min(wanted, CEILING_DBTP - peak))


def fade_ends(segment: AudioSegment) -> AudioSegment:
    """The same with its ends faded, so that a cut into sound doesn't click."""
    half = len(segment) // 2
    return segment.fade_in(min(FADE_IN_MS, half)).fade_out(min(FADE_OUT_MS, half))
