"""Where a sentence may be broken so that it still reads well: between phrases, not inside them.

The commonest function words of each language are in its file in `models/languages/`. These lists are short
on purpose: punctuation and pauses decide most breaks, these words the rest. In other languages only
punctuation, capitals and numbers count.
"""

from __future__ import annotations

from functools import cache

from models.languages.registry import language_of, languages
from models.record.punctuation import CLAUSE_END, SENTENCE_END, finality

# How bad a break is, from 0 (none is better) to 1 (it tears apart what belongs together).
AFTER_SENTENCE = 0.0
AFTER_CLAUSE = 0.15
BEFORE_PHRASE = 0.4
BEFORE_LEANING = 0.5
ANYWHERE = 0.65
INSIDE_PHRASE = 1.0

_EDGES = " \"'“”‘’«»‹›([{)]}¿¡"


@cache
def _abbreviations() -> frozenset[str]:
    """Of all languages: one is seldom written in one alone."""
    return frozenset().union(*(each.captions.abbreviations for each in languages().values()))


def break_badness(left: str, right: str, language: str) -> float:
    """How bad it is to break a line or cue between two words of running text, from 0 to 1.

    `language` is an ISO 639-1 code.

    >>> break_badness("well,", "the", "en"), break_badness("the", "house", "en")
    (0.15, 1.0)
    >>> break_badness("Ada", "Lovelace", "en"), break_badness("house", "of", "en")
    (1.0, 0.4)
    """
    end = finality(left)
    if left.lower().strip(_EDGES) in _abbreviations():
        return INSIDE_PHRASE
    if end:
        return {SENTENCE_END: AFTER_SENTENCE, CLAUSE_END: AFTER_CLAUSE}[end]
    words = language_of(language).captions
    before, after = _bare(left), _bare(right)
    if _is_name(before, after) or before[-1:].isdigit() or before.lower() in words.opening:
        return INSIDE_PHRASE
    opens_phrase = after.lower() in words.opening
    if before.lower() in words.leaning:
        # "... might have been | in the house" leans less than what else may follow.
        return ANYWHERE if opens_phrase else INSIDE_PHRASE
    if opens_phrase:
        return BEFORE_PHRASE
    return BEFORE_LEANING if after.lower() in words.leaning else ANYWHERE


def _bare(word: str) -> str:
    """The word as the lists have it, but with its capitals."""
    return word.strip(_EDGES).replace("’", "'").rstrip(".,;:?!")


def _is_name(before: str, after: str) -> bool:
    """Two capitalised words in a row; a lone capital such as "I" is no name."""
    return before[:1].isupper() and after[:1].isupper() and len(before) > 1
