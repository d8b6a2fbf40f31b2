"""What the parts of a conversation are called: by an announcement, by a question, or by key phrases of their own.

A title is never invented: all its words are said in the part, in a row but where a comma stands. Which phrase is key is
told by how often a part says its words, against the rest of the episode and the other episodes of the show; after
the ideas of RAKE (Rose et al. 2010) and YAKE (Campos et al. 2020). What can be no title is told by lists of
words in `models/languages`, and by what words stand beside.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, inf, log

import regex

from models.record.graphemes import graphemes
from models.record.punctuation import CLOSING_MARKS, SENTENCE_MARKS
from models.record.transcript import Segment, Transcript
from models.topics.embedding import SentenceEmbedder
from models.topics.questions import host_of, is_question
from models.topics.support import same_stem
from models.topics.words import WordLists, key, lists_of, spans, words_in

MAX_TITLE = 60  # characters
MAX_WORDS = 8
PHRASE_WORDS = 5  # of one key phrase
OPENING_SECONDS = 45.0  # from the beginning of a part on, in which it is announced or asked about
OPENING_SENTENCES = 5
KEY_WORDS = 8  # of a part, one of which an announcement or a question must have
BLOCK_SECONDS = 60.0
SPREAD = 2.0  # weight of the share of a part's minutes in which a word is said
RARE = 4  # times that a word is said after which more tell little
TERM_TIMES, TERM_SHARE = (
    3,
    0.4,
)  # how often a phrase is said, and in what share of its vaguest word, to be a term
SHORT = 2  # words of a phrase beside which another may stand ...
FULLER = 0.4  # of a lone word's score, that a longer phrase with it must have to be better
SECOND = 0.3  # ... if its score has this share of the first one's
COMMON = 0.4  # share of the episode's minutes in which a word is said that is none of a title's, as far as is known
NOUN = 0.5  # how surely a word is one
LENGTH = 0.3  # exponent of its number of words by which what a phrase says is divided
BEST = 12  # phrases of a part that may be its title
RANKED, SENTENCES = 40, 16  # phrases and sentences of a part whose meaning is looked at
CLOSENESS = 0.75  # weight of that, in standard deviations of a part's phrases ...
QUERY = False
FARTHEST = 2.0  # ... of which no more count

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
    for number, part in enumerate(parts):
        rest = parts[:number] + parts[number + 1 :]
        weights = _weights(part, rest, background)
        candidates = _candidates(part, weights, _phrases(part, weights, usage, embedder), usage, host)
        title = next((one for one in candidates if frozenset(words_in(one)) not in taken), "")
        taken.add(frozenset(words_in(title)))
        titles.append(title)
    return titles


@dataclass(frozen=True, slots=True)
class _Token:
    """A word of a clause: as it is written, its key, and whether the clause begins with it."""

    text: str
    key: str
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
            for word in {token.key for token in clause.tokens}:
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
                passed += len(spans(found[0])) > SHORT
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
        tokens.append(_Token(text[first:last], key(text[first:last]), not tokens, lists))
        at = last
    if tokens:
        yield _Clause(tuple(tokens), tuple(gaps), segment)


def _parted(segments: Sequence[Segment], starts: Sequence[float]) -> Iterator[list[Segment]]:
    for begin, end in pairwise([*starts, inf]):
        yield [segment for segment in segments if begin <= (segment.start + segment.end) / 2 < end]


class _Usage:
    """How words are used all over the episode."""

    def __init__(self, parts: Sequence[_Part]) -> None:
        written: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._times: Counter[str] = Counter()
        self._as_noun: Counter[str] = Counter()
        for clause in (clause for part in parts for clause in part.clauses):
            around = (None, *clause.tokens, None)
            for before, token, after in zip(around, clause.tokens, around[2:], strict=False):
                if not token.first:
                    written[token.key][token.text] += 1
                self._times[token.key] += 1
                self._as_noun[token.key] += _stands_as_noun(before, token, after)
        minutes = sum(part.length for part in parts)
        said = Counter(word for part in parts for word, blocks in part.blocks.items() for _ in blocks)
        self.common = {word for word, times in said.items() if times > COMMON * minutes}
        self.capitals = any(
            token.named for part in parts for clause in part.clauses for token in clause.tokens
        )
        self._written = {word: found.most_common(1)[0][0] for word, found in written.items()}

    def nounness(self, token: _Token) -> float:
        """How surely a word is a noun or a name, 0 to 1."""
        return (self._as_noun[token.key] + 0.5) / (self._times[token.key] + 1)

    def written(self, clause: _Clause, first: int, last: int) -> str:
        """The words of a clause from `first` up to `last`, which is left out, as they are within one."""
        text = ""
        for gap, token in zip(("", *clause.gaps[first:]), clause.tokens[first:last], strict=False):
            text += gap + (self._written.get(token.key, token.text) if token.first else token.text)
        return text


def _stands_as_noun(before: _Token | None, token: _Token, after: _Token | None) -> bool:
    """Whether a word has the place of a noun: behind an article, a preposition or what describes it, before none."""
    if token.lists.capitals:
        return token.named
    if (
        after is not None
        and after.key in after.lists.before_noun
        and after.key not in after.lists.titles.joining
    ):
        return False
    if before is None:
        return False
    return before.key in before.lists.before_noun or before.telling


def _weights(part: _Part, rest: Sequence[_Part], background: Background | None) -> dict[str, float]:
    """How much each telling word says of a part, against the rest of the episode and of the show."""
    length = sum(other.length for other in rest)
    weights = {}
    for word in {token.key for clause in part.clauses for token in clause.tokens if token.telling}:
        elsewhere = sum(len(other.blocks.get(word, ())) for other in rest)
        rare = log((length + 2) / (elsewhere + 1))
        if background is not None:
            rare += log((background.episodes + 2) / (background.said_in.get(word, 0) + 1))
        weights[word] = part.times[word] / (part.times[word] + RARE) * rare * (1 + SPREAD * part.spread[word])
    return weights


def _candidates(
    part: _Part, weights: Mapping[str, float], phrases: Sequence[_Phrase], usage: _Usage, host: str | None
) -> Iterator[str]:
    """Titles for a part, the best first."""
    keys = set(sorted(weights, key=lambda word: -weights[word])[:KEY_WORDS])
    for title in (*_announced(part, keys, usage), *_asked(part, keys, host)):
        yield _capitalised(title)
    for phrase in phrases:
        first = _fuller(phrase, phrases)
        words = len(words_in(first.text))
        if words <= SHORT:
            least = first.score * (SECOND if words > 1 else 0.0)
            others = (
                f"{first.text}, {other.text}"
                for other in phrases
                if other is not first and other.score >= least and not _alike(first.text, other.text)
            )
            if joined := next(filter(_fits, others), ""):
                yield _capitalised(joined)
        yield _capitalised(first.text)
    for clause in part.clauses:
        if _fits(text := usage.written(clause, 0, len(clause.tokens))):
            yield _capitalised(text)


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
    if any(token.key in keys for token in inside) and _fits(text := usage.written(clause, first, last)):
        yield text


def _asked(part: _Part, keys: set[str], host: str | None) -> Iterator[str]:
    """Short questions of the host at the beginning of a part that can be understood alone."""
    for segment, sentence in part.opening():
        if segment.speaker != host or not is_question(sentence):
            continue
        lists = lists_of(part.language_of(segment)).titles
        places = spans(sentence)
        opens = [first for first, last in places if key(sentence[first:last]) in lists.asking]
        asked = next((sentence[at:] for at in opens if not sentence[:at].rstrip()[-1:].isalnum()), "")
        asked = f"¿{asked}" if asked and "¿" in sentence else asked
        words = set(words_in(asked))
        if words & keys and not words & lists.referring and _fits(asked) and _PLAIN.fullmatch(asked):
            yield asked


@dataclass(frozen=True, slots=True)
class _Phrase:
    """Words that may be a title, and how good a one."""

    text: str
    score: float


def _phrases(
    part: _Part, weights: Mapping[str, float], usage: _Usage, embedder: SentenceEmbedder | None
) -> list[_Phrase]:
    """Key phrases of a part, the best first."""
    found: defaultdict[tuple[str, ...], list[tuple[_Clause, int, int]]] = defaultdict(list)
    for clause in part.clauses:
        for first, last in _stretches(clause):
            found[tuple(token.key for token in clause.tokens[first:last])].append((clause, first, last))
    phrases = []
    for places in found.values():
        if score := _score(places, part, weights, usage):
            text = Counter(usage.written(*place) for place in places).most_common(1)[0][0]
            phrases += [_Phrase(text, score)] * _fits(text)
    phrases.sort(key=lambda phrase: (-phrase.score, phrase.text))
    if embedder is None or len(phrases) < 2:
        return phrases[:BEST]
    return _close(phrases[:RANKED], part, weights, embedder)[:BEST]


def _close(
    phrases: Sequence[_Phrase], part: _Part, weights: Mapping[str, float], embedder: SentenceEmbedder
) -> list[_Phrase]:
    """The phrases by their scores and by how close they are to what the part's most telling sentences mean."""
    telling: Counter[str] = Counter()
    for clause in part.clauses:
        telling[clause.segment.text] += round(
            sum(weights.get(token.key, 0.0) for token in clause.tokens) * 1000
        )
    told = [text for text, _ in telling.most_common(SENTENCES)]
    sentences = embedder.embed(told)
    own = embedder.embed([phrase.text for phrase in phrases], query=QUERY)
    closeness = own @ sentences.mean(axis=0)
    deviation = ((closeness - closeness.mean()) / (closeness.std() + 1e-6)).clip(-FARTHEST, FARTHEST)
    ranked = [
        _Phrase(one.text, one.score * exp(CLOSENESS * float(z)))
        for one, z in zip(phrases, deviation, strict=True)
    ]
    return sorted(ranked, key=lambda phrase: (-phrase.score, phrase.text))


