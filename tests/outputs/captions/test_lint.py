from __future__ import annotations

import random
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

import pytest
import srt as srt_oracle
import webvtt
from hypothesis import given, settings
from hypothesis import strategies as st

from models.record.errors import InputError
from models.record.transcript import Segment, Transcript, Word
from outputs.captions.caption import Fault
from outputs.captions.lint import Violation, lint, lint_file, parse
from outputs.captions.profiles import BBC, NETFLIX, PODCAST, PROFILES, VTT, Profile
from outputs.formats import srt, vtt
from tests.outputs.samples import apart, letters, spoken, talk, transcripts
from tests.outputs.shared_data import shared

WRITERS: dict[str, Callable[[Transcript, Profile], str]] = {"srt": srt.render, "vtt": vtt.render}
VOCABULARY = re.split(
    r"\s+",
    """I a the of and to in was, he she it. they that you know yeah, right. well so but because which
    London New York Mr. Smith 5 million percent, interesting question? understanding! of, course. really
    Donaudampfschifffahrtsgesellschaft 你好。 天气 مرحبا ça naïve""",
)


def captions(*blocks: str) -> str:
    """SubRip of blocks such as "0.5 2 text"."""
    result = []
    for number, block in enumerate(blocks, start=1):
        start, end, text = block.split(" ", 2)
        result.append(f"{number}\n{_stamp(start)} --> {_stamp(end)}\n{text}\n")
    return "\n".join(result)


def _stamp(seconds: str) -> str:
    whole, _, fraction = seconds.partition(".")
    return f"00:00:{int(whole):02},{fraction:0<3}"


def rules(found: Sequence[Violation | Fault]) -> list[str]:
    return [violation.rule for violation in found]


@st.composite
def conversations(draw: st.DrawFn) -> Transcript:
    """People who talk as fast as people do, with pauses, and now and then at the same time."""
    dice = random.Random(draw(st.integers(0, 2**32)))
    pace, overlap, now = dice.uniform(0.1, 0.5), dice.choice([0, 0, 0.1, 0.5]), 0.0
    segments = []
    for speaker, _ in groupby(dice.choices("ABC", k=dice.randint(1, 8))):
        words = []
        for _ in range(dice.choice([1, 2, 5, 30, 60])):
            length = dice.uniform(0.5, 1.5) * pace
            words.append(Word(round(now, 2), round(now + length, 2), f" {dice.choice(VOCABULARY)}"))
            now += length + dice.choice([0, 0, 0, 0, 0, 0.1, 0.4, 0.8, 1.5, 2.2, 6.0]) * dice.random()
        segments.append(Segment(words[0].start, words[-1].end, speaker, tuple(words)))
        now = max(0.0, now - overlap * dice.random() * 3)
    found = talk(
        *segments, language=dice.choice(["en", "de", ""]), A="Ann", B="Bartholomew Smith-Jones", C="Cy"
    )
    return apart(found) if dice.random() < 0.5 else found


@pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))
@pytest.mark.parametrize("fmt", WRITERS)
@given(transcript=conversations())
@settings(max_examples=60)
def test_what_we_write_of_speech_is_clean(fmt: str, profile: Profile, transcript: Transcript) -> None:
    found = lint(WRITERS[fmt](transcript, profile), fmt, profile)
    assert [violation for violation in found if not violation.unavoidable] == []


@pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))
@pytest.mark.parametrize("fmt", WRITERS)
@given(transcript=transcripts())
@settings(max_examples=60)
def test_what_we_write_of_anything_is_clean(fmt: str, profile: Profile, transcript: Transcript) -> None:
    found = lint(WRITERS[fmt](transcript, profile), fmt, profile)
    assert [violation for violation in found if not violation.unavoidable] == []


@pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))
@pytest.mark.parametrize("fmt", WRITERS)
@given(transcript=transcripts().map(apart))
@settings(max_examples=30)
def test_what_we_write_of_any_tracks_is_clean(fmt: str, profile: Profile, transcript: Transcript) -> None:
    text = WRITERS[fmt](transcript, profile)
    found = lint(text, fmt, profile)
    assert [violation for violation in found if not violation.unavoidable] == []
    shown = "".join(line for cue in parse(text, fmt) for line in cue.lines)
    arrows = str.maketrans(
        "", "", "->→"
    )  # of SubRip and WebVTT: who talks at once may say its parts, in either order
    assert len(letters(shown).translate(arrows)) >= len(spoken(transcript).translate(arrows))


