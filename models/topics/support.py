"""Whether the words of a text, which somebody wrote about a conversation, are said there.

That is nearly all that is told: that a text puts them together as they were meant can't be seen from its words. But
names and numbers must be said as they are, a number with what it counts, and what is said only with a "not" is not
said without one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

import regex

from models.topics.words import WordLists, key, lists_of, spans

SHORTEST_STEM = 3  # letters
STEM = 0.8  # share of the shorter word with which both must begin
ENDING = 4  # letters by which they may go on
REACH = 4  # words after a "not" among which it finds what it negates
ENDINGS = ("s", "es", "e", "ed", "d", "ing")  # of a word that stays the same ...
NOUN_ENDINGS = ("s", "es", "e", "n", "en", "er", "ern")  # ... and where nouns are written as names are
# Languages that write 1.200,5, and those that write 1,200.5: of others numbers are said as they are written.
DECIMAL_COMMA = frozenset(
    {"cs", "da", "de", "es", "fr", "it", "nl", "no", "pl", "pt", "ru", "sv", "tr", "uk"}
)
DECIMAL_POINT = frozenset({"en", "he", "hi", "ja", "ko", "th", "zh"})

_SPACED = regex.compile(r"(?<![\p{N}.,])\d{1,3}(?:[ \u00a0\u2009\u202f]\d{3})+(?!\p{N})")  # 1 200
_MONEY = regex.compile(r"(\p{Sc})\s?(\p{N}[\p{N}.,]*(?<=\p{N})(?:\s\p{L}*il[lh]?i\p{L}+)?)")  # $5 million
_UNITS = tuple(
    (regex.compile(pattern, regex.IGNORECASE), name)
    for pattern, name in (
        (
            r"(?<=\p{N})\s?%|\b(?:per ?cent|pour cent|por ciento|por cento|per cento|prozent|procent)\b",
            " percent",
        ),
        (r"€|\beuros?\b", " euro"),
        (r"\$|\bd[oó]l+ar\p{L}{0,2}\b", " dollar"),
        (r"£|\bpounds?\b", " pound"),
    )
)
_SIGN = regex.compile(r"(?<=\p{N}\s?)[\p{Sc}\p{So}‰′″]")  # others
_MINUS = regex.compile(
    r"(?<![\p{L}\p{N}])(?:[-−–]|(?:minus|moins|menos|meno|min)\s+)(?=\p{N})", regex.IGNORECASE
)
_END = regex.compile(r"[,.;:?!()…—。、，！？]|\s[-–]\s")  # of a clause


@dataclass(frozen=True, slots=True)
class _Word:
    """A word, as words are compared; the number of its clause; whether it is written as names or addresses are.

    `marked` is one that is so without being the first of a clause, or all in capitals. `free` is one that counts for
    nothing: a function word; a `vague` one tells of no subject.
    """

    text: str
    key: str
    clause: int
    named: bool
    marked: bool
    number: bool
    free: bool
    vague: bool
    negating: bool


def _words(text: str, language: str) -> list[_Word]:
    lists, text, found, clause, end = lists_of(language), _spelled(text), list[_Word](), 0, 0
    for first, last in spans(text, language):
        begins = not found or bool(_END.search(text, end, first))
        clause, end, word = clause + begins, last, text[first:last]
        bare = _bare(key(word), language)
        number = any(char.isnumeric() for char in word) or bare in lists.titles.counting
        named = word != word.lower() or any(char in "./@" for char in word)
        marked = named and (not begins or (len(word) > 1 and word.isupper()))
        negating = bare in lists.titles.negating or bare.endswith("n't")
        free, vague = not number and _is_free(bare, lists), bare in lists.titles.vague
        found.append(_Word(word, bare, clause, named, marked, number, free, vague, negating))
    return found


def _is_free(word: str, lists: WordLists) -> bool:
    return word in lists.function or word in lists.titles.reporting or word in lists.titles.negating


def _spelled(text: str) -> str:
    """A text with the thousands of its numbers together, and words for signs beside them."""
    text = str(_SPACED.sub(lambda number: "".join(number[0].split()), text))
    text = _MONEY.sub(r"\2\1", text)
    for pattern, name in _UNITS:
        text = pattern.sub(name, text)
    text = _SIGN.sub(lambda sign: f" u{ord(sign[0]):x} ", text)
    return str(_MINUS.sub(" minus", text))


def _bare(word: str, language: str) -> str:
    """A key without the English possessive; a number without what its language puts between thousands, with a point."""
    word, language = word.removesuffix("'s"), regex.split("[-_]", language.lower())[0]
    if not regex.fullmatch(r"\d[\d.,']*", word):
        return word
    if language not in DECIMAL_COMMA | DECIMAL_POINT:
        return word
    thousands, decimal = ".," if language in DECIMAL_COMMA else ",."
    whole, mark, part = word.partition(decimal)
    if regex.fullmatch(rf"[1-9]\d{{0,2}}(?:[{thousands}']\d{{3}})+", whole) and part.isdecimal() == bool(
        mark
    ):
        return "".join(filter(str.isdecimal, whole)) + ("." + part if mark else "")
    return word.replace(",", ".") if regex.fullmatch(r"\d+,\d+", word) else word


class Said:
    """The words of what is said, in a language by its code: "" where that isn't known."""

    def __init__(self, texts: Iterable[str], language: str = "") -> None:
        self._endings = NOUN_ENDINGS if lists_of(language).capitals else ENDINGS
        self._exact, self._marked, self._bases = set[str](), set[str](), set[str]()
        self._stems: defaultdict[str, set[str]] = defaultdict(set)
        self._numbers = list[str]()
        self._counted: defaultdict[str, set[str]] = defaultdict(set)
        self._denied, self._affirmed, self._beside_denial = set[str](), set[str](), set[str]()
        for text in texts:
            self._add(_words(text, language), common=lists_of(language).capitals)

    def _add(self, words: Sequence[_Word], *, common: bool) -> None:
        denied, denying = _denied(words), {word.clause for word in words if word.negating}
        for at, word in enumerate(words):
            if word.named:
                self._marked.add(word.text.removesuffix("'s").removesuffix("’s"))
            for one in {word.key, *_pieces(word.key)}:
                self._exact.add(one)
                self._stems[one[:SHORTEST_STEM]].add(one)
                if common or not word.named:
                    self._bases |= self._forms(one)
            if word.number:
                numbers = [word.key, *(one for one in _pieces(word.key) if one[0].isnumeric())]
                self._numbers += numbers
                for one in numbers:
                    self._counted[one].add(_counted(words, at))
            (self._denied if at in denied else self._affirmed).add(word.key)
            if word.clause in denying:
                self._beside_denial.add(word.key)

    def holds(self, word: str) -> bool:
        """Whether a word is said, or another form of it: one that begins as it does, and is about as long."""
        return bool(self._alike(word)) or (len(_parts(word)) > 1 and all(map(self.holds, _parts(word))))

    def names(self, word: str) -> bool:
        """Whether a word that may be a name is said as it is, or is a word with an ending, and no name."""
        if word in self._exact or any(char.isnumeric() or char in "./@" for char in word):
            return word in self._exact
        if len(_parts(word)) > 1 and all(map(self.names, _parts(word))):
            return True
        return not self._bases.isdisjoint(self._forms(word))

    def writes(self, word: str) -> bool:
        """Whether a word is written with its capitals: "US" or "May", where "us" and "may" are others."""
        return word.removesuffix("'s").removesuffix("’s") in self._marked

    def counts(self, number: str, what: str) -> bool:
        """Whether a number is said of what is counted, "" for nothing: if another number is, then this must be."""
        if not what or self._same(what, self._counted[number]):
            return True
        others = set[str]().union(*self._counted.values())
        return "" in self._counted[number] and self.holds(what) and not self._same(what, others)

    def in_order(self, numbers: Iterable[str]) -> bool:
        """Whether numbers are said one after another, other things between."""
        said = iter(self._numbers)
        return all(number in said for number in numbers)

    def affirms(self, word: str) -> bool:
        """Whether a word that is said is also said without a "not" before it."""
        alike = self._alike(word)
        return not alike or alike.isdisjoint(self._denied) or not alike.isdisjoint(self._affirmed)

    def denies(self, word: str) -> bool:
        """Whether a word is said in a clause with a "not"."""
        return not self._alike(word).isdisjoint(self._beside_denial)

    def _alike(self, word: str) -> set[str]:
        if word in self._exact:
            return {word}
        return {other for other in self._stems.get(word[:SHORTEST_STEM], ()) if same_stem(word, other)}

    def _same(self, word: str, others: Iterable[str]) -> bool:
        forms = self._forms(word)
        return any(not forms.isdisjoint(self._forms(other)) for other in others if other)

    def _forms(self, word: str) -> set[str]:
        """A word as it is and without an ending: two of which one is the same are forms of one."""
        found = {word} | {word.removesuffix(ending) for ending in self._endings}
        found |= {word.removesuffix(ending) + "y" for ending in ("ies", "ied") if word.endswith(ending)}
        return {form for form in found if form == word or len(form) >= SHORTEST_STEM}


