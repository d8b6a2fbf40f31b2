"""The ffmpeg program: where it is, how it is called safely, and what it says a file holds.

Files come from strangers, so ffmpeg may open nothing but the file it was given: playlists and
other containers that point at further files or at URLs are not on the list of formats.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from audio.media import mp3, wav
from models.record.errors import EpiscribeError, InputError

PROBE_TIMEOUT = 60  # seconds ffmpeg may take to read a file's headers
REMEMBERED = 64  # files of which is known what they hold
WALK_TIMEOUT = 900  # seconds it may take to walk over the whole file

# Containers that hold their own samples. Left out on purpose: hls, concat, dash, imf, sdp, rtsp, image2.
FORMATS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,dss,dts,eac3,flac,flv,g722,gsm,ircam,loas,matroska,mov,mp3,mpc,mpc8,"
    "mpeg,mpegts,mxf,nistsphere,nut,ogg,oma,qcp,rm,shn,tak,truehd,tta,voc,w64,wav,webm,wv"
)
# Those that give each packet a time of its own. All others are one unbroken row of samples.
STAMPED = frozenset(("asf", "avi", "flv", "matroska", "mov", "mpeg", "mpegts", "mxf", "nut", "ogg", "rm"))
LINE_FROM_ZERO = ("matroska", "mov")  # a first packet a little after 0 is so there; other lines begin with it
FIRST_PACKET = 0.1  # seconds; a first packet that is later than this is where players begin, there too
JITTER = 0.04  # seconds that a packet's time may be off by rounding; more is a gap or an overlap
GLUED = 0.5  # seconds that times may go back and mean it; more is another recording, put behind the first
LONGEST_GAP = 3600.0  # seconds; times that jump further are broken

REFORMED = "Reconfiguring filter graph"  # said where a track changes its rate or channels: filters begin anew

# fmt: off
_CHANNELS = {"mono": 1, "stereo": 2, "downmix": 2, "binaural": 2, "quad": 4, "cube": 8, "hexagonal": 6, "octagonal": 8}
# fmt: on
_INPUT = re.compile(r"^Input #0, (.+), from '", re.MULTILINE)
_DURATION = re.compile(r"^  Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)", re.MULTILINE)
_START = re.compile(r"^  Duration: \S+ start: (-?\d+\.\d+)", re.MULTILINE)
_STREAM = re.compile(r"^  Stream #0:(\d+)(\S*): (Audio|Video): (.*)$", re.MULTILINE)
_TITLE = re.compile(r"^ {6}(title|name|handler_name) *: (.+)$", re.MULTILINE | re.IGNORECASE)
_DEFAULT_HANDLER = re.compile(r".*(handler|core media|iso ?media|gopro).*|soun|sound|audio", re.IGNORECASE)
_PLAIN_LAYOUT = re.compile(r"[\w.]+(\(\w+\))?")
# What ffmpeg says of a file that it can't open, and what that means.
_REFUSALS = {
    "moov atom not found": "its index is missing: the recording was not finished",
    "Format not on whitelist": "it points to other files, or is of a kind that isn't read",
    "EBML header parsing failed": "its header is damaged",
    "error reading header": "its header or index is damaged or cut off",
}


@dataclass(frozen=True, slots=True)
class Track:
    """One audio stream: `index` counts all streams of the file, `rate` is in Hz.

    `layout` is ffmpeg's name for what the channels are, which is a guess for files that don't tell; `language` is as
    the file writes it (mostly ISO 639-2), `title` what it calls the track, both "" where it doesn't.
    """

    index: int
    codec: str
    channels: int
    rate: int
    default: bool
    layout: str = ""
    language: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Streams:
    """What the headers of a file declare; `seconds` is None where they don't say.

    `guessed` tells that they didn't, and ffmpeg has reckoned `seconds` from the size of the file. `container` is
    ffmpeg's name for the format, `start` the time of the first packet.
    """

    seconds: float | None
    audio: tuple[Track, ...]
    video: bool
    guessed: bool = False
    container: str = ""
    start: float = 0.0

    @property
    def track(self) -> Track:
        """The audio track that is marked as default, else the first."""
        return next((track for track in self.audio if track.default), self.audio[0])

    def with_index(self, index: int) -> Track:
        """The audio track that is this stream of the file; InputError where it is none."""
        for track in self.audio:
            if track.index == index:
                return track
        raise InputError(f"stream {index} of the file is no audio track")

    @property
    def stamped(self) -> bool:
        """Whether its packets have times, so that there may be gaps between them."""
        return self.container in STAMPED

    @property
    def begin(self) -> float:
        """Where the time line begins, in the file's own stamps: what players show as 0:00."""
        return 0.0 if self.container in LINE_FROM_ZERO and self.start < FIRST_PACKET else self.start


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
    told = file.stat()
    return _streams(str(path), (told.st_mtime_ns, told.st_size, told.st_ino))


