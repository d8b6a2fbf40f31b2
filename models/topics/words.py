"""Words of any script, and the lists by which those that tell of a subject are told from the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from unicodedata import category, normalize

import regex

from models.languages.registry import Titles, language_of

SHORTEST_STEM = 3  # letters

_WORD = regex.compile(
    r"[\p{L}\p{N}][\p{L}\p{N}\p{M}]*(?:['’‑.,&/-][\p{L}\p{N}][\p{L}\p{N}\p{M}]*|(?<=\p{N})[.,:](?=\p{N}))*(?:\+\+|#)?"
)
_SPACELESS = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}ー\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]+")


@dataclass(frozen=True, slots=True)
class WordLists:
    """What is known of a language's words, as `key` has them.

    `function` words begin and end no title, `filling` ones only open sentences. What follows a word of `before_noun`
    is no verb, as what follows one of `determiners`, which are some of these; what follows one of `before_verb` is no
    noun. `capitals` tells whether all nouns have one.
    """

    function: frozenset[str]
    filling: frozenset[str]
    before_noun: frozenset[str]
    determiners: frozenset[str]
    before_verb: frozenset[str]
    capitals: bool
    titles: Titles


@cache
def lists_of(code: str) -> WordLists:
    """The lists of a language by its ISO 639-1 code, empty ones where it has no file."""
    language = language_of(code)
    captions, titles = language.captions, language.titles
    filling = language.talk.asides
    joining = captions.opening | titles.joining | titles.elided
    function = captions.leaning | joining | filling | titles.referring | titles.asking
    determiners = frozenset(word for word in function if language.phrases.determiners.fullmatch(word))
    before_verb = titles.before_verb | (captions.leaning - determiners - titles.referring)
    before_noun = (joining | determiners) - before_verb
    return WordLists(
        function, filling, before_noun, determiners, before_verb, bool(language.names.noun_endings), titles
    )


def key(word: str) -> str:
    """The word as words are compared: without case, its apostrophes and hyphens typewritten."""
    return word.casefold().replace("’", "'").replace("‑", "-")


@cache
def base_of(word: str, language: str) -> str:
    """What the forms of a noun share, of a word's key: without accents and the longest ending that may be inflection.

    >>> base_of("fees", "en") == base_of("fee", "en"), base_of("motorrädern", "de") == base_of("motorrad", "de")
    (True, True)
    >>> base_of("boss", "en")
    'boss'
    """
    bare = "".join(char for char in normalize("NFD", word) if category(char) != "Mn")
    for ending in sorted(lists_of(language).titles.inflections, key=len, reverse=True):
        stem = bare.removesuffix(ending)
        if len(stem) >= SHORTEST_STEM and stem != bare and not bare.endswith("ss"):
            return stem
    return bare


def spans(text: str, language: str = "") -> list[tuple[int, int]]:
    """Begin and end of each word of a text; what the language only writes together ("l'idée") is cut in two.

    Words of scripts without spaces are cut by ICU's dictionaries.
    """
    elided = lists_of(language).titles.elided
    found: list[tuple[int, int]] = []
    for first, last in _written_together(text):
        cut = next((at for at in range(first, last) if text[at] in "'’"), -1) + 1
        if first < cut < last and key(text[first:cut]) in elided:
            found += [(first, cut), (cut, last)]
        else:
            found.append((first, last))
    return found


def words_in(text: str, language: str = "") -> list[str]:
    """The words of a text, cut as `spans` does, by their keys.

    >>> words_in("The GPT-4’s cost of 1,000.50"), words_in("人工智能的发展"), words_in("d’idées", "fr")
    (['the', "gpt-4's", 'cost', 'of', '1,000.50'], ['人工', '智能', '的', '发展'], ["d'", 'idées'])
    """
    return [key(text[first:last]) for first, last in spans(text, language)]


def _written_together(text: str) -> Iterator[tuple[int, int]]:
    for match in _WORD.finditer(text):
        if not _SPACELESS.search(match[0]):
            yield match.span()
            continue
        from icu4py.breakers import WordBreaker

        at = match.start()
        for piece in WordBreaker(match[0], "en"):
            if _WORD.match(piece):
                yield at, at + len(piece)
            at += len(piece)
