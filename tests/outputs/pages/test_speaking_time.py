from __future__ import annotations

import re

import pytest
from hypothesis import given

from models.record.transcript import Transcript
from outputs.pages.speaking_time import speaking_times, svg_path
from tests.outputs.samples import CONVERSATION, said, talk, transcripts


def test_shares_follow_the_words() -> None:
    ann, bob = speaking_times(CONVERSATION)
    assert (ann.name, bob.name) == ("Ann", "Bob")
    assert ann.spans == ((0.5, 2.9), (6.0, 7.8))
    assert bob.spans == ((4.0, 5.2),)
    assert (ann.share, bob.share) == pytest.approx((4.2 / 5.4, 1.2 / 5.4))


def test_labels_of_one_name_are_one_speaker() -> None:
    found = speaking_times(
        talk(said("a b"), said("c", 5, speaker="SPEAKER_01"), SPEAKER_00="Ann", SPEAKER_01="Ann")
    )
    assert [one.name for one in found] == ["Ann"]
    assert found[0].share == 1


def test_many_speakers_share_colours() -> None:
    parts = [said("word", number * 2.0, speaker=f"S{number}") for number in range(10)]
    assert [one.colour for one in speaking_times(talk(*parts))] == [0, 1, 2, 3, 4, 5, 6, 7, 0, 1]


@given(transcripts())
def test_drawing_stays_in_its_box(transcript: Transcript) -> None:
    seconds = max([transcript.audio.seconds, *(word.end for word in transcript.words)])
    for one in speaking_times(transcript):
        assert all(start <= end for start, end in one.spans)
        assert all(a[1] <= b[0] for a, b in zip(one.spans, one.spans[1:], strict=False))
        for left, length in re.findall(r"M([\d.]+) \d+h([\d.]+)", svg_path(one, seconds, 0, 10, 1000)):
            assert float(left) + float(length) <= 1001.2