@lru_cache(maxsize=REMEMBERED)
def _streams(path: str, stamp: tuple[int, ...]) -> Streams:
    """As `streams`; a file that has not changed by its `stamp` is looked at once, for starting ffmpeg takes a while."""
    file = Path(path)
    try:
        done = subprocess.run(command(file), capture_output=True, timeout=PROBE_TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        raise InputError(f"{path}: reading its headers took over {PROBE_TIMEOUT} s") from None
    said = done.stderr.decode("utf-8", errors="replace")
    kind = _INPUT.search(said)
    if kind is None:
        raise InputError(f"{path} is not audio ({_refusal(file, said)})")
    container = kind[1].split(",")[0]
    found = [(*stream.groups(), _title(told)) for stream, told in _with_tags(said)]
    declared = wav.declared_seconds(file)
    start = _START.search(said)
    return Streams(
        seconds=declared or _declared_seconds(said),
        audio=tuple(
            _track(int(index), tag, text, title) for index, tag, kind, text, title in found if kind == "Audio"
        ),
        video=any(kind == "Video" and "attached pic" not in text for _, _, kind, text, _ in found),
        guessed=declared is None
        and (
            "Estimating duration from bitrate" in said or (container == "mp3" and not mp3.counts_frames(file))
        ),
        container=container,
        start=float(start[1]) if start else 0.0,
    )


def audio_streams(path: str | os.PathLike[str]) -> Streams:
    """As `streams`, but InputError where no stream is audio."""
    found = streams(path)
    if not found.audio:
        what = "is a video without an audio track" if found.video else "holds no audio track"
        raise InputError(f"{path} {what}")
    return found


def channel_options(track: Track) -> list[str]:
    """Output options that keep the channels of a track as they are, and as many where it changes them."""
    return [] if _PLAIN_LAYOUT.fullmatch(track.layout) else ["-ac", str(track.channels)]


def demuxed_seconds(path: str | os.PathLike[str], found: Streams) -> float:
    """The time of the last packet of any stream, in the file's own stamps: how far the file really goes."""
    arguments = command(path, "-map", "0:a", "-map", "0:v?", "-c", "copy", "-f", "null", "-")
    try:
        done = subprocess.run(arguments, capture_output=True, timeout=WALK_TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        raise InputError(f"{path}: reading it took over {WALK_TIMEOUT} s") from None
    times = re.findall(r"time=(\d+):(\d\d):(\d\d\.\d+)", done.stderr.decode("utf-8", errors="replace"))
    return found.start + max((_in_seconds(*time) for time in times), default=0.0)


def on_time_line(found: Streams, track: Track, rate: int, start: float = 0.0, *, stamped: bool) -> str:
    """The ffmpeg filter that puts a track at `rate` Hz on the file's time line, from `start` seconds of it on.

    Needs the option -copyts before the output. Silence goes where no packet is; times that are a little off are
    rounding; a piece whose times begin anew, or lie hours ahead, follows the one before it. stamped: whether packets
    have times that count; without them one sample follows the other.
    """
    layout = f":out_chlayout={track.layout}" if _PLAIN_LAYOUT.fullmatch(track.layout) else ""
    if not stamped:
        return f"aresample={rate}{layout}"
    # Registers: 0 where the last packet ended, 1 what is added to times after a jump, 2 where this packet begins.
    time = f"(T-{found.begin:.6f}+ld(1))"
    off = f"({time}-ld(0))"
    jumped = f"if(lt({off},-{GLUED})+gt({off},{LONGEST_GAP}),ld(0)+0*st(1,ld(1)-{off}),{time})"
    placed = f"if(isnan(T),ld(0),if(eq(N,0),{time},if(lt(abs({off}),{JITTER}),ld(0),{jumped})))"
    return (
        f"asetpts='(st(2,{placed})+0*st(0,ld(2)+NB_SAMPLES/SR))/TB',"
        f"aresample={rate}{layout}:async=1:min_hard_comp={JITTER}:first_pts={round(start * rate)}"
    )


def _refusal(file: Path, said: str) -> str:
    """Why ffmpeg can't open a file, for somebody who doesn't know ffmpeg."""
    with file.open("rb") as opened:
        if opened.read(4)[1:] == b"ds2":
            return "DS2 dictation, which only its maker's programs open: export it as DSS or WAV"
    return next((reason for sign, reason in _REFUSALS.items() if sign in said), "no known audio format")


def _declared_seconds(said: str) -> float | None:
    match = _DURATION.search(said)
    if match is None:
        return None
    return _in_seconds(*match.groups())


def _in_seconds(hours: str, minutes: str, seconds: str) -> float:
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _with_tags(said: str) -> Iterator[tuple[re.Match[str], str]]:
    """The line of each stream, and the lines about it that follow."""
    found = list(_STREAM.finditer(said))
    ends = [stream.start() for stream in found[1:]] + [len(said)]
    for stream, end in zip(found, ends, strict=True):
        yield stream, said[stream.end() : end]


def _title(told: str) -> str:
    """What the tags of a stream call it, "" where there is only the name that a program gives to all."""
    tags = {name.lower(): value.strip() for name, value in reversed(_TITLE.findall(told))}
    handler = tags.get("handler_name", "")
    named = "" if _DEFAULT_HANDLER.fullmatch(handler) else handler
    return tags.get("title") or tags.get("name") or named


def _track(index: int, tag: str, text: str, title: str) -> Track:
    codec = re.split(r"[ ,]", text, maxsplit=1)[0]
    rate = re.search(r"(\d+) Hz(?:, ([^,]+))?", text)
    layout = (rate and rate[2]) or ""
    language = re.search(r"\((\w+)\)", tag)
    return Track(
        index,
        codec,
        _channel_count(layout),
        int(rate[1]) if rate else 0,
        "(default)" in text,
        layout,
        language[1] if language and language[1] != "und" else "",
        title,
    )


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
