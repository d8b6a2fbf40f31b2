"""The course of languages, by what is heard in each stretch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.asr.language_path import LONGEST, SHORTEST, Stretch, language_path, stretches
from models.record.spans import Span
from models.record.transcript import Turn
from models.runtime.samples import SAMPLE_RATE


def said(*told: tuple[str, float]) -> list[Stretch]:
    """Stretches of speakers and seconds, one after the other."""
    found, now = list[Stretch](), 0.0
    for speaker, seconds in told:
        found.append(Stretch(Span(now, now + seconds), speaker))
        now += seconds + 0.3
    return found


def test_speakers_of_two_languages_alternate() -> None:
    talk = said(*[("A", 8), ("B", 9)] * 6)
    heard = [{"en": 0.9, "cy": 0.1}, {"de": 0.8, "en": 0.2}] * 6
    assert language_path(talk, heard) == ["en", "de"] * 6


def test_one_unsure_stretch_changes_nothing() -> None:
    """Two of 28 windows of a German recording had been heard as English."""
    talk = said(*[("A", 4)] * 28)
    heard = [{"de": 0.95, "en": 0.05}] * 28
    heard[9] = heard[20] = {"en": 0.97, "de": 0.03}
    assert language_path(talk, heard) == ["de"] * 28


def test_a_recording_that_is_always_unsure_stays_in_one_language() -> None:
    heard = [{"no": 0.5, "da": 0.45, "sv": 0.05}, {"da": 0.6, "no": 0.35, "sv": 0.05}, {"no": 0.7, "da": 0.3}]
    assert set(language_path(said(*[("A", 4)] * 30), heard * 10)) == {"no"}


@pytest.mark.parametrize("seconds", [4.9, 4.0])
def test_what_is_quoted_at_length_is_in_its_language(seconds: float) -> None:
    talk = said(*[("A", 4.5)] * 6, *[("A", seconds)] * 4, *[("A", 4.5)] * 6)
    heard = [{"en": 0.95, "de": 0.05}] * 6 + [{"de": 0.95, "en": 0.05}] * 4 + [{"en": 0.95, "de": 0.05}] * 6
    assert language_path(talk, heard) == ["en"] * 6 + ["de"] * 4 + ["en"] * 6


def test_a_greeting_stays_in_the_language_of_what_follows() -> None:
    talk = said(("A", 1.2), *[("A", 4.5)] * 12)
    heard = [{"fr": 0.95, "en": 0.05}] + [{"en": 0.95, "fr": 0.05}] * 12
    assert language_path(talk, heard) == ["en"] * 13


def test_a_speaker_keeps_to_the_languages_that_they_speak() -> None:
    """Between others' turns what is unsure of somebody goes by what is surely theirs."""
    talk = said(*[("A", 6), ("B", 6)] * 5, ("A", 2), ("B", 2), ("A", 2))
    unsure = {"en": 0.5, "de": 0.5}
    heard = [{"en": 0.95, "de": 0.05}, {"de": 0.95, "en": 0.05}] * 5 + [unsure] * 3
    assert language_path(talk, heard)[-3:] == ["en", "de", "en"]


def test_without_speech_there_is_no_language() -> None:
    assert language_path([], []) == []


@given(
    st.lists(st.tuples(st.sampled_from("AB"), st.floats(0.1, 5)), min_size=1, max_size=12),
    st.data(),
)
def test_a_path_holds_only_languages_that_are_heard(
    told: list[tuple[str, float]], data: st.DataObject
) -> None:
    shares = st.dictionaries(st.sampled_from(["en", "de", "fr"]), st.floats(0, 1), min_size=1)
    heard = [data.draw(shares) for _ in told]
    path = language_path(said(*told), heard)
    assert len(path) == len(told)
    assert set(path) <= set().union(*heard)


def test_stretches_end_where_it_is_quietest() -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 20 * SAMPLE_RATE).astype(np.float32)
    for pause in (2.5, 6.1, 13.0):
        sound[round(pause * SAMPLE_RATE) : round((pause + 0.3) * SAMPLE_RATE)] = 0
    found = stretches([Turn(0, 9, "A"), Turn(9.5, 20, "B")], sound)
    assert [(each.span.start, each.speaker) for each in found if each.span.start in (0, 9.5)] == [
        (0, "A"),
        (9.5, "B"),
    ]
    edges = [each.span.end for each in found]
    assert all(any(pause <= edge <= pause + 0.3 for edge in edges) for pause in (2.5, 6.1, 13.0))
    assert all(SHORTEST - 0.01 <= each.span.duration <= LONGEST for each in found)
    assert sum(each.span.duration for each in found) == pytest.approx(19.5)
