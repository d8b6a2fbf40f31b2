from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.record.errors import InputError
from outputs.formats.registry import FORMATS
from outputs.library import read
from outputs.library.corrections import load
from outputs.library.editing import EditingSession, OutdatedError
from outputs.library.write import publish
from tests.outputs.samples import BILINGUAL, CONVERSATION, said, unsure


@pytest.fixture
def session(tmp_path: Path) -> EditingSession:
    publish(CONVERSATION, tmp_path, FORMATS)
    return EditingSession(tmp_path)


def act(session: EditingSession, do: str, **values: Any) -> None:
    session.act({"do": do, "revision": session.revision, **values})


def texts(session: EditingSession) -> list[str]:
    return [segment.text for segment in session.transcript.segments]


def test_every_action_is_kept_at_once_and_can_be_undone(session: EditingSession, tmp_path: Path) -> None:
    states = [texts(session)]
    act(session, "text", segment=0, text="Welcome to the show, everyone. I'm Ann.")
    act(session, "split", segment=0, word=4)
    act(session, "join", segment=2)
    act(session, "speaker", segment=0, speaker="SPEAKER_01")
    act(session, "speaker", segment=1, name="  Cat\n<b> ")
    act(session, "rename", speaker="SPEAKER_00", name="Anne")
    done = session.transcript
    assert texts(session) == [
        "Welcome to the show,",
        "everyone. I'm Ann. And I'm Bob, hello!",
        "So what did you find out?",
        "Somebody coughs.",
    ]
    assert [done.name_of(segment.speaker) for segment in done.segments] == ["Bob", "Cat <b>", "Anne", ""]
    assert read.load(tmp_path) == done
    assert read.load_record(tmp_path) == CONVERSATION
    for _ in range(6):
        act(session, "undo")
    assert [texts(session)] == states
    assert session.transcript == CONVERSATION
    with pytest.raises(InputError, match="nothing to undo"):
        act(session, "undo")
    for _ in range(6):
        act(session, "redo")
    assert session.transcript == done
    with pytest.raises(InputError, match="nothing to do again"):
        act(session, "redo")


def test_another_session_goes_on_where_this_one_ended(session: EditingSession, tmp_path: Path) -> None:
    act(session, "rename", speaker="SPEAKER_00", name="Anne")
    later = EditingSession(tmp_path)
    assert later.state()["undo"] == "SPEAKER_00 is “Anne”"
    act(later, "undo")
    assert later.transcript == CONVERSATION


def test_a_new_action_forgets_what_was_undone(session: EditingSession) -> None:
    act(session, "rename", speaker="SPEAKER_00", name="Anne")
    act(session, "undo")
    act(session, "rename", speaker="SPEAKER_00", name="Anna")
    assert session.state()["redo"] == ""


def test_a_new_speaker_of_a_known_name_is_that_one(session: EditingSession) -> None:
    act(session, "speaker", segment=3, name="bob")
    assert session.transcript.segments[3].speaker == "SPEAKER_01"
    assert len(session.transcript.speakers) == 2


def test_what_changes_nothing_is_no_correction(session: EditingSession) -> None:
    act(session, "text", segment=0, text=" Welcome back  to the show, everybody. I'm Ann. ")
    act(session, "speaker", segment=0, speaker="SPEAKER_00")
    act(session, "rename", speaker="SPEAKER_00", name="Ann")
    assert session.state()["corrections"] == 0


def test_the_page_knows_the_language_of_each_segment(tmp_path: Path) -> None:
    publish(BILINGUAL, tmp_path, FORMATS)
    state = EditingSession(tmp_path).state()
    assert [segment["language"] for segment in state["segments"]] == ["en", "de", "en", "de"]


def test_who_says_so_makes_an_unsure_speaker_sure(tmp_path: Path) -> None:
    publish(unsure(CONVERSATION, 1), tmp_path, FORMATS)
    session = EditingSession(tmp_path)
    assert [segment["unsure"] for segment in session.state()["segments"]] == [False, True, False, False]
    act(session, "speaker", segment=1, speaker="SPEAKER_01")
    assert session.state()["corrections"] == 1
    assert not any(segment["unsure"] for segment in session.state()["segments"])
    assert read.load(tmp_path).segments[1].speaker_probability == 1.0
    act(session, "undo")
    assert session.state()["segments"][1]["unsure"]


