"""Hints at who a speaker is in how others speak to him: welcomes, thanks, greetings, and his name alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Self

from models.languages.registry import Language, language_of
from models.naming.credits import Credit
from models.naming.person_names import fold, spelled
from models.naming.talk import Talk, evidence_in, named_after
from models.naming.vocatives import NameWords, calls, is_reported, names_in_sentences, sentences
from models.record.transcript import Evidence, Segment

WELCOMED, THANKED, GREETED = 2.5, 2.0, 1.5
CALLED = {"you": 1.75, "words": 1.2, "comma": 0.5}  # by the name alone
OTHER_SIDE = 0.4  # of the weight, for the less likely one of the two who speak before and after
ONLY_OTHER, ONLY_CREDITED = 2.9, 3.2  # where these two are one: for a phrase, for a name that is credited
RETURNED = 3.2  # where who is greeted by name returns it: "Good morning, Ben." "Good morning, Eva."
SPEAKS_TO = -2.5  # nobody addresses himself
SPEAKS_OF = -0.6  # few speak of themselves by name
ANSWER_SECONDS = 10.0  # in which a greeting is returned
_ENDS = re.compile(r"$|[,.]|\s?[!?]")


def addresses(segments: Sequence[Segment], credits: Sequence[Credit] = ()) -> list[Evidence]:
    """Speakers who are spoken to: "welcome, Anne" means who speaks next, "thanks a lot, Gaël" who spoke before.

    Whoever says so is neither. Nobody of those here is meant by the name that a letter begins with. segments: with
    their languages.
    """
    talk, names = Talk(segments), [credit.name for credit in credits]
    listeners = {
        code: _Listener.of(code, talk.segments, names) for code in {s.language for s in talk.segments}
    }
    letters = {(s.speaker, name) for s in talk.segments for name in listeners[s.language].letters(s.text)}
    heard = [
        _Heard(i, segment.speaker, address)
        for i, segment in enumerate(talk.segments)
        if segment.speaker is not None
        for address in listeners[segment.language].addresses(segment.text)
        if (segment.speaker, fold(address.name)) not in letters
    ]
    strongest = _returned(talk, _once_a_turn(talk, heard))
    found = [evidence for one in strongest for evidence in one.evidence(talk)]
    return [*found, *_mentions(talk, listeners, heard)]


def _mentions(talk: Talk, listeners: Mapping[str, _Listener], heard: Sequence[_Heard]) -> Iterator[Evidence]:
    """Against those who speak of somebody by a name that is called elsewhere: few do so of themselves."""
    called = {fold(one.address.name) for one in heard}
    calls_at = {(one.i, one.address.span[1]) for one in heard}
    for i, segment in enumerate(talk.segments):
        for name, span in listeners[segment.language].mentions(segment.text):
            if fold(name) in called and (i, span[1]) not in calls_at and segment.speaker is not None:
                yield evidence_in(segment, segment.speaker, name, "mention", SPEAKS_OF, span)


@dataclass(frozen=True, slots=True)
class _Address:
    """Somebody spoken to; `after` and `before` weigh who speaks next and who spoke last, `both` who is both.

    `greets`: it is for somebody who was silent so far; `phrase`: it is more than a name.
    """

    name: str
    after: float
    before: float
    both: float
    span: tuple[int, int]
    greets: bool = False
    phrase: bool = False


@dataclass(frozen=True, slots=True)
class _Heard:
    """An address in segment `i` of a talk, and who said it."""

    i: int
    speaker: str
    address: _Address

    def returned(self, after: float, before: float) -> _Heard:
        """The same, as sure as where it is returned; shares of that for who speaks next and who spoke last."""
        sure = replace(self.address, after=RETURNED * after, before=RETURNED * before, both=RETURNED)
        return replace(self, address=sure)

    def evidence(self, talk: Talk) -> Iterator[Evidence]:
        """For the neighbours of the segment, and against its speaker."""
        segment, address = talk.segments[self.i], self.address
        before, after = talk.neighbours(self.i)
        weights: dict[str, float] = {}
        for label, weight in ((before, address.before), (after, address.after)):
            if label is not None and weight:
                weights[label] = address.both if label in weights else weight
        for label, weight in weights.items():
            yield evidence_in(segment, label, address.name, "address", weight, address.span)
        yield evidence_in(segment, self.speaker, address.name, "addressing", SPEAKS_TO, address.span)


def _once_a_turn(talk: Talk, heard: Sequence[_Heard]) -> list[_Heard]:
    """Of the addresses of one name in one turn, the one that weighs most."""
    turns = [*accumulate((a.speaker != b.speaker for a, b in pairwise(talk.segments)), initial=0)]
    best: dict[tuple[int, str], _Heard] = {}
    for one in heard:
        key = turns[one.i], fold(one.address.name)
        if key not in best or one.address.both > best[key].address.both:
            best[key] = one
    return sorted(best.values(), key=lambda one: one.i)


def _returned(talk: Talk, heard: Sequence[_Heard]) -> list[_Heard]:
    """The addresses; a greeting and the one that returns it point to each other's speaker alone.

    So do thanks, for somebody who is called so at other times too.
    """
    result = [*heard]
    times = Counter(fold(one.address.name) for one in heard)
    for n, one in enumerate(heard):
        polite = one.address.greets or (one.address.phrase and times[fold(one.address.name)] > 1)
        answer = talk.turn_after(one.i) if polite else None
        for m, other in enumerate(heard):
            if answer is not None and _returns(talk, one, answer, other):
                result[n], result[m] = (
                    one.returned(after=1.0, before=0.0),
                    other.returned(after=0.0, before=1.0),
                )
    return result


def _returns(talk: Talk, one: _Heard, answer: int, other: _Heard) -> bool:
    """Whether the second of two addresses returns the first; answer: the segment with which the next turn begins."""
    begins = other.i in (answer, answer + 1) and other.speaker == talk.segments[answer].speaker
    gap = talk.segments[other.i].start - talk.segments[one.i].end
    two = fold(one.address.name) != fold(other.address.name)
    return begins and two and other.address.phrase and gap <= ANSWER_SECONDS


@dataclass(frozen=True, slots=True)
class _Listener:
    """Hears who is spoken to in a text of one language. names: of who is credited."""

    language: Language
    words: NameWords
    names: Sequence[str]

    @classmethod
    def of(cls, code: str, segments: Sequence[Segment], names: Sequence[str]) -> Self:
        """Who knows a language by its code, and how words are written in it in a talk."""
        own = [segment for segment in segments if segment.language == code]
        return cls(language_of(code), NameWords(own, code), names)

    def addresses(self, text: str) -> Iterator[_Address]:
        """Everybody spoken to, by a phrase for it or simply by name."""
        phrased = [*self._by_phrase(text)]
        yield from phrased
        yield from (one for one in self._by_name(text) if not any(one.span[1] == p.span[1] for p in phrased))

    def letters(self, text: str) -> Iterator[str]:
        """Whom letters that are read out are to, folded."""
        for start, end in sentences(text):
            for _, name, _ in named_after(self.language.phrases.letter, text[start:end]):
                yield fold(name)

    def _by_phrase(self, text: str) -> Iterator[_Address]:
        phrases = self.language.phrases
        kinds = (
            (phrases.welcome, WELCOMED, WELCOMED * OTHER_SIDE, True),
            (phrases.thanks, THANKED * OTHER_SIDE, THANKED, False),
            (phrases.greeting, GREETED, GREETED, True),
        )
        for pattern, after, before, greets in kinds:
            for match, name, end in named_after(pattern, text):
                credited = self._credited(name)
                # "welcome Team Blue to the stage": only a name that we know
                clear = credited or (_ENDS.match(text, end) and self.words.may_be_name(name))
                if clear and not is_reported(text, match.start(), phrases):
                    both = ONLY_CREDITED if credited else ONLY_OTHER
                    yield _Address(name, after, before, both, (match.start(), end), greets, True)

    def _by_name(self, text: str) -> Iterator[_Address]:
        phrases = self.language.phrases
        for call in calls(text, self.language, self.words, self._credited):
            rest = text[call.span[1] :]
            if phrases.then_welcome.match(rest):
                after, before = WELCOMED, WELCOMED * OTHER_SIDE
            elif phrases.then_thanks.match(rest):
                after = before = THANKED
            else:
                after = CALLED[call.by]
                before = after * OTHER_SIDE
            both = ONLY_CREDITED if self._credited(call.name) else max(after, before)
            yield _Address(call.name, after, before, both, call.span)

    def mentions(self, text: str) -> Iterator[tuple[str, tuple[int, int]]]:
        """Every name in a text that nobody introduces himself by, nor quotes, and where it stands."""
        p = self.language.phrases
        introduced = {match.end() for match, *_ in named_after((*p.named, *p.am, *p.this_is), text)}
        for _, name, span in names_in_sentences(text, self.words, self._credited):
            if (
                span[0] not in introduced
                and not p.here.match(text, span[1])
                and not is_reported(text, span[0], p)
            ):
                yield name, span

    def _credited(self, name: str) -> bool:
        return spelled(name, self.names) is not None
