"""Which folders are the tracks of one recording, and which hold episodes."""

from __future__ import annotations

from pathlib import PurePath

import pytest

from audio.tracks.folders import verdict

EQUAL = [1800.0, 1801.0, 1800.5]
UNEQUAL = [1800.0, 2406.0, 1377.0]


@pytest.mark.parametrize(
    ("names", "seconds", "session"),
    [
        (["anne.wav", "bo.wav"], EQUAL, True),
        (["anne.wav", "bo.wav"], UNEQUAL, False),
        (["1-anne.flac", "2-bo.flac", "3-cleo.flac"], EQUAL, True),
        (["anne.wav", "bo.wav", "show-12-mix.wav"], UNEQUAL, True),
        (["260721_194345_Tr1.WAV", "260721_194345_Tr2.WAV", "260721_194345_TrLR.WAV"], EQUAL, True),
        (["Audio Record/audioAnneCurrie21234567890.m4a", "audio_only.m4a"], UNEQUAL, True),
        (["anne/raw.wav", "bo/raw.wav"], EQUAL, True),
        (["track 1.wav", "track 2.wav"], EQUAL, True),
        (["TASCAM_0001.wav", "TASCAM_0002.wav"], UNEQUAL, False),
        (["STE-000.wav", "STE-001.wav"], EQUAL, False),
        (["clip000.wav", "clip001.wav"], EQUAL, False),
        (["show ep 1 Anne.mp3", "show ep 2 Bo.mp3"], EQUAL, False),
        (["2026-01-05 Anne.mp3", "2026-01-12 Bo.mp3"], EQUAL, False),
        (["Why the sea is getting so warm.mp3", "Bo.mp3"], EQUAL, False),
        (["monday/anne.wav", "monday/bo.wav", "tuesday/cleo.wav"], EQUAL, False),
        (["anne.wav"], EQUAL, False),
        (
            [f"person {chr(97 + n)}.wav" for n in range(26)] + [f"z{chr(97 + n)}.wav" for n in range(7)],
            EQUAL,
            False,
        ),
    ],
)
def test_names_tell_and_then_lengths(names: list[str], seconds: list[float], session: bool) -> None:
    asked = [PurePath(name) for name in names]
    assert verdict(asked, lambda: seconds[: len(names)]).session is session


def test_what_could_be_otherwise_is_told() -> None:
    files = [PurePath("anne.wav"), PurePath("bo.wav")]
    assert "don't play equally long" in verdict(files, lambda: UNEQUAL[:2]).why
    assert "equally long" in verdict([PurePath("a1.wav"), PurePath("a2.wav")], lambda: EQUAL[:2]).why
    assert verdict([PurePath("ep1.wav"), PurePath("ep2.wav")], lambda: EQUAL[:2]).why == ""
