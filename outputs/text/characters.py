"""What the writers need to know about characters: width, white space, scripts, what may begin or end a line."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from models.record.graphemes import graphemes
from models.record.punctuation import SENTENCE_END, finality

MAX_COLUMNS = 2  # of one visible character
ORPHAN_COLUMNS = 7  # a longer word carries a line by itself

# No-break spaces and the ideographic space are text, not layout: they stay as they are.
_BREAKS = re.compile(r"[\t\n\x0b\x0c\r\x1c-\x1f\x85\u2028\u2029 ]+")
# Embeddings and isolates of directions are layout, too: left open, they turn around what follows.
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
# Scripts written without spaces: Thai, Lao, Myanmar, Khmer. (Chinese and Japanese are told by width.)
_SPACELESS = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
_HANGUL = re.compile(r"[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff]")


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
    return bool(_SPACELESS.match(char)) or _is_ideographic(char)


def is_hangul(char: str) -> bool:
    """Whether the character is one of Korean, which is as wide as Chinese and has spaces."""
    return bool(_HANGUL.match(char))


def needs_space(left: str, right: str) -> bool:
    """Whether a space has to be put between two sentences to run them on.

    There is none between two of Chinese or Japanese, and none beside their punctuation, which is as wide as a letter
    and blank on one side (https://www.w3.org/TR/clreq, https://www.w3.org/TR/jlreq). Thai, Lao, Khmer and Burmese
    have no spaces between words, but between sentences.

    >>> needs_space("Hello.", "You."), needs_space("Hello.", " You."), needs_space("สวัสดี", "ครับ")
    (True, False, True)
    >>> needs_space("你好", "再见"), needs_space("Today?", "今天"), needs_space("今天。", "Today")
    (False, True, False)
    """
    if not left or not right or left[-1].isspace() or right[0].isspace():
        return False
    before, after = left[-1], right[0]
    if _is_wide_mark(before) or _is_wide_mark(after):
        return False
    return not (_is_ideographic(before) and _is_ideographic(after))


def _is_ideographic(char: str) -> bool:
    """Whether it is as wide as a Chinese character, and not of Korean."""
    return _columns(char) == 2 and not is_hangul(char)


def _is_wide_mark(char: str) -> bool:
    return _columns(char) == 2 and unicodedata.category(char).startswith("P")


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


@lru_cache(maxsize=4096)
def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
