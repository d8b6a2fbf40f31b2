"""Text of scripts that are written from right to left, where a file can't say so but by characters of its own.

A player that isn't told takes the direction of a line from its first letter, or has all lines run from left to right:
"Anne: مرحبا" and full stops come out on the wrong side.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

# Languages that Whisper and translation models write from right to left.
RIGHT_TO_LEFT = {"ar", "arz", "ckb", "dv", "fa", "he", "iw", "ji", "ks", "ps", "sd", "syr", "ug", "ur", "yi"}
# Right-to-left and left-to-right embedding. Players know them, also those that don't know isolates.
_RLE, _LRE, _PDF = "\u202b", "\u202a", "\u202c"
# A mark of direction after a colon keeps a name apart from what is said: "Anne: Apple ..." are not two words in a row.
_RLM, _LRM = "\u200f", "\u200e"
_MARKS = re.compile("[\u202a-\u202e\u2066-\u2069]|(?<=:)[\u200e\u200f](?= )")
_STRONG = {"L": False, "R": True, "AL": True}


def is_right_to_left(text: str, language: str) -> bool:
    """Whether a text as a whole runs from right to left: by its letters, and where they go both ways by its language.

    language: of BCP 47 or ISO 639-1, "" where that isn't known; then most letters count.

    >>> is_right_to_left("قال Anne", "ar"), is_right_to_left("Anne said مرحبا", "en"), is_right_to_left("Anne", "ar")
    (True, False, False)
    """
    if text.isascii():
        return False
    ways = [_STRONG[kind] for kind in map(unicodedata.bidirectional, text) if kind in _STRONG]
    if all(ways) or not any(ways):
        return any(ways)
    known = re.split("[-_]", language.lower())[0]
    return known in RIGHT_TO_LEFT if known else 2 * sum(ways) > len(ways)


def directed(lines: Sequence[str], language: str) -> list[str]:
    """The lines of a caption, each as it is shown right by players that take every line for itself.

    Only lines that run from right to left, or seem to by their first letter, have marks.

    >>> [line.encode("ascii", "namereplace").decode()[:28] for line in directed(["Anne: مرحبا!"], "ar")]
    ['\\\\N{RIGHT-TO-LEFT EMBEDDING}A']
    """
    begin = _RLE if is_right_to_left("".join(lines), language) else _LRE
    told = marked(lines, language)
    return [f"{begin}{line}{_PDF}" if begin == _RLE or _seems_right_to_left(line) else line for line in told]


def marked(lines: Sequence[str], language: str) -> list[str]:
    """The lines of a caption whose direction its file tells: only with what keeps a name apart from what is said."""
    if is_right_to_left("".join(lines), language):
        return [line.replace(": ", f":{_RLM} ") for line in lines]
    return [line.replace(": ", f":{_LRM} ") if _seems_right_to_left(line) else line for line in lines]


def undirected(line: str) -> str:
    """The line without what only tells its direction."""
    return _MARKS.sub("", line)


def _seems_right_to_left(line: str) -> bool:
    kinds = map(unicodedata.bidirectional, line)
    return not line.isascii() and next((_STRONG[kind] for kind in kinds if kind in _STRONG), False)
