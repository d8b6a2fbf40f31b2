"""What the writers need to know about characters: width, white space, scripts, what may begin or end a line."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from models.record.graphemes import graphemes
from models.record.punctuation import SENTENCE_END, SENTENCE_MARKS, finality

MAX_COLUMNS = 2  # of one visible character
ORPHAN_COLUMNS = 7  # a longer word carries a line by itself

# No-break spaces and the ideographic space are text, not layout: they stay as they are.
_BREAKS = re.compile(r"[\t\n\x0b\x0c\r\x1c-\x1f\x85\u2028\u2029 ]+")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ufeff]")
# Scripts written without spaces: Thai, Lao, Myanmar, Khmer. (Chinese and Japanese are told by width.)
_SPACELESS = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
_HANGUL = re.compile(r"[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff]")
_NEVER_FIRST = set("”’»›)]}」』）】》%" + SENTENCE_MARKS + ",;:、，；：،")
_NEVER_LAST = set("“‘«‹([{「『（【《¿¡")


def one_line(text: str) -> str:
    """The text on one line: line breaks and runs of spaces become one space, control characters go.

    >>> one_line(" two\\r\\n lines\\x00")
    ' two lines'
    """
    return _BREAKS.sub(" ", _CONTROLS.sub("", text))


def width(text: str) -> int:
    """Columns that a line of text takes: 2 for an East Asian wide character, 0 for a combining mark.

    What a reader sees as one character takes 2 at most.

    >>> width("cafe\\u0301"), width("字幕"), width("👩‍👩‍👧")
    (4, 4, 2)
    """
    if text.isascii():
        return len(text)
    return sum(min(MAX_COLUMNS, sum(map(_columns, cluster))) for cluster in graphemes(text))


def is_spaceless(char: str) -> bool:
    """Whether the character belongs to a script that puts no spaces between words.

    >>> is_spaceless("字"), is_spaceless("한"), is_spaceless("a")
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
    return not (is_spaceless(left[-1]) or is_spaceless(right[0]))


def is_orphan(word: str, before: str) -> bool:
    """Whether it reads badly that a word stands alone: it is short, and no sentence of its own.

    `before` is the text that precedes it, "" where nothing does. Scripts without spaces have no
    words that a reader sees, so none of theirs is an orphan.

    >>> is_orphan("for.", "waiting"), is_orphan("No.", "Was it you?"), is_orphan("understanding", "an")
    (True, False, False)
    """
    if " " in word or width(word) > ORPHAN_COLUMNS or any(map(is_spaceless, word)):
        return False
    return finality(word) != SENTENCE_END or finality(before or ".") != SENTENCE_END


def never_starts_line(text: str) -> bool:
    """Whether the text is all punctuation that never starts a line, such as the French " ?".

    >>> never_starts_line("?"), never_starts_line("»"), never_starts_line("?x"), never_starts_line("(")
    (True, True, False, False)
    """
    return _NEVER_FIRST.issuperset(text)


def never_ends_line(text: str) -> bool:
    """Whether the text ends with punctuation that never ends a line.

    >>> never_ends_line("he said “"), never_ends_line("he")
    (True, False)
    """
    return text[-1:] in _NEVER_LAST


@lru_cache(maxsize=4096)
def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
