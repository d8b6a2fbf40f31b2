from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given, settings

from models.record.transcript import PROPOSED, Chapter, Chapters, Transcript
from outputs.formats.chapters_json import render
from outputs.text.chapters import length_of
from outputs.text.characters import one_line
from outputs.text.times import milliseconds
from tests.outputs.samples import CONVERSATION, WITH_CHAPTERS, transcripts


def test_all_chapters_as_the_namespace_has_them() -> None:
    assert json.loads(render(WITH_CHAPTERS)) == {
        "version": "1.2.0",
        "title": "Pilot & co",
        "podcastName": "The Show",
        "chapters": [
            {"startTime": 0.0, "title": "Hello & <b>", "img": "https://example.org/hello.png"},
            {"startTime": 4.0, "img": "https://example.org/bob.png", "toc": False},
            {
                "startTime": 6.0,
                "endTime": 8.5,
                "title": "What they found",
                "url": "https://example.org/found?a=1&b=2",
            },
        ],
    }


def test_what_no_person_made_says_so_in_members_of_its_own() -> None:
    chapters = Chapters(PROPOSED, (Chapter(0.0, "Hello", by="llama"), Chapter(6.0, "Findings")), "MiniLM")
    told = json.loads(render(replace(CONVERSATION, chapters=chapters)))
    assert (told["proposed"], told["engine"]) == (True, "MiniLM")
    assert [one.get("titleBy") for one in told["chapters"]] == ["llama", None]
    assert "proposed" not in json.loads(render(WITH_CHAPTERS))


@settings(max_examples=30)
@given(transcripts())
def test_is_in_order_and_holds_all_there_are(transcript: Transcript) -> None:
    text, length = render(transcript), milliseconds(length_of(transcript))
    entries = json.loads(text)["chapters"] if text else []
    wanted = {
        (max(0, milliseconds(one.start)), one.listed)
        for one in transcript.chapters.chapters
        if milliseconds(one.start) < length and one_line(one.title).strip()
    }  # no address is drawn: who has no title has nothing
    found = [(milliseconds(one["startTime"]), one.get("toc", True)) for one in entries]
    assert sorted(found) == sorted(wanted)
    assert [start for start, _ in found] == sorted(start for start, _ in found)
    assert all(one.get("endTime", 60) >= one["startTime"] for one in entries)
