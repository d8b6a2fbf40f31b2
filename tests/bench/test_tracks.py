"""What counts as doubled and as lost, and how far tracks are from where they lie."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from models.record.transcript import TrackPiece, Word
from tests.bench.tracks import doubled_and_lost, placing
from tests.sessions import Session, Track


def said(speaker: str, start: float, text: str) -> list[Word]:
    return [
        Word(start + 0.4 * i, start + 0.4 * i + 0.3, each, 1.0, speaker)
        for i, each in enumerate(text.split())
    ]


ANNE, GAEL = said("anne", 0, "what do you think of it"), said("gael", 4, "not much to be honest")
CLEAN = {"anne": ANNE, "gael": [*GAEL[:4], replace(GAEL[4], probability=0.2)]}
# fmt: off
CASES = {
    "right": ([*ANNE, *GAEL], (0, 0)),
    "under other labels": ([replace(w, speaker=f"track of {w.speaker}") for w in (*ANNE, *GAEL)], (0, 0)),
    "misheard": ([*ANNE[:-1], replace(ANNE[-1], text="hat"), *GAEL], (0, 0)),
    "bleed written down, too": ([*ANNE, *GAEL, *said("gael", 0.02, "what do you think of it")], (6, 0)),
    "bleed misheard, too": ([*ANNE, *GAEL, *said("gael", 0.02, "hot dew")], (2, 0)),
    "bleed of a silent person's track": ([*ANNE, *GAEL, *said("nobody", 0.02, "what do")], (2, 0)),
    "written where nobody speaks": ([*ANNE, *GAEL, *said("gael", 30, "thank you")], (0, 0)),
    "silenced": ([*ANNE, *GAEL[:2]], (0, 2)),
    "swapped": ([*ANNE, *GAEL[2:], *(replace(w, speaker="anne") for w in GAEL[:2])], (2, 2)),
    "an unsure one silenced": ([*ANNE, *GAEL[:4]], (0, 0)),
    "empty": ([], (0, 10)),
}
# fmt: on


@pytest.mark.parametrize(("written", "counts"), CASES.values(), ids=CASES)
def test_words_doubled_and_lost(written: list[Word], counts: tuple[int, int]) -> None:
    assert doubled_and_lost(CLEAN, written) == counts


def test_tracks_are_compared_with_where_they_lie(tmp_path: Path) -> None:
    truth = TrackPiece(0.0, 100.0, 2.0, 50.0)
    made = Session(tmp_path, {"anne": Track("anne.wav", ("anne",), (truth,))}, "tracks and mix", 100.0)
    made.rttm.write_text(
        "".join(f"SPEAKER mix 1 {at} 20 <NA> <NA> anne <NA> <NA>\n" for at in (0, 25, 60, 80))
    )
    record = tmp_path / "episode.json"
    found = TrackPiece(0.0, 50.0, 2.01, 40.0)
    record.write_text(json.dumps({"tracks": {"tracks": [{"file": "anne.wav", "pieces": [asdict(found)]}]}}))
    told = placing(made, record)
    assert told is not None
    assert max(told.errors) == pytest.approx(0.01)
    assert told.drift == pytest.approx(0.036)
    assert told.unplaced == 0.5
    record.write_text("{}")
    assert placing(made, record) is None
