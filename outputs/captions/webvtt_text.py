"""The text of WebVTT cues as browsers show it. https://www.w3.org/TR/webvtt1/#cue-text-parsing-rules"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

from outputs.text.languages import language_tag

_SPANS = {"c", "i", "b", "u", "ruby", "rt", "v", "lang"}
_OPTIONAL_ENDS = {"v", "rt"}  # a voice may last to the end of its cue, ruby text to the end of the ruby
_SPACE = r"\t\n\f\r "
_TAG = re.compile(r"<([^>]*)(>?)")
_START = re.compile(rf"([^{_SPACE}.]*)(?:\.[^{_SPACE}.]*)*(?:[{_SPACE}]([\s\S]*))?")
_TIME = re.compile(r"(?:[0-9]{2,}:)?[0-5][0-9]:[0-5][0-9]\.[0-9]{3}")
_DIGITS = tuple("0123456789")
_REFERENCE = re.compile(r"&(?:#[0-9]+|#[xX][0-9a-fA-F]+|[0-9A-Za-z]+);")


@dataclass
class CueText:
    """Lines as they are shown, names of voices, and what is wrong with the markup and in which line."""

    shown: str = ""
    voices: list[str] = field(default_factory=list)
    faults: list[tuple[int, str]] = field(default_factory=list)  # lines counted from 0
    _open: list[tuple[str, int]] = field(default_factory=list)
    _line: int = 0

    @property
    def lines(self) -> tuple[str, ...]:
        """The text line by line; none where nothing is shown."""
        return tuple(self.shown.split("\n")) if self.shown else ()

    def _text(self, raw: str) -> None:
        for number, line in enumerate(raw.split("\n")):
            for at in (match.start() for match in re.finditer("&", line)):
                reference = _REFERENCE.match(line, at)
                if not (reference and html.unescape(reference[0]) != reference[0]):
                    self._fault("a bare '&': write &amp;", number)
        self.shown += html.unescape(raw)
        self._line += raw.count("\n")

    def _fault(self, what: str, further: int = 0) -> None:
        self.faults.append((self._line + further, what))

    def _tag(self, inside: str, closed: bool) -> None:
        before = len(self.faults)
        if inside.startswith("/"):
            self._end(inside[1:])
        elif inside[:1] in _DIGITS:
            if not _TIME.fullmatch(inside):
                self._fault(f"'<{_short(inside)}>' is no time: browsers hide it")
        else:
            self._start(inside)
        if not closed:
            del self.faults[before:]
            self._fault(f"'<{_short(inside)}' has no '>': browsers hide all that follows")
        self._line += inside.count("\n")

    def _start(self, inside: str) -> None:
        match = _START.fullmatch(inside)
        name, annotation = (match[1], match[2] or "") if match else ("", "")
        if name not in _SPANS or (name == "rt" and self._opened() != "ruby"):
            self._fault(f"unknown tag '<{_short(inside)}>': browsers hide it")
            return
        self._open.append((name, self._line))
        if name == "v":
            voice = re.sub(f"[{_SPACE}]+", " ", html.unescape(annotation)).strip(" ")
            if not voice:
                self._fault("<v> without a name")
            self.voices.append(voice)
        if name == "lang" and not language_tag(html.unescape(annotation).strip()):
            self._fault(f"<lang {_short(annotation)}> names no language")

    def _end(self, name: str) -> None:
        if name == "ruby" and self._opened() == "rt":
            self._open.pop()
        if name and name == self._opened():
            self._open.pop()
        else:
            self._fault(f"'</{_short(name)}>' ends nothing that is open")

    def _opened(self) -> str:
        return self._open[-1][0] if self._open else ""

    def _finish(self) -> None:
        self.faults += [
            (line, f"<{name}> is never closed") for name, line in self._open if name not in _OPTIONAL_ENDS
        ]


def cue_text(payload: str) -> CueText:
    """What browsers make of the payload of a cue.

    >>> cue_text("<v Ann>R&amp;B <i>for</i> you").lines, cue_text("I <3 you").lines
    (('R&B for you',), ('I ',))
    """
    found, at = CueText(), 0
    for match in _TAG.finditer(payload):
        found._text(payload[at : match.start()])
        found._tag(match[1], bool(match[2]))
        at = match.end()
    found._text(payload[at:])
    found._finish()
    return found


def _short(inside: str) -> str:
    first, _, rest = inside.partition("\n")
    return first[:20] + "…" if rest or len(first) > 20 else first
