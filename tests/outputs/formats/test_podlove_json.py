from __future__ import annotations

import json

from hypothesis import given, settings

from models.record.transcript import Transcript
from outputs.formats.podlove_json import render, render_chapters
from tests.outputs.samples import CONVERSATION, WITH_CHAPTERS, letters, said, spoken, talk, transcripts


def test_entries_as_the_publisher_writes_them() -> None:
    found = json.loads(render(CONVERSATION))
    assert found[1] == {
        "start": "00:00:04.000",
        "start_ms": 4000,
        "end": "00:00:05.200",
        "end_ms": 5200,
        "speaker": "SPEAKER_01",
        "voice": "Bob",
        "text": "And I'm Bob, hello!",
    }
    assert (found[3]["speaker"], found[3]["voice"]) == ("", "")
    assert json.loads(render(talk())) == []
    assert json.loads(render(talk(said("Late.", 36000))))[0]["start"] == "10:00:00.000"


def test_chapters_are_podlove_simple_chapters() -> None:
    assert json.loads(render_chapters(WITH_CHAPTERS)) == [
        {"start": "00:00:00.000", "title": "Hello & <b>", "image": "https://example.org/hello.png"},
        {"start": "00:00:06.000", "title": "What they found", "href": "https://example.org/found?a=1&b=2"},
    ]


@settings(max_examples=30)
@given(transcripts())
def test_all_that_is_said_is_there(transcript: Transcript) -> None:
    found = json.loads(render(transcript))
    assert letters("".join(one["text"] for one in found)) == spoken(transcript)
    assert all(0 <= one["start_ms"] <= one["end_ms"] for one in found)
