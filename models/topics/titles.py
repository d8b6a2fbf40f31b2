"""What the parts of a conversation are called: by an announcement, by a question, or by a key phrase of their own.

A title is never invented: all its words are said in the part, in a row but where a comma stands. Which phrase is key is
told by how often a part says its words, against the rest of the episode and the other episodes of the show; after
the ideas of RAKE (Rose et al. 2010) and YAKE (Campos et al. 2020). What may be no title is told by lists of
words in `models/languages`; scripts without spaces are cut into words by ICU's dictionaries.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import inf, log, sqrt

import regex

from models.languages.registry import Titles, language_of
from models.record.graphemes import graphemes
from models.record.punctuation import CLAUSE_MARKS, CLOSING_MARKS, SENTENCE_MARKS
from models.record.transcript import Segment, Transcript

MAX_TITLE = 60  # characters
MAX_WORDS = 8
PHRASE_WORDS = 5  # of one key phrase
OPENING_SECONDS = 45.0  # from the beginning of a part on, in which it is announced or asked about
OPENING_SENTENCES = 5
KEY_WORDS = 12  # of a part, one of which an announcement or a question must have
BLOCK_SECONDS = 60.0
LONE_SCORE = 0.5  # of the best phrase's, that a second one must have to stand beside it

_WORD = regex.compile(
    r"[\p{L}\p{N}][\p{L}\p{N}\p{M}]*(?:(?:['’‑.&/-]|\+\+|#)[\p{L}\p{N}][\p{L}\p{N}\p{M}]*)*(?:\+\+|#)?"
)
_SPACELESS = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}ー\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]+")
_PART = regex.compile(rf"[^{regex.escape(CLAUSE_MARKS + SENTENCE_MARKS)}]+")
_ENDS = regex.compile(
    rf"(?<![\p{{L}}\p{{N}}])[{regex.escape(CLAUSE_MARKS + SENTENCE_MARKS)}]|[{regex.escape(CLAUSE_MARKS + SENTENCE_MARKS)}]"
    rf"(?![\p{{L}}\p{{N}}])|[{regex.escape('。！？、，；：｡؟')}]|[\"“”„«»()\[\]…]"
)
_SENTENCE = regex.compile(
    rf".+?(?:[{regex.escape(SENTENCE_MARKS)}]+[{regex.escape(CLOSING_MARKS)}]*(?=\s|$)|[。！？｡]+[」』”]*|$)",
    regex.DOTALL,
)
_QUESTION = regex.compile(rf"[?？؟][{regex.escape(CLOSING_MARKS)}]*\s*$")


@dataclass(frozen=True, slots=True)
class Background:
    """In how many of `episodes` other episodes of the show each word is said; words as `words_in` has them."""

    episodes: int
    said_in: Mapping[str, int]


def words_in(text: str) -> list[str]:
    """The words of a text as a `Background` has them: without case, those of scripts without spaces cut by a dictionary.

    >>> words_in("L’État and the GPT-4's cost"), words_in("人工智能的发展")
    (["l'état", 'and', 'the', "gpt-4's", 'cost'], ['人工', '智能', '的', '发展'])
    """
    return [_key(text[first:last]) for first, last in _spans(text)]


def chapter_titles(
    transcript: Transcript, starts: Sequence[float], background: Background | None = None
) -> list[str]:
    """A title for each part of a transcript, the parts beginning at `starts`, in seconds, in order; no two are equal.

    Every word of one is said in its part, and it has MAX_TITLE characters and MAX_WORDS words at most. It is "" where
    nothing is said. background: None where nothing is known of other episodes.
    """
    parts = [_Part(segments, transcript) for segments in _parted(transcript.segments, starts)]
    spelling = _Spelling(parts)
    host = _host(transcript.segments)
    titles: list[str] = []
    taken: set[frozenset[str]] = set()
    for number, part in enumerate(parts):
        rest = [other for at, other in enumerate(parts) if at != number]
        weights = _weights(part, rest, background)
        for title in _candidates(part, weights, spelling, host):
            told = frozenset(words_in(title))
            if told not in taken:
                break
        else:
            title, told = "", frozenset()
        taken.add(told)
        titles.append(title)
    return titles


@dataclass(frozen=True, slots=True)
class _Token:
    """A word of a clause: as it is written, its key, and whether its clause begins with it."""

    text: str
    key: str
    first: bool
    language: str

    @property
    def words(self) -> _Lists:
        return _lists(self.language)

    @property
    def content(self) -> bool:
        """Whether it may begin or end a title."""
        return self.key not in self.words.function and len(self.key) > 1 and not self.key.isnumeric()

    @property
    def telling(self) -> bool:
        """Whether it tells something of a subject."""
        return self.content and self.key not in self.words.vague


@dataclass(frozen=True, slots=True)
class _Clause:
    """Words with no mark between them, and the gaps between them as they are written."""

    tokens: tuple[_Token, ...]
    gaps: tuple[str, ...]
    start: float

    def written(self, first: int, last: int, spelling: _Spelling) -> str:
        """The words from `first` up to `last`, which is left out, as a title has them."""
        text = spelling.of(self.tokens[first])
        for at in range(first + 1, last):
            text += self.gaps[at - 1] + spelling.of(self.tokens[at])
        return text


class _Part:
    """What is said in a part of the episode."""

    def __init__(self, segments: Sequence[Segment], transcript: Transcript) -> None:
        self.segments = segments
        self.start = segments[0].start if segments else 0.0
        self.language_of = transcript.language_of
        self.clauses = [
            clause for segment in segments for clause in _clauses(segment, transcript.language_of(segment))
        ]
        self.count: Counter[str] = Counter()
        self.blocks: defaultdict[str, set[int]] = defaultdict(set)
        for clause in self.clauses:
            keys = {token.key for token in clause.tokens}
            self.count.update(keys)
            for key in keys:
                self.blocks[key].add(int(clause.start // BLOCK_SECONDS))
        self.all_blocks = {int(clause.start // BLOCK_SECONDS) for clause in self.clauses}

    def sentences(self) -> Iterator[tuple[Segment, str]]:
        """Its first sentences, each with the segment that it is of."""
        number = 0
        for segment in self.segments:
            for found in _SENTENCE.finditer(segment.text):
                if number >= OPENING_SENTENCES or segment.start > self.start + OPENING_SECONDS:
                    return
                if len(_spans(found[0])) > 2:
                    number += 1
                yield segment, found[0].strip()


@dataclass(frozen=True, slots=True)
class _Lists:
    function: frozenset[str]
    vague: frozenset[str]
    titles: Titles
    opening: frozenset[str]


@cache
def _lists(code: str) -> _Lists:
    language = language_of(code)
    captions, titles = language.captions, language.titles
    function = captions.leaning | captions.opening | language.talk.asides | titles.referring | titles.joining
    return _Lists(function, titles.vague, titles, captions.opening)


def _key(word: str) -> str:
    return word.casefold().replace("’", "'").replace("‑", "-")


def _spans(text: str) -> list[tuple[int, int]]:
    """Begin and end of each word of a text."""
    spans: list[tuple[int, int]] = []
    for found in _WORD.finditer(text):
        run = found[0]
        if not _SPACELESS.search(run):
            spans.append(found.span())
            continue
        from icu4py.breakers import WordBreaker

        at = found.start()
        for piece in WordBreaker(run, "en"):
            if _WORD.match(piece):
                spans.append((at, at + len(piece)))
            at += len(piece)
    return spans


def _clauses(segment: Segment, language: str) -> Iterator[_Clause]:
    text, at = segment.text, 0
    for mark in [*_ENDS.finditer(text), None]:
        end = mark.start() if mark else len(text)
        clause = _clause(text[at:end], language, segment.start)
        if clause.tokens:
            yield clause
        at = mark.end() if mark else end


def _clause(text: str, language: str, start: float) -> _Clause:
    tokens: list[_Token] = []
    elided = _lists(language).titles.elided
    spans: list[tuple[int, int]] = []
    for first, last in _spans(text):
        word = text[first:last]
        cut = next((i for i, char in enumerate(word) if char in "'’"), -1) + 1
        if cut and _key(word[:cut]) in elided and cut < len(word):
            spans += [(first, first + cut), (first + cut, last)]
        else:
            spans.append((first, last))
    for first, last in spans:
        tokens.append(_Token(text[first:last], _key(text[first:last]), not tokens, language))
    gaps = tuple(text[one[1] : other[0]] for one, other in pairwise(spans))
    return _Clause(tuple(tokens), gaps, start)


class _Spelling:
    """How words are written where no clause begins with them."""

    def __init__(self, parts: Iterable[_Part]) -> None:
        inside: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for part in parts:
            for clause in part.clauses:
                for token in clause.tokens:
                    if not token.first:
                        inside[token.key][token.text] += 1
        self._inside = {key: found.most_common(1)[0][0] for key, found in inside.items()}

    def of(self, token: _Token) -> str:
        return self._inside.get(token.key, token.text) if token.first else token.text


def _parted(segments: Sequence[Segment], starts: Sequence[float]) -> Iterator[list[Segment]]:
    for begin, end in pairwise([*starts, inf]):
        yield [segment for segment in segments if begin <= (segment.start + segment.end) / 2 < end]


def _host(segments: Iterable[Segment]) -> str | None:
    """Who asks the most questions; None where nobody asks any."""
    asked = Counter(
        segment.speaker for segment in segments if segment.speaker and _QUESTION.search(segment.text)
    )
    return asked.most_common(1)[0][0] if asked else None


def _weights(part: _Part, rest: Sequence[_Part], background: Background | None) -> dict[str, float]:
    """How much each telling word says of a part, against the rest of the episode and of the show."""
    blocks = sum(len(other.all_blocks) for other in rest)
    weights = {}
    for token in {token.key: token for clause in part.clauses for token in clause.tokens}.values():
        if not token.telling:
            continue
        said = part.count[token.key]
        elsewhere = sum(len(other.blocks.get(token.key, ())) for other in rest)
        rare = log((blocks + 2) / (elsewhere + 1))
        if background is not None and background.episodes:
            rare += log((background.episodes + 2) / (background.said_in.get(token.key, 0) + 1))
        weights[token.key] = said / (said + 2) * rare
    return weights


def _candidates(
    part: _Part, weights: Mapping[str, float], spelling: _Spelling, host: str | None
) -> Iterator[str]:
    """Titles for a part, the best first."""
    keys = set(sorted(weights, key=lambda key: -weights[key])[:KEY_WORDS])
    yield from _announced(part, keys, spelling)
    yield from _asked(part, keys, host)
    phrases = _phrases(part, weights, spelling)
    best = phrases[:12]
    for number, (score, first) in enumerate(best):
        if len(words_in(first)) < 2:
            for other_score, other in best[number + 1 :]:
                joined = f"{first}, {other}"
                if other_score >= LONE_SCORE * score and _fits(joined) and not _alike(first, other):
                    yield _titled(joined)
                    break
        yield _titled(first)
    for _, phrase in phrases[12:]:
        yield _titled(phrase)
    for clause in part.clauses:
        last = min(len(clause.tokens), MAX_WORDS)
        if _fits(text := clause.written(0, last, spelling)):
            yield _titled(text)


def _alike(one: str, other: str) -> bool:
    """Whether two phrases share a word, or the beginning of one."""
    return any(a[:4] == b[:4] for a in words_in(one) for b in words_in(other))


def _fits(title: str) -> bool:
    return 0 < len(graphemes(title)) <= MAX_TITLE and len(title.replace(",", "").split()) <= MAX_WORDS


def _titled(text: str) -> str:
    """With a capital, unless its first word has one inside already."""
    first = text.split(" ")[0]
    return text if any(char.isupper() for char in first) else text[:1].upper() + text[1:]


def _announced(part: _Part, keys: set[str], spelling: _Spelling) -> Iterator[str]:
    """What the beginning of a part says it is about."""
    for segment, sentence in part.sentences():
        language = part.language_of(segment)
        for found in _lists(language).titles.announce.finditer(sentence):
            for clause in _clauses_of(sentence[found.end() :], language):
                if title := _trimmed(clause, keys, spelling):
                    yield _titled(title)
                break


def _clauses_of(text: str, language: str) -> Iterator[_Clause]:
    mark = _ENDS.search(text)
    clause = _clause(text[: mark.start()] if mark else text, language, 0.0)
    if clause.tokens:
        yield clause


def _trimmed(clause: _Clause, keys: set[str], spelling: _Spelling) -> str:
    """A clause without function words at its ends, "" where it is too long, or can't be understood alone."""
    first, last = 0, len(clause.tokens)
    while first < last and not clause.tokens[first].telling:
        first += 1
    while last > first and not clause.tokens[last - 1].telling:
        last -= 1
    for end in range(first, last):
        if clause.tokens[end].key in clause.tokens[end].words.titles.referring:
            return ""
    if not any(token.key in keys for token in clause.tokens[first:last]):
        return ""
    text = clause.written(first, last, spelling) if first < last else ""
    return text if _fits(text) else ""


