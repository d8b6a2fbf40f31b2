"""Whether the truth about sessions is true, by their sound."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy import signal

from audio.tracks.placement import track_time
from models.record.transcript import TrackPiece
from models.runtime.samples import SAMPLE_RATE
from tests import sessions
from tests.models.conftest import SHARED, read_audio, read_rttm

pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="no recordings beside the checkout")
SECONDS = 70.0


@pytest.mark.parametrize("kind", ["adrift", "edited", "tightened"])
def test_each_place_in_a_track_sounds_as_the_mix_does_there(kind: str, tmp_path: Path) -> None:
    made = sessions.session(kind, tmp_path, seconds=2 * SECONDS)
    mix = read_audio(made.folder / made.mix)
    turns = read_rttm(made.rttm)
    off = []
    for name, track in made.tracks.items():
        sound = read_audio(made.path(name))
        for place in track.places:
            for start, end, person in turns:
                alone = not any(a < end and start < b for a, b, other in turns if other != person)
                if person == name and alone and place.start < start and end < place.end and end - start > 1:
                    off.append(_lag(mix, sound, start, end, place))
    assert len(off) >= 5
    assert max(map(abs, off)) <= 0.002


def _lag(
    mix: sessions.Samples, track: sessions.Samples, start: float, end: float, place: TrackPiece
) -> float:
    """Seconds by which a track is behind where a place has it, between -0.1 and 0.1."""
    reach = 1600
    here = mix[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]
    first = round(track_time(place, start) * SAMPLE_RATE)
    there = track[first - reach : first + len(here) + reach]
    likeness = signal.correlate(there, here, "valid", "fft")
    return float(np.argmax(likeness) - reach) / SAMPLE_RATE


@pytest.mark.parametrize("bleed", [-6.0, -20.0])
def test_a_neighbour_is_as_much_lower_as_asked(bleed: float) -> None:
    said = sessions.talk(sessions.CHOSEN_ON, SECONDS, sessions.Manner(), 3)
    spoken = sessions.voices(sessions.CHOSEN_ON, said, 3)
    taken = sessions.room(spoken, bleed, 3)
    turn = max(said, key=lambda one: one.end - one.start)
    alone = slice(round(turn.start * SAMPLE_RATE), round(turn.end * SAMPLE_RATE))
    level = {name: 10 * np.log10(np.mean(np.square(sound[alone]))) for name, sound in taken.items()}
    others = [level[name] - level[turn.person] for name in taken if name != turn.person]
    assert others == pytest.approx([bleed, bleed], abs=1.5)


def test_nobody_talks_over_themselves_and_the_truth_is_in_order() -> None:
    said = sessions.talk(sessions.HELD_OUT, 300, sessions.Manner(overlaps=0.6, early=(1.0, 3.0)), 4)
    for person in sessions.HELD_OUT:
        own = [one for one in said if one.person == person]
        assert all(before.end < after.start for before, after in pairwise(own))
    assert any(after.start < before.end - 1 for before, after in pairwise(said))


def test_the_same_seed_makes_the_same_files(tmp_path: Path) -> None:
    one, other = (sessions.session("room -12 dB", tmp_path / name, seed=5, seconds=20) for name in "ab")
    assert one.stm.read_bytes() == other.stm.read_bytes()
    for name in one.tracks:
        assert one.path(name).read_bytes() == other.path(name).read_bytes()


def test_words_that_were_cut_out_are_not_in_the_truth(tmp_path: Path) -> None:
    made = sessions.session("edited", tmp_path, seconds=100)
    ends = [float(line.split()[4]) for line in made.stm.read_text().splitlines()]
    assert max(ends) < made.seconds
    assert made.seconds < 100
    assert len(read_audio(made.folder / made.mix)) / SAMPLE_RATE == pytest.approx(made.seconds, abs=0.1)
