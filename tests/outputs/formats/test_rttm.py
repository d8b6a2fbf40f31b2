from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyannote.database.util import load_rttm

from models.record.errors import InputError
from models.record.transcript import Transcript, Turn
from outputs.formats.rttm import load, render
from tests.outputs.samples import CONVERSATION, transcripts, whole_times
from tests.outputs.shared_data import shared

spans = st.tuples(whole_times, whole_times).filter(lambda span: span[0] < span[1])
turns = st.builds(
    lambda span, label: Turn(span[0], span[1], label), spans, st.sampled_from(["A", "SPEAKER_01", "名"])
)


@given(st.lists(turns, max_size=8))
def test_reads_what_it_wrote(written: list[Turn]) -> None:
    assert load(render(replace(CONVERSATION, turns=tuple(written)))) == tuple(sorted(written))


@given(transcripts())
def test_lines_are_well_formed(transcript: Transcript) -> None:
    for line in render(transcript).splitlines():
        assert re.fullmatch(r"SPEAKER \S+ 1 \d+\.\d{3} \d+\.\d{3} <NA> <NA> \S+ <NA> <NA>", line)
    load(render(transcript))


def test_another_parser_reads_the_same_turns(tmp_path: Path) -> None:
    transcript = replace(CONVERSATION, episode=replace(CONVERSATION.episode, id="my episode"))
    (tmp_path / "a.rttm").write_text(render(transcript))
    (annotation,) = load_rttm(tmp_path / "a.rttm").values()
    found = [Turn(s.start, round(s.end, 3), label) for s, _, label in annotation.itertracks(yield_label=True)]
    assert tuple(found) == transcript.turns


def test_reads_a_real_file() -> None:
    found = load(shared("conversations/pyannote_sample/sample.rttm").read_text())
    assert len(found) == 10
    assert found[0] == Turn(6.69, 7.12, "speaker90")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SPEAKER a 1 0.0 1.0", "line 1: 5 fields"),
        ("SPEAKER a 1 zero 1.0 <NA> <NA> A", "line 1: start and duration must be seconds"),
        ("SPEAKER a 1 0 -1 <NA> <NA> A", "duration not below 0"),
        ("SPEAKER a 1 nan 1 <NA> <NA> A", "must be seconds"),
        ("SPEAKER a 1 0 1 <NA> <NA> A\nSPEAKER b 1 0 1 <NA> <NA> A", "holds 2 recordings"),
    ],
)
def test_damaged(text: str, said: str) -> None:
    with pytest.raises(InputError, match=f"x.rttm.*{said}"):
        load(text, "x.rttm")


def test_other_lines_are_skipped() -> None:
    assert load(";; comment\n\nSPKR-INFO a 1 <NA> <NA> <NA> unknown A <NA>\n") == ()
