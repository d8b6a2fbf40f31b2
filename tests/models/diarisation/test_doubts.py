from __future__ import annotations

from models.diarisation.doubts import Doubt, warnings_of
from models.record.transcript import Turn

TURNS = [Turn(0.0, 60.0, "SPEAKER_00"), Turn(61.0, 90.0, "SPEAKER_01")]


def test_each_speaker_has_one_warning_with_times_and_the_least_probability() -> None:
    doubts = [Doubt(70.2, 5.0, 0.8), Doubt(12.0, 4.0, 0.9), Doubt(31.5, 3.2, 0.62)]
    one, other = warnings_of(doubts, TURNS)
    assert one.startswith("SPEAKER_00 is heard in another way for 7 s (from 0:00:12, 0:00:31 on)")
    assert "62% sure; --min-speakers 3 keeps them apart" in one
    assert other.startswith("SPEAKER_01 is heard in another way for 5 s (from 0:01:10 on)")


def test_without_doubts_nothing_is_said() -> None:
    assert not list(warnings_of([], TURNS))