def _asked(part: _Part, keys: set[str], host: str | None) -> Iterator[str]:
    """Short questions of the host at the beginning of a part that can be understood alone."""
    for segment, sentence in part.sentences():
        if segment.speaker != host or not _QUESTION.search(sentence):
            continue
        language = part.language_of(segment)
        text = sentence
        while (found := _WORD.match(text)) and _key(found[0]) in language_of(language).talk.asides | {
            "and",
            "so",
        }:
            text = text[found.end() :].lstrip(" ,")
        asked = words_in(text)
        if (
            _fits(text)
            and any(word in keys for word in asked)
            and not any(word in _lists(language).titles.referring for word in asked)
        ):
            yield text[:1].upper() + text[1:]


def _phrases(part: _Part, weights: Mapping[str, float], spelling: _Spelling) -> list[tuple[float, str]]:
    """Key phrases of a part with their scores, the best first."""
    found: dict[tuple[str, ...], list[tuple[_Clause, int, int]]] = defaultdict(list)
    for clause in part.clauses:
        for first, last in _stretches(clause):
            found[tuple(token.key for token in clause.tokens[first:last])].append((clause, first, last))
    scored = []
    for keys, places in found.items():
        score = _score(keys, places, part, weights)
        if score > 0:
            texts = Counter(clause.written(first, last, spelling) for clause, first, last in places)
            scored.append((score, texts.most_common(1)[0][0]))
    return sorted(((score, text) for score, text in scored if _fits(text)), key=lambda one: (-one[0], one[1]))


