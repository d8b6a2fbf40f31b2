"""Whether the words of a text, which somebody wrote about a conversation, are said there.

That is all that is told: that a text puts them together as they were meant can't be seen from its words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import takewhile

from models.topics.words import key, lists_of, spans, words_in

SHORTEST_STEM = 3  # letters
STEM = 0.8  # share of the shorter word with which both must begin
ENDING = 4  # letters by which they may go on


class Said:
    """The words of what is said."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._words = {_bare(word) for text in texts for word in words_in(text)}
        self._words |= {piece for word in self._words for piece in word.replace("'", "-").split("-") if piece}
        self._stems: defaultdict[str, set[str]] = defaultdict(set)
        for word in self._words:
            self._stems[word[:SHORTEST_STEM]].add(word)

    def holds(self, word: str) -> bool:
        """Whether a word is said, or another form of it: one that begins as it does, and is about as long."""
        word = _bare(word)
        if word in self._words or any(char.isnumeric() for char in word):
            return word in self._words
        if any(mark in word for mark in "'-") and all(map(self.holds, word.replace("'", "-").split("-"))):
            return True
        return any(same_stem(word, other) for other in self._stems.get(word[:SHORTEST_STEM], ()))


def _bare(word: str) -> str:
    """The key of a word without the English possessive, a number without what stands between thousands."""
    word = word.removesuffix("'s")
    return word.replace(",", "") if word.replace(",", "").isnumeric() else word


def same_stem(one: str, other: str) -> bool:
    """Whether two words are forms of one, as far as their letters tell.

    >>> same_stem("pricing", "price"), same_stem("studies", "study"), same_stem("contract", "contrast")
    (True, True, False)
    """
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    shorter = min(len(one), len(other))
    return shared >= max(SHORTEST_STEM, STEM * shorter) and max(len(one), len(other)) - shared < ENDING


def unsaid(text: str, said: Said, language: str) -> tuple[list[str], list[str], int]:
    """What of a text isn't said: names and numbers, and other words; and how many words there were to look for.

    Left out are function words, and those with which one tells of others' talk ("explains"). For names count all
    words with a capital, a digit, or a full stop as addresses have them, where a sentence begins too.
    """
    words = lists_of(language)
    free = words.function | words.titles.reporting
    found: tuple[list[str], list[str], int] = ([], [], 0)
    names, others, count = found
    for first, last in spans(text, language):
        word = text[first:last]
        if key(word) in free:
            continue
        count += 1
        if not said.holds(key(word)):
            named = word != word.lower() or any(char in "./@" or char.isnumeric() for char in word)
            (names if named else others).append(word)
    return names, others, count


def is_said(text: str, said: Said, language: str) -> bool:
    """Whether all words of a text are said, but those that count for none; false where it has no others.

    >>> talk = Said(["So the price of heat pumps went down by 1,200 euros in Bavaria."])
    >>> is_said("Pricing of heat pumps", talk, "en"), is_said("Heat pumps and Russia", talk, "en")
    (True, False)
    """
    names, others, count = unsaid(text, said, language)
    return bool(count) and not names and not others


def is_supported(sentence: str, said: Said, language: str) -> bool:
    """Whether all names and numbers of a sentence are said, and of its other words all but one, or one in five.

    >>> talk = Said(["So the price of heat pumps went down by 1,200 euros in Bavaria."])
    >>> is_supported("In Bavaria the prices of heat pumps fell by 1200 euros.", talk, "en")
    True
    >>> is_supported("In Bavaria the prices of heat pumps went down by 1300 euros.", talk, "en")
    False
    """
    names, others, count = unsaid(sentence, said, language)
    return bool(count) and not names and 5 * len(others) <= count and len(others) <= 1
