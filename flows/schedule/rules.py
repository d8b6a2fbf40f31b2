"""Which episodes of a show are taken: by title, by type, by length."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from flows.options import CommandLine
from models.record.identity import audio_key
from models.record.transcript import Episode

PASSED_OVER = "passed over: "  # how the reason begins that the store has for what the rules don't take
WILD = "*"
MAX_PATTERNS = 100
MAX_PATTERN_CHARS = 300
# A length that a feed tells is believed between these; what is wrong there is told by the audio itself.
LEAST_SECONDS, MOST_SECONDS = 5.0, 48 * 3600.0
LEAST_BYTES = 10_000  # of an enclosure; less is a length that somebody made up
LEAST_BITRATE, MOST_BITRATE = 4_000, 3_000_000  # bit/s that audio, or a video, may have


class EpisodeRules(BaseModel):
    """Rules of a show; an episode is taken where all of them let it through."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title_has: Annotated[tuple[str, ...], CommandLine(unset="any", repeated=True)] = Field(
        (), description="Take only titles with this in them; * is anything. May be given again."
    )
    title_lacks: Annotated[tuple[str, ...], CommandLine(unset="none", repeated=True)] = Field(
        (), description="Pass over titles with this in them; * is anything. May be given again."
    )
    types: tuple[Literal["full", "trailer", "bonus"], ...] = Field(
        ("full", "trailer", "bonus"), description="Types of episodes to take, comma-separated."
    )
    min_minutes: Annotated[float | None, CommandLine(unset="any")] = Field(
        None, gt=0, description="Pass over shorter episodes."
    )
    max_minutes: Annotated[float | None, CommandLine(unset="any")] = Field(
        None, gt=0, description="Pass over longer episodes."
    )

    @field_validator("title_has", "title_lacks")
    @classmethod
    def _are_patterns(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        if len(patterns) > MAX_PATTERNS:
            raise ValueError(f"over {MAX_PATTERNS} patterns")
        for pattern in patterns:
            if not pattern.replace(WILD, "").strip() or len(pattern) > MAX_PATTERN_CHARS:
                raise ValueError(f"{pattern[:20]!r} is no pattern: write what the title has in it")
        return patterns

    @field_validator("types")
    @classmethod
    def _are_some(cls, types: tuple[str, ...]) -> tuple[str, ...]:
        if not types:
            raise ValueError("no episode would be taken: use full, trailer, bonus")
        return types

    def reason_against(self, episode: Episode, seconds: float = 0.0) -> str:
        """Why an episode is passed over, "" where it is taken.

        seconds: how long it is, where its audio was decoded; else what the feed tells counts, if it can be.
        """
        found = self._by_title(episode.title) or self._by_type(episode) or self._by_length(episode, seconds)
        return f"{PASSED_OVER}{found}" if found else ""

    def _by_title(self, title: str) -> str:
        folded = _folded(title)
        if self.title_has and not any(_occurs(pattern, folded) for pattern in self.title_has):
            return "its title has nothing of title_has"
        unwanted = next((pattern for pattern in self.title_lacks if _occurs(pattern, folded)), None)
        return "" if unwanted is None else f"its title has {unwanted!r} (title_lacks)"

    def _by_type(self, episode: Episode) -> str:
        told = episode.type or "full"
        return "" if told in self.types else f"its type is {told} (types)"

    def _by_length(self, episode: Episode, seconds: float) -> str:
        minutes = (seconds or claimed_seconds(episode)) / 60
        if not minutes:
            return ""
        if self.min_minutes is not None and minutes < self.min_minutes:
            return f"it is {_told(minutes)} min long (min_minutes = {_told(self.min_minutes)})"
        if self.max_minutes is not None and minutes > self.max_minutes:
            return f"it is {_told(minutes)} min long (max_minutes = {_told(self.max_minutes)})"
        return ""


ALL = EpisodeRules()


def claimed_seconds(episode: Episode) -> float:
    """How long the feed says that an episode is; 0.0 where it doesn't say, or where that can't be.

    Some feeds tell milliseconds, or 1 s for all episodes. Beside the size of the enclosure that is seen.

    >>> from models.record.transcript import Enclosure
    >>> hour = (Enclosure("https://a.example/1.mp3", "audio/mpeg", 57_600_000),)
    >>> [claimed_seconds(Episode("", duration=told, enclosures=hour)) for told in (3600.0, 1.0, 3_600_000.0)]
    [3600.0, 0.0, 0.0]
    """
    seconds = episode.duration
    if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        return 0.0
    size = episode.enclosures[0].length if episode.enclosures else 0
    believable = size < LEAST_BYTES or LEAST_BITRATE <= 8 * size / seconds <= MOST_BITRATE
    return seconds if believable else 0.0


def length_key(episode: Episode) -> tuple[str, str]:
    """What the length of an episode's audio, once it was found, is remembered by: others may come under its id."""
    return episode.id, f"{audio_key(episode.audio_url, query=False)} {episode.duration:g}"


def _occurs(pattern: str, folded: str) -> bool:
    """Whether a title has the parts of a pattern in it, one after the other."""
    at = 0
    for part in _folded(pattern).split(WILD):
        found = folded.find(part.strip(), at)
        if found < 0:
            return False
        at = found + len(part.strip())
    return True


def _folded(text: str) -> str:
    """Text for comparison: no matter the case, the runs of spaces, and which way accents are written."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _told(minutes: float) -> str:
    return f"{round(minutes, 2 if minutes < 1 else 1):g}"
