"""Hints at who a speaker is in what is said: introductions, addresses, announcements, hosting.

An `Evidence` weighs as log-odds: above 0 for, below 0 against a label being called a name. What the
weights add up to is judged in `models/naming/assignment.py`; docs/speakers.md tells how they were chosen.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from models.languages.notation import Pattern
from models.languages.registry import Phrases, language_of
from models.naming.credits import SPELT_BY_USER, Credit
from models.naming.person_names import fold, is_doubtful, read_name, same_person, spelled
from models.record.transcript import Evidence, Segment

NAMED, AM, THIS_IS, HERE = 5.0, 4.5, 4.0, 3.5  # "my name is", "I'm", "this is", "... here"
LATE, SETTLED_SECONDS = 0.6, 120.0  # of the weight, after so much speech of one's own
DOUBTFUL = 0.4  # of the weight, for a word that may be no name at all
WELCOMED, THANKED, GREETED, ASKED, ANNOUNCED = 2.5, 2.0, 1.5, 1.5, 1.5
OTHER_SIDE = 0.4  # of the weight, for the less likely one of the two who speak before and after
ONLY_OTHER = 3.2  # the weight where these two are the same person
SPEAKS_TO = -2.5  # nobody addresses himself
HOSTS = 1.0
# Before anything was heard, by who names somebody. "heard": nobody but the speakers.
PRIORS = {
    "known": -1.0,
    "voices": -1.0,
    "feed": -1.0,
    "transcript": -1.0,
    "title": -1.5,
    "notes": -1.5,
    "heard": -2.0,
}
NEIGHBOUR_SECONDS = 45.0  # a speaker further away is not the one who is spoken to
MIN_FIRST_NAME = 3  # letters
HOST_ROLES = ("host", "presenter")


def introductions(segments: Sequence[Segment], language: str, show: str = "") -> list[Evidence]:
    """Speakers who say who they are: "I'm Gael", "hier ist Anna", "me llamo Inés", "moi, c'est Zoé".

    "This is" before the name of the show is the show's introduction. After two minutes of own speech it
    rather is a joke, a quotation or a role, and weighs less.
    """
    phrases = language_of(language).phrases
    spoken: Counter[str] = Counter()  # ms by label
    result = []
    for segment in segments:
        if segment.speaker is not None:
            late = LATE if spoken[segment.speaker] > 1000 * SETTLED_SECONDS else 1.0
            for found in _introductions(segment, segment.speaker, phrases, language):
                if not (show and _names_show(segment, found, show)):
                    result.append(replace(found, weight=round(found.weight * late, 2)))
            spoken[segment.speaker] += round(1000 * (segment.end - segment.start))
    return result


def _names_show(segment: Segment, found: Evidence, show: str) -> bool:
    """Whether what was read as a name is the beginning of the show's."""
    text = fold(segment.text)
    return (
        fold(found.name) != fold(show)
        and f"{fold(found.words).removesuffix(fold(found.name))}{fold(show)}" in text
    )


def _introductions(segment: Segment, label: str, phrases: Phrases, language: str) -> Iterator[Evidence]:
    text = segment.text
    taken = -1
    for pattern, weight in ((phrases.named, NAMED), (phrases.am, AM), (phrases.this_is, THIS_IS)):
        for match, name, end in _named_after(pattern, text):
            if match.end() == taken or phrases.quoting.search(text[: match.start()]):
                continue
            if " " not in name and not phrases.after_name.match(text, end):
                continue
            taken = match.end()
            yield _evidence(segment, label, name, "introduction", weight, (match.start(), end), language)
    opening = read_name(text)
    here = opening and phrases.here.match(text, opening[1])
    if opening and here and phrases.after_here.match(text, here.end()):
        yield _evidence(segment, label, opening[0], "introduction", HERE, (0, here.end()), language)


def addresses(segments: Sequence[Segment], language: str, credits: Sequence[Credit] = ()) -> list[Evidence]:
    """Speakers who are spoken to: "welcome, Anne" means who speaks next, "thanks a lot, Gaël" who spoke before.

    Whoever says so is neither.
    """
    phrases = language_of(language).phrases
    talk = _Talk(segments)
    names = [credit.name for credit in credits]
    found: list[Evidence] = []
    for i, segment in enumerate(segments):
        if segment.speaker is not None:
            for address in _addresses_in(segment.text, phrases, names):
                found += address.evidence(talk, i, segment.speaker, language)
    return found


