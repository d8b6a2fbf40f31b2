"""What the parts of a conversation are called: by an announcement, by a question, or by key phrases of their own.

A title is never invented: all its words are said in the part, in a row but where a comma stands. Which phrase is key is
told by how often a part says its words, against the rest of the episode and the other episodes of the show; after
the ideas of RAKE (Rose et al. 2010) and YAKE (Campos et al. 2020). What can be no title is told by lists of
words in `models/languages`, and by what words stand beside.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import exp, inf, log
from typing import TYPE_CHECKING

import regex

from models.record.graphemes import graphemes
from models.record.punctuation import CLOSING_MARKS, SENTENCE_MARKS
from models.record.transcript import Segment, Transcript
from models.topics.questions import host_of, is_question
from models.topics.support import same_stem
from models.topics.words import WordLists, base_of, key, lists_of, spans, words_in

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from models.topics.embedding import SentenceEmbedder

MAX_TITLE = 60  # characters
MAX_WORDS = 8
PHRASE_WORDS = 5  # of one key phrase

# Chosen on the 161 chapters of 16 real episodes, none of which is reported on; their neighbours do about as well.
OPENING_SECONDS = 45.0  # from the beginning of a part on, in which it is announced or asked about
OPENING_SENTENCES = 5  # of more than BRIEF words
BRIEF = 2
KEY_WORDS = 8  # of a part, one of which an announcement or a question must have
BLOCK_SECONDS = 60.0  # of a part, in which a word is said or not
SPREAD = 2.0  # weight of the share of a part's blocks in which a word is said
RARE = 4  # times that a word is said after which more tell little
COMMON = 0.4  # of the blocks of an episode: words said in more are function words, where no list tells
NOUN = 0.5  # how surely a word is one
TERM_TIMES = 3  # a phrase with a vague word is a term if it is said so often ...
TERM_SHARE = 0.4  # ... and that is so large a share of what the word is said
LENGTH = 0.3  # exponent of a phrase's number of words by which what they say is divided
RANKED, SENTENCES = 40, 16  # phrases and sentences of a part whose meaning is looked at
CLOSENESS = 0.75  # weight of that, in standard deviations of a part's phrases ...
FARTHEST = 2.0  # ... of which no more count
WHOLE = 0.5  # how much of what the whole episode means is taken from what a part means
BEST = 12  # phrases of a part that may be its title
FULLER = 0.4  # of a lone word's score, that a longer phrase with it must have to be better
TOGETHER = 3  # phrases of a title
SHORT = 3  # words of a title which another phrase may follow ...
SECOND_OF_LONE, SECOND, THIRD = 0.05, 0.15, 0.4  # ... if its score has this share of the first one's
NEW = 1.0  # weight of its being said in other minutes
CAPITALS = 0.1  # of the words within sentences have one where nouns have
NAMED = 0.7  # of what is said of a name, that has a capital
ADDRESSED = 0.2  # weight of names of those who speak
NAME = 1.4  # weight of a phrase with one ...
WEAK = 0.3  # ... and of one of weak words
COVERAGE = 1.0  # exponent of the share of a part's minutes in which a phrase's rarest word is said
LONE_NOUN = 0.7  # how surely a word is a noun that is a title by itself
FORM = 0.3  # of the most common form of a phrase, that a shorter one must have

_PLAIN = regex.compile(r"¿?[\p{L}\p{M}\p{N} ,'’&/.+#-]+[?？؟]")  # a question
_BETWEEN = regex.compile(r"\s*&?\s*")
_SENTENCE = regex.compile(
    rf".+?(?:[{regex.escape(SENTENCE_MARKS)}]+[{regex.escape(CLOSING_MARKS)}]*(?=\s|$)|[。！？｡]+[」』”]*|$)",
    regex.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Background:
    """In how many of `episodes` other episodes of the show each word is said; words as `words_in` has them."""

    episodes: int
    said_in: Mapping[str, int]


def chapter_titles(
    transcript: Transcript,
    starts: Sequence[float],
    background: Background | None = None,
    embedder: SentenceEmbedder | None = None,
) -> list[str]:
    """A title for each part of a transcript, the parts beginning at `starts`, in seconds, in order; no two are equal.

    Every word of one is said in its part, and it has MAX_TITLE characters and MAX_WORDS words at most. It is "" where
    nothing is said that could be one. background: None where nothing is known of other episodes. embedder: tells which
    phrases are close to what else is said; without it their words alone decide.
    """
    parts = [_Part(segments, transcript) for segments in _parted(transcript.segments, starts)]
    usage, host = _Usage(parts), host_of(transcript.segments)
    titles: list[str] = []
    taken: set[frozenset[str]] = {frozenset()}
    rests = (parts[:number] + parts[number + 1 :] for number in range(len(parts)))
    speaking = {word for one in transcript.speakers if one.source != "order" for word in words_in(one.name)}
    weights = [_weights(part, rest, background, speaking) for part, rest in zip(parts, rests, strict=True)]
    phrases = [_phrases(part, weighed, usage) for part, weighed in zip(parts, weights, strict=True)]
    if embedder is not None:
        phrases = _by_meaning(parts, weights, phrases, embedder)
    for part, weighed, found in zip(parts, weights, phrases, strict=True):
        candidates = _candidates(part, weighed, found, usage, host)
        title = next((one for one in candidates if frozenset(words_in(one)) not in taken), "")
        taken.add(frozenset(words_in(title)))
        titles.append(title)
    return titles


@dataclass(frozen=True, slots=True)
class _Token:
    """A word of a clause: as it is written, its key, what its forms share, and whether the clause begins with it."""

    text: str
    key: str
    base: str
    first: bool
    lists: WordLists

    @property
    def content(self) -> bool:
        """Whether it may begin or end a title."""
        return self.key not in self.lists.function and len(self.key) > 1 and not self.key[0].isnumeric()

    @property
    def telling(self) -> bool:
        """Whether it tells something of a subject."""
        return self.content and self.key not in self.lists.titles.vague

    @property
    def named(self) -> bool:
        """Whether it has a capital that is not that of a beginning."""
        return self.text != self.text.lower() and (not self.first or self.text[1:] != self.text[1:].lower())


@dataclass(frozen=True, slots=True)
class _Clause:
    """Words with no mark between them, what stands between them, and the segment that they are of."""

    tokens: tuple[_Token, ...]
    gaps: tuple[str, ...]
    segment: Segment


class _Part:
    """What is said in a part of the episode."""

    def __init__(self, segments: Sequence[Segment], transcript: Transcript) -> None:
        self.segments = segments
        self.language_of = transcript.language_of
        self.clauses = [
            one
            for segment in segments
            for one in _clauses(segment.text, transcript.language_of(segment), segment)
        ]
        self.times: Counter[str] = Counter()
        self.blocks: defaultdict[str, set[int]] = defaultdict(set)
        for clause in self.clauses:
            for word in {token.base for token in clause.tokens}:
                self.times[word] += 1
                self.blocks[word].add(int(clause.segment.start // BLOCK_SECONDS))
        self.length = len(set().union(*self.blocks.values()))  # in blocks
        self.spread = {word: len(blocks) / self.length for word, blocks in self.blocks.items()}

    def opening(self) -> Iterator[tuple[Segment, str]]:
        """Its first sentences, each with the segment that it is of."""
        passed = 0
        for segment in self.segments:
            for found in _SENTENCE.finditer(segment.text):
                if passed >= OPENING_SENTENCES or segment.start > self.segments[0].start + OPENING_SECONDS:
                    return
                passed += len(spans(found[0])) > BRIEF
                yield segment, found[0].strip()


def _clauses(text: str, language: str, segment: Segment) -> Iterator[_Clause]:
    """The clauses of a text of a segment: words between which nothing stands but spaces, or "&"."""
    lists, tokens, gaps, at = lists_of(language), list[_Token](), list[str](), 0
    for first, last in spans(text, language):
        gap = text[at:first]
        if tokens and _BETWEEN.fullmatch(gap):
            gaps.append(" & " if "&" in gap else gap and " ")
        elif tokens:
            yield _Clause(tuple(tokens), tuple(gaps), segment)
            tokens, gaps = [], []
        word = key(text[first:last])
        tokens.append(_Token(text[first:last], word, base_of(word, language), not tokens, lists))
        at = last
    if tokens:
        yield _Clause(tuple(tokens), tuple(gaps), segment)


def _parted(segments: Sequence[Segment], starts: Sequence[float]) -> Iterator[list[Segment]]:
    for begin, end in pairwise([*starts, inf]):
        yield [segment for segment in segments if begin <= (segment.start + segment.end) / 2 < end]


class _Usage:
    """How words are used all over the episode."""

    def __init__(self, parts: Sequence[_Part]) -> None:
        clauses = [clause for part in parts for clause in part.clauses]
        within = [token for clause in clauses for token in clause.tokens if not token.first]
        times = Counter(token.base for token in within)
        named = Counter(token.base for token in within if token.named)
        self.capitals = named.total() > CAPITALS * times.total()
        self.names = {word for word, capitals in named.items() if capitals >= NAMED * times[word]}
        self._as_noun: Counter[str] = Counter()
        self._as_other: Counter[str] = Counter()
        for clause in clauses:
            around = (None, *clause.tokens, None)
            for before, token, after in zip(around, clause.tokens, around[2:], strict=False):
                noun = token.named if self.has_capitals(token) else _stands_as_noun(before, token, after)
                self._as_noun[token.key] += noun is True
                self._as_other[token.key] += noun is False
        minutes = sum(part.length for part in parts)
        said = Counter(word for part in parts for word, blocks in part.blocks.items() for _ in blocks)
        self.common = {word for word, blocks in said.items() if blocks > COMMON * minutes}
        written: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for token in within:
            written[token.key][token.text] += 1
        self._written = {word: found.most_common(1)[0][0] for word, found in written.items()}

    def has_capitals(self, token: _Token) -> bool:
        """Whether a capital tells that a word is a noun."""
        return token.lists.capitals and self.capitals

    def nounness(self, token: _Token) -> float:
        """How surely a word is a noun or a name, 0 to 1; NOUN where nothing tells."""
        if token.base in self.names:
            return 1.0
        times = self._as_noun[token.key] + self._as_other[token.key]
        return (self._as_noun[token.key] + 0.5) / (times + 1)

    def written(self, clause: _Clause, first: int, last: int) -> str:
        """The words of a clause from `first` up to `last`, which is left out, as they are within one."""
        text = ""
        for gap, token in zip(("", *clause.gaps[first:]), clause.tokens[first:last], strict=False):
            text += gap + (self._written.get(token.key, token.text) if token.first else token.text)
        return text


def _stands_as_noun(before: _Token | None, token: _Token, after: _Token | None) -> bool | None:
    """Whether a word has the place of a noun, None where its place doesn't tell.

    That is behind an article, a preposition or what describes it, and before none of the former; that of a verb is
    behind a pronoun or an auxiliary, or before what begins a phrase around a noun.
    """
    if after is not None and after.key in after.lists.determiners:
        return False
    if before is None or (after is not None and after.content):
        return None
    if before.key in before.lists.before_verb:
        return False
    return True if before.key in before.lists.before_noun else None


def _weights(
    part: _Part, rest: Sequence[_Part], background: Background | None, speaking: set[str]
) -> dict[str, float]:
    """How much each telling word says of a part, against the rest of the episode and of the show; by its base.

    speaking: words of the names of those who speak, by which they address each other.
    """
    length = sum(other.length for other in rest)
    forms: defaultdict[str, set[str]] = defaultdict(set)
    for token in (token for clause in part.clauses for token in clause.tokens if token.telling):
        forms[token.base].add(token.key)
    weights = {}
    for word, written in forms.items():
        elsewhere = sum(len(other.blocks.get(word, ())) for other in rest)
        rare = log((length + 2) / (elsewhere + 1))
        if background is not None:
            said_in = max(background.said_in.get(form, 0) for form in written)
            rare += log((background.episodes + 2) / (said_in + 1))
        if written <= speaking:
            rare *= ADDRESSED
        weights[word] = part.times[word] / (part.times[word] + RARE) * rare * (1 + SPREAD * part.spread[word])
    return weights


def _candidates(
    part: _Part, weights: Mapping[str, float], phrases: Sequence[_Phrase], usage: _Usage, host: str | None
) -> Iterator[str]:
    """Titles for a part, the best first."""
    keys = set(sorted(weights, key=lambda word: -weights[word])[:KEY_WORDS])
    for title in (*_announced(part, keys, usage), *_asked(part, keys, host)):
        yield _capitalised(title)
    for phrase in phrases[:BEST]:
        yield _capitalised(_joined(_fuller(phrase, phrases), phrases))
    for clause in part.clauses:
        if _fits(text := usage.written(clause, 0, len(clause.tokens))):
            yield _capitalised(text)


def _joined(first: _Phrase, phrases: Sequence[_Phrase]) -> str:
    """A phrase with up to two others beside it, which are about as good, and say something else of other minutes."""
    title, chosen = first.text, [first]
    while len(chosen) < TOGETHER and len(words_in(title)) <= SHORT:
        lone = len(words_in(title)) == 1
        least = first.score * (SECOND_OF_LONE if lone else SECOND if len(chosen) == 1 else THIRD)
        others = [
            other
            for other in phrases
            if other.score >= least
            and _fits(f"{title}, {other.text}")
            and not any(_alike(one.text, other.text) for one in chosen)
        ]
        if not others:
            break
        covered = frozenset[int]().union(*(one.blocks for one in chosen))
        chosen.append(
            max(
                others,
                key=lambda other: other.score * (1 + NEW * len(other.blocks - covered) / len(other.blocks)),
            )
        )
        title = f"{title}, {chosen[-1].text}"
    return title


def _fuller(phrase: _Phrase, phrases: Sequence[_Phrase]) -> _Phrase:
    """The best phrase that says a lone word with others, if there is one that is about as good."""
    if " " in phrase.text:
        return phrase
    longer = (
        other
        for other in phrases
        if phrase.text in other.text.split() and " " in other.text and other.score >= FULLER * phrase.score
    )
    return next(longer, phrase)


def _alike(one: str, other: str) -> bool:
    """Whether two phrases share a word, or forms of one."""
    return any(
        a == b or same_stem(a, b) or a.startswith(b) or b.startswith(a)
        for a in words_in(one)
        for b in words_in(other)
    )


def _fits(title: str) -> bool:
    return 0 < len(graphemes(title)) <= MAX_TITLE and len(title.split()) <= MAX_WORDS


def _capitalised(text: str) -> str:
    """With a capital, unless its first word has one."""
    first, _, _ = text.partition(" ")
    return text if first != first.lower() else text[:1].upper() + text[1:]


def _announced(part: _Part, keys: set[str], usage: _Usage) -> Iterator[str]:
    """What the beginning of a part says it is about."""
    for segment, sentence in part.opening():
        language = part.language_of(segment)
        for found in lists_of(language).titles.announce.finditer(sentence):
            clause = next(_clauses(sentence[found.end() :], language, segment), None)
            if clause and sentence[found.end() :].lstrip()[:1] not in (",", "."):
                yield from _trimmed(clause, keys, usage)


def _trimmed(clause: _Clause, keys: set[str], usage: _Usage) -> Iterator[str]:
    """A clause without what can't be at a title's ends; nothing where it is too long, or points to what was said."""
    telling = [at for at, token in enumerate(clause.tokens) if token.telling]
    if not telling:
        return
    first, last = telling[0], telling[-1] + 1
    inside = clause.tokens[first:last]
    if any(token.key in token.lists.titles.referring for token in inside):
        return
    if (
        len(telling) > 1
        and any(token.base in keys for token in inside)
        and _fits(text := usage.written(clause, first, last))
    ):
        yield text


def _asked(part: _Part, keys: set[str], host: str | None) -> Iterator[str]:
    """Short questions of the host at the beginning of a part that can be understood alone."""
    for segment, sentence in part.opening():
        if segment.speaker != host or not is_question(sentence):
            continue
        words = lists_of(part.language_of(segment))
        lists = words.titles
        places = spans(sentence)
        opens = next((first for first, last in places if key(sentence[first:last]) in lists.asking), None)
        before = words_in(sentence[:opens], part.language_of(segment))
        if (
            opens is None
            or sentence[:opens].rstrip()[-1:].isalnum()
            or not lists.vague.union(words.function).issuperset(before)
        ):
            continue
        asked = sentence[opens:]
        asked = f"¿{asked}" if asked and "¿" in sentence else asked
        said = set(words_in(asked))
        bases = {base_of(word, part.language_of(segment)) for word in said}
        if bases & keys and not said & lists.referring and _fits(asked) and _PLAIN.fullmatch(asked):
            yield asked


@dataclass(frozen=True, slots=True)
class _Phrase:
    """Words that may be a title, and how good a one."""

    text: str
    score: float
    blocks: frozenset[int]  # of the part, in which it is said


def _phrases(part: _Part, weights: Mapping[str, float], usage: _Usage) -> list[_Phrase]:
    """Key phrases of a part, the best first."""
    found: defaultdict[tuple[str, ...], list[tuple[_Clause, int, int]]] = defaultdict(list)
    for clause in part.clauses:
        for first, last in _stretches(clause):
            found[tuple(token.base for token in clause.tokens[first:last])].append((clause, first, last))
    phrases = []
    for places in found.values():
        if score := _score(places, part, weights, usage):
            head = places[0][0].tokens[places[0][2] - 1]
            text = _best_form(Counter(usage.written(*place) for place in places), head.lists.capitals)
            if head.lists.capitals and not usage.capitals:
                before, space, noun = text.rpartition(" ")
                text = before + space + noun[:1].upper() + noun[1:]
            said = frozenset(int(clause.segment.start // BLOCK_SECONDS) for clause, _, _ in places)
            phrases += [_Phrase(text, score, said)] * _fits(text)
    return sorted(phrases, key=_rank)[:RANKED]


def _best_form(written: Counter[str], nouns_change: bool) -> str:
    """The most common of the forms; of nouns that change with their case the shortest of those nearly as common."""
    least = (FORM if nouns_change else 1.0) * max(written.values())
    return min(written, key=lambda text: (written[text] < least, len(text), text))


def _rank(phrase: _Phrase) -> tuple[float, str]:
    return -phrase.score, phrase.text


def _by_meaning(
    parts: Sequence[_Part],
    weights: Sequence[Mapping[str, float]],
    phrases: Sequence[Sequence[_Phrase]],
    embedder: SentenceEmbedder,
) -> list[list[_Phrase]]:
    """The phrases of each part by their scores and by how close they are to what it means, and the others don't."""
    told = [_telling_sentences(part, weighed) for part, weighed in zip(parts, weights, strict=True)]
    means = [embedder.embed(texts).mean(axis=0) if texts else None for texts in told]
    known = [mean for mean in means if mean is not None]
    whole = sum(known) / max(1, len(known))
    return [
        [] if mean is None else _by_closeness(found, mean - WHOLE * whole, embedder)
        for found, mean in zip(phrases, means, strict=True)
    ]


