"""Chapters as WebVTT, for `<track kind="chapters">`: a cue a chapter. https://www.w3.org/TR/webvtt1/#chapter-cue"""

from __future__ import annotations

from models.record.transcript import Transcript
from outputs.formats.vtt import escaped
from outputs.text.chapters import chapters_note, listed_chapters
from outputs.text.times import vtt_time


def render(transcript: Transcript) -> str:
    """A cue for each chapter of the table of contents; "" where there are none."""
    chapters = listed_chapters(transcript)
    note = [f"NOTE {escaped(said)}\n"] if (said := chapters_note(transcript)) else []
    cues = [
        f"{vtt_time(one.start)} --> {vtt_time(one.end or one.start)}\n{escaped(one.title)}\n"
        for one in chapters
    ]
    return "\n".join(["WEBVTT\n", *note, *cues]) if cues else ""
