"""Names from people's own tracks: weighed against what is said, spelt as written elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.naming.speakers import NamingContext, name_by_evidence, rename_by_voice
from models.naming.voices import VoiceRegistry, sample_of
from models.record.transcript import Episode, Person, Speaker, Track, TrackDecision, Transcript
from tests.models.naming.test_voices import voice
from tests.models.talks import episode

SMALL_TALK = """A: So how long did it take you to get there?
B: About three hours, with all that snow.
A: And then what?
B: Then we sat down and waited.
"""
GREEN_IO = Episode("id", "Green IO", notes="With Anne Currie.", people=(Person("Gaël Duez", "host"),))


def tracks(transcript: Transcript, *found: Track) -> Transcript:
    return replace(transcript, tracks=TrackDecision("separate", "Each has one.", found))


def named(
    lines: str, *found: Track, details: Episode | None = None, context: NamingContext | None = None
) -> dict[str, str]:
    judged = name_by_evidence(tracks(episode(lines, details=details), *found), context or NamingContext())
    return {speaker.label: speaker.name for speaker in judged.speakers}


def test_people_are_called_as_their_tracks() -> None:
    given, filed = (
        Track("Anne Currie", "1.wav", ("A",), given=True),
        Track("Bob", "bob-raw.flac", ("B",)),
    )
    judged = name_by_evidence(tracks(episode(SMALL_TALK), given, filed), NamingContext())
    assert [(s.name, s.source) for s in judged.speakers] == [("Anne Currie", "track"), ("Bob", "track")]
    assert all(speaker.confidence >= 0.95 for speaker in judged.speakers)
    found = [e for e in judged.evidence if e.kind == "track"]
    assert [(e.label, e.name, e.start, e.words) for e in found] == [
        ("A", "Anne Currie", None, "1.wav"),
        ("B", "Bob", None, "bob-raw.flac"),
    ]
    assert found[0].weight > found[1].weight


def test_names_are_spelt_as_they_are_written_elsewhere() -> None:
    gael, anne = Track("gael", "gael.wav", ("A",)), Track("anne-currie", "anne-currie.wav", ("B",))
    assert named(SMALL_TALK, gael, anne, details=GREEN_IO) == {"A": "Gaël Duez", "B": "Anne Currie"}
    assert named(SMALL_TALK, gael, anne) == {"A": "Gael", "B": "Anne Currie"}
    known = NamingContext(known_people=("Gael D.",))
    assert named(SMALL_TALK, gael, details=GREEN_IO, context=known)["A"] == "Gael D."


def test_a_track_outweighs_who_introduces_himself_otherwise_unless_that_one_is_credited() -> None:
    lines = f"A: Hello, I'm Bob.\n{SMALL_TALK}"
    filed = Track("Anne", "anne.wav", ("A",))
    assert named(lines, filed)["A"] == "Anne"
    credited = Episode("id", people=(Person("Bob Smith"),))
    assert named(lines, filed, details=credited)["A"] == "Speaker 1"
    assert named(lines, replace(filed, given=True), details=credited)["A"] == "Anne"


@pytest.mark.parametrize("handle", ["xXdragonXx", "iPhone von Anne", "Studio 2"])
def test_what_is_no_persons_name_yields_to_an_introduction(handle: str) -> None:
    track = Track(handle, "1.wav", ("A",))
    assert named(f"A: Hello, I'm Bob.\n{SMALL_TALK}", track)["A"] == "Bob"
    assert named(SMALL_TALK, track)["A"] == handle
    judged = name_by_evidence(tracks(episode(SMALL_TALK), track), NamingContext())
    assert judged.speakers[0].confidence < 0.95


@pytest.mark.parametrize("name", ["xXdragonXx", "Studio 2", "1688"])
def test_a_name_that_was_given_stands_whatever_it_is(name: str) -> None:
    track = Track(name, "1.wav", ("A",), given=True)
    assert named(f"A: Hello, I'm Bob.\n{SMALL_TALK}", track)["A"] == name


def test_a_device_called_after_somebody_who_is_credited_is_that_persons() -> None:
    assert (
        named(SMALL_TALK, Track("iPhone von Anne", "1.m4a", ("B",)), details=GREEN_IO)["B"] == "Anne Currie"
    )


COUPLE = """
A: Hello and welcome.
B: We met in London, and that was a very long time ago now.
C: Yes, it was.
B: It rained all day and all night, as it does in London.
C: And all the next week, and I was so cold then. I caught a cold, and so did you, and we laughed.
"""


def test_of_two_in_a_track_only_who_speaks_nearly_always_has_its_name() -> None:
    track = Track("Bob", "bob.wav", ("B", "C"))
    assert named(COUPLE, track) == {"A": "Speaker 1", "B": "Speaker 2", "C": "Speaker 3"}
    mostly = COUPLE.replace("C: And", "B: And")
    assert named(mostly, track) == {"A": "Speaker 1", "B": "Bob", "C": "Speaker 3"}


def test_a_track_of_two_names_nobody_but_makes_names_likelier() -> None:
    track = Track("Anne & Bob", "anne-and-bob.wav", ("B", "C"))
    assert named(COUPLE, track) == {"A": "Speaker 1", "B": "Speaker 2", "C": "Speaker 3"}
    lines = COUPLE.replace("A: Hello and welcome.", "A: With me are Ann and Bob.")
    judged = name_by_evidence(tracks(episode(lines), track), NamingContext())
    written = {(e.name, e.words) for e in judged.evidence if e.kind == "prior"}
    assert written == {("Anne", "track"), ("Bob", "track")}


def test_who_joined_twice_has_two_tracks_and_one_name() -> None:
    again = [Track("Anne", f"anne-{n}.wav", (label,)) for n, label in ((1, "A"), (2, "B"))]
    assert named(SMALL_TALK, *again) == {"A": "Anne", "B": "Anne"}


def test_what_the_user_confirmed_stays() -> None:
    given = {"A": Speaker("A", "Carol", "user", 1.0)}
    transcript = tracks(episode(SMALL_TALK), Track("Anne", "1.wav", ("A",)), Track("Carol", "2.wav", ("B",)))
    judged = name_by_evidence(transcript, NamingContext(), given)
    assert {s.label: s.name for s in judged.speakers} == {"A": "Carol", "B": "Speaker 2"}


def test_names_of_tracks_outlast_voices_that_come_to_be_known() -> None:
    track = Track("xXdragonXx", "1.wav", ("A",))
    heard = name_by_evidence(
        tracks(episode(SMALL_TALK), track, Track("Bob", "2.wav", ("B",))), NamingContext()
    )
    assert [s.name for s in rename_by_voice(heard, NamingContext()).speakers] == ["xXdragonXx", "Bob"]
    dragon = voice("A", 0)
    registry = VoiceRegistry().learnt("Diane Keys", sample_of(dragon, "other", confirmed=True))
    known = rename_by_voice(heard, NamingContext(voices=(dragon,), registry=registry))
    assert [s.name for s in known.speakers] == ["Diane Keys", "Bob"]


def test_tracks_that_hold_nobody_or_have_no_name_say_nothing() -> None:
    assert named(SMALL_TALK, Track("Anne", "anne.wav"), Track("", "2.wav", ("B",))) == {
        "A": "Speaker 1",
        "B": "Speaker 2",
    }
