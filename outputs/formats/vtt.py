"""WebVTT captions with the speaker's voice tag on every cue. https://www.w3.org/TR/webvtt1/

What is said in another language than the episode's main one is in a language tag. The format has no place for the
main one itself but a comment: lines of metadata below the signature are no part of it, and parsers refuse them.
"""

from __future__ import annotations

from models.record.transcript import Transcript
from outputs.captions.cues import cues
from outputs.captions.profiles import VTT, Profile
from outputs.captions.screen import Cue
from outputs.text.direction import directed
from outputs.text.languages import foreign_tag, language_tag
from outputs.text.times import vtt_time
from outputs.text.translations import notice


def render(transcript: Transcript, profile: Profile = VTT) -> str:
    """The captions as WebVTT; no cue where nobody speaks."""
    main = language_tag(transcript.language)
    notes = [f"Language: {main}"] if main else []
    notes += [escaped(said)] if (said := notice(transcript)) else []
    blocks = [
        *(f"NOTE {note}\n" for note in notes),
        *(_block(cue, main) for cue in cues(transcript, profile)),
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def escaped(text: str) -> str:
    """Text with character references for what WebVTT reads as markup; so it never holds "-->".

    >>> escaped("A & B <c> -->")
    'A &amp; B &lt;c&gt; --&gt;'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _block(cue: Cue, main: str) -> str:
    text = escaped("\n".join(directed(cue.lines, cue.language)))
    if tag := foreign_tag(cue.language, main):
        text = f"<lang {tag}>{text}</lang>"
    return f"{vtt_time(cue.start)} --> {vtt_time(cue.end)}\n{_voice(cue.speaker)}{text}\n"


def _voice(name: str) -> str:
    """The tag that says who speaks; "" where nobody knows."""
    annotation = escaped(name)
    if annotation.endswith("-"):  # with the bracket that closes the tag two of them would make an arrow
        annotation = f"{annotation[:-1]}&#45;"
    return f"<v {annotation}>" if name else ""