@pytest.mark.parametrize(
    "action",
    [
        {"do": "text", "segment": 9, "text": "x"}, {"do": "text", "segment": "0", "text": "x"},
        {"do": "text", "segment": 0, "text": 5}, {"do": "text", "segment": 0, "text": "x" * 20_001},
        {"do": "text", "segment": True, "text": "x"}, {"do": "split", "segment": 0, "word": 0},
        {"do": "split", "segment": 0, "word": 8}, {"do": "join", "segment": 0}, {"do": "join", "segment": -1},
        {"do": "speaker", "segment": 0}, {"do": "speaker", "segment": 0, "speaker": "nobody"},
        {"do": "rename", "speaker": "nobody", "name": "x"}, {"do": "rename", "speaker": "SPEAKER_00", "name": " "},
        {"do": "__init__"}, {},
    ],
)  # fmt: skip
def test_nonsense_is_refused(session: EditingSession, action: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(InputError):
        session.act({"revision": session.revision, **action})
    assert not (tmp_path / "corrections.json").exists()
    assert session.transcript == CONVERSATION


def test_an_action_for_another_state_is_refused(session: EditingSession) -> None:
    revision = session.revision
    act(session, "rename", speaker="SPEAKER_00", name="Anne")
    with pytest.raises(OutdatedError, match="another page"):
        session.act({"do": "undo", "revision": revision})


def test_a_run_while_the_page_is_open(session: EditingSession, tmp_path: Path) -> None:
    act(session, "text", segment=1, text="And I'm Rob, hello!")
    better = replace(CONVERSATION, segments=(said("Hi there.", 0.5), *CONVERSATION.segments[1:]))
    publish(better, tmp_path, ["episode"])
    with pytest.raises(OutdatedError, match="processed again"):
        act(session, "undo")
    assert texts(session)[:2] == ["Hi there.", "And I'm Rob, hello!"]
    act(session, "undo")
    assert texts(session)[1] == "And I'm Bob, hello!"


def test_a_run_while_the_page_is_open_is_not_written_over(session: EditingSession, tmp_path: Path) -> None:
    act(session, "text", segment=1, text="And I'm Rob, hello!")
    better = replace(CONVERSATION, segments=(said("Hi there.", 0.5), *CONVERSATION.segments[1:]))
    publish(better, tmp_path, FORMATS)
    session.render()
    assert read.load_record(tmp_path) == better
    text = (tmp_path / "transcript.txt").read_text()
    assert "Hi there." in text
    assert "Rob" in text


def test_two_sessions_do_not_overwrite_each_other(session: EditingSession, tmp_path: Path) -> None:
    other = EditingSession(tmp_path)
    act(session, "text", segment=1, text="And I'm Rob, hello!")
    with pytest.raises(OutdatedError):
        act(other, "rename", speaker="SPEAKER_00", name="Anne")
    act(other, "rename", speaker="SPEAKER_00", name="Anne")
    assert [str(one) for one in load(tmp_path)] == ["“Bob,” → “Rob,”", "SPEAKER_00 is “Anne”"]


def test_files_are_written_again(session: EditingSession, tmp_path: Path) -> None:
    (tmp_path / "transcript.srt").unlink()
    act(session, "rename", speaker="SPEAKER_00", name="Anne")
    session.render()
    assert "Anne (00:00)" in (tmp_path / "transcript.txt").read_text()
    assert not (tmp_path / "transcript.srt").exists()
    act(session, "rename", speaker="SPEAKER_00", name="Anna")


def test_the_state_is_what_the_page_shows(session: EditingSession) -> None:
    state = session.state()
    assert state["segments"][1] == {
        "speaker": "SPEAKER_01",
        "language": "en",
        "unsure": False,
        "start": 4.0,
        "words": [[4.0, " And"], [4.3, " I'm"], [4.6, " Bob,"], [4.9, " hello!"]],
    }
    assert state["speakers"][0] == {"label": "SPEAKER_00", "name": "Ann", "colour": 0}
    assert [lane["name"] for lane in state["drawing"]["lanes"]] == ["Ann", "Bob"]
