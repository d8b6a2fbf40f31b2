from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.diarisation.channels import group, join_channels, telephone_bands, upper_band
from models.diarisation.diariser import DiariserOptions, diarise
from models.diarisation.embeddings.filter_banks import fbank, mel_centres
from models.record.spans import speech_of
from models.record.transcript import Diarisation, Turn, Voice
from tests.models.channels import (
    RATE,
    Samples,
    one_after_the_other,
    over,
    room,
    studio,
    taking_turns,
    telephone,
)

OFFLINE = DiariserOptions(model="offline", device="cpu")
CHANNELS = (studio, telephone, room)

Utterances = dict[str, list[Samples]]


def speakers(found: Diarisation) -> set[str]:
    return {turn.speaker for turn in found.turns}


@pytest.fixture(scope="module")
def alone(utterances: Utterances) -> Samples:
    """One person in a studio, on a telephone, in a room."""
    return one_after_the_other(over(CHANNELS, utterances["1998"][:6]))


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("person", ["1688", "1998"])
def test_one_person_over_three_channels_is_one_speaker(utterances: Utterances, person: str) -> None:
    found = diarise(one_after_the_other(over(CHANNELS, utterances[person][:6])), OFFLINE)
    assert speakers(found) == {"SPEAKER_00"}
    assert [voice.speaker for voice in found.voices] == ["SPEAKER_00"]


@pytest.mark.usefixtures("offline")
def test_how_sure_it_is_is_said(alone: Samples) -> None:
    (warning,) = diarise(alone, OFFLINE).warnings
    sure = re.fullmatch(
        r"SPEAKER_00 is heard .*\(from (?:\d:\d\d:\d\d(?:, )?)+ on\).* \((\d+)% sure; .* 2 .*\)", warning
    )
    assert sure
    assert 50 < int(sure[1]) <= 99


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(("one", "other"), [("1688", "2033"), ("1998", "3005")])
def test_two_people_over_two_channels_are_two(utterances: Utterances, one: str, other: str) -> None:
    for here, there in ((studio, telephone), (telephone, room)):
        first, second = over((here,), utterances[one][:5]), over((there,), utterances[other][:5])
        found = diarise(taking_turns(first, second), OFFLINE)
        assert len(speakers(found)) == 2
        assert not found.warnings


@pytest.mark.usefixtures("offline")
def test_two_people_who_change_channels_are_two(utterances: Utterances) -> None:
    one = over((studio, telephone), utterances["1688"][:8])
    other = over((telephone, room), utterances["2414"][:8])
    found = diarise(taking_turns(one, other), OFFLINE)
    assert len(speakers(found)) == 2
    assert any("one person" in warning for warning in found.warnings)


@pytest.mark.usefixtures("offline")
def test_it_stays_so_when_the_recording_changes_a_little(alone: Samples) -> None:
    dither = np.random.default_rng(0).standard_normal(len(alone)).astype(np.float32) / 32_768
    for changed in (alone * 10 ** (-1 / 20), alone[RATE // 2 :], alone + dither):
        found = diarise(changed.astype(np.float32), OFFLINE)
        assert len(speakers(found)) == 1
        assert len(found.warnings) == 1


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("least", [1, 2])
def test_as_many_as_were_asked_for_are_kept(alone: Samples, least: int) -> None:
    found = diarise(alone, DiariserOptions(model="offline", device="cpu", min_speakers=least))
    assert len(speakers(found)) == least
    assert len(found.warnings) == 2 - least


def test_callers_over_one_telephone_differ_by_no_channel() -> None:
    assert telephone_bands(np.array([-27.0, -29.0])).tolist() == [False, False]
    assert telephone_bands(np.array([-20.0, -29.0])).tolist() == [False, True]


def test_joined_turns_cover_what_they_covered_apart(offline: Any, utterances: Utterances) -> None:
    first, second = studio(utterances["1998"][0]), telephone(utterances["1998"][2])
    samples = np.concatenate([first, second])
    middle, end = len(first) / RATE, len(samples) / RATE
    apart = Diarisation(
        turns=(Turn(0.0, middle, "SPEAKER_00"), Turn(middle, end, "SPEAKER_01")),
        exclusive=(Turn(0.0, middle - 1, "SPEAKER_00"), Turn(middle, end, "SPEAKER_01")),
        voices=(Voice("SPEAKER_00", (1.0, 0.0), 3.0, "m"), Voice("SPEAKER_01", (0.0, 1.0), 1.0, "m")),
    )
    found = join_channels(apart, samples, offline.embedder)
    assert found.turns == (Turn(0.0, end, "SPEAKER_00"),)
    assert found.exclusive == (Turn(0.0, middle - 1, "SPEAKER_00"), Turn(middle, end, "SPEAKER_00"))
    assert found.voices == (Voice("SPEAKER_00", (0.75, 0.25), 4.0, "m"),)
    assert speech_of(found.turns) == speech_of(apart.turns)
    assert join_channels(apart, samples, offline.embedder, least=2) is apart


def test_a_voice_is_narrow_over_a_telephone_only(utterances: Utterances) -> None:
    for own in utterances.values():
        upper = [upper_band(fbank(torch.from_numpy(channel(own[0])))) for channel in CHANNELS]
        narrow = telephone_bands(np.array(upper)).tolist()
        assert narrow == [False, True, False]


def test_a_tone_is_loudest_in_the_mel_bin_that_it_lies_in() -> None:
    centres = mel_centres()
    assert np.all(np.diff(centres) > 0)
    for hertz in (440.0, 1000.0, 3400.0, 6000.0):
        tone = torch.sin(2 * torch.pi * hertz * torch.arange(RATE) / RATE)
        loudest = int(fbank(tone).mean(0).argmax())
        assert loudest == np.abs(centres - hertz).argmin()


@st.composite
def voices(draw: st.DrawFn) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Ratios between up to six voices, and which of them have the telephone's band."""
    count = draw(st.integers(1, 6))
    values = draw(st.lists(st.floats(-20, 20), min_size=count**2, max_size=count**2))
    ratios = np.reshape(values, (count, count))
    narrow = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    return (ratios + ratios.T) / 2, np.array(narrow)


@given(voices(), st.integers(1, 6))
def test_groups_hold_each_voice_once_and_join_across_bands_only(
    drawn: tuple[NDArray[np.float64], NDArray[np.bool_]], least: int
) -> None:
    ratios, narrow = drawn
    groups = group(ratios, narrow, least)
    assert sorted(itertools.chain.from_iterable(members for members, _ in groups)) == list(range(len(narrow)))
    assert len(groups) >= min(least, len(narrow))
    for members, sure in groups:
        if len(members) > 1:
            assert len(set(narrow[members])) == 2
            assert 0.5 <= sure < 1.0


@pytest.mark.parametrize(("to_studio", "groups"), [(2.0, [[0, 1, 2]]), (-12.0, [[0, 1], [2]])])
def test_a_third_voice_joins_only_where_it_resembles_both(to_studio: float, groups: list[list[int]]) -> None:
    ratios = np.array([[0.0, 8.0, to_studio], [8.0, 0.0, 3.0], [to_studio, 3.0, 0.0]])
    assert [members for members, _ in group(ratios, np.array([False, True, False]))] == groups
