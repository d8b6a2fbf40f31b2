"""Words that both sides of a seam heard are written once.

Two hypotheses meet where a chunk ends: in a pause, or where speech that was left out is heard by itself, cut where the
words around it seem to begin and end. Those times are rough, so both may hear one word, or a half of it each, and write
it: "Internetmaterialien. Internetmaterialien." People repeat themselves, too, but that takes them time. So what both
sides write is taken for one where it hasn't the time of two, or has no speech of its own in one of its places.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from unicodedata import category

import regex
from rapidfuzz.distance import Levenshtein

from models.asr.engine import Hypothesis
from models.asr.word_times import FRAME
from models.record.matching import comparable_words, end_of_words, is_spaceless
from models.record.spans import Span, total, within
from models.record.transcript import Word

ENDING = regex.compile(r"[^\w\p{M}]*$")
LONGEST = 12  # words, or letters of a script without spaces, that may be written twice
ONSET, LETTER = 0.14, 0.043  # seconds of a word, and of each letter of it, in the median ...
PACES = (0.7, 1.3)  # ... times the pace of who speaks, in these bounds
OWN = 0.25  # share of that time in speech without which nothing is said at a place
TWICE = 1.4  # times that time is the least of two sayings ...
WHOLE = 0.55  # ... and this share of it the least of each, where one reaches to the cut: halves are shorter
PARTS = 3  # words that one side may write as another number of words
HALF_LETTERS = 4  # of a half of a word that is told from a word by itself
SIMILAR_LETTERS, SIMILAR = 7, 0.75  # letters of a word, and how alike two are that are one misspelled
CRAMMED = 1.5 * FRAME  # seconds of a word that had to make room
PAUSE = 0.08  # seconds without speech that no word has inside


@dataclass(frozen=True, slots=True)
class _Token:
    """What is compared: a word, or in scripts without spaces a letter; `word` is its index in the hypothesis."""

    key: str
    span: Span
    word: int
    first: bool
    last: bool


def without_twins(hypotheses: Sequence[Hypothesis], speech: Sequence[Span]) -> list[Hypothesis]:
    """The same hypotheses with what two in a row both heard of one saying left in one of them.

    hypotheses: in order of their chunks, which don't overlap. speech: where somebody speaks, in order. A word that is
    left takes the time of both where both are speech, and the chunks meet after it.

    >>> before = Hypothesis(Span(0, 2), (Word(0.9, 1.2, " of"), Word(1.2, 2, " Internet.")))
    >>> after = Hypothesis(Span(2, 4), (Word(2, 2.2, " internet"), Word(2.2, 3, " materials")))
    >>> [each.text for each in without_twins([before, after], [Span(0.9, 4)])]
    ['of Internet', 'materials']
    """
    joined: list[Hypothesis] = []
    last = -1  # the last one that has words
    for hypothesis in hypotheses:
        joined.append(hypothesis)
        if hypothesis.words:
            if last >= 0:
                latest = (hypothesis if last == len(joined) - 2 else joined[last]).chunk.end
                joined[last], joined[-1] = _met(joined[last], hypothesis, speech, latest)
            last = len(joined) - 1 if joined[-1].words else last
    return joined


def _met(
    before: Hypothesis, after: Hypothesis, speech: Sequence[Span], latest: float
) -> tuple[Hypothesis, Hypothesis]:
    """Both, with what they repeat in one of them; words of the first end at `latest`."""
    tail, head = list(_tokens(before.words)), list(_tokens(after.words))
    size = _crammed(tail, head)
    if size:
        return before, _without_head(after, head[:size])
    for one, other in _repeats(tail, head):
        spans = [Span(tokens[0].span.start, tokens[-1].span.end) for tokens in (one, other)]
        spoken = speech if any(within(speech, span) for span in spans) else spans
        around = [*tail[: -len(one)], *head[len(other) :]]
        needed = _pace(around) * max(map(_needed, (one, other)))
        own = [total(within(spoken, span)) for span in spans]
        if own[0] < OWN * needed <= own[1]:
            return _without_tail(before, one), after
        if own[1] < OWN * needed <= own[0]:
            return _merged(before, after, one, other, spans[0].end)
        both = Span(spans[0].start, max(spans[0].end, spans[1].end))
        heard = total(within(spoken, both))
        cut = spans[0].end > before.chunk.end - FRAME or spans[1].start < after.chunk.start + FRAME
        too_short = heard < TWICE * needed or (cut and min(own) < WHOLE * needed)
        if too_short and not _has_pause(both, spoken):
            return _merged(before, after, one, other, min(both.end, latest))
    return before, after


def _repeats(tail: Sequence[_Token], head: Sequence[_Token]) -> Iterator[tuple[list[_Token], list[_Token]]]:
    """The ends of a tail and the beginnings of a head that are the same, the longest first."""
    sizes = [
        (size, their)
        for size in range(1, min(LONGEST, len(tail)) + 1)
        for their in range(1, min(LONGEST, len(head)) + 1)
        if size == their or max(size, their) <= PARTS
    ]
    for size, their in sorted(sizes, key=sum, reverse=True):
        one, other = list(tail[-size:]), list(head[:their])
        if _is_whole(one, other, head[their:]) and _is_repeat(one, other):
            yield one, other


def _tokens(words: Sequence[Word]) -> Iterator[_Token]:
    """The tokens of words, which share the time of their word evenly."""
    for index, word in enumerate(words):
        keys = comparable_words(word.text)
        step = (word.end - word.start) / max(1, len(keys))
        for number, key in enumerate(keys):
            start, last = word.start + number * step, number == len(keys) - 1
            yield _Token(key, Span(start, word.end if last else start + step), index, number == 0, last)


def _crammed(tail: Sequence[_Token], head: Sequence[_Token]) -> int:
    """How many tokens begin the head without time to be said, as they gave way to the tail, and stand in it already."""
    size = next((i for i, token in enumerate(head) if token.span.duration > CRAMMED), len(head))
    run, keys = [token.key for token in head[:size]], [token.key for token in tail]
    told = size and head[size - 1].last and sum(map(len, run)) >= HALF_LETTERS
    return size if told and any(keys[at : at + size] == run for at in range(len(keys) - size + 1)) else 0


def is_same_word(one: str, other: str) -> bool:
    """Whether two words are one, but for spelling and for what was cut off one of them.

    >>> is_same_word("Internet", "internetmaterialien"), is_same_word("Kunigunde", "Kunigonde"), is_same_word("I", "in")
    (True, True, False)
    """
    keys = ["".join(comparable_words(text)) for text in (one, other)]
    half, whole = sorted(keys, key=len)
    return (
        half == whole
        or _is_similar(half, whole)
        or (len(half) >= HALF_LETTERS and (whole.startswith(half) or whole.endswith(half)))
    )


def _is_repeat(one: Sequence[_Token], other: Sequence[_Token]) -> bool:
    """Whether two runs of tokens are the same, but for spelling, and for a half of a word at the cut between them."""
    if len(one) != len(other):
        return is_same_word(_joined(one), _joined(other)) and not _half_of_many(one, other)
    return all(
        a.key == b.key
        or _is_similar(a.key, b.key)
        or (a is one[-1] and len(a.key) >= HALF_LETTERS and b.key.startswith(a.key))
        or (b is other[0] and len(b.key) >= HALF_LETTERS and a.key.endswith(b.key))
        for a, b in zip(one, other, strict=True)
    )


def _half_of_many(one: Sequence[_Token], other: Sequence[_Token]) -> bool:
    """Whether one run is a part of the other, and that is of several words: the rest was said besides."""
    part, whole = sorted((one, other), key=lambda tokens: len(_joined(tokens)))
    return len(whole) > 1 and len(_joined(part)) < len(_joined(whole))


def _joined(tokens: Sequence[_Token]) -> str:
    return "".join(token.key for token in tokens)


def _is_similar(one: str, other: str) -> bool:
    return (
        min(len(one), len(other)) >= SIMILAR_LETTERS
        and Levenshtein.normalized_similarity(one, other) >= SIMILAR
    )


def _is_whole(one: Sequence[_Token], other: Sequence[_Token], rest: Sequence[_Token]) -> bool:
    """Whether a repeat begins and ends with words; in scripts without spaces two letters will do, none of them torn."""
    torn = bool(rest) and category(rest[0].key[0]).startswith("M")
    begins = one[0].first or (is_spaceless(one[0].key) and len(one) > 1)
    return begins and (other[-1].last or (is_spaceless(other[-1].key) and len(other) > 1 and not torn))


def _needed(tokens: Sequence[_Token]) -> float:
    """Seconds that it takes to say them once."""
    return sum(ONSET + LETTER * len(token.key) for token in tokens)


def _pace(tokens: Sequence[_Token]) -> float:
    """How much longer than in the median words take around a seam."""
    if not tokens:
        return 1.0
    pace = sum(token.span.duration for token in tokens) / _needed(tokens)
    return min(max(pace, PACES[0]), PACES[1])


def _has_pause(span: Span, speech: Sequence[Span]) -> bool:
    """Whether nobody speaks for a moment in a span: no word goes on over it."""
    return any(a.end + PAUSE <= b.start for a, b in pairwise(within(speech, span)))


def _without_tail(before: Hypothesis, tokens: Sequence[_Token]) -> Hypothesis:
    first = tokens[0]
    words = list(before.words[: first.word])
    if not first.first:
        at = sum(token.word == first.word for token in _tokens(before.words)) - sum(
            token.word == first.word for token in tokens
        )
        word = before.words[first.word]
        words.append(replace(word, text=_cut(word.text, at)[0], end=first.span.start))
    return replace(before, words=tuple(words))


def _without_head(after: Hypothesis, tokens: Sequence[_Token]) -> Hypothesis:
    last = tokens[-1]
    words = list(after.words[last.word + 1 :])
    if not last.last:
        word = after.words[last.word]
        text = _cut(word.text, sum(token.word == last.word for token in tokens))[1]
        words.insert(0, replace(word, text=text, start=last.span.end))
    return replace(after, words=tuple(words))


def _cut(text: str, tokens: int) -> tuple[str, str]:
    """A text in a script without spaces before and after the end of so many tokens."""
    end = end_of_words(text, tokens)
    return text[:end], text[end:]


def _merged(
    before: Hypothesis, after: Hypothesis, one: Sequence[_Token], other: Sequence[_Token], end: float
) -> tuple[Hypothesis, Hypothesis]:
    """The repeat where it was first, up to `end` in seconds, with the punctuation it has where speech goes on."""
    last, twin = before.words[one[-1].word], after.words[other[-1].word]
    if len(_joined(other)) > len(_joined(one)) and _joined(other).startswith(_joined(one)):  # it was cut off
        first, text = one[0 if len(other) == 1 else -1].word, twin.text
    else:
        ending = _ending(twin.text) if other[-1].last else ""
        first, text = one[-1].word, last.text[: len(last.text) - len(_ending(last.text))] + ending
    words = (*before.words[:first], replace(before.words[first], end=end, text=text))
    rest = _without_head(after, other)
    meet = max(before.chunk.end, end)
    return (
        replace(before, chunk=Span(before.chunk.start, meet), words=words),
        replace(rest, chunk=Span(max(rest.chunk.start, meet), max(rest.chunk.end, meet))),
    )


def _ending(text: str) -> str:
    """The punctuation that ends a word."""
    found = ENDING.search(text)
    return found[0] if found else ""
