from __future__ import annotations

import numpy as np
import pytest
import torch

from models.diarisation.turn_boundaries import (
    AFTER_FRAMES,
    BEFORE_FRAMES,
    FRAME_LENGTH,
    FRAME_SHIFT,
    GAP_FRAMES,
    SILENCE,
    SPEECH_RANGE,
    audible_frames,
    extend_turns_to_sound,
    sound_levels,
    windows_with_sound,
)


def speaking(*turns: tuple[int, int, int], frames: int = 400, people: int = 2) -> np.ndarray:
    """(frames, people) with each (person, first, last) speaking."""
    data = np.zeros((frames, people), dtype=np.uint8)
    for person, first, last in turns:
        data[first:last, person] = 1
    return data


def sound(*stretches: tuple[int, int], frames: int = 400) -> np.ndarray:
    heard = np.zeros(frames, dtype=bool)
    for first, last in stretches:
        heard[first:last] = True
    return heard


def runs(data: np.ndarray) -> list[tuple[int, int, int]]:
    edges = np.diff(np.pad(data.astype(int), ((1, 1), (0, 0))), axis=0)
    return [
        (person, int(first), int(last))
        for person in range(data.shape[1])
        for first, last in zip(
            np.flatnonzero(edges[:, person] == 1), np.flatnonzero(edges[:, person] == -1), strict=True
        )
    ]


def noise(seconds: float, decibels: float) -> np.ndarray:
    samples = np.random.default_rng(0).standard_normal(round(seconds * 16_000))
    return (samples * 10 ** (decibels / 20)).astype(np.float32)


def test_what_is_audible_depends_on_how_loud_the_speech_around_is() -> None:
    soft = -20 - SPEECH_RANGE + 6
    recording = np.concatenate([noise(2, -20), noise(1, soft), noise(2, soft - 12), noise(8, soft - 12)])
    heard = audible_frames(sound_levels(torch.from_numpy(recording)))
    at = (np.arange(len(heard)) * FRAME_SHIFT + FRAME_LENGTH / 2) / 16_000
    assert heard[(at > 0.1) & (at < 2.9)].all()
    assert not heard[(at > 3.1) & (at < 4.9)].any()
    assert heard[at > 9].all(), "the same sound far from anything louder"


def test_sixteen_bit_and_float_samples_are_equally_audible() -> None:
    recording = (np.concatenate([noise(1, -20), noise(1, -70), noise(1, -30)]) * 32768).round()
    as_int = audible_frames(sound_levels(torch.from_numpy(recording.astype(np.int16))))
    assert (
        as_int == audible_frames(sound_levels(torch.from_numpy((recording / 32768).astype(np.float32))))
    ).all()
    assert as_int.any()
    assert not as_int.all()


def test_less_than_a_frame_of_sound_is_not_audible() -> None:
    assert len(audible_frames(sound_levels(torch.zeros(100)))) == 0


def test_a_turn_goes_on_as_far_as_its_sound_but_not_for_long() -> None:
    soft = speaking((0, 100, 200))
    extend_turns_to_sound(soft, sound((95, 207)))
    assert runs(soft) == [(0, 95, 207)]
    loud = speaking((0, 100, 200))
    extend_turns_to_sound(loud, sound((0, 400)))
    assert runs(loud) == [(0, 100 - BEFORE_FRAMES, 200 + AFTER_FRAMES)]


def test_silence_beside_a_turn_stays_silent() -> None:
    data = speaking((0, 100, 200))
    extend_turns_to_sound(data, sound((100, 200), (203, 400)))
    assert runs(data) == [(0, 100, 200)]


def test_a_turn_never_grows_into_anothers() -> None:
    data = speaking((0, 100, 200), (1, 205, 300))
    extend_turns_to_sound(data, sound((0, 400)))
    assert runs(data) == [(0, 100 - BEFORE_FRAMES, 205), (1, 205, 300 + AFTER_FRAMES)]


