"""Which of several audio tracks is heard: the one that is asked for, or else the one that people speak on."""

from __future__ import annotations

import os

import langcodes
import numpy as np
from langcodes.tag_parser import LanguageTagError

from audio.media import ffmpeg
from audio.media.decode import channels
from audio.media.ffmpeg import Streams, Track
from models.asr.voice_activity import voice_activity
from models.record.errors import InputError
from models.record.spans import total
from models.runtime.samples import SAMPLE_RATE

LISTENED_SECONDS = (
    600  # from the beginning of each track: where nobody speaks for so long, other tracks are no worse
)
SILENT_SHARE = 0.1  # a default track with less than this of another one's speech gives way to it


def choose_track(path: str | os.PathLike[str], wanted: str | None = None) -> tuple[Track, tuple[str, ...]]:
    """The track of a file to listen to, and what its user should know of the choice.

    wanted: the number of an audio track, 1 being the first, or a language (ISO 639). Without it the default track is
    heard, unless another holds the speech. InputError: not audio, no such track.
    """
    found = ffmpeg.audio_streams(path)
    if wanted is not None:
        return _wanted(path, found, wanted), ()
    if len(found.audio) == 1:
        return found.track, ()
    spoken = {track: _speech_seconds(path, found, track) for track in found.audio}
    best = max(spoken, key=lambda track: spoken[track])
    chosen = best if spoken[found.track] < SILENT_SHARE * spoken[best] else found.track
    heard = f"track {found.audio.index(chosen) + 1}" + (f" ({chosen.language})" if chosen.language else "")
    why = "its default one" if chosen is found.track else "as people speak there"
    return chosen, (
        f"the file has {len(found.audio)} audio tracks: {heard} was heard, {why}; --audio-track chooses another",
    )


def _wanted(path: str | os.PathLike[str], found: Streams, wanted: str) -> Track:
    if wanted.isdecimal():
        if not 1 <= int(wanted) <= len(found.audio):
            raise InputError(f"{path} has no audio track {wanted}: it has {_listed(found)}")
        return found.audio[int(wanted) - 1]
    for track in found.audio:
        if track.language and _language(track.language) == _language(wanted):
            return track
    raise InputError(f"{path} has no audio track in {wanted}: it has {_listed(found)}")


def _listed(found: Streams) -> str:
    return ", ".join(
        f"{number} ({track.language or 'no language'})" for number, track in enumerate(found.audio, 1)
    )


def _language(code: str) -> str:
    """ISO 639-1 where there is one.

    >>> [_language(code) for code in ("ger", "deu", "DE", "pt-BR", "?")]
    ['de', 'de', 'de', 'pt', '?']
    """
    try:
        return langcodes.Language.get(code).language or code
    except LanguageTagError:
        return code


def _speech_seconds(path: str | os.PathLike[str], found: Streams, track: Track) -> float:
    """How long people speak at the beginning of a track, by the voice detector."""
    heard, spoken = 0, 0.0
    with channels(path, found, track) as (blocks, _):
        for block in blocks:
            mono = block.mean(axis=1)
            peak = float(np.abs(mono).max())
            spoken += total(voice_activity(mono / peak * 0.5)) if peak else 0.0
            heard += len(block)
            if heard >= LISTENED_SECONDS * SAMPLE_RATE:
                break
    return spoken