@given(transcripts(), st.sampled_from(sorted(WRITERS)))
def test_parser_reads_what_we_write(transcript: Transcript, fmt: str) -> None:
    oracle = {"srt": other_srt, "vtt": other_vtt}[fmt]
    text = WRITERS[fmt](transcript, VTT)
    assert [(c.start, c.end) for c in parse(text, fmt)] == oracle(text)


def other_srt(text: str) -> list[tuple[int, int]]:
    return [
        (round(c.start.total_seconds() * 1000), round(c.end.total_seconds() * 1000))
        for c in srt_oracle.parse(text)
    ]


def other_vtt(text: str) -> list[tuple[int, int]]:
    found = webvtt.from_string(text).captions
    return [(c.start_time.in_milliseconds(), c.end_time.in_milliseconds()) for c in found]


@pytest.mark.parametrize(
    ("rule", "profile", "blocks"),
    [
        ("line-length", PODCAST, ["0 5 This line is quite a bit too long for it"]),
        ("line-count", PODCAST, ["0 5 One line,\ntwo lines,\nthree lines"]),
        ("min-duration", PODCAST, ["0 0.2 Yes.", "5 6 No."]),
        ("max-duration", PODCAST, ["0 7.5 Still here.", "8 9 No."]),
        ("columns-per-second", PODCAST, ["0 1 Spoken with some hurry", "5 6 No."]),
        ("words-per-minute", BBC, ["0 1 Not so fast, will you", "5 6 No."]),
        ("gap", NETFLIX, ["0 2 Close.", "2.04 4 Closer."]),
        ("gap", NETFLIX, ["0 2 It flickers.", "2.3 4 See?"]),
        ("gap", BBC, ["0 2 It flickers.", "2.9 4 See?"]),
        ("overlap", PODCAST, ["0 2 I say,", "1.9 4 and I say."]),
        ("overlap", NETFLIX, ["0 2 Ann: I say,", "1.9 4 Bob: and I say."]),
        ("order", PODCAST, ["4 6 Second.", "1 3 First."]),
        ("order", PODCAST, ["4 4 Never seen?"]),
        ("empty", PODCAST, ["0 2 "]),
        ("arrow", PODCAST, ["0 2 a --> b"]),
        ("orphan-line", PODCAST, ["0 4 He asked what it was all good\nfor."]),
    ],
)
def test_each_rule_finds_its_breach(rule: str, profile: Profile, blocks: list[str]) -> None:
    found = lint(captions(*blocks), "srt", profile)
    assert rule in rules([violation for violation in found if not violation.unavoidable])


@pytest.mark.parametrize(
    ("profile", "blocks"),
    [
        (PODCAST, ["0 2 Ann: Welcome back to the show,\neverybody.", "2 3 Bob: Hello."]),
        (PODCAST, ["0 2 Ann: Welcome back to the show,", "1 2 Bob: Hello."]),
        (NETFLIX, ["0 1.917 Two frames are left.", "2 4 And then", "4.5 6 twelve of them."]),
        (BBC, ["0 2 There is no gap,", "2 4 or one of a second.", "5 7 Yes."]),
        (PODCAST, ["0 3 Who would do such a thing?\nMe."]),
        (PODCAST, ["0 4 今天天气很好今天天气很好\n是。"]),
        (PODCAST, []),
    ],
)
def test_good_captions_have_no_violations(profile: Profile, blocks: list[str]) -> None:
    assert lint(captions(*blocks), "srt", profile) == []


def test_speech_that_is_too_fast_is_told_from_captions_that_are() -> None:
    fast = "Spoken with some hurry, that."
    kept, cut = captions(f"0 1 {fast}", "1 3 No."), captions(f"0 1 {fast}", "2 4 No.")
    assert [v.unavoidable for v in lint(kept, "srt", PODCAST)] == [True]
    assert [v.unavoidable for v in lint(cut, "srt", PODCAST)] == [False]


