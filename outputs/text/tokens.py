"""Words as they are compared when somebody looks for them: without case, accents and punctuation."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import regex

from outputs.text.characters import is_spaceless

_TOKEN = regex.compile(r"[\p{L}\p{N}\p{M}\p{Co}]+")
# Accents, points of Hebrew, signs of vowels in Arabic and what only stretches its words.
_ACCENT = regex.compile(
    r"[\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed]"
)


def tokens(text: str) -> list[str]:
    """The words of a text without case and accents, wide characters one by one.

    >>> tokens("Don't go to Café 東京!"), tokens("हिंदी शुरू"), tokens("شكرًا")
    (['don', 't', 'go', 'to', 'cafe', '東', '京'], ['हिंदी', 'शुरू'], ['شكرا'])
    """
    found: list[str] = _TOKEN.findall(_folded(text))
    return found


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    # Marks go before letters are put together again: Korean syllables are not letters with marks.
    parts = unicodedata.normalize("NFKD", text).casefold()
    bare = "".join(char for char in parts if not _is_accent(char))
    bare = unicodedata.normalize("NFC", bare)
    return "".join(f" {char} " if is_spaceless(char) else char for char in bare)


@lru_cache(maxsize=4096)
def _is_accent(char: str) -> bool:
    """Marks that many leave out; but vowel signs of Indic scripts are letters themselves, and so are kana marks."""
    return bool(_ACCENT.match(char))
