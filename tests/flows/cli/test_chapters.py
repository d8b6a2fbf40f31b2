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
from flows.library.chapters import listed_in, propose
from models.record.errors import InputError
from models.record.transcript import BY_USER, FROM_NOTES, PROPOSED, Chapter, Chapters
from outputs.formats.registry import FORMATS
from outputs.library import read
from outputs.library.write import publish
from tests.outputs.samples import CONVERSATION, NASTY_TEXTS

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