def _stretches(clause: _Clause) -> Iterator[tuple[int, int]]:
    """Begin and end of what may be a phrase: it begins and ends with words that may, others join them."""
    tokens = clause.tokens
    for first, token in enumerate(tokens):
        if not token.content:
            continue
        for last in range(first + 1, min(len(tokens), first + PHRASE_WORDS) + 1):
            if tokens[last - 1].content:
                yield first, last
            elif tokens[last - 1].key not in tokens[last - 1].words.titles.joining:
                break


def _score(
    keys: tuple[str, ...],
    places: Sequence[tuple[_Clause, int, int]],
    part: _Part,
    weights: Mapping[str, float],
) -> float:
    clause, first, last = places[0]
    tokens = clause.tokens[first:last]
    times = len(places)
    telling = [token for token in tokens if token.telling]
    if not telling:
        return 0.0
    if len(keys) > 1:
        vague = [token for token in tokens if token.content and not token.telling]
        if any(times < 3 or times < 0.4 * part.count[token.key] for token in vague):
            return 0.0
        if times < 2 and not all(_named(token) for token in tokens if token.content):
            return 0.0
    content = sum(token.content for token in tokens)
    total = sum(weights.get(token.key, 0.0) for token in telling)
    return total / sqrt(content) * (1 + log(times)) / (1 + 0.5 * (len(tokens) - content))


def _named(token: _Token) -> bool:
    return token.text[:1].isupper() and not token.first