def _stretches(clause: _Clause) -> Iterator[tuple[int, int]]:
    """Begin and end of what may be a phrase: it begins and ends with words that may, others join them."""
    tokens = clause.tokens
    for first, token in enumerate(tokens):
        if not token.content:
            continue
        for last in range(first + 1, min(len(tokens), first + PHRASE_WORDS) + 1):
            end = tokens[last - 1]
            owner = (
                end.key.endswith("'s") and last < len(tokens) and tokens[last].content
            )  # half of "Ann's boat"
            if end.content and not owner:
                yield first, last
            elif not end.content and end.key not in end.lists.titles.joining:
                break


def _score(
    places: Sequence[tuple[_Clause, int, int]], part: _Part, weights: Mapping[str, float], usage: _Usage
) -> float:
    """How good a title a phrase would be, from what its words say, how often it is said and whether it is whole."""
    clause, first, last = places[0]
    content = [token for token in clause.tokens[first:last] if token.content]
    telling = [token for token in content if token.telling]
    times = len(places)
    if not telling:
        return 0.0
    if len(content) > len(telling):
        vaguest = max(part.times[token.key] for token in content if not token.telling)
        if len(content) == 1 or times < max(TERM_TIMES, TERM_SHARE * vaguest):
            return 0.0
    if len(content) > 1 and times == 1 and not all(token.named for token in content):
        return 0.0
    if not _well_formed(content, usage):
        return 0.0
    whole = sum(_is_whole(*place) for place in places) / times
    joined = last - first - len(content)
    total = sum(weights[token.key] for token in telling) / exp(LENGTH * log(len(content)))
    return total * (1 + log(times)) * (0.3 + usage.nounness(content[-1])) * (0.5 + whole) / (1 + 0.5 * joined)


def _well_formed(content: Sequence[_Token], usage: _Usage) -> bool:
    """Whether a phrase with these words may be one around a noun, as far as their endings and capitals tell."""
    head, lists = content[-1], content[-1].lists
    noun = usage.nounness(head) >= NOUN
    if not lists.function and usage.common & {content[0].key, head.key}:
        return False
    if not lists.capitals or not usage.capitals:
        others = tuple(lists.titles.other_endings)
        return not any(
            token.key.endswith(others) and usage.nounness(token) < NOUN for token in (content[0], head)
        )
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
