from __future__ import annotations

from dataclasses import replace
from html import unescape

import webvtt
from hypothesis import given, settings

from models.record.transcript import PROPOSED, Transcript
from outputs.formats.chapters_vtt import render
from outputs.text.chapters import listed_chapters
from tests.outputs.samples import WITH_CHAPTERS, transcripts


def test_a_cue_a_chapter() -> None:
    assert render(WITH_CHAPTERS) == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:06.000\nHello &amp; &lt;b&gt;\n\n"
        "00:00:06.000 --> 00:00:08.500\nWhat they found\n"
    )
    proposed = replace(WITH_CHAPTERS, chapters=replace(WITH_CHAPTERS.chapters, source=PROPOSED))
    assert render(proposed).startswith("WEBVTT\n\nNOTE Chapters were proposed by a computer.\n\n00:00")


@settings(max_examples=30)
@given(transcripts())
def test_is_read_back(transcript: Transcript) -> None:
    text = render(transcript)
    cues = (
        [(cue.start_in_seconds, unescape(cue.raw_text)) for cue in webvtt.from_string(text)] if text else []
    )
    assert cues == [(int(one.start), one.title) for one in listed_chapters(transcript)]
