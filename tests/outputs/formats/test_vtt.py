from __future__ import annotations

from html import unescape

import webvtt
from hypothesis import given

from models.record.transcript import Transcript
from outputs.captions.cues import cues
from outputs.captions.profiles import VTT
from outputs.formats.vtt import render
from outputs.text.characters import one_line
from tests.outputs.samples import CONVERSATION, letters, said, spoken, talk, transcripts
from tests.outputs.shared_data import shared


@given(transcripts())
def test_another_parser_reads_the_same_words_and_voices(transcript: Transcript) -> None:
    found = webvtt.from_string(render(transcript)).captions
    assert letters("".join(unescape(cue.text) for cue in found)) == spoken(transcript)
    expected = [(cue.start, cue.end, cue.speaker or None) for cue in cues(transcript, VTT)]
    read = [(c.start_in_seconds, c.end_in_seconds, c.voice) for c in found]
    assert [voice and unescape(voice) for *_, voice in read] == [voice for *_, voice in expected]
    assert [int(start) for start, *_ in expected] == [int(start) for start, *_ in read]


@given(transcripts())
def test_payload_has_no_bare_markup(transcript: Transcript) -> None:
    header, *blocks = render(transcript).split("\n\n")
    assert header.rstrip("\n") == "WEBVTT"
    for block in blocks:
        timing, payload = block.split("\n", 1)
        assert timing.count("-->") == 1
        assert "-->" not in payload
        voice, _, text = payload.partition(">") if payload.startswith("<v ") else ("", "", payload)
        assert "<" not in voice[1:]
        assert "\n" not in voice
        assert "<" not in text
        assert ">" not in text


def test_every_cue_has_its_voice() -> None:
    transcript = talk(
        said("There is quite a lot to say about this, you see. " * 5 + "Bye."), SPEAKER_00="A <&> B\nC"
    )
    found = webvtt.from_string(render(transcript)).captions
    assert len(found) > 2
    assert {unescape(cue.voice) for cue in found} == {one_line("A <&> B\nC")}


def test_escapes_as_the_namespaces_example_does() -> None:
    example = shared("subtitles/podcast-namespace/transcripts_example.vtt").read_text()
    assert "<v Sarah>include in one? Welcome to Podcasting Q&amp;A, where" in example
    ours = render(talk(said("Welcome to Podcasting Q&A, friends."), SPEAKER_00="Sarah"))
    assert ours.endswith("<v Sarah>Welcome to Podcasting Q&amp;A, friends.\n")


def test_unknown_speaker_has_no_voice() -> None:
    assert render(CONVERSATION).endswith("\nSomebody coughs.\n")


def test_silence() -> None:
    assert render(talk()) == "WEBVTT\n"
