from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.record.errors import InputError
from models.record.transcript import FROM_FEED, Chapter, Chapters, Review, Transcript
from outputs.formats.plain_text import render as plain_text
from outputs.formats.registry import FORMATS
from outputs.library import read
from outputs.library.corrections import UNDO, apply_corrections, load
from outputs.library.editing import ConflictError, EditingSession, sought
from outputs.library.rerendering import publish_again
from outputs.library.write import publish
from outputs.text.document import contents
from outputs.text.paragraphs import PARAGRAPH_CHARS, Passage, passages
from tests.flows.conftest import ROOT
from tests.outputs.samples import (
    BILINGUAL,
    CONVERSATION,
    CROSSTALK,
    WITH_CHAPTERS,
    letters,
    said,
    spoken,
    talk,
    transcripts,
    unsure,
)

OPS = map(str, count(1))
SENTENCE = "This sentence takes eighty letters or so and goes on for a little while longer."
LONG = talk(said(" ".join([SENTENCE] * 20)), SPEAKER_00="Ann")


@pytest.fixture
def session(tmp_path: Path) -> EditingSession:
    return opened(CONVERSATION, tmp_path)


def opened(transcript: Transcript, folder: Path, formats: Any = ("episode",)) -> EditingSession:
    publish(transcript, folder, formats)
    return EditingSession(folder)


def edit(
    session: EditingSession, do: str, at: int | None = None, by: str = "", **values: Any
) -> dict[str, Any]:
    """An edit of the paragraph at an index, as a page asks for it."""
    if at is not None:
        values["paragraph"] = session.page()["paragraphs"][at]["id"]
    return session.edit(next(OPS), by, {"do": do, **values})


def texts(session: EditingSession) -> list[str]:
    return ["".join(one["words"]) for one in session.page()["paragraphs"]]


def speakers(session: EditingSession) -> list[str]:
    page = session.page()
    names = {one["label"]: one["name"] for one in page["speakers"]}
    return [names.get(one["speaker"], "") for one in page["paragraphs"]]


def test_chapters_begin_a_paragraph_here_and_in_documents_unless_a_person_joined_it(tmp_path: Path) -> None:
    told = Chapters(FROM_FEED, (Chapter(0.0, "One"), Chapter(2.0, "Two"), Chapter(4.9, "Three")))
    segment = said("One two three. Four five six. Seven eight nine. And so on.", 0, 0.5)  # 1.5 s a sentence
    session = opened(replace(talk(segment, SPEAKER_00="Ann"), chapters=told), tmp_path)

    def documented() -> list[str]:
        parts = list(contents(read.load(tmp_path)))
        titles = {id(b): a.title for a, b in pairwise(parts) if isinstance(a, Chapter)}
        return [
            f"{titles.get(id(one), '') if not number else ''}|{paragraph.text}"
            for one in parts
            if isinstance(one, Passage)
            for number, paragraph in enumerate(one.paragraphs)
        ]

    assert texts(session) == ["One two three.", "Four five six. Seven eight nine.", "And so on."]
    assert documented() == ["One|One two three.", "Two|Four five six. Seven eight nine.", "Three|And so on."]
    edit(session, "join", 1)
    assert texts(session) == ["One two three. Four five six. Seven eight nine.", "And so on."]
    assert documented() == ["Two|One two three. Four five six. Seven eight nine.", "Three|And so on."]


def patched(paragraphs: list[Any], patch: Mapping[str, Any]) -> list[Any]:
    """What a page makes of the paragraphs it has and a patch."""
    for splice in patch["splices"]:
        paragraphs[splice["at"] : splice["at"] + splice["removed"]] = splice["paragraphs"]
    return paragraphs


def test_every_edit_is_kept_at_once_and_can_be_taken_back(session: EditingSession, tmp_path: Path) -> None:
    before = session.page()
    patches = [
        edit(session, "text", 0, text="Welcome to the show, everyone. I'm Ann."),
        edit(session, "split", 0, word=4),
        edit(session, "join", 3),
        edit(session, "speaker", 0, speaker="SPEAKER_01"),
        edit(session, "speaker", 1, name="  Cat\n<b> "),
        edit(session, "rename", speaker="SPEAKER_00", was="Ann", name="Anne"),
    ]
    assert texts(session) == [
        "Welcome to the show,",
        "everyone. I'm Ann.",
        "And I'm Bob, hello! So what did you find out?",
        "Somebody coughs.",
    ]
    assert speakers(session) == ["Bob", "Cat <b>", "Bob", ""]
    assert read.load(tmp_path) == session.transcript
    assert read.load_record(tmp_path) == CONVERSATION
    assert [one["op"] for one in session.undoable("")] == [patch["op"] for patch in patches]
    for patch in reversed(patches):
        edit(session, "undo", edit=patch["op"])
    assert {**session.page(), "revision": ""} == {**before, "revision": ""}
    assert session.transcript == CONVERSATION


