"""SubRip captions, cut as the podcast namespace asks: 2 lines of 32, "Name: " when the speaker changes.

https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/examples/transcripts/transcripts.md
"""

from __future__ import annotations

from models.transcript import Transcript
from outputs.cues import PODCAST, Cue, cues
from outputs.times import srt_time


def render(transcript: Transcript) -> str:
    """The captions as SubRip; "" where nobody speaks."""
    return "\n".join(_block(number, cue) for number, cue in enumerate(cues(transcript, PODCAST), start=1))


def _block(number: int, cue: Cue) -> str:
    # SubRip has no escapes, and a line of text with its time arrow may be taken for the next cue.
    lines = "\n".join(cue.lines).replace("-->", "→")
    return f"{number}\n{srt_time(cue.start)} --> {srt_time(cue.end)}\n{lines}\n"
