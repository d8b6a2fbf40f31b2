from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.record.errors import OutputError
from models.record.transcript import Segment, Track, TrackDecision, TrackPiece, Transcript, Turn, Word
from outputs.formats.episode_json import load, render
from tests.outputs.samples import BILINGUAL, CONVERSATION, talk, times, transcripts, unsure, whole_times


@given(transcripts(seconds=whole_times))
def test_round_trip(transcript: Transcript) -> None:
    assert load(render(transcript)) == transcript


@given(transcripts(seconds=times))
def test_rendering_again_changes_nothing(transcript: Transcript) -> None:
    assert render(load(render(transcript))) == render(transcript)


@given(transcripts())
def test_round_trip_through_bytes(transcript: Transcript) -> None:
    data = render(transcript).encode("utf-8", "backslashreplace")
    assert render(load(data.decode("utf-8"))) == render(transcript)


def test_times_are_rounded_and_nothing_else() -> None:
    transcript = talk(Segment(0.12345, 1 / 3, None, (Word(0, 2 / 3, " hi", 0.123456789),)))
    record = json.loads(render(transcript))
    assert record["segments"][0]["start"] == 0.123
    assert record["segments"][0]["words"][0] == {
        "start": 0.0, "end": 0.667, "text": " hi", "probability": 0.123456789, "speaker": None,
        "overlap": False, "speaker_probability": None, "language": "",
    }  # fmt: skip


def test_a_record_from_before_a_field_came_is_read() -> None:
    record = json.loads(render(CONVERSATION))
    del record["repairs"], record["tracks"], record["languages"], record["translations"]
    for segment in record["segments"]:
        del segment["continues"], segment["language"]
        for word in segment["words"]:
            del word["overlap"], word["speaker_probability"], word["language"]
    found = load(json.dumps(record))
    assert found == replace(CONVERSATION, languages=())
    assert {found.language_of(word) for word in found.words} == {"en"}


def test_languages_are_kept() -> None:
    found = load(render(BILINGUAL))
    assert [found.language_of(segment) for segment in found.segments] == ["en", "de", "en", "de"]
    assert {word.language for word in found.segments[1].words} == {"de"}
    assert [one.language for one in found.languages] == ["de", "en"]


def test_how_sure_speakers_and_voices_are_is_kept() -> None:
    sure = replace(unsure(CONVERSATION, 1, 0.75), turns=(Turn(0, 1, "SPEAKER_00", 0.5),))
    found = load(render(sure))
    assert [segment.speaker_probability for segment in found.segments] == [None, 0.75, None, None]
    assert found.turns[0].probability == 0.5


def test_where_tracks_lie_is_kept() -> None:
    piece = TrackPiece(1.0004, 61.0, -2.34567, 12.345678)
    tracks = (Track("Anne", "anne.wav", ("SPEAKER_00",), (piece,), given=True), Track("", "b.wav"))
    record = render(replace(CONVERSATION, tracks=TrackDecision("separate", "Each has one.", tracks)))
    found = load(record).tracks
    assert found is not None
    assert found.tracks[0].pieces == (TrackPiece(1.0, 61.0, -2.346, 12.345678),)
    assert found == TrackDecision(
        "separate", "Each has one.", (replace(tracks[0], pieces=found.tracks[0].pieces), tracks[1])
    )


def test_equal_transcripts_give_equal_text() -> None:
    a = replace(CONVERSATION, engine={"x": 1, "y": {"b": 1, "a": 2}})
    b = replace(CONVERSATION, engine={"y": {"a": 2, "b": 1}, "x": 1})
    assert a == b
    assert render(a) == render(b)


def test_text_of_any_script_is_legible() -> None:
    assert "字幕" in render(replace(CONVERSATION, warnings=("字幕",)))


def test_schema_number_comes_first() -> None:
    assert next(iter(json.loads(render(CONVERSATION)))) == "schema"


def changed(path: list[Any], value: object) -> str:
    """The text of a record in which the value at `path` is another."""
    record = json.loads(render(CONVERSATION))
    place = record
    for key in path[:-1]:
        place = place[key]
    if value is KeyError:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return json.dumps(record)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        (render(CONVERSATION)[:-300], "not JSON"),
        ("[]", "not an episode record"),
        ("{}", "not an episode record"),
        (changed(["schema"], "1"), "not an episode record"),
        (changed(["schema"], True), "not an episode record"),
        (changed(["schema"], 2), "newer Episcribe (schema 2; this one reads 1)"),
        (changed(["schema"], 0), "schema 0 is unknown"),
        (changed(["language"], KeyError), "language is missing"),
        (changed(["language"], 5), "language should be text, not 5"),
        (changed(["colour"], "red"), "colour is not a field of schema 1"),
        (
            changed(["segments", 1, "words", 0, "start"], "0"),
            'segments[1].words[0].start should be a number, not "0"',
        ),
        (
            changed(["segments", 1, "words", 0, "start"], True),
            "segments[1].words[0].start should be a number",
        ),
        (changed(["segments", 1, "words", 0, "start"], float("nan")), "NaN"),
        (changed(["segments", 0, "words"], {}), "segments[0].words should be a list"),
        (changed(["segments", 0], None), "segments[0] should be an object, not null"),
        (changed(["segments", 0, "speaker"], 1), "segments[0].speaker should be text"),
        (changed(["episode", "people", 0, "name"], KeyError), "episode.people[0].name is missing"),
        (changed(["engine"], []), "engine should be an object"),
        (
            changed(["audio", "seconds"], 1).replace('"seconds": 1', '"seconds": 1e999'),
            "audio.seconds should be",
        ),
    ],
)
def test_damaged_records_are_told_by_file_and_field(text: str, message: str) -> None:
    with pytest.raises(OutputError, match=re.escape(message)) as caught:
        load(text, "lib/episode.json")
    assert str(caught.value).startswith("lib/episode.json: ")
    assert "\n" not in str(caught.value)


def test_records_from_before_a_field_was_added() -> None:
    record = json.loads(render(CONVERSATION))
    for name in ("feed_url", "duration", "language", "transcripts", "chapters", "chapters_url", "type"):
        del record["episode"][name]
    assert load(json.dumps(record)) == CONVERSATION


@given(st.text(max_size=40) | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_anything_else_is_an_output_error(text: str) -> None:
    with pytest.raises(OutputError):
        load(text)
