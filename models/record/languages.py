"""Which languages are spoken, and how much of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from models.record.transcript import LanguageShare, Word


def language_shares(words: Iterable[Word], language: str = "") -> tuple[LanguageShare, ...]:
    """The languages of words with their shares of the words' time, the largest first; none where no word takes time.

    language: ISO 639-1 code of words that have none of their own, which are left out where that isn't known.

    >>> language_shares([Word(0, 3, " Hello.", language="en"), Word(3, 4, " Hallo.")], "de")
    (LanguageShare(language='en', share=0.75), LanguageShare(language='de', share=0.25))
    """
    seconds = defaultdict[str, float](float)
    for word in words:
        seconds[word.language or language] += max(0.0, word.end - word.start)
    seconds.pop("", None)
    told = sum(seconds.values())
    ordered = sorted(seconds, key=lambda one: (-seconds[one], one))
    return tuple(LanguageShare(one, round(seconds[one] / told, 3)) for one in ordered) if told else ()