def _parts(word: str) -> list[str]:
    return [part for part in word.replace("'", "-").split("-") if part]


def _pieces(word: str) -> Iterator[str]:
    """The parts of a word with hyphens, but not the numbers of a name such as "COVID-19"."""
    parts = _parts(word)
    for number, part in enumerate(parts if len(parts) > 1 else ()):
        if number == 0 or parts[0][0].isnumeric() or not part[0].isnumeric():
            yield part


def _counted(words: Sequence[_Word], at: int) -> str:
    """What the number at a place counts: the word behind it, "" for a function word or none."""
    behind = words[at + 1] if at + 1 < len(words) else None
    return behind.key if behind and behind.clause == words[at].clause and not behind.free else ""


def _denied(words: Sequence[_Word]) -> set[int]:
    """The places of what each "not" negates in its clause: the next word that isn't free, or the last one before it."""
    found = set[int]()
    for at, word in enumerate(words):
        if not word.negating:
            continue
        near = [
            i
            for i in (*range(at + 1, at + 1 + REACH), *range(at - 1, at - 1 - REACH, -1))
            if 0 <= i < len(words) and words[i].clause == word.clause and not words[i].free
        ]
        found.update([i for i in near if i > at or not words[i].vague][:1])
    return found


def same_stem(one: str, other: str) -> bool:
    """Whether two words are forms of one, as far as their letters tell.

    >>> same_stem("pricing", "price"), same_stem("studies", "study"), same_stem("contract", "contrast")
    (True, True, False)
    """
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    shorter = min(len(one), len(other))
    return shared >= max(SHORTEST_STEM, STEM * shorter) and max(len(one), len(other)) - shared < ENDING


