"""Chapters that a person made: a correction that holds the whole list."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.record.errors import InputError, OutputError
from models.record.transcript import BY_USER, FROM_NOTES, PROPOSED, Chapter, Chapters, Transcript
from outputs.formats.registry import FORMATS
from outputs.library import read
from outputs.library.chapter_list import checked, decoded, encoded, own, shown_title
from outputs.library.corrections import (
    CHAPTERS,
    NAME,
    Correction,
    apply_corrections,
    carry_over,
    load,
    own_chapters,
    render,
)
from outputs.library.corrections import decoded as from_file
from outputs.library.editing import ConflictError, EditingSession
from outputs.library.lessons import lessons_for
from outputs.library.write import publish
from tests.outputs.samples import CONVERSATION, NASTY_TEXTS, times, told_chapters, word_changes

OPS = map(str, count(1))
PROPOSAL = Chapters(
    PROPOSED, (Chapter(0.0, "The show"), Chapter(4.0, "Bob", by="a model"), Chapter(9.0, "Coughs")), "minilm"
)
TALK = replace(CONVERSATION, chapters=PROPOSAL)
OWN = (Chapter(0.0, "Hello"), Chapter(6.0, "Found out", url="https://example.org/"))


@pytest.fixture
def session(tmp_path: Path) -> EditingSession:
    publish(TALK, tmp_path, ["episode"])
    return EditingSession(tmp_path)


def edit(session: EditingSession, do: str, by: str = "", **values: Any) -> dict[str, Any]:
    return session.edit(next(OPS), by, {"do": do, **values})


def titles(session: EditingSession) -> list[tuple[float, str]]:
    assert session.transcript.chapters == session.chapters
    return [(one.start, one.title) for one in session.chapters.chapters]


def chapters_of(transcript: Transcript, *made: Correction) -> Chapters:
    return apply_corrections(transcript, made).transcript.chapters


def test_the_last_list_of_a_person_holds_whatever_the_record_tells() -> None:
    mine, none, told = (Correction(CHAPTERS, chapters=one) for one in (OWN, (), None))
    assert chapters_of(TALK, mine) == Chapters(BY_USER, OWN)
    assert chapters_of(replace(TALK, chapters=Chapters(FROM_NOTES, OWN[:1])), mine) == Chapters(BY_USER, OWN)
    assert chapters_of(TALK, mine, none) == Chapters(BY_USER)
    assert chapters_of(TALK, mine, none, told) == PROPOSAL
    assert own_chapters((mine, none)) == ()
    assert own_chapters((mine, told)) is own_chapters(()) is None


def test_chapters_beyond_the_end_wait_and_come_back() -> None:
    made = Correction(CHAPTERS, chapters=(*OWN, Chapter(20.0, "The end", 25.0)))
    shorter = apply_corrections(TALK, [Correction(CHAPTERS, chapters=(Chapter(99.0, "x"),)), made])
    assert shorter.transcript.chapters.chapters == OWN
    assert shorter.waiting == (made,)
    longer = replace(TALK, audio=replace(TALK.audio, seconds=22.0))
    assert chapters_of(longer, made).chapters == (*OWN, Chapter(20.0, "The end"))
    assert chapters_of(replace(TALK, audio=replace(TALK.audio, seconds=0.0)), made).chapters == made.chapters


def test_a_list_knows_for_audio_of_what_length_it_was_made(session: EditingSession, tmp_path: Path) -> None:
    edit(session, "chapter", was={"start": 0, "title": "The show"})
    publish(replace(TALK, audio=replace(TALK.audio, seconds=40.0)), tmp_path, ["episode"])
    session.refresh()
    tag, seconds = session.chapters_tag, TALK.audio.seconds
    assert session.chapters_made_for == session.page()["chapters"]["made_for"] == seconds
    edit(session, "chapter", now={"start": 30, "title": "At last"})
    assert session.chapters_made_for == seconds  # the others are as they were
    assert edit(session, "keep_chapters")["chapters"]["made_for"] is None
    assert session.chapters_tag != tag
    edit(session, "keep_chapters")  # as they are already
    edit(session, "chapters", chapters=[])
    assert [one.end for one in load(tmp_path)] == [seconds, seconds, 40.0, 0.0]
    (tmp_path / "corrections.json").write_text(
        '{"version": 3, "corrections": [{"kind": "chapters", "chapters": [], "end": Infinity}]}'
    )
    with pytest.raises(OutputError, match="no audio is inf s long"):
        load(tmp_path)


def test_they_survive_other_models_and_names_and_teach_and_review_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "show" / "one"
    made = (Correction(CHAPTERS, chapters=OWN),)
    publish(TALK, folder, FORMATS, made)
    heard = replace(CONVERSATION, speakers=(replace(CONVERSATION.speakers[1], label="X"),))
    moved = carry_over((*made, Correction(NAME, speaker="SPEAKER_01", now="Rob")), TALK, heard)
    assert own_chapters(moved) == OWN
    assert read.load(folder).chapters == Chapters(BY_USER, OWN)
    assert read.load_record(folder).chapters == PROPOSAL
    assert read.load_record(folder).review is None
    assert lessons_for(TALK.episode, tmp_path / "show" / "two").terms == ()
    publish(TALK, folder, ["episode"], (*made, *word_changes(TALK.segments[1].words, "And I'm Rob, hello!")))
    assert read.load_record(folder).review is not None


def test_a_list_with_chapters_says_so_to_older_programs(tmp_path: Path) -> None:
    assert json.loads(render([Correction(NAME, speaker="A", now="B")]))["version"] == 2
    data = render(
        [Correction(CHAPTERS, chapters=OWN), Correction(CHAPTERS, chapters=()), Correction(CHAPTERS)]
    )
    assert json.loads(data) == {
        "version": 3,
        "corrections": [
            {"kind": "chapters", "chapters": [
                {"start": 0.0, "title": "Hello"}, {"start": 6.0, "title": "Found out", "url": "https://example.org/"}]},
            {"kind": "chapters", "chapters": []},
            {"kind": "chapters"},
        ],
    }  # fmt: skip
    (tmp_path / "corrections.json").write_bytes(data.replace(b"3", b"4", 1))
    with pytest.raises(OutputError, match=r"corrections\.json: written by a newer Episcribe \(version 4; "):
        load(tmp_path)


def test_they_are_told_in_a_line() -> None:
    many = tuple(Chapter(60.0 * number, f"Part\n{number}") for number in range(5))
    assert str(Correction(CHAPTERS, chapters=many)) == (
        "chapters 00:00 “Part 0”, 01:00 “Part 1”, 02:00 “Part 2” and 2 more"
    )
    assert str(Correction(CHAPTERS, chapters=())) == "no chapters"
    assert str(Correction(CHAPTERS)) == "the chapters that were told or proposed"


@pytest.mark.parametrize(
    "told",
    [
        {}, "x", [{"start": 1}], [{"start": -1, "title": "x"}], [{"start": 1e9, "title": "x"}],
        [{"start": True, "title": ""}], [{"start": 0, "title": "x"}] * 1001, [{"start": 0, "title": "x", "listed": 1}],
        [{"start": 1, "title": 2}], [{"start": 1, "title": "x", "url": "javascript:alert(1)"}],
        [{"start": 1, "title": "x", "url": "http://a b"}],
        [["start", "title"]],
        [{"start": 1, "title": "x", "image": "https://x.org/" + "x" * 2000}], [{"start": 1, "title": "x", "more": 1}],
        [{"start": float("nan"), "title": "x"}], [{"start": 1, "title": "x", "by": "x" * 201}],
    ],
)  # fmt: skip
def test_what_is_no_list_of_chapters_is_refused(told: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        decoded(told)
    (tmp_path / "corrections.json").write_text(
        json.dumps({"version": 3, "corrections": [{"kind": "chapters", "chapters": told}]})
    )
    with pytest.raises(OutputError, match="damaged"):
        load(tmp_path)


@given(told_chapters(), times, st.sampled_from(NASTY_TEXTS))
def test_whatever_was_told_can_be_kept_and_edited(told: Chapters, seconds: float, title: str) -> None:
    mine = own(told.chapters)
    assert decoded(encoded(mine)) == own(mine) == mine
    assert all(one.end is None or one.end > one.start for one in mine)
    starts = [one.start for one in mine if one.listed]
    assert all(one < two for one, two in pairwise(starts))
    made = Correction(CHAPTERS, chapters=mine)
    assert from_file(render([made]), Path("x")) == (made,)
    shown = apply_corrections(replace(TALK, audio=replace(TALK.audio, seconds=seconds)), [made])
    assert (len(shown.transcript.chapters.chapters) < len(mine)) == (shown.waiting == (made,))
    if shown_title(title):
        checked(replace(one, title=title) if one.listed else one for one in mine)


def test_edits_make_the_list_ones_own_and_are_taken_back(session: EditingSession, tmp_path: Path) -> None:
    before = session.page()
    patches = [
        edit(
            session, "chapter", was={"start": 4, "title": "Bob"}, now={"start": 3.5, "title": "Bob\n says "}
        ),
        edit(session, "chapter", now={"start": 6.0004, "title": "What?"}),
        edit(session, "chapter", was={"start": 0, "title": "The show"}),
    ]
    assert titles(session) == [(3.5, "Bob says"), (6.0, "What?"), (9.0, "Coughs")]
    assert patches[-1]["chapters"] == session.page()["chapters"]
    assert patches[-1]["chapters"]["source"] == BY_USER
    assert session.chapters.chapters[0].by == ""
    assert patches[-1]["splices"] == []
    assert read.load(tmp_path).chapters == session.chapters
    assert EditingSession(tmp_path).page() == session.page()
    for patch in reversed(patches):
        edit(session, "undo", edit=patch["op"])
    assert {**session.page(), "revision": ""} == {**before, "revision": ""}


def test_all_are_kept_set_and_given_up_at_once(session: EditingSession) -> None:
    edit(session, "keep_chapters")
    assert session.chapters == Chapters(BY_USER, tuple(replace(one, by="") for one in PROPOSAL.chapters))
    tag = session.chapters_tag
    edit(session, "text", paragraph=session.page()["paragraphs"][0]["id"], text="Hi.")
    edit(
        session,
        "chapters",
        chapters=[{"start": 5, "title": "B"}, {"start": 0, "title": "A", "end": 5}],
        was=tag,
    )
    assert session.chapters.chapters == (Chapter(0.0, "A"), Chapter(5.0, "B"))
    with pytest.raises(ConflictError, match="changed meanwhile"):
        edit(session, "chapters", chapters=[], was=tag)
    edit(session, "chapters", chapters=[])
    assert session.chapters == Chapters(BY_USER)
    assert edit(session, "chapters", chapters=None)["chapters"]["source"] == PROPOSED
    assert session.chapters == PROPOSAL


def test_two_people_edit_different_chapters_and_hear_of_conflicts_about_one(session: EditingSession) -> None:
    ann = edit(
        session, "chapter", "ann", was={"start": 0, "title": "The show"}, now={"start": 0, "title": "Hi"}
    )
    edit(session, "chapter", "bob", was={"start": 9, "title": "Coughs"}, now={"start": 9, "title": "A cough"})
    assert titles(session) == [(0, "Hi"), (4, "Bob"), (9, "A cough")]
    with pytest.raises(ConflictError, match="changed meanwhile") as caught:
        edit(session, "chapter", "ann", was={"start": 9, "title": "Coughs"})
    assert caught.value.by == "bob"
    with pytest.raises(ConflictError, match="later edits build on this one"):
        edit(session, "undo", "ann", edit=ann["op"])


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ({"start": 14.6, "title": "x"}, "the episode ends at 00:14"),
        ({"start": 9, "title": "x"}, "two chapters at 00:09"),
        ({"start": 1, "title": " \n"}, "1 to 500 characters"),
        ({"start": -1, "title": "x"}, "must be a chapter"),
        ({"start": "1", "title": "x"}, "must be a chapter"),
        ("x", "must be a chapter"),
    ],
)
def test_a_chapter_that_makes_no_sense_is_refused(session: EditingSession, now: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        edit(session, "chapter", now=now)
    assert session.chapters == PROPOSAL


def test_chapters_that_wait_beyond_the_end_stay_through_edits(tmp_path: Path) -> None:
    late = Chapter(20.0, "The end")
    publish(TALK, tmp_path, ["episode"], [Correction(CHAPTERS, chapters=(*OWN, late))])
    session = EditingSession(tmp_path)
    edit(session, "chapter", was={"start": 6, "title": "Found out"})
    assert titles(session) == [(0, "Hello")]
    assert own_chapters(load(tmp_path)) == (OWN[0], late)
