from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from models.record.errors import InputError
from models.record.transcript import Evidence, Repair, Review, Speaker, Transcript
from outputs.library import read
from outputs.library.editing import ConflictError, EditingSession
from outputs.library.review import WRONG, doubts_of, wrong_share
from outputs.library.write import publish
from tests.outputs.samples import said, spoken_over, talk, unsure


def doubtful(transcript: Transcript, segment: int, **probabilities: float) -> Transcript:
    """The transcript with these probabilities of the words of a segment, by their letters."""
    segments = list(transcript.segments)
    words = (
        replace(word, probability=probabilities.get(word.text.strip(" .,"), 0.9))
        for word in segments[segment].words
    )
    segments[segment] = replace(segments[segment], words=tuple(words))
    return replace(transcript, segments=tuple(segments))


BASE = talk(
    said("It was late, and we went home then.", 0, 1),
    said("Were you there as well?", 10, 2, speaker="SPEAKER_01"),
    said("Nobody was.", 20, 1),
    said("Good morning to you all and to everybody who came here today.", 30, 1, speaker="SPEAKER_02"),
)
NAMED = (
    Speaker("SPEAKER_00", "Ann", "user", 1.0),
    Speaker("SPEAKER_01", "Bob", "talk", 0.8),
    Speaker("SPEAKER_02", "Speaker 3"),
)
EVIDENCE = (Evidence("SPEAKER_02", "Cat", "introduction", 0.5, 31.0, "said"),)
RECORD = replace(
    unsure(spoken_over(doubtful(doubtful(doubtful(BASE, 0, was=0.2, late=0.4, went=0.45), 2), 3), 2), 1),
    speakers=NAMED,
    evidence=EVIDENCE,
    repairs=(Repair(35.0, 36.2, "lost", "", "and"), Repair(0, 9, "wordless", "x", "")),
)


@pytest.fixture
def session(tmp_path: Path) -> EditingSession:
    publish(
        replace(RECORD, segments=(*RECORD.segments[:3], *doubtful(RECORD, 3).segments[3:])), tmp_path, ["txt"]
    )
    return EditingSession(tmp_path)


def confirm(session: EditingSession, item: dict[str, Any], op: str) -> dict[str, Any]:
    return session.edit(op, "al", {"do": "confirm", "item": item["id"]})


def test_doubts_come_in_order_whatever_they_are_about(session: EditingSession) -> None:
    items = session.review()
    assert [(one["kind"], one["why"], one["text"], one["doubt"]) for one in items] == [
        ("name", "name", "Speaker 3", 1.0),
        ("word", "probability", "was late,", 0.613),
        ("speaker", "voice", "Were you there as well?", 0.5),
        ("word", "probability", "went", 0.48),
        ("word", "overlap", "Nobody was.", 0.25),
        ("word", "repair", "and", 0.25),
        ("name", "name", "Bob", 0.2),
    ]
    assert [items[0]["suggestion"], items[0]["speaker"]] == ["Cat", "SPEAKER_02"]
    first = session.page()["paragraphs"][0]
    assert first["doubt"] == [1, 2, 5]
    assert [items[1][name] for name in ("paragraph", "from", "to", "start", "end", "speaker")] == [
        first["id"], 1, 3, 1.0, 3.0, None,
    ]  # fmt: skip
    assert session.doubts == {"words": 4, "speakers": 1, "names": 2, "reviewed": 0, "total": 7}


def test_all_is_reviewed_by_confirming_and_correcting(session: EditingSession, tmp_path: Path) -> None:
    unnamed = [item for item in session.review() if not item["confirmable"]]
    assert [item["text"] for item in unnamed] == ["Speaker 3"]
    with pytest.raises(InputError, match="Speaker 3 is nobody's name"):
        confirm(session, unnamed[0], "nobody")
    name = {"do": "rename", "speaker": "SPEAKER_02", "was": "Speaker 3", "name": "Cat"}
    session.edit("named", "al", name)
    for number, item in enumerate(session.review(), 1):
        patch = confirm(session, item, str(number))
        assert patch["doubts"]["reviewed"] == number + 1
        assert session.edit(str(number), "al", {"do": "confirm", "item": item["id"]}) == patch
        with pytest.raises(ConflictError, match="in doubt no more"):
            confirm(session, item, f"again {number}")
    assert session.review() == []
    assert session.transcript.speakers[2] == Speaker("SPEAKER_02", "Cat", "user", 1.0)
    assert [segment.text for segment in session.transcript.segments] == [s.text for s in RECORD.segments]
    assert EditingSession(tmp_path).doubts == session.doubts
    publish(read.load_record(tmp_path), tmp_path, [])
    assert read.load_record(tmp_path).review == Review(7, 7)
    session.edit("undo", "al", {"do": "undo", "edit": "1"})
    assert session.doubts["reviewed"] == 6


def test_what_is_corrected_is_reviewed(session: EditingSession) -> None:
    first = session.page()["paragraphs"][0]
    session.edit(
        "1", "", {"do": "text", "paragraph": first["id"], "text": "It is late, and we walked home then."}
    )
    assert [one["text"] for one in session.review() if one["why"] == "probability"] == ["late,"]
    session.edit("2", "", {"do": "rename", "speaker": "SPEAKER_02", "was": "Speaker 3", "name": "Cat"})
    assert session.doubts == {"words": 3, "speakers": 1, "names": 1, "reviewed": 2, "total": 7}


def test_nothing_is_in_doubt_without_a_reason() -> None:
    assert doubts_of(BASE) == []
    given = replace(RECORD, speakers=tuple(replace(one, source="user") for one in NAMED))
    assert not [one for one in doubts_of(given) if one.kind == "name"]


def test_the_less_probable_a_word_the_more_often_it_is_wrong() -> None:
    shares = [wrong_share(step / 100) for step in range(101)]
    assert all(more >= less for more, less in pairwise(shares))
    assert [wrong_share(probability) for probability, _ in WRONG] == pytest.approx(
        [share for _, share in WRONG]
    )
