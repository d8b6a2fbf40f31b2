"""Letters as a reader sees them, and words that are never cut inside of one.

Recognisers and files cut text at code points: between a letter and its vowel sign, its tone mark or its accent,
within a conjunct, a flag or a family of emoji. No cut of ours may fall there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import accumulate

import regex

from models.record.transcript import Word

# A grapheme cluster, with what the standard breaks off it and a reader doesn't: what a zero-width joiner joins (the
# conjuncts of Sinhala), and marks that have a width of their own (the vowel sign AA of Burmese).
_LETTER = regex.compile(r"\X(?:(?<=\u200d)(?=\p{L})\X|(?=\p{M})\X)*")


def graphemes(text: str) -> list[str]:
    r"""The letters of a text: extended grapheme clusters, none of which begins with a mark. Joined they are the text.

    https://unicode.org/reports/tr29, with conjuncts of Indic scripts, of Burmese and of Khmer in one piece.

    >>> [len(letter) for letter in graphemes("e\u0301a🇩🇪🇫🇷")]
    [2, 1, 2, 2]
    >>> graphemes("ที่นี่"), graphemes("क्षमा")
    (['ที่', 'นี่'], ['क्ष', 'मा'])
    """
    letters: list[str] = _LETTER.findall(text)
    return letters


def whole_letters(words: Iterable[Word]) -> list[Word]:
    """The words of a running text, each that begins inside a letter joined to the one before.

    >>> [word.text for word in whole_letters([Word(0, 1, "ท"), Word(1, 2, "ี่"), Word(2, 3, "นี่")])]
    ['ที่', 'นี่']
    """
    words = list(words)
    begins = set(accumulate(map(len, graphemes("".join(word.text for word in words))), initial=0))
    whole, at = list[Word](), 0
    for word in words:
        if at in begins or not whole:
            whole.append(word)
        else:
            whole[-1] = _joined(whole[-1], word)
        at += len(word.text)
    return whole


def _joined(first: Word, second: Word) -> Word:
    """Two pieces of a word as one, which is as sure as the less sure of them."""
    return replace(
        first,
        end=second.end,
        text=first.text + second.text,
        probability=min(first.probability, second.probability),
        overlap=first.overlap or second.overlap,
    )
