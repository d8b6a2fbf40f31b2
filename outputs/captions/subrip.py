"""SubRip by whomever, read with tolerance: all text is kept, and all that is wrong with a file is said.

There is no standard; the norm here is what SubRip itself writes: number, times, text, blank line. What lies
between two lines of times is the text of the first cue and the number of the second.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from models.record.errors import InputError
from outputs.captions.caption import Caption, Fault, Reading, quoted
from outputs.captions.timings import ARROW, SRT_POINT, Timing, timing, told
from outputs.text.direction import undirected

# SubRip has no escapes: only what players know as markup is none of the text.
_TAGS = "b|i|u|s|strike|strong|em|font|span|p|br|div|center|small|big|sub|sup|ruby|rt|tt"
_MARKUP = re.compile(rf"</?(?:{_TAGS})\b[^<>]*>|\{{\\[^{{}}]*\}}", re.IGNORECASE)
_NUMBER = re.compile(r"[ \t]*([0-9]{1,9})[ \t]*")


@dataclass
class _Reader:
    lines: Sequence[str]
    captions: list[Caption] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    number: int | None = None  # of the cue before

    def fault(self, at: int, rule: str, what: str) -> None:
        self.faults.append(Fault(at + 1, rule, what))

    def read(self) -> None:
        times = self._times()
        ends = [*times, len(self.lines)][1:]
        if times:
            head = self._head(0, next(iter(times)))
            self._lost(range(head), "text before the first cue")
        for (at, found), end in zip(times.items(), ends, strict=True):
            last = end
            if end in times:
                last = self._head(at + 1, end)
            self._cue(at, found, last)
        for at, line in enumerate(self.lines):
            if line != line.rstrip(" \t"):
                what = f"at the end of {quoted(line)}" if line.strip() else "in a line that should be blank"
                self.fault(at, "spaces", f"spaces {what}")

    def _times(self) -> dict[int, Timing | None]:
        """The lines of times by their numbers, None for those that can't be read."""
        found: dict[int, Timing | None] = {}
        block = 0  # where the lines since the last blank one start
        for at, line in enumerate(self.lines):
            if not line.strip():
                block = at + 1
                continue
            near_top = at == block or (at == block + 1 and at - 1 not in found)
            readable = timing(line)
            if readable and (readable.plain or near_top):
                found[at] = readable
            elif ARROW in line and near_top and (at == block or _NUMBER.fullmatch(self.lines[block])):
                found[at] = None
        return found

    def _head(self, start: int, times: int) -> int:
        """Checks the lines between a cue's text and the times of the next one; where the text ends."""
        head = times
        while head > start and self.lines[head - 1].strip():
            head -= 1
        first = head == 0 or head > start  # a blank line, or nothing at all, is before it
        lines = self.lines[head:times]
        if lines and _NUMBER.fullmatch(lines[0]) and (first or len(lines) == 1):
            at, extra = head, range(head + 1, times)
        elif lines and _NUMBER.fullmatch(lines[-1]):
            at, extra, first = times - 1, range(0), False
        else:
            return self._unnumbered(head, times, first)
        if not first:
            self.fault(at, "blank-line", "no blank line before this cue")
        self._count(at, self.lines[at])
        self._lost(extra, "text before the times")
        return at

    def _unnumbered(self, head: int, times: int, first: bool) -> int:
        lines = self.lines[head:times]
        if first and len(lines) == 1:
            self.fault(head, "number", f"{quoted(lines[0])} stands where the cue's number should be")
        else:
            self.fault(times, "number", "no number before the times")
            self._lost(range(head, times) if first else (), "text before the times")
        if not first:
            self.fault(times, "blank-line", "no blank line before this cue")
        self.number = None
        return head if first else times

    def _lost(self, numbers: Iterable[int], what: str) -> None:
        for at in numbers:
            if self.lines[at].strip():
                self.fault(at, "lost-text", f"{what}: {quoted(self.lines[at])}")

    def _count(self, at: int, line: str) -> None:
        number = int(line)
        if self.number is not None and number != self.number + 1:
            self.fault(at, "number", f"{number} after {self.number}")
        self.number = number

    def _cue(self, at: int, found: Timing | None, end: int) -> None:
        if found is None:
            self.fault(at, "time-format", f"can't read the times in {self.lines[at].strip()!r}")
            return
        if wrong := found.faults(SRT_POINT):
            self.fault(at, "time-format", told(wrong, self.lines[at]))
        if found.rest.strip():
            self.fault(at, "after-times", f"{quoted(found.rest)} after the times: few players know that")
        if self.lines[at][:1].isspace():
            self.fault(at, "spaces", "spaces before the times")
        payload = self._payload(at + 1, end)
        arrow = any(ARROW in line for line in payload)
        lines = tuple(undirected(_MARKUP.sub("", line)).rstrip(" \t") for line in payload)
        self.captions.append(Caption(found.start.ms, found.end.ms, lines, (), arrow, at + 1))

    def _payload(self, start: int, end: int) -> list[str]:
        """The lines of text between these; where blank ones are among them, players drop what follows."""
        while end > start and not self.lines[end - 1].strip():
            end -= 1
        gaps = {at for at in range(start, end) if not self.lines[at].strip()}
        for at in sorted(gaps):
            if at + 1 not in gaps:
                self.fault(
                    at, "blank-line", f"a blank line within a cue, before {quoted(self.lines[at + 1])}"
                )
        return [self.lines[at] for at in range(start, end) if at not in gaps]


def read(text: str) -> Reading:
    """The cues and the faults of a file's text. InputError where there is text but no cue."""
    text = text.removeprefix("\ufeff")
    odd_ends = re.search(r"\r(?!\n)", text)
    # Files that were converted twice end their lines with CR CR LF.
    reader = _Reader(re.sub(r"\r+\n", "\n", text).replace("\r", "\n").split("\n"))
    if odd_ends:
        at = len(re.findall(r"\r+\n|\r|\n", text[: odd_ends.start()]))
        reader.fault(at, "line-ends", "lines end with CR alone, or with CR CR LF: few readers know that")
    reader.read()
    if not reader.captions and text.strip():
        unread = [fault.what for fault in reader.faults if fault.rule == "time-format"]
        raise InputError(unread[0] if unread else "no captions in it; give an .srt or .vtt file")
    return Reading(tuple(reader.captions), tuple(sorted(reader.faults, key=lambda fault: fault.line)))
