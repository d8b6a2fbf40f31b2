"""Clips: a piece of an episode as audio, with captions of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from flows.library.audio import find_audio
from models.record.cropping import crop
from models.record.errors import InputError
from models.runtime.cache import holding
from outputs.formats.registry import FORMATS
from outputs.library import read
from outputs.library.files import replace_files
from outputs.text.characters import one_line
from outputs.text.times import clock

# What pydub hands to ffmpeg as the format, by the extension of the file.
CONTAINERS = {".mp3": "mp3", ".m4a": "ipod", ".wav": "wav", ".flac": "flac", ".ogg": "ogg", ".opus": "opus"}
BITRATES = {".mp3": "160k", ".m4a": "128k"}


@holding()
def make_clip(folder: Path, start: float, end: float, out: Path, audio: Path | None = None) -> list[Path]:
    """Write the audio from `start` to `end` seconds to `out` and its captions beside it; returns both paths.

    At podcast loudness, its ends faded. InputError: end not after start, past the audio's end, an unknown
    extension, no audio at hand.
    """
    from audio.media.clip import cut, encode
    from audio.media.loudness import fade_ends, normalise_loudness
    from audio.transfer.download import local_file

    transcript = read.load(folder)
    if out.suffix.lower() not in CONTAINERS:
        raise InputError(f"{out}: unknown kind of audio; give a name that ends in {', '.join(CONTAINERS)}")
    if start >= transcript.audio.seconds:
        raise InputError(
            f"can't cut from {clock(start)}: the episode ends at {clock(transcript.audio.seconds)}"
        )
    end = min(end, transcript.audio.seconds) if end > start else end
    source = find_audio(read.folder_of(folder), transcript.audio, audio)
    same = audio is None or local_file(str(source)).sha256 == transcript.audio.sha256
    piece = cut(source, start, end, track=transcript.audio.track if same else None)
    said = crop(transcript, start, end)
    title = f"{one_line(transcript.episode.title)} ({clock(start)}–{clock(end)})"
    tags = {"title": title, "artist": one_line(transcript.episode.show)}
    kind = out.suffix.lower()
    encode(
        fade_ends(normalise_loudness(piece)),
        out,
        format=CONTAINERS[kind],
        bitrate=BITRATES.get(kind),
        tags=tags,
    )
    captions = out.with_suffix(".srt")
    said = replace(said, audio=replace(said.audio, seconds=len(piece) / 1000))
    replace_files({captions: FORMATS["srt"].render(said)})
    return [out, captions]
