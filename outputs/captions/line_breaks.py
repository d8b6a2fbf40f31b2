"""Where a line may be broken at all, and where so that it still reads well: between phrases, not inside them.

Where it may is told by the Unicode line breaking algorithm (https://unicode.org/reports/tr14) as ICU has it, which
knows what may begin and end a line in each script, and by ICU's dictionaries for scripts without spaces.

The commonest function words of each language are in its file in `models/languages/`. These lists are short
on purpose: punctuation and pauses decide most breaks, these words the rest. In other languages only
punctuation, capitals and numbers count.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import cache
from itertools import accumulate

import regex
from icu4py.breakers import BaseBreaker, LineBreaker, WordBreaker

from models.languages.registry import language_of, languages
from models.record.graphemes import graphemes
from models.record.punctuation import CLAUSE_END, SENTENCE_END, finality
from outputs.text.characters import is_hangul, is_spaceless, width

# How bad a break is, from 0 (none is better) to 1 (it tears apart what belongs together).
AFTER_SENTENCE = 0.0
AFTER_CLAUSE = 0.15
BEFORE_PHRASE = 0.4
BEFORE_LEANING = 0.5
ANYWHERE = 0.65
INSIDE_PHRASE = 1.0

STRICT = "en@lb=strict"  # small kana and the like begin no line, in whatever language
PHRASES = "ja@lw=phrase"  # bunsetsu: a noun with its particles, a verb with its endings

_AFTER = " \u200b"  # the zero-width space says where words of Khmer or Thai end
_SURROGATE = regex.compile(r"[\ud800-\udfff]")  # ICU takes none
# What may be words of Chinese or Japanese, with Latin words and numbers right beside them.
_WORDS = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}ー\p{Latin}\p{Nd}]+")
_KANA = regex.compile(r"[\p{Hiragana}\p{Katakana}]")
_EDGES = " \"'“”‘’«»‹›([{)]}¿¡"


def line_breaks(text: str) -> list[int]:
    """The offsets inside a text at which the next line may begin.

    Those are where the Unicode line breaking algorithm allows a break, but only behind spaces and next to characters
    of scripts without spaces: never behind a hyphen or a slash. No word of such a script is broken, in Japanese no
    phrase, and no letter as a reader sees it.

    >>> text = "« Ah ! » dit-il : allons-y"
    >>> [text[place:] for place in line_breaks(text)]
    ['dit-il : allons-y', 'allons-y']
    >>> text = "今天天气很好。"
    >>> [text[place:] for place in line_breaks(text)]
    ['天气很好。', '很好。']
    """
    places = [
        place for place in _places(text, LineBreaker, STRICT) if _may_break(text[place - 1], text[place])
    ]
    if all(text[place - 1] in _AFTER for place in places):
        return places
    letters = set(accumulate(map(len, graphemes(text))))
    inside = set(_inside_words(text))
    return [place for place in places if place in letters and place not in inside]


def _may_break(left: str, right: str) -> bool:
    # Korean has spaces, and particles that are written next to whatever they follow.
    return (
        left in _AFTER
        or (is_spaceless(left) and not is_hangul(right))
        or (is_spaceless(right) and not is_hangul(left))
    )


def _inside_words(text: str) -> Iterator[int]:
    """The offsets inside words of Chinese, and inside phrases of Japanese."""
    words, phrases = _places(text, WordBreaker, STRICT), _places(text, LineBreaker, PHRASES)
    for run in _WORDS.finditer(text):
        ends = phrases if _KANA.search(run[0]) else words
        yield from set(range(run.start() + 1, run.end())) - set(ends)


def _places(text: str, breaker: type[BaseBreaker], locale: str) -> list[int]:
    # Its own offsets count units of UTF-16.
    parts = breaker(_SURROGATE.sub("\ufffd", text), locale)
    return [end for end in accumulate(map(len, parts)) if end < len(text)]


def parts_that_fit(text: str, first: int, last: int, columns: int) -> Iterator[tuple[int, int]]:
    """Begin and end of a stretch of a text without the white space around it, or of its parts if it is too wide.

    Such a one is cut as late as possible: at spaces, where there are none that do wherever lines may be broken, as
    behind a hyphen, and where that doesn't do between any letters.

    >>> text = "the Pneumonoultramicroscopic-and-so-on"
    >>> [text[slice(*part)] for part in parts_that_fit(text, 4, len(text), 28)]
    ['Pneumonoultramicroscopic-', 'and-so-on']
    """
    first, last = _trimmed(text, first, last)
    if width(text[first:last]) <= columns:
        if first < last:
            yield first, last
        return
    letters = graphemes(text[first:last])
    ends = list(accumulate(map(len, letters), initial=first))
    reached = list(accumulate(map(width, letters), initial=0))
    allowed = {first + place for place in _places(text[first:last], LineBreaker, STRICT)}
    kinds = ([end for end in ends if text[end - 1] == " "], [end for end in ends if end in allowed], ends)
    while first < last:
        at = bisect_left(ends, first)
        reach = ends[max(at + 1, bisect_right(reached, reached[at] + columns) - 1)]
        latest = (places[bisect_right(places, reach) - 1] for places in kinds if places)
        until = reach if reach == last else next(place for place in latest if first < place <= reach)
        part = _trimmed(text, first, until)
        if part[0] < part[1]:
            yield part
        first = _trimmed(text, until, last)[0]


def _trimmed(text: str, first: int, last: int) -> tuple[int, int]:
    """Begin and end of a stretch without the white space around it."""
    while first < last and text[first].isspace():
        first += 1
    while first < last and text[last - 1].isspace():
        last -= 1
    return first, last


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
