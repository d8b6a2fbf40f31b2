"""Hints at who a speaker is in what is said: introductions, announcements, hosting.

An `Evidence` weighs as log-odds: above 0 for, below 0 against a label being called a name. What the
weights add up to is judged in `models/naming/assignment.py`; docs/speakers.md tells how they were chosen.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from models.languages.registry import Phrases, language_of
from models.naming.addresses import SPEAKS_TO
from models.naming.credits import SPELT_BY_USER, Credit
from models.naming.person_names import fold, read_name, same_person, spelled
from models.naming.talk import Talk, evidence_in, named_after
from models.naming.tracks import TRACK
from models.record.transcript import Evidence, Segment

NAMED, AM, THIS_IS, HERE = 5.0, 4.5, 4.0, 3.5  # "my name is", "I'm", "this is", "... here"
LATE, SETTLED_SECONDS = 0.6, 120.0  # of the weight, after so much speech of one's own
OF_SHOW, INTRODUCED_SECONDS = 0.3, 60.0  # of the weight of "this is" beside "I'm"
FAREWELL_SECONDS = 60.0  # before the end
ANNOUNCED, ANNOUNCED_AMONG = 1.5, 0.6
HOSTS = 1.0
# Before anything was heard, by who names somebody. "heard": nobody but the speakers.
PRIORS = {
    "known": -1.0,
    "voices": -1.0,
    "feed": -1.0,
    "transcript": -1.0,
    TRACK: -1.0,
    "title": -1.5,
    "notes": -1.5,
    "heard": -2.0,
}
HOST_ROLES = ("host", "presenter")


def introductions(segments: Sequence[Segment], show: str = "") -> list[Evidence]:
    """Speakers who say who they are: "I'm Gael", "hier ist Anna", "me llamo Inés", "moi, c'est Zoé".

    "This is" before the name of the show is the show's introduction, and rather is so where the same speaker
    also says "I'm". After two minutes of own speech it rather is a joke, a quotation or a role, unless it
    is a farewell, and weighs less. segments: with their languages.
    """
    segments = Talk(segments).segments
    end = segments[-1].end - FAREWELL_SECONDS if segments else 0.0
    leaving = {s.speaker for s in segments if s.end >= end and _phrases(s).farewell.search(s.text)}
    spoken: Counter[str] = Counter()  # ms by label
    result = []
    for segment in segments:
        if segment.speaker is not None:
            settled = spoken[segment.speaker] > 1000 * SETTLED_SECONDS
            farewell = segment.end >= end and segment.speaker in leaving
            late = LATE if settled and not farewell else 1.0
            for found in _introductions(segment, segment.speaker):
                if not (show and _names_show(segment, found, show)):
                    result.append(replace(found, weight=round(found.weight * late, 2)))
            spoken[segment.speaker] += round(1000 * (segment.end - segment.start))
    return _of_oneself(result)


def _phrases(segment: Segment) -> Phrases:
    return language_of(segment.language).phrases


def _of_oneself(found: Sequence[Evidence]) -> list[Evidence]:
    """The introductions; "this is" names the show or a piece of it where "I'm" names who says so at that time."""
    sure = [e for e in found if e.weight >= AM]
    return [
        replace(e, weight=round(e.weight * OF_SHOW, 2))
        if any(e.label == s.label and e.name != s.name and e.weight < AM and _near(e, s) for s in sure)
        else e
        for e in found
    ]


def _near(one: Evidence, other: Evidence) -> bool:
    return abs((one.start or 0.0) - (other.start or 0.0)) <= INTRODUCED_SECONDS


def _names_show(segment: Segment, found: Evidence, show: str) -> bool:
    """Whether what was read as a name is the beginning of the show's."""
    text = fold(segment.text)
    return (
        fold(found.name) != fold(show)
        and f"{fold(found.words).removesuffix(fold(found.name))}{fold(show)}" in text
    )


def _introductions(segment: Segment, label: str) -> Iterator[Evidence]:
    text, phrases = segment.text, _phrases(segment)
    taken = -1
    for pattern, weight in ((phrases.named, NAMED), (phrases.am, AM), (phrases.this_is, THIS_IS)):
        for match, name, end in named_after(pattern, text):
            if match.end() == taken or phrases.quoting.search(text[: match.start()]):
                continue
            if " " not in name and not phrases.after_name.match(text, end):
                continue
            taken = match.end()
            yield evidence_in(segment, label, name, "introduction", weight, (match.start(), end))
    opening = read_name(text)
    here = opening and phrases.here.match(text, opening[1])
    if opening and here and phrases.after_here.match(text, here.end()):
        yield evidence_in(segment, label, opening[0], "introduction", HERE, (0, here.end()))


def announcements(segments: Sequence[Segment], credits: Sequence[Credit] = ()) -> list[Evidence]:
    """Speakers who were announced and then spoke for the first time: "my guest today is Anne Currie".

    Of several ("with me are Ann and Bo") each of as many newcomers may be anyone. segments: with their languages.
    """
    talk = Talk(segments)
    names = [credit.name for credit in credits]
    found: list[Evidence] = []
    for i, segment in enumerate(talk.segments):
        phrases = _phrases(segment)
        for match, name, end in named_after(phrases.announce, segment.text):
            listed = [(name, end), *_listed(segment.text, end, phrases)]
            if len(listed) == 1 and " " not in name and not spelled(name, names):
                continue
            new, weight = _announced(talk, i, len(listed))
            for one, stop in listed:
                span = (match.start(), stop)
                found += [evidence_in(segment, label, one, "announcement", weight, span) for label in new]
                if new and segment.speaker is not None:
                    found.append(evidence_in(segment, segment.speaker, one, "addressing", SPEAKS_TO, span))
    return found


def _announced(talk: Talk, i: int, people: int) -> tuple[list[str], float]:
    """Who is announced in segment `i`, and how much that says of each: one is whoever speaks next, if new."""
    new = [*islice(talk.newcomers(i), people)]
    if people > 1:
        return new, ANNOUNCED_AMONG
    return [label for label in new if label == talk.neighbours(i)[1]], ANNOUNCED


def _listed(text: str, end: int, phrases: Phrases) -> Iterator[tuple[str, int]]:
    """The names that go on a list after one that ends at `end`, and where they end."""
    while joined := phrases.conjunctions.match(text, end):
        article = re.compile(r"(?:[^\W\d_]{1,3}\s+)?").match(text, joined.end())
        found = read_name(text, article.end() if article and text[joined.end()].islower() else joined.end())
        if found is None:
            return
        yield found
        end = found[1]


def hosting(segments: Sequence[Segment], credits: Sequence[Credit]) -> list[Evidence]:
    """The one who speaks to the listeners is the host, where the feed credits just one.

    segments: with their languages.
    """
    hosts = [credit for credit in credits if credit.role in HOST_ROLES]
    if len(hosts) != 1:
        return []
    for segment in segments:
        match = _phrases(segment).to_listeners.search(segment.text)
        if match and segment.speaker is not None:
            found = evidence_in(segment, segment.speaker, hosts[0].name, "hosting", HOSTS, match.span())
            return [replace(found, weight=HOSTS)]  # no name that is credited is doubtful
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
    heard = Counter(
        e.name
        for e in found
        if e.name and e.kind != TRACK and not any(spelled(e.name, tier) for tier in tiers)
    )
    tiers.append(sorted(heard, key=lambda name: (-name.count(" "), -heard[name])))
    return [replace(e, name=next(filter(None, (spelled(e.name, t) for t in tiers)), e.name)) for e in found]