@dataclass(frozen=True, slots=True)
class _Address:
    """Somebody spoken to; `after` and `before` weigh who speaks next and who spoke last."""

    name: str
    after: float
    before: float
    span: tuple[int, int]

    def evidence(self, talk: _Talk, i: int, speaker: str, language: str) -> Iterator[Evidence]:
        """For the neighbours of segment `i`, and against its speaker."""
        segment = talk.segments[i]
        before, after = talk.neighbours(i)
        weights: dict[str, float] = {}
        for label, weight in ((before, self.before), (after, self.after)):
            if label is not None:
                weights[label] = ONLY_OTHER if label in weights else weight
        for label, weight in weights.items():
            yield _evidence(segment, label, self.name, "address", weight, self.span, language)
        yield _evidence(segment, speaker, self.name, "addressing", SPEAKS_TO, self.span)


def _addresses_in(text: str, phrases: Phrases, names: Sequence[str]) -> Iterator[_Address]:
    kinds = (
        (phrases.welcome, WELCOMED, WELCOMED * OTHER_SIDE),
        (phrases.thanks, THANKED * OTHER_SIDE, THANKED),
        (phrases.greeting, GREETED, GREETED),
    )
    taken: set[str] = set()
    for pattern, after, before in kinds:
        for match, name, end in _named_after(pattern, text):
            followed = text[end : end + 1]
            if fold(name) in taken or (followed not in ",.!?" and not spelled(name, names)):
                continue  # "welcome Team Blue to the stage": only a name that we know
            taken.add(fold(name))
            yield _Address(name, after, before, (match.start(), end))
    for name, span in _vocatives(text, phrases, names):
        if fold(name) not in taken:
            yield _Address(name, *_called(text[span[1] :], phrases), span)


def _called(rest: str, phrases: Phrases) -> tuple[float, float]:
    """The weights of who speaks next and who spoke last, when a name is called and `rest` follows it."""
    if phrases.then_welcome.match(rest):
        return WELCOMED, WELCOMED * OTHER_SIDE
    return (THANKED, THANKED) if phrases.then_thanks.match(rest) else (ASKED, ASKED * OTHER_SIDE)


def _vocatives(text: str, phrases: Phrases, names: Sequence[str]) -> Iterator[tuple[str, tuple[int, int]]]:
    """Known names set apart by commas at the beginning of a sentence, or at the end of a question."""
    opening = re.match(r"(?:[^\W\d_]{1,7},?\s+)?", text)
    for start in {0, opening.end() if opening else 0}:
        found = read_name(text, start)
        if not found or text[found[1] : found[1] + 1] != "," or not spelled(found[0], names):
            continue
        if not phrases.aside.match(text, found[1]) and not read_name(text, found[1] + 2):
            yield found[0], (start, found[1])
            return
    for match in re.finditer(r",\s+", text):
        found = read_name(text, match.end())
        if found and text[found[1] :].strip() == "?" and spelled(found[0], names):
            yield found[0], (match.end(), found[1])


def announcements(
    segments: Sequence[Segment], language: str, credits: Sequence[Credit] = ()
) -> list[Evidence]:
    """Speakers who were announced and then spoke for the first time: "my guest today is Anne Currie"."""
    phrases = language_of(language).phrases
    talk = _Talk(segments)
    names = [credit.name for credit in credits]
    found: list[Evidence] = []
    for i, segment in enumerate(segments):
        for match, name, end in _named_after(phrases.announce, segment.text):
            several = phrases.conjunctions.match(segment.text, end)
            if several and read_name(segment.text, several.end()):
                continue  # two are announced: who of them speaks first is anybody's guess
            if (" " in name or spelled(name, names)) and (new := talk.newcomer(i)):
                span = (match.start(), end)
                found.append(_evidence(segment, new, name, "announcement", ANNOUNCED, span, language))
                found.append(_evidence(segment, segment.speaker or "", name, "addressing", SPEAKS_TO, span))
    return [evidence for evidence in found if evidence.label]


