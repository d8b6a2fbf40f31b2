"""WebVTT captions with the speaker's voice tag on every cue. https://www.w3.org/TR/webvtt1/"""

from __future__ import annotations

from models.record.transcript import Transcript
from outputs.captions.cues import cues
from outputs.captions.profiles import VTT, Profile
from outputs.captions.screen import Cue
from outputs.text.times import vtt_time
from outputs.text.translations import notice


def render(transcript: Transcript, profile: Profile = VTT) -> str:
    """The captions as WebVTT; the header alone where nobody speaks."""
    notes = [f"NOTE {escaped(said)}\n"] if (said := notice(transcript)) else []
    return "\n".join(["WEBVTT\n", *notes, *(_block(cue) for cue in cues(transcript, profile))])


def escaped(text: str) -> str:
    """Text with character references for what WebVTT reads as markup; so it never holds "-->".

    >>> escaped("A & B <c> -->")
    'A &amp; B &lt;c&gt; --&gt;'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _block(cue: Cue) -> str:
    lines = escaped("\n".join(cue.lines))
    return f"{vtt_time(cue.start)} --> {vtt_time(cue.end)}\n{_voice(cue.speaker)}{lines}\n"


def _voice(name: str) -> str:
    """The tag that says who speaks; "" where nobody knows."""
    annotation = escaped(name)
    if annotation.endswith("-"):  # with the bracket that closes the tag two of them would make an arrow
        annotation = f"{annotation[:-1]}&#45;"
    return f"<v {annotation}>" if name else ""
