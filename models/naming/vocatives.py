"""Names that somebody is called by, told from names that are spoken of.

A name in direct address is set apart: by commas ("So, Virgil, would you"), by the end of the sentence
("..., Anne?"), or by being all of it ("Eva?"). Lists, appositions ("my colleague, Anne, says") and what is quoted
look alike; the words around the name tell them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from models.languages.registry import Language, Phrases, language_of
from models.naming.person_names import fold, is_machine, is_noun, is_title, read_name
from models.record.transcript import Segment

EXPLAINED_WORDS = 5  # "my very old friend, Anne"
_WORD = re.compile(r"[^\W\d_]+(?:['’‑-][^\W\d_]+)*")
_CAPITAL = re.compile(r"(?<![\w'’-])[^\W\d_]")
_ENDS = re.compile(r"[.!?…]+(?=\s|$)")
_BRAND = re.compile(r"(?<!^Mc)(?<!^Mac)(?<=[a-zß-ÿ])[A-ZÀ-Þ]")  # a capital inside a word: "GitHub"
_IN_QUOTES = re.compile(r"""[“«„][^”»“]*$|^[^"]*"(?:[^"]*"[^"]*")*[^"]*$""")
_EXPLAINS = re.compile(r"(?:[\w'’-]+\s+){0,5}[\w'’-]+,|(?:[\w'’-]+\s+){0,2}[\w'’-]+[.?!]")  # "my old friend,"
_AFTER_SAID = r"(?:\s+\w+){0,3}\s*[,:]\s*(?:\w+,?\s*){0,2}"  # "said to him: Hey"


@dataclass(frozen=True, slots=True)
class Call:
    """Somebody who is called `name`, at `span` of a text, and what tells so.

    "you": it is a question, or has a word for who is spoken to; "words": other words come first, as in "Right,
    Anne."; "comma": nothing else, which may be no call at all.
    """

    name: str
    span: tuple[int, int]
    by: Literal["you", "words", "comma"]


class NameWords:
    """Which capitalised words of a talk are names: those written so where no sentence begins, and seldom small.

    segments: what is said in the language `code`.
    """

    def __init__(self, segments: Sequence[Segment], code: str) -> None:
        self._code = code
        language = language_of(code)
        self._openers = language.phrases.openers
        self._function_words = {fold(word) for word in language.captions.leaning | language.captions.opening}
        self._inside: Counter[str] = Counter()  # capitalised, where no sentence begins
        self._small: Counter[str] = Counter()
        self._places: set[str] = set()
        for segment in segments:
            for start, end in sentences(segment.text):
                for i, word in enumerate(_WORD.findall(segment.text[start:end])):
                    counter = self._small if word[0].islower() else self._inside
                    counter[fold(word)] += bool(i or counter is self._small)
            for match in language.phrases.places.finditer(segment.text):
                self._places.update(fold(word) for word in _WORD.findall(segment.text[match.end() :])[:1])

    def begins(self, word: str) -> bool:
        """Whether a name can begin with the word."""
        folded = fold(word)
        small = folded in self._function_words or self._small[folded] > self._inside[folded]
        return not small and not self._openers.fullmatch(word)

    def may_be_name(self, name: str) -> bool:
        """Whether a word can be a name, judged by how it is written in this talk."""
        first = fold(name.split()[0])
        written = self.begins(first) and first not in self._places and not _BRAND.search(name)
        return written and not is_machine(name)

    def is_name(self, name: str) -> bool:
        """Whether it is a name rather than another word, judged by how it is written in this talk."""
        seen = self._inside[fold(name.split()[0])] > 0
        return seen and self.may_be_name(name) and not is_noun(name, self._code)


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Where each sentence of a text begins and ends; the full stop of "Dr." ends none."""
    start = 0
    for match in _ENDS.finditer(text):
        word = re.search(r"\w*$", text[: match.start()])
        if match[0] == "." and word and (len(word[0]) == 1 or is_title(word[0])):
            continue
        yield start, match.end()
        start = match.end() + len(text[match.end() :]) - len(text[match.end() :].lstrip())
    if start < len(text):
        yield start, len(text)


def calls(text: str, language: Language, words: NameWords, known: Callable[[str], bool]) -> Iterator[Call]:
    """Every name in a text that somebody is called by. known: tells whether a name is credited."""
    for (start, end), name, span in names_in_sentences(text, words, known):
        if (known(name) or words.is_name(name)) and _is_called(text, (start, end), span, language):
            said = text[start:end]
            you = said.endswith("?") or language.phrases.you.search(said)
            yield Call(name, span, "you" if you else "words" if span[0] > start else "comma")


def names_in_sentences(
    text: str, words: NameWords, known: Callable[[str], bool]
) -> Iterator[tuple[tuple[int, int], str, tuple[int, int]]]:
    """Each sentence's place in the text, a name in it, and the name's place."""
    for start, end in sentences(text):
        taken = start
        for match in _CAPITAL.finditer(text, start, end):
            first, found = _WORD.match(text, match.start()), read_name(text, match.start())
            if match.start() < taken or first is None or found is None or not match[0].isupper():
                continue
            if words.begins(first[0]) or known(found[0]):
                taken = found[1]
                yield (start, end), found[0], (match.start(), taken)


def _is_called(text: str, sentence: tuple[int, int], span: tuple[int, int], language: Language) -> bool:
    """Whether what stands around a name sets it apart as one that is called."""
    phrases, nouns = language.phrases, bool(language.names.noun_endings)  # nouns have capitals, as names have
    before, after = text[sentence[0] : span[0]], text[span[1] : sentence[1]]
    comma, ends = after.startswith(","), not after.strip(" .!?…")
    if (
        not (comma or ends)
        or is_reported(text[: span[1]], span[0], phrases)
        or _goes_on(before, after, phrases)
    ):
        return False
    question, you = after.endswith("?"), bool(phrases.you.search(before + after))
    last = _WORD.findall(before)[-1:]
    if phrases.openers.fullmatch(before):
        fragment = nouns or not last or phrases.conjunctions.search(f" {last[0].lower()} ")  # "And Berlin."
        return comma or question or not fragment
    if not before.rstrip().endswith(",") or (_listed(before) and not (nouns and question)):
        return False
    explained = not nouns and phrases.determiners.search(" ".join(before.split()[-EXPLAINED_WORDS:]))
    return question or (not explained and (ends or you))


def is_reported(text: str, start: int, phrases: Phrases) -> bool:
    """Whether what begins at `start` is in quotation marks, or follows somebody's having said it to others."""
    if _IN_QUOTES.search(text[:start]):
        return True
    said = [*phrases.reported.finditer(text[:start])]
    between = text[said[-1].end() : start] if said else ""
    return re.fullmatch(_AFTER_SAID, between) is not None and not phrases.you.search(between)


def _goes_on(before: str, after: str, phrases: Phrases) -> bool:
    """Whether what follows a name speaks of it: "Anne, who", "Anne, my friend", "Anne, Ben and", "Anne, said he".

    What begins so and is no aside, for no comma ends it, does not: "So, Anne, the thing is", "Anne, is that so?"
    """
    rest = after.lstrip(", –-")
    if phrases.reported.match(rest) or read_name(rest):
        return True
    told = bool(before) and phrases.determiners.match(rest) and not _EXPLAINS.match(rest)
    asked = after.endswith("?") and "," not in rest
    return bool(phrases.aside.match(after)) and not told and not (asked and after.startswith(","))


def _listed(before: str) -> bool:
    """Whether what stands before a comma ends with another name or the like."""
    words = _WORD.findall(before)
    return len(words) > 1 and len(words[-1]) > 1 and words[-1][0].isupper()