def hosting(segments: Sequence[Segment], language: str, credits: Sequence[Credit]) -> list[Evidence]:
    """The one who speaks to the listeners is the host, where the feed credits just one."""
    phrases = language_of(language).phrases
    hosts = [credit for credit in credits if credit.role in HOST_ROLES]
    if len(hosts) != 1:
        return []
    for segment in segments:
        match = phrases.to_listeners.search(segment.text)
        if match and segment.speaker is not None:
            return [_evidence(segment, segment.speaker, hosts[0].name, "hosting", HOSTS, match.span())]
    return []


def priors(evidence: Iterable[Evidence], credits: Sequence[Credit]) -> list[Evidence]:
    """For each pair that there is evidence for, how likely the name was to be that speaker's beforehand."""
    found = []
    for label, name in dict.fromkeys((e.label, e.name) for e in evidence if e.name):
        credit = next((credit for credit in credits if same_person(name, credit.name)), None)
        source = credit.source if credit else "heard"
        found.append(Evidence(label, name, "prior", PRIORS[source], None, source))
    return found


def with_spelling(evidence: Iterable[Evidence], credits: Sequence[Credit]) -> list[Evidence]:
    """The same evidence with names as the user spelt them, or as credited, or else as heard most fully and often."""
    found = list(evidence)
    tiers = [
        [credit.name for credit in credits if credit.source in SPELT_BY_USER],
        [credit.name for credit in credits],
    ]
    heard = Counter(e.name for e in found if e.name and not any(spelled(e.name, tier) for tier in tiers))
    tiers.append(sorted(heard, key=lambda name: (-name.count(" "), -heard[name])))
    return [replace(e, name=next(filter(None, (spelled(e.name, t) for t in tiers)), e.name)) for e in found]


class _Talk:
    """The segments of an episode, and who speaks before and after each."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self.segments = segments

    def neighbours(self, i: int) -> tuple[str | None, str | None]:
        """Who spoke last before the speaker of segment `i`, and who speaks next; None for nobody near."""
        here = self.segments[i]
        before = self._nearest(range(i - 1, -1, -1), here, lambda other: here.start - other.end)
        after = self._nearest(range(i + 1, len(self.segments)), here, lambda other: other.start - here.end)
        return before, after

    def _nearest(self, order: range, here: Segment, gap: Callable[[Segment], float]) -> str | None:
        for j in order:
            other = self.segments[j]
            if gap(other) > NEIGHBOUR_SECONDS:
                return None
            if other.speaker is not None and other.speaker != here.speaker:
                return other.speaker
        return None

    def newcomer(self, i: int) -> str | None:
        """The first to speak after segment `i`, if for the first time."""
        _, after = self.neighbours(i)
        return None if any(segment.speaker == after for segment in self.segments[:i]) else after


def _named_after(pattern: Pattern, text: str) -> Iterator[tuple[re.Match[str], str, int]]:
    """Each match of the pattern that a name follows, the name, and where it ends."""
    for match in pattern.finditer(text):
        found = read_name(text, match.end())
        if found and len(found[0]) >= MIN_FIRST_NAME:
            yield match, *found


def _evidence(
    segment: Segment,
    label: str,
    name: str,
    kind: str,
    weight: float,
    span: tuple[int, int],
    language: str = "",
) -> Evidence:
    """Evidence from the words in `span` of a segment's text; a doubtful name weighs less."""
    if weight > 0 and is_doubtful(name, language):
        weight *= DOUBTFUL
    words = segment.text[slice(*span)].lstrip(" ,.;!?")
    return Evidence(label, name, kind, round(weight, 2), _time_of(segment, span[1] - len(words)), words)


def _time_of(segment: Segment, position: int) -> float:
    """When the word is said that has the character at `position` of the segment's text."""
    offset = -len(segment.words[0].text) + len(segment.words[0].text.lstrip()) if segment.words else 0
    for word in segment.words:
        offset += len(word.text)
        if offset > position:
            return round(word.start, 3)
    return round(segment.start, 3)
