"""Turns of tracks: whose they are, where they begin and end, and which voices on a track are other people's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from models.diarisation.own_tracks import TrackSpeech, join_tracks
from models.record.spans import Span
from models.record.transcript import Diarisation, Turn, Voice

VOICES: Mapping[str, tuple[float, ...]] = {
    name: tuple(vector)
    for name, vector in zip(("anne", "gael", "guest"), np.eye(3, 192).tolist(), strict=True)
}
ACTED = tuple(0.5 * np.array(VOICES["anne"]) + 0.87 * np.eye(1, 192, 100)[0])


def track(
    sounds: Sequence[tuple[float, float]],
    turns: Sequence[tuple[float, float, str]],
    voices: Mapping[str, Sequence[float]] | None = None,
    warnings: tuple[str, ...] = (),
) -> TrackSpeech:
    found = Diarisation(
        tuple(Turn(*turn) for turn in turns),
        voices=tuple(Voice(label, tuple(v), 10.0, "m") for label, v in (voices or {}).items()),
        warnings=warnings,
    )
    return TrackSpeech(tuple(Span(*span) for span in sounds), found)


ANNE = track([(0, 5), (10, 15)], [(0.2, 4.8, "S0"), (10.1, 14.9, "S0")], {"S0": VOICES["anne"]})
GAEL = track([(5, 9), (14, 16)], [(5.1, 9.0, "S0"), (14.1, 16.0, "S0")], {"S0": VOICES["gael"]})


def spans(turns: Sequence[Turn]) -> list[tuple[float, float, str]]:
    return [(turn.start, turn.end, turn.speaker) for turn in turns]


def test_turns_are_where_a_track_has_sound_of_its_own() -> None:
    joined = join_tracks([ANNE, GAEL])
    assert spans(joined.found.turns) == [
        (0, 5, "SPEAKER_00"),
        (5, 9, "SPEAKER_01"),
        (10, 15, "SPEAKER_00"),
        (14, 16, "SPEAKER_01"),
    ]
    assert joined.labels == (("SPEAKER_00",), ("SPEAKER_01",))
    assert [voice.speaker for voice in joined.found.voices] == ["SPEAKER_00", "SPEAKER_01"]
    assert all(
        a.end <= b.start for a, b in zip(joined.found.exclusive, joined.found.exclusive[1:], strict=False)
    )


def test_labels_are_in_order_of_first_speech() -> None:
    assert join_tracks([GAEL, ANNE]).labels == (("SPEAKER_01",), ("SPEAKER_00",))


def test_sound_that_is_no_speech_is_no_turn() -> None:
    typing = track([(0, 2), (4, 9), (20, 24)], [(4.5, 7.0, "S0")])
    (turn,) = join_tracks([typing]).found.turns
    assert (turn.start, turn.end) == pytest.approx((4.2, 7.3))


def test_a_track_without_speech_has_nobody() -> None:
    joined = join_tracks([ANNE, track([(0, 1)], [])])
    assert joined.labels == (("SPEAKER_00",), ())


@pytest.mark.parametrize(
    ("seconds", "voice", "people"),
    [(8.0, VOICES["guest"], 2), (3.0, VOICES["guest"], 1), (8.0, ACTED, 1)],
    ids=["another", "too short", "acted"],
)
def test_another_person_shares_a_track_only_where_that_is_sure(
    seconds: float, voice: Sequence[float], people: int
) -> None:
    shared = track(
        [(0, 20), (30, 30 + seconds)],
        [(0, 20, "S0"), (30, 30 + seconds, "S1")],
        {"S0": VOICES["anne"], "S1": voice},
    )
    joined = join_tracks([shared, GAEL])
    assert len(joined.labels[0]) == people
    assert sum(turn.duration for turn in joined.turns[0]) == pytest.approx(20 + seconds)


def test_a_neighbours_voice_is_bleed_where_the_own_track_has_it_too() -> None:
    both = track(
        [(0, 5), (5, 16)],
        [(0, 5, "S0"), (10, 12, "S0"), (5, 9, "S1"), (14, 16, "S1")],
        {"S0": VOICES["anne"], "S1": VOICES["gael"]},
    )
    joined = join_tracks([both, GAEL])
    assert spans(joined.turns[0]) == [(0, 5, "SPEAKER_00"), (10, 12, "SPEAKER_00")]


def test_who_speaks_into_anothers_microphone_is_still_who_they_are() -> None:
    lent = track(
        [(0, 5), (30, 37)],
        [(0, 5, "S0"), (10, 15, "S0"), (30, 37, "S1")],
        {"S0": VOICES["anne"], "S1": VOICES["gael"]},
    )
    joined = join_tracks([lent, GAEL])
    assert (30, 37, joined.labels[1][0]) in spans(joined.turns[0])
    assert len({turn.speaker for turn in joined.found.turns}) == 2


def test_of_the_mix_known_voices_are_people_of_tracks_and_others_are_new() -> None:
    mix = track([(50, 70)], [(50, 60, "S0"), (60, 70, "S1")], {"S0": VOICES["guest"], "S1": VOICES["gael"]})
    joined = join_tracks([ANNE, GAEL], mix)
    assert joined.labels == (("SPEAKER_00",), ("SPEAKER_01",), ("SPEAKER_02", "SPEAKER_01"))
    assert len(joined.found.voices) == 3


def test_doubts_of_a_diariser_about_voices_are_not_told() -> None:
    doubted = track(
        [(0, 5)], [(0, 5, "S0")], {"S0": VOICES["anne"]}, ("S0 is heard in another way", "done on the CPU")
    )
    assert join_tracks([doubted, doubted]).found.warnings == ("done on the CPU",)
