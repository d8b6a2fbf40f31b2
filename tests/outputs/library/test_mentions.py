from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from models.record.errors import InputError
from models.record.transcript import Transcript
from outputs.library.mentions import Mentions, mentions
from outputs.library.search import Wanted, update
from outputs.library.write import publish
from tests.outputs.samples import said, talk

ANN, BOB = "SPEAKER_00", "SPEAKER_01"


def dated(transcript: Transcript, title: str, published: str) -> Transcript:
    about = replace(transcript.episode, title=title, published=published)
    return replace(transcript, episode=about)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = tmp_path_factory.mktemp("library")
    later = talk(
        said("Deep Seek, deep seek and deep sleep. DEEP SEEK!", 10),
        said("I never use deep seek.", 20, speaker=BOB),
        said("Deep, seek.", 30, speaker="SPEAKER_02"),
        **{ANN: "Ann", BOB: "Bob Speaker", "SPEAKER_02": "Speaker 3"},
    )
    earlier = talk(
        said("A deep seeker.", 1),
        said("Deep seeking, deep seek.", 5, speaker=BOB),
        **{ANN: "Bob Speaker", BOB: "speaker 1"},
    )
    publish(dated(later, "Later", "2026-02-02"), library / "show" / "later", [])
    publish(dated(earlier, "Earlier", "2026-01-01"), library / "other" / "earlier", [])
    update(library)
    return library


def told(found: Mentions) -> list[tuple[str, str, list[float]]]:
    return [
        (person.name, one.title, [hit.seconds for hit in one.said])
        for person in found.people
        for one in person.episodes
    ]


def test_each_place_is_told_by_person_and_episode(library: Path) -> None:
    found = mentions(library, "deep seek")
    assert told(found) == [
        ("Ann", "Later", [10.0, 10.6, 12.1]),
        ("Bob Speaker", "Later", [20.9]),
        ("", "Earlier", [5.6]),
        ("", "Later", [30.0]),
    ]
    assert (found.count, found.folders) == (6, ("other/earlier", "show/later"))
    shown = [hit.text[start:stop] for hit in found.people[0].episodes[0].said for start, stop in hit.marks]
    assert shown == ["Deep", "Seek,", "deep", "seek", "DEEP", "SEEK!"]


def test_a_star_takes_all_endings_and_filters_hold(library: Path) -> None:
    assert told(mentions(library, "deep seek*", Wanted(until="2026-01-01"))) == [
        ("Bob Speaker", "Earlier", [1.3]),
        ("", "Earlier", [5.0, 5.6]),
    ]
    assert told(mentions(library, "deep seek", Wanted(speaker="bob"))) == [("Bob Speaker", "Later", [20.9])]
    assert mentions(library, "deep seek", Wanted(place="other")).folders == ("other/earlier",)
    assert mentions(library, "nobody says this").people == ()


def test_what_can_not_be_answered_is_refused(library: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is said in 5 passages: ask for"):
        mentions(library, "deep", most=3)
    for term, where, message in (("?", library, "give words"), ("deep", tmp_path, "no search index")):
        with pytest.raises(InputError, match=message):
            mentions(where, term)
