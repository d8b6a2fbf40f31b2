"""Transcripts as feeds link to them, in the forms that podcast hosts write."""

from __future__ import annotations

import contextlib
import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.record.errors import InputError
from models.record.utterances import Utterance
from outputs.captions.published import MAX_NAME, read_transcript
from tests.outputs.shared_data import shared


def said(text: str) -> list[tuple[str, str]]:
    """Who says what, cue by cue."""
    return [(one.speaker, one.text) for one in read_transcript(text.encode())]


def test_json_of_the_namespace() -> None:
    segments = [
        {"speaker": "Anne Currie", "startTime": 0.5, "endTime": 2, "body": "Good\nmorning."},
        {"speaker": "Gaël Duez", "startTime": "2.25", "body": "Morning!"},
        {"startTime": None, "body": "(music)"},
        {"speaker": None, "startTime": float("nan"), "body": 7},
        "no segment",
    ]
    assert read_transcript(json.dumps({"version": "1.0.0", "segments": segments}).encode()) == (
        Utterance(0.5, "Anne Currie", "Good morning."),
        Utterance(2.25, "Gaël Duez", "Morning!"),
        Utterance(0.0, "", "(music)"),
        Utterance(0.0, "", "7"),
    )


def test_webvtt_with_voices() -> None:
    cues = "00:01.000 --> 00:02.000\n<v Anne Currie>Good &amp; morning.\n\n00:02.000 --> 00:03.000\n"
    text = f"WEBVTT\n\n{cues}<v Anne Currie>Well?\n<v.loud Gaël Duez>Yes.\n"
    assert read_transcript(text.encode()) == (
        Utterance(1.0, "Anne Currie", "Good & morning."),
        Utterance(2.0, "Anne Currie", "Well?"),
        Utterance(2.0, "Gaël Duez", "Yes."),
    )


@pytest.mark.parametrize(
    ("form", "spoken"),
    [
        ("Travis: When you start\n|it is hard.\n|Ann Lee: Is it?\n|Travis: Yes.\n", "a name before the text"),
        ("Travis:\nWhen you start\n|it is hard.\n|Ann Lee:\nIs it?\n|Travis:\nYes.\n", "on a line of its own"),
        (">> Travis: When you start\n|it is hard.\n|>> Ann Lee: Is it?\n|>> Travis: Yes.\n", "television"),
        ("- Travis: When you start\n|it is hard.\n|Ann Lee (guest): Is it?\n|Travis: Yes.\n", "with a note"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["srt", "vtt"])
def test_names_in_the_text(form: str, spoken: str, kind: str) -> None:
    point = "." if kind == "vtt" else ","
    blocks = [
        f"{n}\n00:00:0{n}{point}000 --> 00:00:0{n}{point}900\n{text}"
        for n, text in enumerate(form.split("|"), start=1)
    ]
    text = ("WEBVTT\n\n" if kind == "vtt" else "") + "\n".join(blocks)
    assert said(text) == [
        ("Travis", "When you start"),
        ("Travis", "it is hard."),
        ("Ann Lee", "Is it?"),
        ("Travis", "Yes."),
    ]


def test_a_colon_in_a_sentence_makes_nobody_speak() -> None:
    cues = ["Anne: He said it again.", "Remember: never pay.", "and this: a bill", "Anne: So true: never."]
    text = "\n".join(f"{n}\n00:00:0{n},000 --> 00:00:0{n},900\n{cue}\n" for n, cue in enumerate(cues, 1))
    assert {speaker for speaker, _ in said(text)} == {"Anne"}
    assert said(text)[1] == ("Anne", "Remember: never pay.")


def test_html_of_the_namespace() -> None:
    page = "<cite>Anne:</cite>\n<time>0:07</time>\n<p>It&#39;s early.</p>"
    page += "<cite>Gaël:</cite><time>1:02:03</time><p>Is it?"
    assert read_transcript(page.encode()) == (
        Utterance(7.0, "Anne", "It's early."),
        Utterance(3723.0, "Gaël", "Is it?"),
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<!doctype html><html><title>404</title><body><p>Not found</p></body></html>",
        b"<rss><channel/></rss>",
        b'{"segments": []}',
        b'{"error": "gone"}',
        b"[1, 2]",
        b"{" * 100_000,
        b"[" * 100_000,
        b"WEBVTT\n",
        b"Just some prose, without any times.",
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9,
    ],
)
def test_what_is_no_transcript_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        read_transcript(data)


def test_a_name_of_any_length_is_cut() -> None:
    record = {"segments": [{"speaker": "A" * 10_000, "startTime": -1, "body": "x\x00\x1b[31m"}]}
    (one,) = read_transcript(json.dumps(record).encode())
    assert (one.start, len(one.speaker)) == (0.0, MAX_NAME)
    assert "\x1b" not in one.text


@pytest.mark.parametrize(
    "data",
    [
        b"1\n00:00:01,000 --> 00:00:02,000\n" + b"x\n\n" * 100_000,
        b"WEBVTT\n\n00:01.000 --> 00:02.000\n" + b"&" * 100_000,
        b"1\n00:00:01,000 --> 00:00:02,000\n" + b"Ab " * 100_000 + b":",
        b"<cite>" * 100_000 + b"<p>x",
        b"<cite>a</cite>" + b"<p>x" * 100_000,
        b"-->\n" * 100_000,
    ],
)
def test_no_file_takes_more_than_its_size_explains(data: bytes) -> None:
    begun = time.monotonic()
    with contextlib.suppress(InputError):
        read_transcript(data)
    assert time.monotonic() - begun < 30


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")))
@example(b"1\n00:00:01,000 --> 00:00:02,000\nAnne:\n\n" * 3)
@example(b"<cite></cite><p>x")
@example(b"<")
@example(b"{\xff}")
def test_nothing_breaks_the_reader(data: bytes) -> None:
    for head in (b"", b"WEBVTT\n\n00:01.000 --> 00:02.000\n<v ", b"1\n00:00:01,000 --> 00:00:02,000\n", b"<cite>",
                 b'{"segments": [{"body": '):  # fmt: skip
        try:
            found = read_transcript(head + data)
        except InputError:
            continue
        assert all(one.text and "\n" not in one.text + one.speaker and one.start >= 0 for one in found)


@pytest.mark.parametrize(
    ("suffix", "speakers"),
    [
        ("json", {"Darth Vader", "Luke"}),
        ("vtt", {"Sarah", "Gillian"}),
        ("srt", {"Travis", "Sarah", "Gilon"}),
        ("html", {"Travis", "Sarah", "Gilon"}),
    ],
)
def test_the_examples_of_the_namespace(suffix: str, speakers: set[str]) -> None:
    found = read_transcript(shared(f"subtitles/podcast-namespace/transcripts_example.{suffix}").read_bytes())
    assert {one.speaker for one in found} == speakers
