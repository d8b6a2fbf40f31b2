"""`episcribe chapters`: a person's chapters on the command line, and lists from files."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from flows.cli.main import app
from flows.library.chapters import listed_in, propose, set_list
from models.record.errors import InputError
from models.record.transcript import BY_USER, FROM_NOTES, PROPOSED, Chapter, Chapters
from outputs.formats.registry import FORMATS
from outputs.library import read
from outputs.library.editing import EditingSession
from outputs.library.rerendering import publish_again
from outputs.library.write import publish
from tests.outputs.samples import CONVERSATION, NASTY_TEXTS

PODLOVE = '<psc:chapters xmlns:psc="http://podlove.org/simple-chapters">'
PROPOSAL = Chapters(PROPOSED, (Chapter(0.0, "The show"), Chapter(4.25, "Bob\x1b[31m")), "minilm")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    publish(replace(CONVERSATION, chapters=PROPOSAL), tmp_path / "talk", ["md", "episode"])
    return tmp_path / "talk"


def chapters(*arguments: object, code: int = 0, typed: bytes | None = None) -> str:
    done = CliRunner().invoke(
        app, ["chapters", *map(str, arguments)], input=typed, catch_exceptions=code != 0
    )
    assert (done.exit_code == 0) == (code == 0), done.output
    return done.stdout if code == 0 else str(done.exception)


def test_they_are_listed_and_edited_in_every_file(folder: Path) -> None:
    assert chapters(folder).splitlines() == [
        "00:00  The show", "00:04  Bob[31m", "proposed by minilm: nobody has checked them",
    ]  # fmt: skip
    chapters("change", folder, "0:04", "--to", "3.5", "--title", "Bob says hello")
    chapters("add", folder, "0:09", "Somebody coughs")
    assert chapters("remove", folder, "0").splitlines() == [
        "00:03  Bob says hello", "00:09  Somebody coughs", "a person's",
    ]  # fmt: skip
    assert "Bob says hello" in (folder / "transcript.md").read_text(encoding="utf-8")
    assert json.loads(chapters(folder, "--json"))["chapters"][0]["start"] == 3.5
    assert "no chapter begins at 00:01: there are 00:03, 00:09" in chapters("remove", folder, "1", code=1)
    assert "the episode ends at 00:14" in chapters("add", folder, "1:00", "x", code=1)
    assert chapters("clear", folder) == "no chapters: a person's\n"
    assert chapters("reset", folder).endswith("nobody has checked them\n")
    assert chapters("keep", folder).endswith("a person's\n")
    assert read.load(folder).chapters == replace(PROPOSAL, source=BY_USER, engine="", chapters=tuple(
        replace(one, title=one.title.replace("\x1b", "")) for one in PROPOSAL.chapters))  # fmt: skip
    assert read.load_record(folder).chapters == PROPOSAL
    done = CliRunner().invoke(app, ["edit", str(folder), "--list"])
    assert done.stdout.splitlines()[-1] == "       chapters 00:00 “The show”, 00:04 “Bob[31m”"


def test_a_list_is_taken_from_a_file_or_standard_input(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "chapters.txt"
    file.write_text("00:00 Hello\n0:06 What?\n1:00 Far away\n", encoding="utf-8")
    assert chapters("set", folder, file).splitlines() == [
        "00:00  Hello", "00:06  What?", "01:00  beyond the end, not shown: Far away", "a person's",
    ]  # fmt: skip
    assert chapters(
        "set", folder, "-", typed=b'{"version": "1.2.0", "chapters": [{"startTime": 1, "title": "One"}]}'
    ) == ("00:01  One\na person's\n")
    assert "no such file" in chapters("set", folder, tmp_path / "none", code=1).lower()
    assert f"{file}: line 2" in (file.write_text("0:00 A\nB\n"), chapters("set", folder, file, code=1))[1]


@pytest.mark.parametrize(
    "text",
    [
        "0:00 One\n1:30.5 Two",
        "\ufeff00:00:00.000 One\r\n\r\n00:01:30.500 Two",
        "- [0:00] One\n- [1:30.5] Two",
        "(0:00) – One\n(1:30,5) – Two",
        '{"chapters": [{"startTime": 0, "title": "One"}, {"startTime": 90.5, "title": "Two"}]}',
        '[{"start": "00:00:00", "title": "One"}, {"start": "00:01:30.500", "title": "Two"}]',
        '<?xml version="1.0"?><psc:chapters xmlns:psc="http://podlove.org/simple-chapters" version="1.2">'
        '<psc:chapter start="0" title="One"/><psc:chapter start="00:01:30.500" title="Two"/></psc:chapters>',
        "WEBVTT\n\n00:00.000 --> 01:30.500\nOne\n\n01:30.500 --> 02:00.000\nTwo\n",
    ],
)
def test_all_common_lists_are_read(text: str) -> None:
    found = listed_in(text.encode())
    assert [(one.start, one.title) for one in found] == [(0.0, "One"), (90.5, "Two")]
    assert found[0].end is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0:00 Intro\n4:10\n9:00 End", "line 2 .* '4:10'"),
        ("1:02:03", "line 1"),
        ("1. 0:00 Intro", "line 1"),
        ("12.5\t20.0\tTitle", "line 1"),
        ("12:30 A\n12:30 B", "two chapters at 12:30"),
        (f"0:00 {'x' * 501}", "1 to 500 characters"),
        ("\n".join(f"{number}:00 x" for number in range(1001)), "at most 1000 chapters, not 1001"),
        (json.dumps([{"startTime": number, "title": "x"} for number in range(1001)]), "of 1001 .* only 1000"),
        ('[{"startTime": 0, "title": "A"}, {"startTime": "soon", "title": "B"}]', "of 2 .* only 1 can"),
        ("WEBVTT\n\n00:00.000 --> 00:01.000\nOne\n\n00:01,000 --> 00:02.000\nTwo\n", "of 2 .* only 1 can"),
        (f"{PODLOVE}<psc:chapter start='soon' title='x'/></psc:chapters>", "of 1 .* only 0 can"),
        ("<rss/>", "no chapters in it"),
    ],
)
def test_what_can_not_be_taken_whole_is_refused(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        listed_in(text.encode())


def test_text_of_another_encoding_is_refused() -> None:
    for encoding in ("latin-1", "utf-16"):
        with pytest.raises(InputError, match="not UTF-8 text"):
            listed_in("0:00 Ünï".encode(encoding))


def test_entities_in_a_list_do_no_harm() -> None:
    declared = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    found = listed_in(f'{declared}{PODLOVE}<psc:chapter start="0" title="&b;"/></psc:chapters>'.encode())
    assert [one.start for one in found] == [0.0]


def test_hours_may_have_another_separator_and_long_lines_take_no_time() -> None:
    assert listed_in(b"00:13:00;Title") == (Chapter(780.0, "Title"),)
    with pytest.raises(InputError, match="1 to 500 characters"):
        listed_in(b"1:00 a" + b" " * 900_000 + b"b" + b" <" * 20_000)


def test_of_two_chapters_in_a_second_the_right_one_is_taken(folder: Path) -> None:
    set_list(folder, [Chapter(6.25, "One"), Chapter(6.75, "Two")])
    assert "2 chapters begin at 00:06: tell by the second which, 6.25 or 6.75" in chapters(
        "remove", folder, "0:06", code=1
    )
    assert chapters("remove", folder, "6.75") == "00:06  One\na person's\n"


def test_chapters_of_audio_of_another_length_are_shown_with_a_warning(folder: Path) -> None:
    set_list(folder, [Chapter(0.0, "One"), Chapter(6.0, "Two")])
    record = read.load_record(folder)
    longer = replace(record, audio=replace(record.audio, seconds=record.audio.seconds + 20))
    publish(longer, folder, ["episode"])
    told = "made for audio of 00:14, and this plays 00:34: they may be early or late"
    assert chapters(folder).splitlines() == ["00:00  One", "00:06  Two", "a person's", told]
    assert chapters("change", folder, "6", "--to", "26").splitlines()[-1] == told
    assert json.loads(chapters(folder, "--json"))["made_for"] == CONVERSATION.audio.seconds
    assert chapters("keep", folder).splitlines()[-1] == "a person's"
    publish(
        replace(record, audio=replace(record.audio, seconds=record.audio.seconds + 6)), folder, ["episode"]
    )
    assert told not in chapters(folder)


def test_all_files_of_chapters_come_back_when_it_is_taken_back(folder: Path) -> None:
    files = {FORMATS[name].file_name for name in ("chapters", "chapters-vtt", "podlove-chapters")}
    publish(read.load_record(folder), folder, ["podlove-chapters"])
    session = EditingSession(folder)
    session.edit("op", "", {"do": "chapters", "chapters": []})
    publish_again(folder)
    assert {file for file in files if (folder / file).exists()} == {"podlove-chapters.json"}
    assert json.loads((folder / "podlove-chapters.json").read_bytes()) == []
    session.edit("back", "", {"do": "undo", "edit": "op"})
    publish_again(folder)
    assert files <= {file.name for file in folder.iterdir()}
    assert len(json.loads((folder / "podlove-chapters.json").read_bytes())) == 2
    assert read.load_record(folder).review is None


def test_addresses_in_lists_are_those_of_the_web() -> None:
    assert listed_in(b"0:00 One <https://example.org/a>") == (
        Chapter(0.0, "One", url="https://example.org/a"),
    )
    assert listed_in(b'[{"startTime": 0, "title": "One", "url": "javascript:alert(1)"}]')[0].url == ""


@given(
    st.sampled_from(["", "{", "[", "<", "<a", "WEBVTT", "0:00 ", "9" * 400 + ":0 x"]),
    st.sampled_from(NASTY_TEXTS),
)
def test_whatever_lies_in_a_file_is_a_list_or_refused(start: str, text: str) -> None:
    with suppress(InputError):
        assert listed_in(f"{start}{text}\n".encode())


def test_what_is_told_is_not_proposed_over(folder: Path) -> None:
    publish(replace(CONVERSATION, chapters=replace(PROPOSAL, source=FROM_NOTES)), folder, FORMATS)
    with pytest.raises(InputError, match="it has chapters of the notes"):
        propose(folder)
