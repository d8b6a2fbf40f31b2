"""SubRip captions, unless told otherwise cut as the podcast namespace asks: 2 lines of 32, "Name: ".

https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/examples/transcripts/transcripts.md
"""

from __future__ import annotations

from dataclasses import replace

from models.record.transcript import Transcript
from outputs.captions.cues import Cue, cues
from outputs.captions.profiles import PODCAST, Profile
from outputs.text.times import srt_time


def render(transcript: Transcript, profile: Profile = PODCAST) -> str:
    """The captions as SubRip; "" where nobody speaks."""
    found = cues(_without_arrows(transcript), profile)
    return "\n".join(_block(number, cue) for number, cue in enumerate(found, start=1))


def _without_arrows(transcript: Transcript) -> Transcript:
    """The same words with another arrow, before they are cut: it is not as wide."""
    segments = [
        replace(segment, words=tuple(replace(word, text=_arrow(word.text)) for word in segment.words))
        for segment in transcript.segments
    ]
    speakers = [replace(speaker, name=_arrow(speaker.name)) for speaker in transcript.speakers]
    return replace(transcript, segments=tuple(segments), speakers=tuple(speakers))


def _arrow(text: str) -> str:
    # SubRip has no escapes, and a line of text with its time arrow may be taken for the next cue.
    return text.replace("-->", "→")


def _block(number: int, cue: Cue) -> str:
    lines = _arrow("\n".join(cue.lines))  # words that follow each other without a space may make one, too
    return f"{number}\n{srt_time(cue.start)} --> {srt_time(cue.end)}\n{lines}\n"
