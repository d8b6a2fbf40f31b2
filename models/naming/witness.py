"""What a published transcript tells about who speaks: whose words, by it, a label says.

It is a witness, not the truth. It is heard only where it has the words that we heard, of whoever made it but us, and
introductions are believed before it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from models.languages.registry import languages
from models.naming.person_names import fold, read_name, same_person, spelled
from models.record.matching import are_related, comparable_words, match_words, sure_pairs
from models.record.transcript import Evidence, Segment
from models.record.utterances import PublishedTranscript

MIN_WORDS = 30  # that both must have
LIMIT = 4.0  # log-odds that it weighs at most: an introduction is above that
PSEUDO_WORDS = 10.0  # that speak for and against a name before any does: few words prove little
# Words that go to another name are mostly those around changes of speakers: a label with a fifth of them is still
# one person's. So their odds count twice.
SHARPNESS = 2.0
CONTRADICTED = 0.5  # of the weight, where an introduction shows that it is wrong about somebody
CLEAR_INTRODUCTION = 3.0  # log-odds
SAME_STARTS = 0.8  # share of cues that begin with a word of ours, to the millisecond: others' don't


@dataclass(frozen=True, slots=True)
class Statement:
    """The names that a published transcript has, as it spells them, and what it says of our labels."""

    names: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


def person_of(speaker: str) -> str:
    """The name in what a transcript calls a speaker; "" where that is none.

    >>> [person_of(it) for it in ("ANNE CURRIE", "Host: Gaël Duez", "Dr. Anne Currie (guest)", "anne")]
    ['Anne Currie', 'Gaël Duez', 'Anne Currie', 'Anne']
    >>> [person_of(it) for it in ("Speaker 1", "Unknown", "HOST", "Anne and Bob", "spk_0", "Moderatorin")]
    ['', '', '', '', '', '']
    """
    told = re.sub(r"[(\[].*?[)\]]|[,|/–—].*", "", speaker)
    words = [word for word in re.split(r"[\s:]+", told) if word and fold(word) not in _roles()]
    name = " ".join(words).rstrip(".")
    if name == name.upper() != name.lower() or name == name.lower() != name.upper():
        name = name.title() if len(name) > 2 else ""  # "GD": initials
    if name and name.upper() == name.lower():  # a script without capitals
        return name if name.isalpha() and len(name) > 1 else ""
    found = read_name(name)
    return found[0] if found and found[1] == len(name) and len(found[0]) > 1 else ""


@cache
def _roles() -> frozenset[str]:
    return frozenset(fold(role) for each in languages().values() for role in each.names.roles)


def hear_witness(
    segments: Sequence[Segment], published: PublishedTranscript, introductions: Iterable[Evidence] = ()
) -> Statement:
    """Labels whose words a published transcript gives to one person; nothing where it is of other speech.

    Each name goes to the label that says most of its words. introductions: where speakers said who they are. A
    name that contradicts one is dropped, and the others are believed less.
    """
    names = _named_speakers(published)
    if not names:
        return Statement()
    ours = _spoken((segment.speaker or "", segment.text) for segment in segments)
    theirs = _spoken((one.speaker, one.text) for one in published.utterances)
    blocks = match_words([word for _, word in ours], [word for _, word in theirs])
    pairs = [(ours[i][0], names.get(theirs[j][0], "")) for i, j in sure_pairs(blocks)]
    if len(pairs) < MIN_WORDS or not are_related(blocks):
        return Statement()
    found = [e for e in _weighed(Counter(pairs)) if e.weight > 0]
    introduced = [(e.label, e.name) for e in introductions if e.weight >= CLEAR_INTRODUCTION]
    kept = [e for e in found if not _is_contradicted(e, introduced)]
    trust = 1.0 if len(kept) == len(found) else CONTRADICTED
    evidence = tuple(replace(e, weight=round(trust * e.weight, 2)) for e in kept)
    return Statement(tuple(dict.fromkeys(names.values())), evidence)


def _named_speakers(published: PublishedTranscript) -> dict[str, str]:
    """The names in a published transcript, by what it calls its speakers; those without a name are left out.

    A person's fullest name counts, and a role, a number or several people at once are no name.
    """
    names = {speaker: name for speaker in published.speakers if (name := person_of(speaker))}
    return {speaker: spelled(name, names.values()) or name for speaker, name in names.items()}


def _spoken(texts: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """All words, each with who says it."""
    return [(speaker, word) for speaker, text in texts for word in comparable_words(text)]


def _weighed(shared: Counter[tuple[str, str]]) -> Iterator[Evidence]:
    """For each name the label that says most of its words, and how likely it is that person's.

    What counts is the label's words or the name's, whichever are more: a transcript that gives all words to one person
    tells nothing.
    """
    spoken, told = Counter[str](), Counter[str]()  # words by label, and by name
    for (label, name), words in shared.items():
        spoken[label] += words
        told[name] += words
    for name in dict.fromkeys(name for label, name in shared if name and label):
        labels = [label for label, other in shared if label and other == name]
        label = max(labels, key=lambda one: shared[one, name])
        words = shared[label, name]
        others = max(spoken[label], told[name]) - words
        odds = (words + PSEUDO_WORDS) / (others + PSEUDO_WORDS)
        weight = min(LIMIT, SHARPNESS * math.log(odds))
        yield Evidence(label, name, "transcript", weight, None, f"{words} of {spoken[label]} words")


def _is_contradicted(found: Evidence, introduced: Iterable[tuple[str, str]]) -> bool:
    """Whether the label introduced itself as somebody else only, or another label as that person."""
    own = [name for label, name in introduced if label == found.label]
    others = [name for label, name in introduced if label != found.label]
    if any(same_person(name, found.name) for name in own):
        return False
    return bool(own) or any(same_person(name, found.name) for name in others)


def is_own(published: PublishedTranscript, segments: Iterable[Segment]) -> bool:
    """Whether a published transcript was made from this one of ours: its cues begin where our words do."""
    starts = {round(1000 * word.start) for segment in segments for word in segment.words}
    told = [start for one in published.utterances if (start := round(1000 * one.start))]
    return bool(told) and sum(start in starts for start in told) >= SAME_STARTS * len(told)
