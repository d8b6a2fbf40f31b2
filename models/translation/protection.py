"""Names, terms and numbers that a translation must not lose, and a way to bring them through.

Translation models copy most of them by themselves. Where one is missing, the sentence is translated once more with a
short code in its place, as models copy that.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence

import regex

SPACELESS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"  # scripts without spaces
LETTER = rf"[^\W{SPACELESS}]"  # one that goes on with a word
POINT = r"[.,:'’\u00a0\u202f]"  # within a number
NUMBER = re.compile(rf"\d+(?:{POINT}\d+)*")
CODES = "XQZ"  # letters that codes may begin with


def lost(text: str, translated: str, terms: Iterable[str]) -> list[str]:
    """What is to be protected in a text, and is not in its translation: terms, and numbers by their digits.

    A term in a script that the translation has no letter of is written in another there, which is right.

    >>> lost("Anna zahlt 1.000 Euro am 3. Mai.", "She pays 1,000 euros in May.", ["Anna", "Bert"])
    ['Anna', '3']
    >>> lost("Anna kommt.", "Анна идёт.", ["Anna"])
    []
    """
    scripts = set(_scripts(translated))
    digits = [_digits(number) for number in NUMBER.findall(translated)]
    missing = [
        term
        for term in terms
        if _at(term, text) and not _at(term, translated) and scripts & set(_scripts(term))
    ]
    return missing + [number for number in NUMBER.findall(text) if _digits(number) not in digits]


def coded(text: str, protected: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The text with a code in place of each of these, and what the codes stand for.

    >>> coded("Anna Baum und Anna", ["Anna", "Anna Baum"])
    ('X1 und X2', {'X1': 'Anna Baum', 'X2': 'Anna'})
    >>> coded("Am 3. zahlt sie 3.30 und 1,3.", ["3"])[0], coded("山田さんと Anna です", ["山田", "Anna"])[0]
    ('Am X1. zahlt sie 3.30 und 1,3.', 'X2さんと X1 です')
    """
    letter = next((letter for letter in CODES if not re.search(rf"{letter}\d", text)), CODES[0])
    codes: dict[str, str] = {}
    for what in sorted(dict.fromkeys(protected), key=len, reverse=True):
        code = f"{letter}{len(codes) + 1}"
        text, count = regex.subn(_pattern(what), code, text)
        if count:
            codes[code] = what
    return text, codes


def decoded(text: str, codes: Mapping[str, str]) -> str | None:
    """The text with what the codes stand for; None where one is missing.

    >>> decoded("X1 and X2.", {"X1": "Anna Baum", "X2": "Bert"}), decoded("X1 came.", {"X1": "Anna", "X2": "Bert"})
    ('Anna Baum and Bert.', None)
    >>> decoded("X1和X2来了。", {"X1": "Anna", "X2": "李"})
    'Anna和李来了。'
    """
    for code, what in codes.items():
        parts = regex.split(_pattern(code), text)
        if len(parts) == 1:
            return None
        text = what.join(parts)
    return text


def _at(term: str, text: str) -> bool:
    return regex.search(_pattern(term), text) is not None


def _pattern(term: str) -> str:
    """What finds a term where it isn't part of a longer word or number; letters of SPACELESS scripts are words."""
    before = "" if regex.match(rf"[{SPACELESS}]", term) else rf"(?<!{LETTER})"
    after = "" if regex.search(rf"[{SPACELESS}]$", term) else rf"(?!{LETTER})"
    if NUMBER.fullmatch(term):
        before, after = rf"{before}(?<!\d{POINT})", rf"(?!{POINT}\d){after}"
    return f"{before}{re.escape(term)}{after}"


def _digits(number: str) -> str:
    return re.sub(r"\D", "", number)


def _scripts(text: str) -> Iterator[str]:
    return (unicodedata.name(letter, "").partition(" ")[0] for letter in text if letter.isalpha())
