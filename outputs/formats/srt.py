"""SubRip captions, unless told otherwise cut as the podcast namespace asks: 2 lines of 32, "Name: ".

https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/examples/transcripts/transcripts.md
"""

from __future__ import annotations

from dataclasses import replace

from models.record.transcript import Transcript
from outputs.captions.cues import cues
from outputs.captions.profiles import PODCAST, Profile
from outputs.captions.screen import Cue
from outputs.text.direction import directed
from outputs.text.times import srt_time


def render(transcript: Transcript, profile: Profile = PODCAST) -> str:
    """The captions as SubRip; "" where nobody speaks."""
    # Of two cues at once nothing but names in the text tells who speaks.
    profile = replace(profile, simultaneous=profile.simultaneous and profile.names)
    found = cues(_holdable(transcript), profile)
    return "\n".join(_block(number, cue) for number, cue in enumerate(found, start=1))


def _holdable(transcript: Transcript) -> Transcript:
    """The same words as SubRip can hold them, before they are cut: they are not as wide."""
    segments = [
        replace(segment, words=tuple(replace(word, text=_plain(word.text)) for word in segment.words))
        for segment in transcript.segments
    ]
    speakers = [replace(speaker, name=_plain(speaker.name)) for speaker in transcript.speakers]
    return replace(transcript, segments=tuple(segments), speakers=tuple(speakers))


def _plain(text: str) -> str:
    # SubRip has no escapes: a line of text with its time arrow may be taken for the next cue, and players
    # hide what looks like an override tag, {\\an8}, which a no-break space makes text.
    return text.replace("-->", "→").replace("{\\", "{\N{NO-BREAK SPACE}\\")


def _block(number: int, cue: Cue) -> str:
    # Words that follow each other without a space may make an arrow, too.
    lines = _plain("\n".join(directed(cue.lines, cue.language)))
    return f"{number}\n{srt_time(cue.start)} --> {srt_time(cue.end)}\n{lines}\n"
