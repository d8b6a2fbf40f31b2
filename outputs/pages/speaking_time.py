"""Who speaks when, and how much: what the pages draw.

Told by the words, so that what is drawn agrees with what is read, also after corrections.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from models.record.transcript import Transcript
from outputs.text.characters import one_line
from outputs.text.times import milliseconds

COLOURS = 8  # so many can be told apart; further speakers start again with the first
BRIDGED_SECONDS = 1.0  # a shorter silence between words of one speaker is not drawn


@dataclass(frozen=True, slots=True)
class SpeakingTime:
    """A speaker by name: the number of the colour, spans of speech in seconds, share of all speech (0 to 1)."""

    name: str
    colour: int
    spans: tuple[tuple[float, float], ...]
    share: float

    @property
    def seconds(self) -> float:
        """How long the speaker talks."""
        return sum(end - start for start, end in self.spans)


def speaking_times(transcript: Transcript) -> list[SpeakingTime]:
    """The named speakers in order of first words. Labels of one name are one speaker."""
    spans: dict[str, list[tuple[float, float]]] = {}
    for segment in transcript.segments:
        name = one_line(transcript.name_of(segment.speaker)).strip()
        if name and one_line(segment.text).strip():
            spans.setdefault(name, []).extend((word.start, word.end) for word in segment.words)
    joined = {name: tuple(_joined(found)) for name, found in spans.items()}
    total = sum(end - start for found in joined.values() for start, end in found)
    return [
        SpeakingTime(
            name, number % COLOURS, found, sum(end - start for start, end in found) / total if total else 0
        )
        for number, (name, found) in enumerate(joined.items())
    ]


def _joined(spans: Iterable[tuple[float, float]]) -> Iterable[tuple[float, float]]:
    """The spans in order of time, with those in one that nearly touch."""
    end = -BRIDGED_SECONDS
    numbered = []
    number = 0
    for start, stop in sorted((max(0.0, a), max(0.0, a, b)) for a, b in spans):
        number += start - end > BRIDGED_SECONDS
        end = max(end, stop)
        numbered.append((number, start, stop))
    for _, group in groupby(numbered, key=lambda entry: entry[0]):
        together = list(group)
        yield together[0][1], max(stop for _, _, stop in together)


def svg_path(talker: SpeakingTime, seconds: float, top: int, height: int, width: int) -> str:
    """The spans as one SVG path of rectangles in a box `width` wide that stands for `seconds`."""
    scale = width / max(seconds, 0.001)
    bars = []
    for start, end in talker.spans:
        left = min(width, milliseconds(start) * scale / 1000)
        length = max(width / 1000, min(width - left, (end - start) * scale))
        bars.append(f"M{left:.1f} {top}h{length:.1f}v{height}h-{length:.1f}z")
    return "".join(bars)
