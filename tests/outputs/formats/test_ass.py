from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pysubs2
from hypothesis import given, settings

from models.record.transcript import Transcript
from outputs.captions.cues import cues
from outputs.captions.profiles import PODCAST, VIDEO
from outputs.formats.ass import render
from outputs.text.direction import undirected
from outputs.text.translations import translated
from tests.outputs.samples import (
    CONVERSATION,
    CROSSTALK,
    apart,
    letters,
    said,
    spoken,
    talk,
    transcripts,
)
from tests.outputs.test_translations import bilingual

BRACES = str.maketrans("{}", "｛｝", "\u2060")


def read(transcript: Transcript) -> pysubs2.SSAFile:
    return pysubs2.SSAFile.from_string(render(transcript))


def plain(event: pysubs2.SSAEvent) -> str:
    """What players show, without what only tells direction."""
    return "\n".join(map(undirected, event.plaintext.split("\n"))).replace("\u2060", "")


@settings(max_examples=30)
@given(transcripts() | transcripts().map(apart))
def test_another_reader_finds_the_same_words_in_time(transcript: Transcript) -> None:
    events, expected = read(transcript).events, cues(transcript, VIDEO)
    assert [event.name for event in events] == [cue.speaker.replace(",", ";") for cue in expected]
    for event, cue in zip(events, expected, strict=True):
        assert abs(event.start - 1000 * cue.start) <= 5.001
        assert abs(event.end - 1000 * cue.end) <= 5.001
        assert event.end > event.start
        assert letters(plain(event)) == letters("".join(map(undirected, cue.lines))).translate(BRACES)
    if not transcript.tracks:
        assert all(one.end <= other.start for one, other in pairwise(events))
        assert letters("".join(map(plain, events))) == spoken(transcript).translate(BRACES)


def test_a_conversation() -> None:
    found = read(CONVERSATION)
    assert found.info == {
        "Title": "Pilot & co",
        "ScriptType": "v4.00+",
        "Language": "en",
        "WrapStyle": "0",
        "ScaledBorderAndShadow": "yes",
        "PlayResX": "1920",
        "PlayResY": "1080",
    }
    assert [(one.start, one.end, one.style, one.name, plain(one)) for one in found] == [
        (500, 2900, "white", "Ann", "Welcome back to the show,\neverybody. I'm Ann."),
        (4000, 5200, "yellow", "Bob", "And I'm Bob, hello!"),
        (6000, 7800, "white", "Ann", "So what did you find out?"),
        (9000, 9830, "white", "", "Somebody coughs."),
    ]
    styles = {name: (one.primarycolor, one.outlinecolor) for name, one in found.styles.items()}
    black = pysubs2.Color(0, 0, 0)
    assert styles["yellow"] == (pysubs2.Color(255, 255, 0), black)
    assert styles["cyan"] == (pysubs2.Color(0, 255, 255), black)
    assert list(styles) == ["white", "yellow", "cyan", "green"]


def test_two_at_once_overlap_as_they_do() -> None:
    assert [(one.start, one.end) for one in read(CROSSTALK)][:2] == [(500, 6000), (2600, 3430)]


def test_nothing_that_is_said_or_called_is_a_command() -> None:
    names = {"SPEAKER_00": "A, B\n[Events]", "SPEAKER_01": "{\\an8}"}
    nasty = r"{\an8}Up, {\pos(0,0)}there\Nand C:\new\high \h."
    transcript = talk(said(nasty, 36000.0), said("Dialogue: 0,", 36009, speaker="SPEAKER_01"), **names)
    transcript = replace(transcript, episode=replace(transcript.episode, title="[Fonts]\nx: y"))
    first, second = read(transcript)
    assert plain(first).replace("\n", " ") == nasty.translate(BRACES)
    assert (first.start, first.name) == (36_000_000, "A; B [Events]")
    assert (plain(second), second.name) == ("Dialogue: 0,", "{\\an8}")
    assert read(transcript).info["Title"] == "[Fonts] x: y"


def test_right_to_left_silence_and_translations() -> None:
    arabic = talk(replace(said("مرحبا Anne بالعالم.", 0), language="ar"), language="ar", SPEAKER_00="آن")
    assert "\u202bآن:\u200f مرحبا" in render(arabic, PODCAST)
    assert len(read(talk())) == 0
    transcript = bilingual()
    text = render(translated(transcript, transcript.translations[0]))
    assert "\n; Machine translation by Whisper base\n" in text
