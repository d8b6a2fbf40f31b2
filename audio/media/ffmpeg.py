"""The ffmpeg program: where it is, how it is called safely, and what it says a file holds.

Files come from strangers, so ffmpeg may open nothing but the file it was given: playlists and
other containers that point at further files or at URLs are not on the list of formats.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from audio.media import wav
from models.record.errors import EpiscribeError, InputError

PROBE_TIMEOUT = 60  # seconds ffmpeg may take to read a file's headers

# Containers that hold their own samples. Left out on purpose: hls, concat, dash, imf, sdp, rtsp, image2.
FORMATS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dts,eac3,flac,flv,matroska,mov,mp3,mpc,mpc8,mpeg,mpegts,"
    "ogg,tak,tta,voc,w64,wav,webm,wv"
)

_CHANNELS = {"mono": 1, "stereo": 2, "downmix": 2, "binaural": 2, "quad": 4, "hexagonal": 6, "octagonal": 8}
_DURATION = re.compile(r"^  Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)", re.MULTILINE)
_STREAM = re.compile(r"^  Stream #0:(\d+)\S*: (Audio|Video): (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Track:
    """One audio stream: `index` counts all streams of the file, `rate` is in Hz."""

    index: int
    codec: str
    channels: int
    rate: int
    default: bool


@dataclass(frozen=True, slots=True)
class Streams:
    """What the headers of a file declare; `seconds` is None where they don't say.

    `guessed` tells that they didn't, and ffmpeg has reckoned `seconds` from the size of the file.
    """

    seconds: float | None
    audio: tuple[Track, ...]
    video: bool
    guessed: bool = False

    @property
    def track(self) -> Track:
        """The audio track to listen to: the one marked as default, else the first."""
        return next((track for track in self.audio if track.default), self.audio[0])


@cache
def executable() -> str:
    """Path of the ffmpeg program: the packaged one, else `ffmpeg` on PATH."""
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        found = shutil.which("ffmpeg")
    if found is None:
        raise EpiscribeError("ffmpeg was not found: install the imageio-ffmpeg package, or ffmpeg itself")
    return found


@cache
def version() -> str:
    """The version of ffmpeg as it names itself, such as "7.1"."""
    said = subprocess.run([executable(), "-version"], capture_output=True, text=True, check=False).stdout
    words = said.split()
    return words[2] if words[:2] == ["ffmpeg", "version"] else "unknown"


def command(path: str | os.PathLike[str], *output: str, start: float | None = None) -> list[str]:
    """The arguments that make ffmpeg read `path`, from `start` seconds on, and do `output` with it."""
    seek = [] if start is None else ["-ss", f"{start:.3f}"]
    safe = ["-nostdin", "-hide_banner", "-protocol_whitelist", "file,pipe", "-format_whitelist", FORMATS]
    return [executable(), *safe, *seek, "-i", f"file:{Path(path).absolute()}", *output]


def check_file(path: str | os.PathLike[str]) -> Path:
    """`path` as a Path, or an InputError that says why it is no file with bytes in it."""
    file = Path(path)
    if not file.exists():
        raise InputError(f"{path}: no such file")
    if file.is_dir():
        raise InputError(f"{path} is a folder: give an audio file")
    if not file.is_file():
        raise InputError(f"{path} is not a regular file")
    if not os.access(file, os.R_OK):
        raise InputError(f"{path} can't be read: permission denied")
    if file.stat().st_size == 0:
        raise InputError(f"{path} is empty (0 bytes)")
    return file


def streams(path: str | os.PathLike[str]) -> Streams:
    """What a media file holds, from its headers.

    Raises InputError where there is no such file, or it is not media ffmpeg may read.
    """
    file = check_file(path)
    try:
        done = subprocess.run(command(file), capture_output=True, timeout=PROBE_TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        raise InputError(f"{path}: reading its headers took over {PROBE_TIMEOUT} s") from None
    said = done.stderr.decode("utf-8", errors="replace")
    if "Input #0" not in said:
        raise InputError(f"{path} is not audio (no known audio format)")
    found = _STREAM.findall(said)
    told = wav.declared_seconds(file)
    return Streams(
        seconds=told or _declared_seconds(said),
        audio=tuple(_track(int(index), text) for index, kind, text in found if kind == "Audio"),
        video=any(kind == "Video" and "attached pic" not in text for _, kind, text in found),
        guessed=told is None and "Estimating duration from bitrate" in said,
    )


def audio_streams(path: str | os.PathLike[str]) -> Streams:
    """As `streams`, but InputError where no stream is audio."""
    found = streams(path)
    if not found.audio:
        what = "is a video without an audio track" if found.video else "holds no audio track"
        raise InputError(f"{path} {what}")
    return found


def _declared_seconds(said: str) -> float | None:
    match = _DURATION.search(said)
    if match is None:
        return None
    hours, minutes, seconds = match.groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _track(index: int, text: str) -> Track:
    codec = re.split(r"[ ,]", text, maxsplit=1)[0]
    rate = re.search(r"(\d+) Hz(?:, ([^,]+))?", text)
    layout = (rate and rate[2]) or ""
    return Track(index, codec, _channel_count(layout), int(rate[1]) if rate else 0, "(default)" in text)


def _channel_count(layout: str) -> int:
    """How many channels a layout has by ffmpeg's name for it.

    >>> [_channel_count(name) for name in ("mono", "5.1(side)", "7.1.4", "11 channels (FL+FR)")]
    [1, 6, 12, 11]
    """
    name = layout.split("(")[0].strip()
    if match := re.fullmatch(r"(\d+) channels", name):
        return int(match[1])
    if re.fullmatch(r"\d+(\.\d+)+", name):
        return sum(map(int, name.split(".")))
    return _CHANNELS.get(name, 0)