def test_voices() -> None:
    text = "WEBVTT\n\nNOTE nothing\n\n1\n00:01.000 --> 00:04.000 align:start\n<v.loud Ann>Hi!</v>\n{}Ho &amp; hi."
    (alone,) = parse(text.format(""), "vtt")
    assert (alone.start, alone.voices, alone.lines) == (1000, ("Ann",), ("Hi!", "Ho & hi."))
    assert lint(text.format(""), "vtt", VTT) == []
    assert rules(lint(text.format("<v Bob>"), "vtt", VTT)) == ["mixed-speakers"]


def test_orphan_that_the_cue_before_could_have_helped() -> None:
    text = (
        "WEBVTT\n\n00:00.000 --> 00:{}\n<v Ann>There are so many of them\n\n00:{} --> 00:09.000\n<v Ann>here."
    )
    slow, fast = text.format("05.000", "05.000"), text.format("01.500", "01.500")
    assert [(v.rule, v.unavoidable) for v in lint(slow, "vtt", VTT)] == [("orphan-cue", False)]
    assert ("orphan-cue", True) in [(v.rule, v.unavoidable) for v in lint(fast, "vtt", VTT)]


def test_words_that_seem_to_last_under_the_next_ones_do_not_scatter_them() -> None:
    drawn = [Word(0, end, "A & B <c>") for end in (0, 0, 0, 15, 22, 0)]
    for fmt, write in WRITERS.items():
        text = write(talk(Segment(0, 22, "A", tuple(drawn)), A="A & B"), PODCAST)
        assert [v for v in lint(text, fmt, PODCAST) if not v.unavoidable] == []
        assert all(caption.duration > 800 for caption in parse(text, fmt)[1:])


def test_the_namespaces_examples_are_read() -> None:
    for name, voices in (("transcripts_example.srt", 0), ("transcripts_example.vtt", 1)):
        text = shared(f"subtitles/podcast-namespace/{name}").read_text()
        found = parse(text, name[-3:])
        assert len(found) > 1
        assert all(len(caption.voices) == voices for caption in found)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"RIFF\xff\xfe\x00", "not UTF-8 text"),
        (b"just some words", "no captions in it"),
        (b"1\nnow --> later\nhm", "can't read the times in 'now --> later'"),
    ],
)
def test_bad_files(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.srt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        lint_file(path, PODCAST)


def test_old_line_ends_and_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.srt"
    path.write_bytes(b"\xef\xbb\xbf" + captions("0 2 Hello.", "2 4 Bye.").replace("\n", "\r\n").encode())
    assert lint_file(path, PODCAST) == (2, [])


@pytest.mark.parametrize(
    ("blocks", "profile", "code", "said_so"),
    [
        (["0 2 Hello."], "podcast", 0, "1 cue, 0 violations, 0 more that can't be helped"),
        (["0 0.1 Hello.", "5 6 Bye."], "bbc", 1, "cue 1: min-duration 0.1, limit 0.833"),
        (["0 2 Hello."], "hulu", 2, "unknown caption profile 'hulu'; there are podcast, vtt, netflix, bbc"),
    ],
)
def test_command(tmp_path: Path, blocks: list[str], profile: str, code: int, said_so: str) -> None:
    path = tmp_path / "a.srt"
    path.write_text(captions(*blocks))
    command = [sys.executable, "-m", "flows.cli", "lint", str(path), "--profile", profile]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code
    assert said_so in done.stdout + done.stderr


def test_command_says_the_line_of_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "a.vtt"
    path.write_text("WEBVTT\n\n00:03.000 --> 00:01.000\nHello.\n\n00:04,000 --> 00:06,000\nBye.\n")
    command = [sys.executable, "-m", "flows.cli", "lint", str(path), "--profile", "vtt"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "cue 1: order -2 (line 3)\n" in done.stdout
    assert "line 6: time-format: a comma instead of a point in '00:04,000 --> 00:06,000'" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 cue, 2 violations, 2 more that can't be helped"
