"""What the writers need to know about characters: width, white space, scripts, punctuation."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

CLAUSE_END = 1
SENTENCE_END = 2

# No-break spaces and the ideographic space are text, not layout: they stay as they are.
_BREAKS = re.compile(r"[\t\n\x0b\x0c\r\x1c-\x1f\x85\u2028\u2029 ]+")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ufeff]")
# Scripts written without spaces: Thai, Lao, Myanmar, Khmer. (Chinese and Japanese are told by width.)
_SPACELESS = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
_HANGUL = re.compile(r"[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff]")
_CLOSING = "\"'”’»›)]}」』）】》"
_SENTENCE_MARKS = ".?!…。？！؟۔।"
_CLAUSE_MARKS = ",;:、，；：،–—"
_NEVER_FIRST = set("”’»›)]}」』）】》%" + _SENTENCE_MARKS + ",;:、，；：،")
_NEVER_LAST = set("“‘«‹([{「『（【《¿¡")
_ZERO_WIDTH_JOINER = "\u200d"


def one_line(text: str) -> str:
    """The text on one line: line breaks and runs of spaces become one space, control characters go.

    >>> one_line(" two\\r\\n lines\\x00")
    ' two lines'
    """
    return _BREAKS.sub(" ", _CONTROLS.sub("", text))


def width(text: str) -> int:
    """Columns that a line of text takes: 2 for an East Asian wide character, 0 for a combining mark.

    >>> width("cafe\\u0301"), width("字幕")
    (4, 4)
    """
    return len(text) if text.isascii() else sum(map(_columns, text))


def graphemes(text: str) -> Iterator[str]:
    """The characters as a reader sees them: marks stay with their letter, joined emoji in one piece.

    >>> [len(cluster) for cluster in graphemes("e\\u0301a")]
    [2, 1]
    """
    cluster = ""
    for char in text:
        if cluster and not (_columns(char) == 0 or _extends(char) or cluster[-1] == _ZERO_WIDTH_JOINER):
            yield cluster
            cluster = ""
        cluster += char
    if cluster:
        yield cluster


def spaceless(char: str) -> bool:
    """Whether the character belongs to a script that puts no spaces between words.

    >>> spaceless("字"), spaceless("한"), spaceless("a")
    (True, False, False)
    """
    if _HANGUL.match(char):
        return False
    return bool(_SPACELESS.match(char)) or _columns(char) == 2


def needs_space(left: str, right: str) -> bool:
    """Whether a space has to be put between two sentences to run them on.

    >>> needs_space("Hello.", "You."), needs_space("Hello.", " You."), needs_space("你好。", "再见。")
    (True, False, False)
    """
    if not left or not right or left[-1].isspace() or right[0].isspace():
        return False
    return not (spaceless(left[-1]) or spaceless(right[0]))


def finality(text: str) -> int:
    """How much of an end the last character is: SENTENCE_END, CLAUSE_END or 0.

    >>> finality('said "no."'), finality("well,"), finality("and")
    (2, 1, 0)
    """
    last = text.rstrip().rstrip(_CLOSING)[-1:]
    if not last:
        return 0
    return SENTENCE_END if last in _SENTENCE_MARKS else CLAUSE_END if last in _CLAUSE_MARKS else 0


def closes(text: str) -> bool:
    """Whether the text is all punctuation that never starts a line, such as the French " ?".

    >>> closes("?"), closes("»"), closes("?x"), closes("(")
    (True, True, False, False)
    """
    return _NEVER_FIRST.issuperset(text)


def opens(text: str) -> bool:
    """Whether the text ends with punctuation that never ends a line.

    >>> opens("he said “"), opens("he")
    (True, False)
    """
    return text[-1:] in _NEVER_LAST


def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _extends(char: str) -> bool:
    return unicodedata.category(char) == "Mc" or "\U0001f3fb" <= char <= "\U0001f3ff"
