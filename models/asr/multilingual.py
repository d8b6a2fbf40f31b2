"""Decoding of an episode in which more than one language may be spoken: each part of a chunk in its own.

The languages of what is said are heard in the encodings of the chunks that are decoded anyway, so that an episode in
one language costs little more than if it were known. A chunk in which another language is heard waits until the course
of the languages is known, and is cut where they change.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from itertools import accumulate, chain

from models.asr.engine import Engine, Hypothesis, Languages
from models.asr.language_path import Stretch, language_path
from models.record.progress import no_report
from models.record.spans import Span

FAR_LIKELIER = 8.0  # times as probable as the language taken: a chunk in which another is heard waits
LEAST_SECONDS = 0.1  # of speech by which anything can be told
TRIED_SECONDS = 30.0  # of speech in another language, in which it must make more sense than in the one taken
NOTHING_LOGPROB = -2.0  # log-probability that speech without any words counts as


def decode_in_languages(
    engine: Engine, chunks: Sequence[Span], said: Sequence[Stretch]
) -> tuple[list[Hypothesis], float]:
    """The first hypotheses of chunks, or of their parts in one language, in order, and how sure the languages are.

    engine: with the language that is taken until another is heard; its report tells of the chunks that needn't wait.
    chunks, said: in order; without anything said, as for a model of one language, all is decoded in the engine's
    language. Sure is 0 to 1, 0 where nothing tells.
    """
    inside = [_inside(said, chunk) for chunk in chunks]

    def waits(heard: Sequence[Languages]) -> bool:
        return any(_contradicts(each, engine.language) for each in heard)

    spans = [[stretch.span for stretch in own] for own in inside]
    first = engine.decode(chunks, stretches=spans, waits=waits)
    decodings = _Decodings(
        engine.with_report(no_report),
        {(each.chunk, each.language): each for each in first if not each.undecoded},
    )
    stretches = list(chain.from_iterable(inside))
    heard = list(chain.from_iterable(each.languages for each in first))
    refused: set[str] = set()
    while True:
        told = [_without(each, refused, engine.language) for each in heard]
        path = language_path(stretches, told)
        codes = iter(path)
        parts = [
            part
            for chunk, own in zip(chunks, inside, strict=True)
            for part in _cut(chunk, own, codes, engine.language)
        ]
        others = dict.fromkeys(part.language for part in parts if part.language != engine.language)
        worse = next(
            (language for language in others if not _makes_more_sense(decodings, parts, language)), None
        )
        if worse is None:
            return decodings.of(parts), _mean_probability(stretches, path, heard)
        refused.add(worse)


def _inside(said: Sequence[Stretch], chunk: Span) -> list[Stretch]:
    """The parts of what is said that lie in a chunk, long enough for a sound."""
    first = bisect_right(said, chunk.start, key=lambda stretch: stretch.span.end)
    last = bisect_left(said, chunk.end, lo=first, key=lambda stretch: stretch.span.start)
    parts = (
        replace(each, span=Span(max(each.span.start, chunk.start), min(each.span.end, chunk.end)))
        for each in said[first:last]
    )
    return [part for part in parts if part.span.duration >= LEAST_SECONDS]


def _contradicts(heard: Languages, language: str) -> bool:
    """Whether another language is far likelier than one."""
    return max(heard.values(), default=0.0) > FAR_LIKELIER * heard.get(language, 0.0)


def _without(heard: Languages, refused: Set[str], language: str) -> Languages:
    """What is heard without what was refused; one language always is possible."""
    kept = {code: probability for code, probability in heard.items() if code not in refused}
    return {language: 0.0, **kept}


@dataclass(frozen=True, slots=True)
class _Part:
    """A chunk, or what of it is said in one language."""

    chunk: Span
    language: str


def _cut(chunk: Span, said: Sequence[Stretch], path: Iterator[str], language: str) -> Iterator[_Part]:
    """A chunk, cut where the language changes. path: goes on with that of each stretch; language: without any."""
    start = before = chunk.start
    for i, (stretch, code) in enumerate(zip(said, path, strict=False)):
        if i and code != language:
            middle = (before + stretch.span.start) / 2
            yield _Part(Span(start, middle), language)
            start = middle
        before, language = stretch.span.end, code
    yield _Part(Span(start, chunk.end), language)


@dataclass(frozen=True)
class _Decodings:
    """Hypotheses of parts; each is decoded once. engine: with the language that is taken until another is heard."""

    engine: Engine
    done: dict[tuple[Span, str], Hypothesis] = field(default_factory=dict)

    def of(self, parts: Sequence[_Part]) -> list[Hypothesis]:
        """The hypothesis of each part, in its language."""
        new = [part for part in parts if (part.chunk, part.language) not in self.done]
        found = self.engine.decode([part.chunk for part in new], languages=[part.language for part in new])
        self.done.update(((part.chunk, part.language), each) for part, each in zip(new, found, strict=True))
        return [self.done[part.chunk, part.language] for part in parts]


def _makes_more_sense(decodings: _Decodings, parts: Sequence[_Part], language: str) -> bool:
    """Whether what is said in a language, by its longest parts, makes more sense in it than in the engine's own."""
    own = sorted((part for part in parts if part.language == language), key=lambda part: -part.chunk.duration)
    before = list(accumulate((part.chunk.duration for part in own), initial=0.0))
    tried = own[: bisect_left(before, TRIED_SECONDS)]
    other = [replace(part, language=decodings.engine.language) for part in tried]
    return _confidence(decodings.of(tried)) > _confidence(decodings.of(other))


def _confidence(found: Sequence[Hypothesis]) -> float:
    """Mean log-probability of a token over hypotheses, each by its length."""
    told = [(each.chunk.duration, each.confidence if each.words else NOTHING_LOGPROB) for each in found]
    return sum(seconds * confidence for seconds, confidence in told) / sum(seconds for seconds, _ in told)


def _mean_probability(
    said: Sequence[Stretch], path: Sequence[str], heard: Sequence[Mapping[str, float]]
) -> float:
    """Of the languages of a path, over the time in which they are spoken; 0 where nothing is."""
    told = [
        (stretch.span.duration, each.get(code, 0.0))
        for stretch, code, each in zip(said, path, heard, strict=True)
    ]
    seconds = sum(duration for duration, _ in told)
    return sum(duration * probability for duration, probability in told) / seconds if seconds else 0.0
