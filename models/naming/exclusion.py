"""In a talk of two, what the name of one says of the other: his is the written name that is left.

A name that is only heard says nothing more for being left: words that are no names are left as well. Nor
does one in a published transcript, which says itself whose it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from models.naming.assignment import Candidate
from models.naming.person_names import same_person
from models.naming.talk import carried_by_two
from models.record.transcript import Evidence, Transcript

EXCLUSION = "exclusion"
LEFT = 1.5  # of the one name that is left
UNWRITTEN = ("heard", "transcript")  # sources of names


def by_exclusion(
    transcript: Transcript, found: Iterable[Candidate], given: Mapping[str, str]
) -> tuple[Evidence, ...]:
    """What speaks for the one written name of the other, where just one of a talk of two is named.

    found: candidates by all other evidence. given: names that the user gave, by label.
    """
    found = [*found]
    ads = {e.label for e in transcript.evidence if e.kind == "repeated"}
    two = carried_by_two(segment for segment in transcript.segments if segment.speaker not in ads)
    named = {c.label: c.name for c in found if c.chosen} | dict(given)
    nameless = [label for label in two if label not in named]
    written = {e.name for e in transcript.evidence if e.kind == "prior" and e.words not in UNWRITTEN}
    left = {
        c.name
        for c in found
        if c.label in nameless and c.name in written and not _taken(c.name, named.values())
    }
    if len(nameless) != 1 or len(left) != 1:
        return ()
    return (Evidence(nameless[0], left.pop(), EXCLUSION, LEFT, None, "the only name left in a talk of two"),)


def _taken(name: str, names: Iterable[str]) -> bool:
    return any(same_person(name, other) for other in names)