def unsaid(text: str, said: Said, language: str) -> tuple[list[str], list[str], int]:
    """What of a text isn't said: what must be as it is, and other words; and how many words there were to look for.

    Left out are function words, and those with which one tells of others' talk ("explains"). As they are must be
    names, for which all words with a capital count, where a sentence begins too, and what has a full stop as addresses
    have it; numbers, with what they count, those of the same in the order in which they are said; and what is said only
    with a "not", or with none.
    """
    words = _words(text, language)
    exact, others = list[str](), list[str]()
    denied, denying = _denied(words), {word.clause for word in words if word.negating}
    for at, word in enumerate(words):
        contrary = at in denied and not said.denies(word.key)
        unmarked = word.marked and (word.free or word.text.isupper()) and not said.writes(word.text)
        if contrary or unmarked:
            exact.append(word.text)
        elif word.free:
            continue
        elif word.number:
            if not _is_counted(words, at, said):
                exact.append(word.text)
        elif word.named:
            if not said.names(word.key):
                exact.append(word.text)
        elif not said.holds(word.key):
            others.append(word.text)
        elif word.clause not in denying and not said.affirms(word.key):
            exact.append(word.text)
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for at, word in enumerate(words):
        if word.number and word.key[0].isnumeric():
            alike[_counted(words, at)].append(word.key)
    exact += [number for numbers in alike.values() if not said.in_order(numbers) for number in numbers]
    return exact, others, sum(not word.free for word in words)


def _is_counted(words: Sequence[_Word], at: int, said: Said) -> bool:
    """Whether the number at a place is said, with what it counts, and what else is near: "5 euros a month"."""
    near = (one.key for one in words[at + 1 : at + 4] if one.clause == words[at].clause and not one.free)
    number = words[at].key
    return said.names(number) and said.counts(number, _counted(words, at)) and all(map(said.holds, near))


def is_said(text: str, said: Said, language: str) -> bool:
    """Whether all words of a text are said, but those that count for none; false where it has no others.

    >>> talk = Said(["So the price of heat pumps went down by 1,200 euros in Bavaria."], "en")
    >>> is_said("Pricing of heat pumps", talk, "en"), is_said("Heat pumps and Russia", talk, "en")
    (True, False)
    """
    exact, others, count = unsaid(text, said, language)
    return bool(count) and not exact and not others


def is_supported(sentence: str, said: Said, language: str) -> bool:
    """Whether what must be said as it is is (`unsaid`), and of the other words all but one, or one in five.

    >>> talk = Said(["So the price of heat pumps went down by 1,200 euros in Bavaria."], "en")
    >>> is_supported("In Bavaria the prices of heat pumps fell by 1200 euros.", talk, "en")
    True
    >>> is_supported("In Bavaria the prices of heat pumps went down by 1300 euros.", talk, "en")
    False
    """
    exact, others, count = unsaid(sentence, said, language)
    return bool(count) and not exact and 5 * len(others) <= count and len(others) <= 1
