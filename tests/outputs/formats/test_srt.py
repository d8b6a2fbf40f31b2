from __future__ import annotations

import re

import srt as oracle
from hypothesis import given
from hypothesis import strategies as st

from models.record.transcript import Transcript
from outputs.formats.srt import render
from outputs.text.characters import one_line
from outputs.text.direction import undirected
from tests.outputs.samples import CONVERSATION, NASTY_TEXTS, letters, said, spoken, talk, transcripts
from tests.outputs.shared_data import shared

SHORT_NAMES = st.sampled_from([text for text in NASTY_TEXTS if len(text) < 14])


def with_names(transcript: Transcript) -> str:
    """The letters in order, with the prefix that each change of speaker brings."""
    result: str = ""
    last: object = object()
    for segment in transcript.segments:
        if not letters(segment.text):
            continue
        name = one_line(transcript.name_of(segment.speaker)).strip()
        if (name or segment.speaker) != last:
            result += letters(f"{name}:") if name else ""
            last = name or segment.speaker
        result += letters(segment.text)
    return result.replace("→", "-->")


@given(transcripts(names=SHORT_NAMES))
def test_another_parser_reads_the_same_words(transcript: Transcript) -> None:
    found = list(oracle.parse(render(transcript)))
    assert letters("".join(undirected(cue.content) for cue in found)).replace("→", "-->") == with_names(
        transcript
    )
    assert [cue.index for cue in found] == list(range(1, len(found) + 1))


@given(transcripts())
def test_blocks_are_well_formed(transcript: Transcript) -> None:
    text = render(transcript)
    assert text == "" or (text.endswith("\n") and not text.endswith("\n\n"))
    for block in text.split("\n\n") if text else ():
        number, timing, *lines = block.rstrip("\n").split("\n")
        assert number.isdigit()
        assert re.fullmatch(r"\d\d:\d\d:\d\d,\d{3} --> \d\d:\d\d:\d\d,\d{3}", timing)
        assert 1 <= len(lines) <= 2
        assert not any("-->" in line for line in lines)


def test_looks_like_the_namespaces_example() -> None:
    example = list(oracle.parse(shared("subtitles/podcast-namespace/transcripts_example.srt").read_text()))
    assert example[0].content.startswith("Travis: ")
    assert not example[1].content.startswith("Travis")
    ours = list(oracle.parse(render(CONVERSATION)))
    assert ours[0].content == "Ann: Welcome back to the show,\neverybody. I'm Ann."
    assert [cue.content.split()[0] for cue in ours] == ["Ann:", "Bob:", "Ann:", "Somebody"]


def test_text_that_looks_like_a_cue_stays_text() -> None:
    transcript = talk(said("7 00:00:01,000 --> 00:00:02,000 ha", speaker=None))
    (cue,) = oracle.parse(render(transcript))
    assert letters(cue.content) == spoken(transcript)


def test_silence() -> None:
    assert render(talk()) == ""


def test_words_that_players_would_take_for_an_override_tag_are_shown() -> None:
    assert render(talk(said("type {\\an8} here."))).endswith("type {\u00a0\\an8} here.\n")