def _by_closeness(
    phrases: Sequence[_Phrase], meaning: NDArray[np.float32], embedder: SentenceEmbedder
) -> list[_Phrase]:
    """The phrases by their scores and by how close they are to a vector of the embedder's."""
    if not phrases:
        return []
    closeness = embedder.embed([phrase.text for phrase in phrases]) @ meaning
    deviation = (closeness - closeness.mean()) / (closeness.std() + 1e-6)
    factors = [exp(CLOSENESS * float(one)) for one in deviation.clip(-FARTHEST, FARTHEST)]
    by_both = (replace(one, score=one.score * by) for one, by in zip(phrases, factors, strict=True))
    return sorted(by_both, key=_rank)


def _telling_sentences(part: _Part, weights: Mapping[str, float]) -> list[str]:
    """The sentences of a part with the most of what tells of it."""
    telling: defaultdict[str, float] = defaultdict(float)
    for clause in part.clauses:
        telling[clause.segment.text] += sum(weights.get(token.base, 0.0) for token in clause.tokens)
    return sorted(telling, key=lambda text: -telling[text])[:SENTENCES]


def _stretches(clause: _Clause) -> Iterator[tuple[int, int]]:
    """Begin and end of what may be a phrase: it begins and ends with words that may, others join them."""
    tokens = clause.tokens
    for first, token in enumerate(tokens):
        if not token.content:
            continue
        for last in range(first + 1, min(len(tokens), first + PHRASE_WORDS) + 1):
            end = tokens[last - 1]
            if end.content and not _owns_next(tokens, last):
                yield first, last
            elif not end.content and end.key not in end.lists.titles.joining:
                break


