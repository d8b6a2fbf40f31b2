"""WebVTT as browsers read it, and what they don't show. https://www.w3.org/TR/webvtt1/#file-parsing

The parser follows the specification's own steps, so that a cue is read exactly where a browser makes one.
Beside that it says what is wrong: with what browsers skip, and with what they take although the
format's syntax, which other readers may insist on, doesn't.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from outputs.captions.caption import Caption, Fault, Reading, quoted
from outputs.captions.timings import ARROW, VTT_POINT, timing, told
from outputs.captions.webvtt_text import cue_text
from outputs.text.direction import undirected

SIGNATURE = "WEBVTT"

_STAMP = r"(?:([0-9]{1,9}):)?([0-9]{2}):([0-9]{2})\.([0-9]{3})(?![0-9])"
_TIMES = re.compile(rf"[ \t\f]*{_STAMP}[ \t\f]*-->[ \t\f]*{_STAMP}(.*)")
_SPACED = re.compile(r"[0-9:.]+[ \t]+-->[ \t]+[0-9:.]+(?:[ \t].*)?")
_SUBRIP = re.compile(r"[0-9]+[ \t]*\r?\n[ \t]*[0-9:]+,[0-9]+[ \t]*-->")
_METADATA = re.compile(r"[A-Za-z][\w-]*[ \t]*[:=]")
_ALMOST_SIGNATURE = re.compile(r"\W*(?:webv|web[ _-]vt)", re.IGNORECASE)
_PERCENTAGE = r"(?:100(?:\.0+)?|[0-9]{1,2}(?:\.[0-9]+)?|0+[0-9]{1,2}(?:\.[0-9]+)?)%"
_SETTINGS = {
    "vertical": re.compile(r"rl|lr"),
    "line": re.compile(rf"(?:{_PERCENTAGE}|-?[0-9]+(?:\.[0-9]+)?)(?:,(?:start|center|end))?"),
    "position": re.compile(rf"{_PERCENTAGE}(?:,(?:line-left|center|line-right))?"),
    "size": re.compile(_PERCENTAGE),
    "align": re.compile(r"start|center|end|left|right"),
    "region": re.compile(r".+"),
}


@dataclass
class _Block:
    """Lines between blank ones, as the parser collects them: numbers count from 0, ends are exclusive."""

    start: int
    end: int
    continues: bool  # no blank line is before it
    times: int | None = None  # the number of its line with an arrow
    times_read: tuple[int, int] | None = None  # start and end, ms


@dataclass
class _Reader:
    lines: Sequence[str]
    captions: list[Caption] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    regions: set[str] = field(default_factory=set)
    after_cue: bool = False  # the block before is a cue

    def fault(self, number: int, rule: str, what: str) -> None:
        self.faults.append(Fault(number + 1, rule, what))

    def read(self, at: int, continues: bool) -> None:
        """All blocks from a line on."""
        while at < len(self.lines):
            if not self.lines[at]:
                at, continues = at + 1, False
                continue
            block = self._collect(at, continues)
            self._take(block)
            at, continues = block.end, True

    def _collect(self, at: int, continues: bool) -> _Block:
        block = _Block(at, at, continues)
        while block.end < len(self.lines) and (line := self.lines[block.end]):
            if ARROW in line:
                # Times stand in the first line, or in the second one after the cue's identifier.
                if block.end - at > 1 or block.times is not None:
                    break
                block.times, block.times_read = block.end, times(line)
            block.end += 1
        return block

    def _take(self, block: _Block) -> None:
        if block.times is None:
            self._aside(block)
        elif block.times_read is None:
            self._unread(block, block.times)
        else:
            self._cue(block, block.times, *block.times_read)
        self.after_cue = block.times_read is not None

    def _cue(self, block: _Block, at: int, start: int, end: int) -> None:
        first = self.lines[block.start]
        if block.start < at and re.match(r"NOTE(?:[ \t]|$)", first):
            self.fault(at, "comment", "browsers show this cue, though the line before it says NOTE")
        if block.continues and self.after_cue:
            self.fault(block.start, "blank-line", "no blank line before this cue")
        self._check_times(at)
        payload = self.lines[at + 1 : block.end]
        for number, line in enumerate(payload, start=at + 1):
            if not line.strip(" \t"):
                self.fault(number, "blank-line", "the line has spaces in it, so it doesn't end the cue")
        text = cue_text("\n".join(payload))
        for number, what in text.faults:
            self.fault(at + 1 + number, "markup", what)
        voices = tuple(filter(None, text.voices))
        self.captions.append(Caption(start, end, tuple(map(undirected, text.lines)), voices, line=at + 1))

    def _check_times(self, at: int) -> None:
        line = self.lines[at]
        found = timing(line)
        wrong = found.faults(VTT_POINT) if found else []
        if not wrong and not _SPACED.fullmatch(line):
            wrong = ["no space beside a time" if line == line.lstrip() else "spaces before the times"]
        if wrong:
            self.fault(at, "time-format", f"{told(wrong, line)}: browsers take it, other readers may not")
        match = _TIMES.fullmatch(line)
        for setting in re.findall(r"[^ \t\f]+", match[9] if match else ""):
            if why := self._wrong_setting(setting):
                self.fault(at, "cue-setting", f"{why} {quoted(setting)}: browsers ignore it")

    def _wrong_setting(self, setting: str) -> str:
        """What is wrong with a cue setting; "" if nothing."""
        name, colon, value = setting.partition(":")
        if not colon or name not in _SETTINGS:
            return "unknown setting"
        if not _SETTINGS[name].fullmatch(value):
            return "a value that there isn't in"
        return "no such region:" if name == "region" and value not in self.regions else ""

    def _unread(self, block: _Block, at: int) -> None:
        line = self.lines[at]
        found = timing(line)
        wrong = found.faults(VTT_POINT) if found else []
        if wrong:
            self.fault(at, "time-format", f"{told(wrong, line)}: browsers don't show the cue")
        elif block.continues and self.after_cue:
            self.fault(
                at,
                "arrow",
                f"{quoted(line)}: browsers drop a line with '{ARROW}' and all up to the next blank one",
            )
        else:
            self.fault(
                at, "time-format", f"can't read the times in {quoted(line)}: browsers don't show the cue"
            )

    def _aside(self, block: _Block) -> None:
        """Comments, style sheets, regions, and text that is none of these."""
        first = self.lines[block.start]
        rest = self.lines[block.start + 1 : block.end]
        if re.match(r"NOTE(?:[ \t]|$)", first):
            return
        kind = re.fullmatch(r"(STYLE|REGION)[ \t\f]*", first)
        if kind and self.captions:
            self.fault(block.start, "late-block", f"{kind[1]} after the first cue: browsers ignore it")
        elif kind and kind[1] == "REGION":
            self.regions.update(re.findall(r"(?:^|\s)id:(\S+)", "\n".join(rest)))
        elif not kind:
            self._lost(block)

    def _lost(self, block: _Block) -> None:
        for number in range(block.start, min(block.end, block.start + 2)):
            found = timing(self.lines[number])
            if found and (wrong := found.faults(VTT_POINT)):
                what = f"{told(wrong, self.lines[number])}: browsers don't show the cue"
                self.fault(number, "time-format", what)
                return
        more = block.end - block.start - 1
        rest = f" and {more} more line{'s' * (more > 1)}" if more else ""
        self.fault(
            block.start,
            "lost-text",
            f"browsers skip {quoted(self.lines[block.start])}{rest}: no part of a cue",
        )


def read(text: str) -> Reading:
    """The cues that a browser makes of a file's text, and all that is wrong with it."""
    lines = lines_of(text)
    reader = _Reader(lines)
    if _has_signature(lines[0]):
        header_end = next(
            (n for n, line in enumerate(lines) if n and (not line or ARROW in line)), len(lines)
        )
        for fault in _header_faults(lines[:header_end], lines[header_end : header_end + 1]):
            reader.faults.append(fault)
        reader.read(header_end, continues=True)
        return Reading(tuple(reader.captions), tuple(sorted(reader.faults, key=lambda fault: fault.line)))
    first = next((n for n, line in enumerate(lines) if line.strip()), 0)
    reader.read(first + bool(_ALMOST_SIGNATURE.match(lines[first])), continues=False)
    # What is no captions at all has one fault, not one a line.
    further = [f for f in reader.faults if reader.captions or timing(lines[f.line - 1])]
    header = Fault(1, "header", f"{_instead(text)}: browsers show nothing of the file")
    return Reading((), (header, *sorted(further, key=lambda fault: fault.line)))