def test_a_page_that_heeds_patches_shows_what_there_is(session: EditingSession) -> None:
    shown, revision = session.page()["paragraphs"], session.revision
    edits: list[tuple[str, int | None, dict[str, Any]]] = [
        ("text", 1, {"text": "And I'm Bob."}),
        ("split", 0, {"word": 5}),
        ("replace", None, {"find": "I'm", "replace": "I am"}),
        ("speaker", 2, {"name": "Cat"}),
        ("join", 1, {}),
        ("undo", None, {}),
    ]
    for do, at, values in edits:
        own = session.undoable("")
        patch = edit(session, do, at, **values, edit=own[-1]["op"] if own else "")
        assert (patch["from"], patch["to"]) == (revision, session.revision)
        shown, revision = patched(shown, patch), session.revision
        assert shown == session.page()["paragraphs"]


SOUGHT = (  # find, text, same case, whole words
    ("हिंद", "हिंदी हिंद", True, True),
    ("-", "well-known", False, False),
    ("a.b", "a.b axb", False, True),
    ("co_op", "co_op co", False, True),
    ("i", "İ I ı i", False, False),
    ("İ", "İ i", False, False),
    ("ß", "ẞ ß ss", False, False),
    ("Σ", "σ ς Σ", False, False),
    ("a  b", "a\n b", False, False),
    ("[x]/\\", "[x]/\\ x", False, True),
)
FIND = """import { hits, pattern } from %s;
const told = JSON.parse(process.argv[1]).map(([find, text, same, whole]) => hits(text, pattern(find, same, whole)));
console.log(JSON.stringify(told));"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_the_page_finds_what_is_replaced() -> None:
    module = json.dumps((ROOT / "flows/web/assets/editor/text.js").as_uri())
    command = ["node", "--input-type=module", "-e", FIND % module, json.dumps(SOUGHT)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert json.loads(told) == [
        [list(hit.span()) for hit in sought(find, same_case=same, whole_words=whole).finditer(text)]
        for find, text, same, whole in SOUGHT
    ]


def test_what_is_replaced_may_become_a_space(tmp_path: Path) -> None:
    session = opened(talk(said("A well-known show."), SPEAKER_00="Ann"), tmp_path)
    edit(session, "replace", find="-", replace=" ")
    assert texts(session) == ["A well known show."]


def test_a_conflict_tells_whose_change_it_was(session: EditingSession) -> None:
    first, second = session.page()["paragraphs"][:2]
    edit(session, "text", 0, by="al", text="Hello.")
    edit(session, "text", 1, by="bo", text="Hi.")
    for paragraph, by in ((first, "al"), (second, "bo")):
        with pytest.raises(ConflictError) as refused:
            edit(session, "split", paragraph=paragraph["id"], word=1)
        assert refused.value.by == by


def test_pages_and_files_have_the_same_paragraphs(tmp_path: Path) -> None:
    session = opened(LONG, tmp_path)
    assert len(texts(session)) == 3
    edit(session, "split", 1, word=15 * 4)
    edit(session, "join", 1)
    edit(session, "split", 0, word=3)
    told = [one.text for passage in passages(read.load(tmp_path)) for one in passage.paragraphs]
    assert texts(session) == told
    assert told[0] == "This sentence takes"
    assert len(told[1]) > PARAGRAPH_CHARS + 3 * len(SENTENCE)  # joined, whatever its length
    assert "\n\n".join(told) in plain_text(read.load(tmp_path))


def test_paragraphs_of_one_speaker_are_split_and_joined(tmp_path: Path) -> None:
    session = opened(LONG, tmp_path)
    before = texts(session)
    edit(session, "join", 2)
    assert texts(session) == [before[0], f"{before[1]} {before[2]}"]
    edit(session, "split", 1, word=len(before[1].split()))
    assert texts(session) == before


def test_what_is_typed_stays_in_its_paragraph(tmp_path: Path) -> None:
    session = opened(LONG, tmp_path)
    before = texts(session)
    for at, text in (
        (0, f"{before[0]} {SENTENCE} {SENTENCE}"),
        (1, SENTENCE),
        (2, f"{SENTENCE} {before[2]} " * 3),
    ):
        edit(session, "text", at, text=text)
        before[at] = text.strip()
        assert texts(session) == before
    edit(session, "undo", edit=session.undoable("")[0]["op"])
    assert texts(session)[1:] == before[1:]


def test_what_is_joined_is_said_by_who_spoke_before_in_that_language(tmp_path: Path) -> None:
    session = opened(BILINGUAL, tmp_path)
    edit(session, "join", 2)
    paragraphs = session.page()["paragraphs"]
    assert [one["language"] for one in paragraphs] == ["en", "de", "de"]
    assert texts(session)[1:] == [
        "Und jetzt auf Deutsch, damit es alle verstehen können. I understood that.",
        "Sehr schön.",
    ]
    assert {word.language for word in session.transcript.segments[2].words} == {"de"}
    assert {segment.speaker for segment in session.transcript.segments} == {"SPEAKER_00"}


def test_an_edit_leaves_the_paragraphs_beside_it_as_they_are(tmp_path: Path) -> None:
    long = [said(f"Sentence {number} " + "goes on " * 20 + "here.", number * 20.0) for number in range(9)]
    session = opened(talk(*long, SPEAKER_00="Ann"), tmp_path)
    before = texts(session)
    assert len(before) > 2
    edit(session, "split", 0, word=len(before[0].split()) // 2)
    assert texts(session)[2:] == before[1:]
    edit(session, "text", 1, text=f"{texts(session)[1]} " + "And so on, at length. " * 60)
    assert texts(session)[2:] == before[1:]
    edit(session, "join", 1)
    assert texts(session)[1:] == before[1:]
    edit(session, "speaker", 1, name="Bob")
    edit(session, "speaker", 1, speaker="SPEAKER_00")
    assert texts(session)[1:] == before[1:]


def test_words_around_what_another_threw_in_are_corrected(tmp_path: Path) -> None:
    begun, aside = said("It was late", 0), said("Yeah.", 0.9, speaker="SPEAKER_01")
    rest = replace(said("and we went home.", 1.2), continues=True)
    session = opened(talk(begun, aside, rest, SPEAKER_00="Ann", SPEAKER_01="Bob"), tmp_path)
    edit(session, "text", 0, text="It was later, so we went home.")
    assert texts(session) == ["It was later, so we went home.", "Yeah."]
    edit(session, "speaker", 0, name="Cat")
    assert texts(session) == ["It was later, so we went home.", "Yeah."]
    assert speakers(session) == ["Cat", "Bob"]


def test_another_session_goes_on_where_this_one_ended(session: EditingSession, tmp_path: Path) -> None:
    edit(session, "rename", speaker="SPEAKER_00", name="Anne")
    later = EditingSession(tmp_path)
    assert later.page() == session.page()
    edit(later, "undo", edit=later.undoable("")[-1]["op"])
    assert later.transcript == CONVERSATION


def test_a_new_speaker_of_a_known_name_is_that_one(session: EditingSession) -> None:
    edit(session, "speaker", 3, name="bob")
    assert session.transcript.segments[3].speaker == "SPEAKER_01"
    assert len(session.transcript.speakers) == 2


def test_labels_of_one_name_are_one_speaker(session: EditingSession) -> None:
    patch = edit(session, "rename", speaker="SPEAKER_01", was="Bob", name="Ann")
    assert [(one["label"], one["name"], one["colour"]) for one in patch["speakers"]] == [
        ("SPEAKER_00", "Ann", 0),
        ("SPEAKER_01", "Ann", 0),
    ]


def test_what_changes_nothing_is_no_correction(session: EditingSession) -> None:
    revision = session.revision
    for patch in (
        edit(session, "text", 0, text=" Welcome back  to the show, everybody. I'm Ann. "),
        edit(session, "speaker", 0, speaker="SPEAKER_00"),
        edit(session, "replace", find="nowhere", replace="somewhere"),
    ):
        assert (patch["from"], patch["to"], patch["splices"]) == (revision, revision, [])


def test_something_is_replaced_everywhere_at_once(session: EditingSession) -> None:
    patch = edit(session, "replace", find="i'm  ann", replace="this is Anne")
    assert texts(session)[0] == "Welcome back to the show, everybody. this is Anne."
    edit(session, "replace", find="o", replace="0", words=True)
    edit(session, "replace", find="SO", replace="x", case=True)
    edit(session, "replace", find="ha", replace="")
    assert texts(session)[2] == "So wt did you find out?"
    edit(session, "undo", edit=patch["op"])
    assert texts(session)[0] == "Welcome back to the show, everybody. I'm Ann."
    edit(session, "replace", find="e", replace="ee")
    assert texts(session)[0] == "Weelcomee back to thee show, eeveerybody. I'm Ann."


def test_edits_elsewhere_do_not_matter_and_edits_there_are_a_conflict(session: EditingSession) -> None:
    mine, start = (session.page()["paragraphs"][1][key] for key in ("id", "starts"))
    edit(session, "text", 0, by="bea", text="Hello.")
    edit(session, "rename", by="bea", speaker="SPEAKER_01", name="Rob")
    session.edit("a", "al", {"do": "text", "paragraph": mine, "text": "And I'm Rob, hello!"})
    with pytest.raises(ConflictError, match="changed meanwhile") as caught:
        session.edit("b", "bea", {"do": "text", "paragraph": mine, "text": "x", "start": start[0]})
    assert (caught.value.by, caught.value.at) == ("al", 0)
    assert ["".join(one["words"]) for one in caught.value.paragraphs][1] == "And I'm Rob, hello!"
    with pytest.raises(ConflictError):
        session.edit("c", "bea", {"do": "split", "paragraph": "nothing that was ever there", "word": 1})
    with pytest.raises(ConflictError, match="another name") as caught:
        edit(session, "rename", by="al", speaker="SPEAKER_01", was="Bob", name="Robert")
    assert caught.value.by == "bea"


def test_an_edit_is_done_once_however_often_it_is_sent(session: EditingSession, tmp_path: Path) -> None:
    action = {"do": "split", "paragraph": session.page()["paragraphs"][0]["id"], "word": 4}
    patch = session.edit("one", "al", action)
    assert session.edit("one", "al", action) == patch
    later = EditingSession(tmp_path)  # as after a crash between writing and answering
    assert {**later.edit("one", "al", action), "speakers": None, "chapters": None} == patch
    edit(later, "text", 2, text="And I'm Rob.")
    again = later.edit("one", "al", action)
    assert [again[name] for name in ("from", "splices")] == [patch[name] for name in ("from", "splices")]
    assert len(texts(later)) == 5


def test_taking_back_is_done_once_too(session: EditingSession, tmp_path: Path) -> None:
    first = {"do": "text", "paragraph": session.page()["paragraphs"][0]["id"], "text": "Hello."}
    session.edit("one", "al", first)
    undone = session.edit("two", "al", {"do": "undo", "edit": "one"})
    for again in (session, EditingSession(tmp_path)):
        assert again.edit("two", "al", {"do": "undo", "edit": "one"})["to"] == undone["to"]
        assert again.edit("one", "al", first)["undo"] == []  # it came late: it had been done, and taken back
        assert again.transcript == CONVERSATION
    assert [one.kind for one in load(tmp_path)] == [UNDO]
    session.edit("three", "al", first)  # done again: what it is for is there again
    assert texts(session)[0] == "Hello."


def test_only_own_edits_that_nothing_builds_on_are_taken_back(session: EditingSession) -> None:
    one = edit(session, "text", 1, by="al", text="And I'm Rob, hello!")["op"]
    named = edit(session, "speaker", 3, by="al", name="Cat")["op"]
    with pytest.raises(InputError, match="not yours"):
        edit(session, "undo", by="bea", edit=one)
    edit(session, "text", 1, by="bea", text="And I'm Robert, hello!")
    edit(session, "speaker", 0, by="bea", speaker="ADDED_01")
    for op in (one, named):
        with pytest.raises(ConflictError, match="build on") as caught:
            edit(session, "undo", by="al", edit=op)
        assert caught.value.by == "bea"
    with pytest.raises(ConflictError, match="not there"):
        edit(session, "undo", by="al", edit="never")


def test_who_says_so_makes_an_unsure_speaker_sure(tmp_path: Path) -> None:
    session = opened(unsure(CONVERSATION, 1), tmp_path)
    assert [one["unsure"] for one in session.page()["paragraphs"]] == [False, True, False, False]
    patch = edit(session, "speaker", 1, speaker="SPEAKER_01")
    assert not any(one["unsure"] for one in session.page()["paragraphs"])
    assert read.load(tmp_path).segments[1].speaker_probability == 1.0
    edit(session, "undo", edit=patch["op"])
    assert session.page()["paragraphs"][1]["unsure"]


@pytest.mark.parametrize(
    "do",
    [
        {"do": "text", "text": 5}, {"do": "text", "text": "x" * 20_001}, {"do": "text", "text": "x", "paragraph": 5},
        {"do": "text", "text": "x", "start": "soon"}, {"do": "text", "text": "x", "start": True},
        {"do": "split", "word": 0}, {"do": "split", "word": 8}, {"do": "split", "word": "1"}, {"do": "join"},
        {"do": "speaker"}, {"do": "speaker", "speaker": "nobody"}, {"do": "confirm", "item": "none"},
        {"do": "rename", "speaker": "nobody", "name": "x"}, {"do": "rename", "speaker": "SPEAKER_00", "name": " "},
        {"do": "replace", "find": " ", "replace": "x"}, {"do": "undo"}, {"do": "__init__"}, {"do": []}, {},
    ],
)  # fmt: skip
def test_nonsense_is_refused(session: EditingSession, do: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(InputError):
        session.edit("op", "", {"paragraph": session.page()["paragraphs"][0]["id"], **do})
    for op in ("", "x" * 101):
        with pytest.raises(InputError, match="op"):
            session.edit(op, "", {"do": "rename", "speaker": "SPEAKER_00", "name": "x"})
    assert not (tmp_path / "corrections.json").exists()
    assert session.transcript == CONVERSATION


def test_a_run_while_the_page_is_open(session: EditingSession, tmp_path: Path) -> None:
    edit(session, "text", 1, text="And I'm Rob, hello!")
    better = replace(CONVERSATION, segments=(said("Hi there.", 0.5), *CONVERSATION.segments[1:]))
    publish(better, tmp_path, ["episode"])
    assert session.refresh()
    assert texts(session)[:2] == ["Hi there.", "And I'm Rob, hello!"]
    publish(better, tmp_path, ["episode"])  # the same once more, as after an edit
    assert not session.refresh()


def test_files_of_chapters_come_where_there_are_some_by_now(session: EditingSession, tmp_path: Path) -> None:
    publish(CONVERSATION, tmp_path, ["srt", "chapters"])
    publish_again(tmp_path)
    assert not list(tmp_path.glob("*chapters*"))
    publish(WITH_CHAPTERS, tmp_path, ["episode"])
    publish_again(tmp_path)
    assert {path.name for path in tmp_path.glob("*chapters*")} == {"chapters.json", "chapters.vtt"}


def test_files_are_written_again(session: EditingSession, tmp_path: Path) -> None:
    publish(CONVERSATION, tmp_path, FORMATS)
    (tmp_path / "transcript.srt").unlink()
    edit(session, "rename", speaker="SPEAKER_00", name="Anne")
    behind = session.is_behind
    publish_again(tmp_path)
    assert (behind, session.is_behind) == (True, False)
    assert "Anne (00:00)" in (tmp_path / "transcript.txt").read_text()
    assert not (tmp_path / "transcript.srt").exists()
    assert read.load_record(tmp_path) == replace(CONVERSATION, review=Review(0, 0))
    assert not session.refresh()
    edit(session, "undo", edit=session.undoable("")[-1]["op"])


def test_sessions_of_several_threads_and_programs_lose_no_edit(tmp_path: Path) -> None:
    parts = [said(f"number {i} is here", 3.0 * i, speaker=f"SPEAKER_{i % 2:02}") for i in range(20)]
    opened(talk(*parts, SPEAKER_00="Ann", SPEAKER_01="Bob"), tmp_path)
    sessions = [EditingSession(tmp_path) for _ in range(4)]  # of programs of their own

    def correct(number: int) -> None:
        edit(sessions[number % 4], "text", number, text=f"number {number} was there")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(correct, range(20)))
    sessions[0].refresh()
    assert texts(sessions[0]) == [f"number {number} was there" for number in range(20)]
    assert len({one.op for one in load(tmp_path)}) == 20


def test_old_lists_mean_what_they_meant(tmp_path: Path) -> None:
    publish(CONVERSATION, tmp_path, ["episode"])
    (tmp_path / "corrections.json").write_text(
        """{"version": 1, "corrections": [
        {"kind": "split", "start": 0.8, "end": 1.4, "was": [" back", " to"], "edit": 1},
        {"kind": "join", "start": 2.6, "end": 4.3, "was": [" Ann.", " And"], "edit": 2},
        {"kind": "name", "now": "Anne", "speaker": "SPEAKER_00", "edit": 3}]}"""
    )
    session = EditingSession(tmp_path)
    assert [segment.text for segment in session.transcript.segments[:2]] == [
        "Welcome back",
        "to the show, everybody. I'm Ann. And I'm Bob, hello!",
    ]
    assert texts(session)[0].endswith("I'm Bob, hello! So what did you find out?")
    edit(session, "undo", edit="edit-3")
    edit(session, "text", 1, text="Somebody sneezes.")
    assert [one.kind for one in load(tmp_path)] == ["split", "join", UNDO, "words"]
    assert '"version": 2' in (tmp_path / "corrections.json").read_text()


@st.composite
def chosen_actions(draw: st.DrawFn) -> list[tuple[str, int, int, str]]:
    kinds = st.sampled_from(["text", "split", "join", "speaker", "name", "replace", "undo"])
    written = st.sampled_from(
        ["So what?", "", "I'm here, and you are there", "one two three four five", "…", "東京 is big"]
    )
    return draw(st.lists(st.tuples(kinds, st.integers(0, 9), st.integers(1, 9), written), max_size=8))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.sampled_from([CONVERSATION, BILINGUAL, CROSSTALK, LONG]), chosen_actions())
def test_whatever_is_done_is_what_is_read_again(
    tmp_path: Path, transcript: Transcript, chosen: list[tuple[str, int, int, str]]
) -> None:
    shutil.rmtree(tmp_path, ignore_errors=True)
    session = opened(transcript, tmp_path)
    shown = session.page()["paragraphs"]
    for kind, at, word, text in chosen:
        before = texts(session)
        index = at % len(before) if before else 0
        actions: dict[str, dict[str, Any]] = {
            "text": {"do": "text", "text": text},
            "split": {"do": "split", "word": word},
            "join": {"do": "join"},
            "speaker": {"do": "speaker", "speaker": "SPEAKER_00"},
            "name": {"do": "speaker", "name": "Cat"},
            "replace": {"do": "replace", "find": "i", "replace": text[:2], "words": True},
            "undo": {"do": "undo", "edit": (session.undoable("") or [{"op": "none"}])[-1]["op"]},
        }
        if not before:
            break
        paragraph = session.page()["paragraphs"][index]
        try:
            patch = session.edit(
                next(OPS),
                "",
                {**actions[kind], "paragraph": paragraph["id"], "start": paragraph["starts"][0]},
            )
        except InputError:
            continue
        shown = patched(shown, patch)
        if kind in ("split", "join", "speaker", "name"):
            assert letters("".join(texts(session))) == letters("".join(before))
        if kind == "text":
            wanted = [*before[:index], *([" ".join(text.split())] if text else []), *before[index + 1 :]]
            assert texts(session) == wanted or transcript is CROSSTALK or not text
            assert letters("".join(texts(session))) == letters("".join(wanted))
    again = EditingSession(tmp_path)
    assert again.page() == session.page()
    assert shown == session.page()["paragraphs"]
    assert again.transcript == session.transcript == apply_corrections(transcript, load(tmp_path)).transcript
    assert apply_corrections(transcript, load(tmp_path)).waiting == ()
    for segment in session.transcript.segments:
        assert all(one.start < one.end and one.end <= two.start for one, two in pairwise(segment.words))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(transcripts(), st.data())
def test_whatever_a_record_holds_can_be_shown_and_edited(
    tmp_path: Path, transcript: Transcript, data: st.DataObject
) -> None:
    shutil.rmtree(tmp_path, ignore_errors=True)
    session = opened(transcript, tmp_path)
    paragraphs = session.page()["paragraphs"]
    assert letters("".join(texts(session))) == spoken(read.load(tmp_path))
    session.review()
    if paragraphs:
        one = data.draw(st.sampled_from(paragraphs))
        text = data.draw(st.text(max_size=30))
        try:
            session.edit(
                "op", "", {"do": "text", "paragraph": one["id"], "start": one["starts"][0], "text": text}
            )
        except InputError:
            return
        assert EditingSession(tmp_path).page() == session.page()
