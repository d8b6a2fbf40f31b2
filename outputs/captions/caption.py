"""What readers of caption files find: cues as they are shown, and faults of the files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

QUOTED_CHARS = 40  # of a line, in messages


@dataclass(frozen=True, slots=True)
class Caption:
    """A cue as a file has it: times in ms, lines as they are shown, names of its voice tags."""

    start: int
    end: int
    lines: tuple[str, ...]
    voices: tuple[str, ...] = ()
    arrow: bool = False  # the payload holds "-->"
    line: int = 0  # of its times, counted from 1

    @property
    def duration(self) -> int:
        """How long it is shown, ms; never negative."""
        return max(0, self.end - self.start)


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that breaks its format, so that players drop text, show markup or refuse the file."""

    line: int  # counted from 1
    rule: str
    what: str
    unavoidable: ClassVar[bool] = False

    def __str__(self) -> str:
        return f"line {self.line}: {self.rule}: {self.what}"


@dataclass(frozen=True, slots=True)
class Reading:
    """All cues of a file that are shown, and its faults in order of lines."""

    captions: tuple[Caption, ...]
    faults: tuple[Fault, ...]


def quoted(text: str) -> str:
    """A line for a message, cut short.

    >>> quoted(" a line"), len(quoted("x" * 100))
    ("'a line'", 43)
    """
    text = text.strip()
    return repr(text if len(text) <= QUOTED_CHARS else f"{text[:QUOTED_CHARS]}…")