def lines_of(text: str) -> list[str]:
    """The lines of a WebVTT file, which CR, LF and both end; never none."""
    text = text.removeprefix("\ufeff").replace("\0", "\ufffd")
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def looks_like(text: str) -> bool:
    """Whether the first line is, or was meant to be, that of WebVTT."""
    return bool(_ALMOST_SIGNATURE.match(lines_of(text)[0]))


def times(line: str) -> tuple[int, int] | None:
    """Start and end in ms as a browser reads them, None where it doesn't.

    >>> times("0:00:01.000-->59:00.000 align:left"), times("00:01,000 --> 00:02,000")
    ((1000, 3540000), None)
    """
    match = _TIMES.fullmatch(line)
    if not match:
        return None
    start, end = _ms(*match.groups()[:4]), _ms(*match.groups()[4:8])
    return None if start is None or end is None else (start, end)


def _ms(hours: str | None, minutes: str, seconds: str, fraction: str) -> int | None:
    if int(minutes) > 59 or int(seconds) > 59:
        return None
    return ((int(hours or "0") * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(fraction)


def _has_signature(first: str) -> bool:
    return first.startswith(SIGNATURE) and first[len(SIGNATURE) :][:1] in ("", " ", "\t")


def _header_faults(header: Sequence[str], after: Sequence[str]) -> Iterator[Fault]:
    """What is wrong with the lines up to the first blank one or the first arrow."""
    for number, line in enumerate(header[1:], start=2):
        if not _METADATA.match(line) and not (number == len(header) and after and ARROW in after[0]):
            yield Fault(number, "header", f"browsers skip {quoted(line)}: no blank line after '{SIGNATURE}'")
    if after and ARROW in after[0]:
        yield Fault(len(header) + 1, "header", f"no blank line between '{SIGNATURE}' and the first cue")


def _instead(text: str) -> str:
    """What a file starts with that should start with the signature."""
    start = text.removeprefix("\ufeff").lstrip()
    if not start:
        return f"an empty file, without '{SIGNATURE}'"
    if start.startswith("<"):
        return "a web page or other markup, not WebVTT"
    if start.startswith(("{", "[")):
        return "data such as JSON, not WebVTT"
    if _SUBRIP.match(start):
        return "SubRip, not WebVTT"
    first = next(iter(text.removeprefix("\ufeff").splitlines()), "")
    return f"the first line is {quoted(first)}, not '{SIGNATURE}'"