def _owns_next(tokens: Sequence[_Token], last: int) -> bool:
    """Whether a phrase that ends before `last` is half of one: "Ann's" of "Ann's boat"."""
    return last < len(tokens) and tokens[last - 1].key.endswith("'s") and tokens[last].content


def _score(
    places: Sequence[tuple[_Clause, int, int]], part: _Part, weights: Mapping[str, float], usage: _Usage
) -> float:
    """How good a title a phrase would be, from what its words say, how often it is said and whether it is whole."""
    clause, first, last = places[0]
    content = [token for token in clause.tokens[first:last] if token.content]
    telling = [token for token in content if token.telling]
    times = len(places)
    if not telling or len({token.base for token in content}) < len(content):
        return 0.0
    if len(content) > len(telling):
        vaguest = max(part.times[token.base] for token in content if not token.telling)
        if len(content) == 1 or times < max(TERM_TIMES, TERM_SHARE * vaguest):
            return 0.0
    if len(content) > 1 and times == 1 and not all(token.named for token in content):
        return 0.0
    if not _well_formed(content, usage):
        return 0.0
    whole = sum(_is_whole(*place) for place in places) / times
    joined = last - first - len(content)
    total = sum(weights[token.base] for token in telling) / exp(LENGTH * log(len(content)))
    total *= exp(COVERAGE * log(min(part.spread[token.base] for token in telling)))
    if all(token.key in token.lists.titles.weak for token in telling):
        total *= WEAK
    if any(token.base in usage.names for token in telling):
        total *= NAME
    return total * (1 + log(times)) * (0.3 + usage.nounness(content[-1])) * (0.5 + whole) / (1 + 0.5 * joined)


def _well_formed(content: Sequence[_Token], usage: _Usage) -> bool:
    """Whether a phrase with these words may be one around a noun, as far as their endings and capitals tell."""
    head, lists = content[-1], content[-1].lists
    noun = usage.nounness(head) >= NOUN
    if not lists.function and usage.common & {content[0].base, head.base}:
        return False
    if not usage.has_capitals(head):
        others = tuple(lists.titles.other_endings)
        if any(one.key.endswith(others) and usage.nounness(one) <= LONE_NOUN for one in (content[0], head)):
            return False
        return noun if len(content) > 1 or not lists.function else usage.nounness(head) > LONE_NOUN
    small = [token for token in content if usage.nounness(token) < NOUN]
    if len(small) > 1 or not noun:
        return False
    return not small or (
        small[0] is content[0] and not small[0].key.endswith(tuple(lists.titles.oblique_endings))
    )


def _is_whole(clause: _Clause, first: int, last: int) -> bool:
    """Whether a phrase ends where a name could, and no word before or behind seems to belong to it."""
    before = clause.tokens[first - 1] if first else None
    after = clause.tokens[last] if last < len(clause.tokens) else None
    begins = before is None or not before.telling
    return begins and (after is None or not after.telling)
