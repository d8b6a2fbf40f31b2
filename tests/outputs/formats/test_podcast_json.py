from __future__ import annotations

import json

from hypothesis import given

from models.record.transcript import Transcript
from outputs.formats.podcast_json import render
from tests.outputs.samples import CONVERSATION, letters, spoken, talk, transcripts
from tests.outputs.shared_data import shared


@given(transcripts())
def test_holds_every_word_in_order(transcript: Transcript) -> None:
    record = json.loads(render(transcript))
    assert record["version"] == "1.0.0"
    assert letters("".join(segment["body"] for segment in record["segments"])) == spoken(transcript)
    for segment in record["segments"]:
        assert 0 <= segment["startTime"] <= segment["endTime"]
        assert "\n" not in segment["body"]
        assert segment.get("speaker", "nobody") != ""


def test_has_the_keys_of_the_namespaces_example() -> None:
    example = json.loads(shared("subtitles/podcast-namespace/transcripts_example.json").read_text())
    ours = json.loads(render(CONVERSATION))
    assert ours.keys() == example.keys()
    assert ours["version"] == example["version"]
    assert list(ours["segments"][0]) == list(example["segments"][0])


def test_unknown_speaker_has_no_key() -> None:
    assert "speaker" not in json.loads(render(CONVERSATION))["segments"][-1]


def test_silence() -> None:
    assert json.loads(render(talk())) == {"version": "1.0.0", "segments": []}
