"""What readable captions are: the limits that players, services and broadcasters set.

The writers cut cues to fit a `Profile`, and `outputs.captions.lint` measures captions against one. Where a
source gives no limit of its own we take Netflix's, which is the best founded. Sources:

- podcast: https://github.com/Podcastindex-org/podcast-namespace (docs/examples/transcripts)
- netflix: Timed Text Style Guide, general requirements and English (adult programmes), at 24 frames/s; for Chinese,
  Japanese and Korean those of each, though never faster than English
- bbc: Subtitle Guidelines, chapters on timing and on presentation
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from models.record.errors import InputError
from outputs.text.characters import is_spaceless, width
from outputs.text.times import milliseconds

FRAME = 1 / 24  # seconds
SPACELESS_WORD = 4  # columns of Chinese, Japanese or Thai that read like one word


@dataclass(frozen=True, slots=True)
class Profile:
    """The limits for one kind of reader. Widths in columns, times in seconds.

    Where `names` is true the first cue after a change of speaker starts with "Name: ", which counts
    as text; that takes two lines or more. Where `simultaneous` is true, cues of two people who talk at once may be on
    screen at once, as long as each tells who speaks. Between two cues there is a silence of `gap`, or one that
    is `free_gap` or longer; anything in between flickers.
    """

    name: str
    max_chars: int  # columns of a line; a wide character takes two
    max_lines: int = 2
    min_duration: float = 5 / 6
    max_duration: float = 7.0
    columns_per_second: float = 20.0
    words_per_minute: float = math.inf
    gap: float = 0.0
    free_gap: float = 0.0
    names: bool = False
    simultaneous: bool = False

    def in_language(self, language: str) -> Profile:
        """The same for text in a language of ISO 639-1, for which its source may have limits of its own."""
        if self.name != NETFLIX.name or language not in _NETFLIX_LIMITS:
            return self
        max_chars, columns_per_second = _NETFLIX_LIMITS[language]
        return replace(self, max_chars=max_chars, columns_per_second=columns_per_second)

    def reading_ms(self, lines: Sequence[str]) -> int:
        """How long the lines have to be shown to be read, in ms."""
        return self.reading_ms_of(sum(map(width, lines)), sum(map(word_count, lines)))

    def reading_ms_of(self, columns: int, words: int) -> int:
        """How long so much text has to be shown to be read, in ms."""
        return math.ceil(
            max(1000 * columns / self.columns_per_second, 60_000 * words / self.words_per_minute)
        )

    def latest_end_ms(self, start: int, following: int | None) -> int:
        """The last moment at which a cue may go, given when it and the next one appear, all in ms."""
        longest = start + milliseconds(self.max_duration)
        if following is None:
            return longest
        closed = following - milliseconds(self.gap)
        return closed if closed <= longest else min(longest, following - milliseconds(self.free_gap))


PODCAST = Profile("podcast", max_chars=32, names=True, simultaneous=True)
VTT = replace(PODCAST, name="vtt", max_chars=65, names=False)
VIDEO = replace(VTT, name="video", max_chars=42)  # as wide as Netflix's; for files that say how captions look
NETFLIX = Profile("netflix", max_chars=42, gap=2 * FRAME, free_gap=12 * FRAME)
BBC = Profile("bbc", max_chars=37, columns_per_second=math.inf, words_per_minute=180.0, free_gap=1.0)
SINGLE_LINE = replace(VTT, name="single-line", max_lines=1)  # for importers that join lines without a space
# Columns of a line and a second: 13 Japanese characters and 4 a second, 16 Chinese and 9 a second, 16 Korean.
_NETFLIX_LIMITS = {
    "ja": (26, 8.0),
    "zh": (32, 18.0),
    "yue": (32, 18.0),
    "ko": (32, NETFLIX.columns_per_second),
}
PROFILES = {profile.name: profile for profile in (PODCAST, VTT, NETFLIX, BBC, SINGLE_LINE)}


def profile_named(name: str) -> Profile:
    """The profile of this name; InputError where there is none."""
    if name not in PROFILES:
        raise InputError(f"unknown caption profile {name!r}; there are {', '.join(PROFILES)}")
    return PROFILES[name]


def word_count(text: str) -> int:
    """Words of a line; in scripts without spaces, what takes as long to read.

    >>> word_count("Well, you know."), word_count("今天天气很好")
    (3, 3)
    """
    return sum(
        math.ceil(width(token) / SPACELESS_WORD) if any(map(is_spaceless, token)) else 1
        for token in text.split()
    )
