"""Whose sound a track holds: rooms of voices made of noise, whose turns, levels and echoes are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import oaconvolve

from audio.tracks import bleed
from models.record.spans import Span
from models.runtime.samples import FULL_SCALE, SAMPLE_RATE

Floats = NDArray[np.float64]
SECONDS = 60
TURNS = {
    0: [Span(1, 6), Span(20, 27), Span(40, 44)],
    1: [Span(7, 13), Span(26, 33)],
    2: [Span(14, 19), Span(45, 58)],
}


def voice(spans: Sequence[Span], seed: int) -> Floats:
    """Syllables of noise of changing level, some 40 dB above what lies between."""
    dice = np.random.default_rng(seed)
    sound = np.zeros(SECONDS * SAMPLE_RATE)
    for span in spans:
        first, count = round(span.start * SAMPLE_RATE), round(span.duration * SAMPLE_RATE)
        times = np.arange(count) / SAMPLE_RATE
        swell = 0.1 + np.abs(np.sin(2 * np.pi * 2.3 * times + dice.uniform(0, 3)))
        sound[first : first + count] = swell * dice.standard_normal(count) * dice.uniform(0.05, 0.1)
    return sound


def room(bleed_db: float, gains: Sequence[float] = (0.0, 0.0, 0.0), seed: int = 1) -> list[Floats]:
    """What three microphones hear of three voices: the neighbours later, softer and with an echo."""
    dice = np.random.default_rng(seed)
    voices = [voice(spans, seed * 10 + person) for person, spans in TURNS.items()]
    times = np.arange(SAMPLE_RATE // 3) / SAMPLE_RATE
    microphones = []
    for own in TURNS:
        sound = 0.0003 * dice.standard_normal(SECONDS * SAMPLE_RATE)
        for person, said in enumerate(voices):
            echo = dice.standard_normal(len(times)) * 10 ** (-3 * times / 0.4)
            echo *= (0.2 if person == own else 0.8) / np.linalg.norm(echo)
            echo[0 if person == own else round(dice.uniform(0.003, 0.02) * SAMPLE_RATE)] += 1.0
            level = 0.0 if person == own else bleed_db
            sound += 10 ** (level / 20) * oaconvolve(said, echo / np.linalg.norm(echo))[: len(sound)]
        microphones.append(sound * 10 ** (gains[own] / 20))
    return microphones


def heard(microphones: Sequence[Floats]) -> tuple[bleed.Bleed, list[list[Span]]]:
    rows = [np.clip(np.rint(sound * FULL_SCALE), -32768, 32767).astype(np.int16) for sound in microphones]
    levels = np.stack([bleed.sound_levels(row) for row in rows])
    noise = bleed.noise_levels(levels)
    found = bleed.measure_bleed(rows, levels, noise)
    excess = bleed.own_excess(levels, noise, found)
    return found, [bleed.own_sounds(*each) for each in zip(levels, noise, excess, strict=True)]


def loudest(found: bleed.Bleed) -> float:
    """dB of the loudest neighbour in anybody's track."""
    return float(found.gains[~np.eye(len(found.gains), dtype=bool)].max())


def frames(spans: Sequence[Span]) -> NDArray[np.bool_]:
    flags = np.zeros(SECONDS * 100, dtype=bool)
    for span in spans:
        flags[round(span.start * 100) : round(span.end * 100)] = True
    return flags


def wrong_seconds(sounds: Sequence[Sequence[Span]]) -> float:
    return sum(float((frames(own) != frames(TURNS[person])).sum()) / 100 for person, own in enumerate(sounds))


@pytest.mark.parametrize("bleed_db", [-30.0, -20.0, -12.0, -6.0])
def test_each_track_holds_its_own_person(bleed_db: float) -> None:
    found, sounds = heard(room(bleed_db))
    assert found.speaking.all()
    assert loudest(found) == pytest.approx(bleed_db, abs=4.0)
    assert wrong_seconds(sounds) < 0.05 * sum(span.duration for own in TURNS.values() for span in own)


def test_people_at_once_stay_two() -> None:
    _, sounds = heard(room(-12.0))
    both = frames(sounds[0]) & frames(sounds[1])
    assert both[2610:2690].all()
    assert not both[:2500].any()


@pytest.mark.parametrize("gains", [(-15.0, 0.0, 0.0), (0.0, -20.0, 6.0), (10.0, -10.0, 0.0)])
def test_gains_of_microphones_do_not_matter(gains: tuple[float, float, float]) -> None:
    _, sounds = heard(room(-12.0, gains))
    assert wrong_seconds(sounds) < 3.0


@pytest.mark.parametrize("gain_db", [-12.0, 0.0, 12.0])
def test_who_says_nothing_has_no_sound_whatever_bleeds_in(gain_db: float) -> None:
    microphones = room(-12.0)
    dice = np.random.default_rng(3)
    silent = 0.2 * np.roll(microphones[0], 150) + 0.15 * np.roll(microphones[1], 200) + 0.12 * microphones[2]
    silent += 0.0003 * dice.standard_normal(len(silent))
    found, sounds = heard([*microphones, silent * 10 ** (gain_db / 20)])
    assert found.speaking.tolist() == [True, True, True, False]
    assert sounds[3] == []
    assert wrong_seconds(sounds[:3]) < 3.0


def test_of_two_equal_tracks_the_clearer_one_has_the_person() -> None:
    microphones = room(-20.0)
    dice = np.random.default_rng(4)
    copy = 0.5 * microphones[1] + 0.0006 * dice.standard_normal(len(microphones[1]))
    found, sounds = heard([*microphones, copy])
    assert found.speaking.tolist() == [True, True, True, False]
    assert sounds[3] == []


def test_tracks_through_noise_gates_hear_nobody_else() -> None:
    voices = [voice(spans, person) for person, spans in TURNS.items()]
    found, sounds = heard(voices)
    assert found.speaking.all()
    assert wrong_seconds(sounds) < 1.0


def test_changes_of_gain_along_the_way_do_not_turn_bleed_into_people() -> None:
    dice = np.random.default_rng(5)
    ridden = [
        sound * np.repeat(10 ** (dice.uniform(-2, 2, SECONDS) / 20), SAMPLE_RATE) for sound in room(-14.0)
    ]
    _, sounds = heard(ridden)
    assert wrong_seconds(sounds) < 5.0


def test_silence_holds_nobody() -> None:
    found, sounds = heard([np.zeros(SECONDS * SAMPLE_RATE)] * 2)
    assert not found.speaking.any()
    assert sounds == [[], []]


def test_one_track_has_its_person() -> None:
    _, (sounds,) = heard([voice(TURNS[0], 1)])
    assert float((frames(sounds) != frames(TURNS[0])).sum()) / 100 < 0.5


def test_two_who_always_speak_at_once_are_not_taken_for_each_others_bleed() -> None:
    whole = [Span(1, 59)]
    found, sounds = heard([voice(whole, 1), 0.3 * voice([Span(5, 55)], 2)])
    assert loudest(found) == -np.inf
    assert [(own[0].start, own[-1].end) for own in sounds] == [
        pytest.approx((1, 59), abs=0.3),
        pytest.approx((5, 55), abs=0.3),
    ]
