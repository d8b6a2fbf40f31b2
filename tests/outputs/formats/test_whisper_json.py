"""The shapes are those of openai/whisper's `transcribe` and of whisperX's `schema.py` and `diarize.py`."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from models.record.transcript import Transcript, Word
from outputs.formats import whisper_json, whisperx_json
from tests.outputs.samples import BILINGUAL, CONVERSATION, CROSSTALK, letters, said, spoken, talk, transcripts

SECONDS = {"type": "number", "minimum": 0}
TEXT = {"type": "string"}


def shape(**fields: Any) -> dict[str, Any]:
    """An object of just these fields; those whose names end in _ may be missing."""
    properties = {name.rstrip("_"): kind for name, kind in fields.items()}
    required = [name for name in fields if not name.endswith("_")]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def many(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


PROBABILITY = {"type": "number", "minimum": 0, "maximum": 1}
WHISPER = shape(
    text=TEXT,
    segments=many(
        shape(
            id={"type": "integer"},
            seek={"type": "integer"},
            start=SECONDS,
            end=SECONDS,
            text=TEXT,
            tokens=many({"type": "integer"}),
            temperature={"type": "number"},
            avg_logprob={"type": "number", "maximum": 0},
            compression_ratio={"type": "number"},
            no_speech_prob=PROBABILITY,
            words=many(shape(word=TEXT, start=SECONDS, end=SECONDS, probability=PROBABILITY)),
        )
    ),
    language=TEXT,
)
WHISPERX_WORD = shape(word=TEXT, start=SECONDS, end=SECONDS, score=PROBABILITY, speaker_=TEXT)
WHISPERX = shape(
    segments=many(shape(start=SECONDS, end=SECONDS, text=TEXT, words=many(WHISPERX_WORD), speaker_=TEXT)),
    word_segments=many(WHISPERX_WORD),
    language=TEXT,
)


def whisper(transcript: Transcript) -> Any:
    return json.loads(whisper_json.render(transcript))


def whisperx(transcript: Transcript) -> Any:
    return json.loads(whisperx_json.render(transcript))


@settings(max_examples=30)
@given(transcripts())
def test_anything_has_their_shapes_and_all_its_words(transcript: Transcript) -> None:
    one, other = whisper(transcript), whisperx(transcript)
    jsonschema.validate(one, WHISPER)
    jsonschema.validate(other, WHISPERX)
    for segment in one["segments"]:
        assert segment["text"] == "".join(word["word"] for word in segment["words"])
    assert one["text"] == "".join(segment["text"] for segment in one["segments"])
    assert letters(one["text"]) == spoken(transcript)
    assert letters("".join(word["word"] for word in other["word_segments"])) == spoken(transcript)
    for segment in other["segments"]:
        assert letters(segment["text"]) == letters("".join(word["word"] for word in segment["words"]))
    times = [
        word[key] for segment in one["segments"] for word in segment["words"] for key in ("start", "end")
    ]
    assert times == sorted(times)
    assert all(word["start"] <= word["end"] for word in other["word_segments"])


def test_whispers_segments() -> None:
    found = whisper(CONVERSATION)
    second = found["segments"][1]
    assert found["text"].startswith(" Welcome back to the show, everybody. I'm Ann. And I'm Bob, hello! So")
    assert {key: second[key] for key in ("id", "seek", "start", "end", "text", "avg_logprob", "tokens")} == {
        "id": 1,
        "seek": 400,
        "start": 4.0,
        "end": 5.2,
        "text": " And I'm Bob, hello!",
        "avg_logprob": 0.0,
        "tokens": [],
    }
    assert second["words"][0] == {"word": " And", "start": 4.0, "end": 4.3, "probability": 1.0}
    assert found["language"] == "en"
    assert whisper(talk()) == {"text": "", "segments": [], "language": "en"}


def test_what_is_unsure_is_as_unsure_and_never_without_end() -> None:
    words = tuple(Word(i, i + 1, f" {i}", p) for i, p in enumerate((0.5, 0.25, 0.0)))
    (segment,) = whisper(talk(replace(said("x"), words=words)))["segments"]
    assert segment["avg_logprob"] == pytest.approx((-0.693 - 1.386 - 10) / 3, abs=1e-3)
    assert segment["compression_ratio"] < 1


def test_two_at_once_follow_each_other_for_whisper_and_overlap_for_whisperx() -> None:
    spans = [(one["start"], one["end"]) for one in whisper(CROSSTALK)["segments"]]
    assert all(one[1] <= other[0] for one, other in pairwise(spans))
    assert [(one["start"], one["end"]) for one in whisperx(CROSSTALK)["segments"]][:2] == [
        (0.5, 5.9),
        (2.6, 2.9),
    ]


def test_whisperx_has_speakers_by_name_and_words_without_spaces() -> None:
    found = whisperx(CONVERSATION)
    assert found["segments"][1]["speaker"] == "Bob"
    assert found["segments"][1]["words"][0] == {
        "word": "And", "start": 4.0, "end": 4.3, "score": 1.0, "speaker": "Bob",
    }  # fmt: skip
    assert "speaker" not in found["segments"][3]
    assert "speaker" not in found["segments"][3]["words"][0]
    assert len(found["word_segments"]) == len(CONVERSATION.words)
    assert [one["text"] for one in whisperx(BILINGUAL)["segments"]][1].startswith("Und jetzt")


def test_pieces_of_words_are_words_again_but_in_chinese() -> None:
    pieces = (Word(0, 1, " It", 0.9), Word(1, 2, "'s", 0.5), Word(2, 3, " late-"), Word(3, 4, "ish."))
    english = talk(replace(said("x"), words=pieces))
    words = [
        (one["word"], one["start"], one["end"], one["score"]) for one in whisperx(english)["word_segments"]
    ]
    assert words == [("It's", 0, 2, 0.5), ("late-ish.", 2, 4, 1.0)]
    chinese = talk(replace(said("x"), words=(Word(0, 1, "今天"), Word(1, 2, "好。"))), language="zh")
    assert [one["word"] for one in whisperx(chinese)["word_segments"]] == ["今天", "好。"]
    assert whisper(chinese)["text"] == "今天好。"
