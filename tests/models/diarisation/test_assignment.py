from __future__ import annotations

import numpy as np
import pytest

from models.diarisation.assignment import OFFSET, SLOPE, Assignment
from models.record.transcript import Turn
from models.runtime.pyannote import SlidingWindow


@pytest.fixture
def assignment() -> Assignment:
    """Two windows of ten frames of a second, five apart: the first voice has seconds 0 to 6, the second 6 to 15."""
    activity = np.zeros((2, 10, 2), np.uint8)
    activity[0, :6, 0] = activity[0, 6:, 1] = 1
    activity[1, :1, 0] = activity[1, 1:, 1] = 1
    voices = np.array([[0, 1], [0, 1]])
    margins = np.array([[8.0, 2.0], [2.0, 6.0]])
    window = SlidingWindow(start=0.0, duration=10.0, step=5.0)
    return Assignment(activity, window, voices, margins, np.array([[1.0, 0.0], [0.0, 1.0]]))


def probability(margin: float) -> float:
    return float(1 / (1 + np.exp(-SLOPE * margin - OFFSET)))


@pytest.mark.parametrize(
    ("start", "end", "speaker", "margin"),
    [
        (0.0, 5.0, "A", 8.0),
        (5.0, 6.0, "A", 5.0),  # heard in both windows
        (10.0, 15.0, "B", 6.0),
        (6.0, 10.0, "B", 4.0),
        (2.0, 3.0, "B", 0.0),  # nowhere given to that voice
        (40.0, 41.0, "A", 0.0),  # after the last window
    ],
)
def test_a_turn_is_as_sure_as_the_windows_that_hold_it(
    assignment: Assignment, start: float, end: float, speaker: str, margin: float
) -> None:
    (turn,) = assignment.told([Turn(start, end, speaker)], {"A": 0, "B": 1})
    assert turn.probability == pytest.approx(probability(margin), abs=1e-3)


def test_speakers_without_a_voice_stay_as_they_are(assignment: Assignment) -> None:
    turns = [Turn(0.0, 5.0, "C")]
    assert list(assignment.told(turns, {"A": 0})) == turns


def test_a_voice_is_found_by_its_centroid(assignment: Assignment) -> None:
    assert [assignment.voice_of(centroid) for centroid in np.array([[0.0, 1.0], [1.0, 0.0]])] == [1, 0]