def test_a_gap_is_closed_where_it_is_short_audible_and_of_one_speaker() -> None:
    gap = AFTER_FRAMES + BEFORE_FRAMES + 10

    def after(other: int, heard: np.ndarray, gap: int = gap) -> list[tuple[int, int, int]]:
        data = speaking((0, 50, 100), (other, 100 + gap, 300))
        extend_turns_to_sound(data, heard)
        return runs(data)

    assert after(0, sound((50, 300))) == [(0, 50, 300)]
    assert len(after(1, sound((50, 300)))) == 2
    assert len(after(0, sound((50, 120), (124, 300)))) == 2
    too_long = GAP_FRAMES + AFTER_FRAMES + BEFORE_FRAMES + 1
    assert len(after(0, sound((50, 300)), too_long)) == 2


def frame_by_frame(speaking: np.ndarray, heard: np.ndarray) -> None:
    """`extend_turns_to_sound` as it is told: a frame at a time."""
    sound = np.zeros(len(speaking), dtype=bool)
    sound[: len(heard)] = heard[: len(speaking)]
    for _ in range(AFTER_FRAMES):
        before = speaking.copy()
        for k in range(1, len(speaking)):
            if sound[k] and not before[k].any():
                speaking[k] = before[k - 1]
    for _ in range(BEFORE_FRAMES):
        before = speaking.copy()
        for k in range(len(speaking) - 1):
            if sound[k] and not before[k].any():
                speaking[k] = before[k + 1]
    silent = [k for k in range(len(speaking)) if not speaking[k].any()]
    for first in silent:
        if first == 0 or not speaking[first - 1].any():
            continue
        end = first
        while end < len(speaking) and not speaking[end].any():
            end += 1
        if end < len(speaking) and end - first <= GAP_FRAMES and sound[first:end].all():
            speaking[first:end] = speaking[first - 1] & speaking[end]


@pytest.mark.parametrize("seed", range(12))
def test_turns_are_what_they_are_frame_by_frame(seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = np.zeros((800, 3), dtype=np.uint8)
    heard = np.zeros(800 - 7 * (seed % 3), dtype=bool)
    for _ in range(14):
        first = rng.integers(0, 800)
        data[first : first + rng.integers(1, 60), rng.integers(3)] = 1
        first = rng.integers(0, 800)
        heard[first : first + rng.integers(1, 200)] = True
    expected = data.copy()
    frame_by_frame(expected, heard)
    assert (expected != data).any()
    extend_turns_to_sound(data, heard)
    np.testing.assert_array_equal(data, expected)


def test_windows_without_sound_are_those_in_which_nothing_is_louder_than_dither() -> None:
    size = 16_000
    silence, dither = np.zeros(3 * size, np.float32), noise(3.0, SILENCE - 3)
    recording = np.concatenate([silence, dither, noise(1.0, SILENCE + 3), silence])
    starts = np.arange(1_000, len(recording), size // 2)
    heard = windows_with_sound(sound_levels(torch.from_numpy(recording)), starts, size)
    loud = 6 * size
    np.testing.assert_array_equal(heard, (starts + size > loud) & (starts < loud + size))


def test_a_window_of_which_one_frame_sounds_has_sound() -> None:
    recording = np.zeros(16_000, np.float32)
    recording[8_000:8_100] = 0.01
    levels = sound_levels(torch.from_numpy(recording))
    starts = np.array([0, 1_000, 7_000, 8_500, 15_000])
    assert windows_with_sound(levels, starts, 4_000).tolist() == [False, False, True, False, False]
    assert not windows_with_sound(np.zeros(0, np.float32), starts, 4_000).any()


def test_a_shorter_recording_than_its_padded_windows_is_fine() -> None:
    data = speaking((0, 100, 200))
    extend_turns_to_sound(data, sound((0, 150), frames=150))
    assert runs(data) == [(0, 100 - BEFORE_FRAMES, 200)]
