"""How captions look where their file says so: the colours of speakers, and how large letters are.

Broadcasters tell speakers by white, yellow, cyan and green on black, in this order (BBC Subtitle Guidelines,
"Colours"); the weakest of them has a contrast of 15:1 to black.
"""

from __future__ import annotations

from collections.abc import Iterable

from outputs.captions.profiles import Profile
from outputs.captions.screen import Cue

COLOURS = {"white": "FFFFFF", "yellow": "FFFF00", "cyan": "00FFFF", "green": "00FF00"}  # red, green, blue
FONT_SHARE = 0.05  # of the picture's height, as large as subtitles are in most places ...
WHOLE_LINE = (
    2.8  # ... but not so large that a line of captions is wider than this many heights of the picture
)


def colours_of(cues: Iterable[Cue]) -> dict[str, str]:
    """The name of the colour of each speaker; from the fifth on one has that of an earlier one.

    Who has no name is as white as whoever speaks first.
    """
    names = dict.fromkeys(cue.speaker for cue in cues if cue.speaker)
    colours = list(COLOURS)
    return {"": colours[0], **{name: colours[at % len(colours)] for at, name in enumerate(names)}}


def font_share(profile: Profile) -> float:
    """How high letters are as a share of the picture's height, for lines as long as the profile allows."""
    return min(FONT_SHARE, WHOLE_LINE / profile.max_chars)
