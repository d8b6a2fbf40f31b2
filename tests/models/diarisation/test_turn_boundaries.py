from __future__ import annotations

import numpy as np
import torch

from models.diarisation.turn_boundaries import (
    AFTER_FRAMES,
    BEFORE_FRAMES,
    FRAME_LENGTH,
    FRAME_SHIFT,
    GAP_FRAMES,
    SPEECH_RANGE,
    audible_frames,
    extend_turns_to_sound,
    sound_levels,
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


def test_a_shorter_recording_than_its_padded_windows_is_fine() -> None:
    data = speaking((0, 100, 200))
    extend_turns_to_sound(data, sound((0, 150), frames=150))
    assert runs(data) == [(0, 100 - BEFORE_FRAMES, 200)]
