from __future__ import annotations

from models.naming.speakers import NamingContext, decide_names, name_by_evidence
from models.record.transcript import Episode, Person, Speaker, Transcript
from tests.models.talks import episode

DETAILS = Episode("id", people=(Person("Gaël Duez", "host"), Person("Anne Currie", "guest")))
LINES = """
B: Welcome back to the show, in which we talk about the weather in the north.
A: I'm Anne Currie, and it rains there, mostly, and when it does not rain it is about to.
B: It was so last year, as we all know, and it will be.
"""


def names(found: Transcript) -> dict[str, str]:
    return {speaker.label: speaker.name for speaker in found.speakers}


def exclusions(found: Transcript) -> list[tuple[str, str]]:
    return [(e.label, e.name) for e in found.evidence if e.kind == "exclusion"]


def test_the_written_name_that_is_left_is_the_other_one() -> None:
    found = name_by_evidence(episode(LINES, details=DETAILS), NamingContext())
    assert names(found) == {"A": "Anne Currie", "B": "Gaël Duez"}
    assert exclusions(found) == [("B", "Gaël Duez")]


def test_a_name_that_is_only_heard_says_nothing_for_being_left() -> None:
    found = name_by_evidence(episode(LINES), NamingContext())
    assert names(found) == {"A": "Anne Currie", "B": "Speaker 1"}
    assert exclusions(found) == []


def test_among_three_nobody_is_left_over() -> None:
    third = "C: And I have been listening to the two of you, and I say that it never rains at all."
    assert exclusions(name_by_evidence(episode(f"{LINES}{third}", details=DETAILS), NamingContext())) == []


def test_a_jingle_is_not_a_third() -> None:
    lines = f"{LINES}B: {'And it rains. ' * 20}\nJ: Rain."
    assert exclusions(name_by_evidence(episode(lines, details=DETAILS), NamingContext())) == [
        ("B", "Gaël Duez")
    ]


def test_it_is_judged_anew_when_the_user_names_somebody() -> None:
    nameless = LINES.replace("I'm Anne Currie, and", "Well,")
    before = name_by_evidence(episode(nameless, details=DETAILS), NamingContext())
    assert exclusions(before) == []
    after = decide_names(before, {"A": Speaker("A", "Anne Currie", "user", 1.0)})
    assert names(after) == {"A": "Anne Currie", "B": "Gaël Duez"}
    assert exclusions(decide_names(after, {})) == []
