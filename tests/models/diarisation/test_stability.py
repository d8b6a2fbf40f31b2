"""The number of speakers doesn't hang on a hair: harmless changes, expressive speech, short guests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import resample

from models.diarisation.diariser import DiariserOptions, diarise
from models.record.transcript import Diarisation
from tests.models.diarisation.test_diariser import error_rate
from tests.models.recording_variants import VARIANTS

RATE = 16_000
OFFLINE = DiariserOptions(model="offline", device="cpu")
PAUSE = np.zeros(RATE // 4, dtype=np.float32)

Samples = NDArray[np.float32]
Utterances = dict[str, list[Samples]]

pytestmark = pytest.mark.usefixtures("offline")


def count(found: Diarisation) -> int:
    return len({turn.speaker for turn in found.turns})


def seconds_of(found: Diarisation) -> list[float]:
    """What each speaker says, most first."""
    of: dict[str, float] = {}
    for turn in found.turns:
        of[turn.speaker] = of.get(turn.speaker, 0.0) + turn.duration
    return sorted(of.values(), reverse=True)


def higher(samples: Samples, semitones: float) -> Samples:
    """The same voice raised, and faster by as much."""
    raised: Samples = resample(samples, round(len(samples) / 2 ** (semitones / 12))).astype(np.float32)
    return raised


def lively(speech: Samples, semitones: float) -> Samples:
    """Speech of which some two seconds in the middle are said in a raised voice."""
    middle = len(speech) // 2
    inner = slice(middle - RATE, middle + RATE)
    return np.concatenate([speech[: inner.start], higher(speech[inner], semitones), speech[inner.stop :]])


def in_turn(parts: Sequence[Samples]) -> Samples:
    return np.concatenate([piece for part in parts for piece in (part, PAUSE)])


@pytest.fixture(scope="module")
def lively_talk(utterances: Utterances) -> Samples:
    """Two people, who raise their voices in every other turn."""
    parts = []
    for i, (one, other) in enumerate(zip(utterances["2414"][:5], utterances["3005"][:5], strict=True)):
        parts += [lively(one, 3.0) if i % 2 else one, other if i % 2 else lively(other, 2.5)]
    return in_turn(parts)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_call_keeps_its_two_speakers(call: tuple[Samples, object], variant: str) -> None:
    change, _ = VARIANTS[variant]
    assert count(diarise(change(call[0]), OFFLINE)) == 2


@pytest.mark.parametrize("variant", ["1 dB softer", "begun 0.5 s later", "dithered", "dull"])
def test_raised_voices_are_nobody_else(lively_talk: Samples, variant: str) -> None:
    change, _ = VARIANTS[variant]
    assert count(diarise(change(lively_talk), OFFLINE)) == 2


@pytest.mark.parametrize("variant", ["begun 0.5 s later", "noisy"])
def test_turns_stay_where_they_are(lively_talk: Samples, variant: str) -> None:
    change, later = VARIANTS[variant]
    reference = [(turn.start, turn.end, turn.speaker) for turn in diarise(lively_talk, OFFLINE).turns]
    found = diarise(change(lively_talk), OFFLINE)
    moved = [replace(turn, start=turn.start + later, end=turn.end + later) for turn in found.turns]
    assert error_rate(reference, Diarisation(turns=tuple(moved))) < 0.05


@pytest.mark.parametrize("seconds", [5.0, 8.0])
def test_a_short_guest_counts(utterances: Utterances, seconds: float) -> None:
    guest = np.concatenate(utterances["1688"])[: round(seconds * RATE)]
    parts = [*utterances["1998"][:5], guest, *utterances["1998"][5:8]]
    found = diarise(in_turn(parts), OFFLINE)
    assert count(found) == 2
    assert 0.7 * seconds < seconds_of(found)[1] < 1.3 * seconds
