from __future__ import annotations

import re
from html import unescape

import webvtt
from hypothesis import given

from models.record.transcript import Transcript
from outputs.captions.cues import cues
from outputs.captions.lint import lint
from outputs.captions.profiles import VTT
from outputs.captions.webvtt import read
from outputs.formats.vtt import render
from outputs.text.characters import one_line
from tests.outputs.samples import BILINGUAL, CONVERSATION, letters, said, spoken, talk, transcripts
from tests.outputs.shared_data import shared

LANGUAGES = {"en", "ja", "he"}  # of samples, those that there are


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
    main = transcript.language
    if main in LANGUAGES:
        assert blocks.pop(0).rstrip("\n") == f"NOTE Language: {main}"
    for block in blocks:
        timing, payload = block.split("\n", 1)
        assert timing.count("-->") == 1
        assert "-->" not in payload
        voice, _, text = payload.partition(">") if payload.startswith("<v ") else ("", "", payload)
        assert "<" not in voice[1:]
        assert "\n" not in voice
        marked = re.fullmatch(r"<lang ([a-z]+)>(.*)</lang>\n?", text, re.DOTALL)
        if marked:
            assert marked[1] in LANGUAGES - {main}
            text = marked[2]
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
    assert render(talk()) == "WEBVTT\n\nNOTE Language: en\n"
    assert render(talk(language="")) == "WEBVTT\n"


def test_what_is_not_in_the_main_language_says_so() -> None:
    blocks = render(BILINGUAL).split("\n\n")
    assert blocks[1] == "NOTE Language: en"
    assert [block.partition("\n")[2].rstrip() for block in blocks[2:]] == [
        "<v Ann>Welcome back to the show.",
        "<v Ann><lang de>Und jetzt auf Deutsch, damit es alle verstehen können.</lang>",
        "<v Bob>I understood that.",
        "<v Ann><lang de>Sehr schön.</lang>",
    ]


def test_two_lines_are_in_one_language_tag() -> None:
    text = "das ist ein Satz, der in einer Zeile keinen Platz hat, weil er so lang ist"
    assert render(talk(said(text, 0.0, 0.4, language="de"), SPEAKER_00="Ann")).endswith(
        "\n<v Ann><lang de>das ist ein Satz, der in einer Zeile keinen Platz hat,\nweil er so lang ist</lang>\n"
    )


def test_lint_finds_nothing_in_captions_of_two_languages() -> None:
    assert lint(render(BILINGUAL), "vtt", VTT) == []
    assert [caption.voices for caption in read(render(BILINGUAL)).captions] == [
        ("Ann",), ("Ann",), ("Bob",), ("Ann",)
    ]  # fmt: skip
