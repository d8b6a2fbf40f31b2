"""Advanced SubStation captions (ASS), for video players and editors: a colour and the name of the speaker on every cue.

http://www.tcax.org/docs/ass-specs.htm
"""

from __future__ import annotations

from collections.abc import Iterator

from models.record.transcript import Transcript
from outputs.captions.cues import cues
from outputs.captions.look import COLOURS, colours_of, font_share
from outputs.captions.profiles import VIDEO, Profile
from outputs.captions.screen import Cue
from outputs.text.characters import one_line
from outputs.text.direction import directed
from outputs.text.languages import language_tag
from outputs.text.times import milliseconds
from outputs.text.translations import notice

BOM = "\ufeff"  # without it players on Windows take a file for one of the machine's old code page
WIDTH, HEIGHT = 1920, 1080  # of the picture that all sizes are meant for
_STYLE_FIELDS = (
    "Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, "
    "StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, "
    "Encoding"
)
_EVENT_FIELDS = "Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"
# A black outline and shadow, at the bottom in the middle, away from the edges.
_LOOK = "&H00000000,&H80000000,0,0,0,0,100,100,0,0,1,3,1,2,96,96,54,1"
# The format has no escapes. A brace begins what players hide, and a backslash with the letter after it a line break.
_PLAIN = str.maketrans({"{": "｛", "}": "｝", "\\": "\\\N{WORD JOINER}"})


def render(transcript: Transcript, profile: Profile = VIDEO) -> str:
    """The captions as ASS; no event where nobody speaks. Of cues at once players show one above the other."""
    found = cues(transcript, profile)
    colours = colours_of(found)
    size = round(HEIGHT * font_share(profile))
    lines = [
        f"{BOM}[Script Info]",
        *_header(transcript),
        "",
        "[V4+ Styles]",
        f"Format: {_STYLE_FIELDS}",
        *(
            f"Style: {name},Arial,{size},{_colour(rgb)},{_colour(rgb)},{_LOOK}"
            for name, rgb in COLOURS.items()
        ),
        "",
        "[Events]",
        f"Format: {_EVENT_FIELDS}",
        *(_event(cue, colours[cue.speaker]) for cue in found),
    ]
    return "\n".join(lines) + "\n"


def _header(transcript: Transcript) -> Iterator[str]:
    if said := notice(transcript):
        yield f"; {said}"
    if title := one_line(transcript.episode.title).strip():
        yield f"Title: {title}"
    yield "ScriptType: v4.00+"
    if main := language_tag(transcript.language):
        yield f"Language: {main}"
    yield "WrapStyle: 0"
    yield "ScaledBorderAndShadow: yes"
    yield f"PlayResX: {WIDTH}"
    yield f"PlayResY: {HEIGHT}"


def _colour(rgb: str) -> str:
    return f"&H00{rgb[4:]}{rgb[2:4]}{rgb[:2]}"


def _event(cue: Cue, style: str) -> str:
    start = _hundredths(cue.start)
    end = max(start + 1, _hundredths(cue.end))
    name = cue.speaker.replace(",", ";")  # fields end with a comma, but for the last
    text = "\\N".join(line.translate(_PLAIN) for line in directed(cue.lines, cue.language))
    return f"Dialogue: 0,{_time(start)},{_time(end)},{style},{name},0,0,0,,{text}"


def _hundredths(seconds: float) -> int:
    """The nearest one: what follows each other in ms does so in hundredths, too."""
    return (milliseconds(seconds) + 5) // 10


def _time(hundredths: int) -> str:
    seconds, rest = divmod(hundredths, 100)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}.{rest:02}"
