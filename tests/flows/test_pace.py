"""What a run says of its time, from what earlier ones took."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows import pace
from flows.pace import KEPT, Spent, Stage, Work, expectation, remember, transcribe_stage
from flows.progress import reporting_to
from models.record.progress import silent

HOUR = 3600.0
DIARISE, TRANSCRIBE, OVERLAPS = (
    Stage("diarise", "a diariser", 0.02),
    Stage("transcribe", "a model", 0.05),
    Stage("overlaps", "a model", 0.0),
)
STAGES = (DIARISE, TRANSCRIBE, OVERLAPS)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EPISCRIBE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def said() -> Iterator[list[str]]:
    lines: list[str] = []
    with reporting_to(silent, lines.append):
        yield lines


def test_without_earlier_runs_a_table_is_gone_by_and_told() -> None:
    assert expectation(HOUR, STAGES) == "1:00:00 of audio: about 4 min (no earlier runs here)"


def test_of_a_model_that_nobody_knows_nothing_is_said() -> None:
    assert transcribe_stage("somebody/model", 5, "cpu").guess is None
    assert expectation(HOUR, [DIARISE, transcribe_stage("somebody/model", 5, "cpu")]) == ""


def test_one_run_is_enough_to_tell_of_recordings_of_any_length() -> None:
    remember(DIARISE.kind, Spent(load=2.0, work=0.02 * 90, audio=60.0))
    remember(TRANSCRIBE.kind, Spent(load=1.0, work=0.15 * 90, audio=60.0))
    assert expectation(HOUR, [DIARISE, TRANSCRIBE]) == "1:00:00 of audio: about 10 min"
    assert expectation(10 * HOUR, [DIARISE, TRANSCRIBE]) == "10:00:00 of audio: about 1 h 40 min"
    assert expectation(60.0, [DIARISE, TRANSCRIBE]) == "01:00 of audio: about 20 s"


def test_one_odd_run_among_three_counts_for_nothing() -> None:
    for work in (0.1, 5.0, 0.1):
        remember(TRANSCRIBE.kind, Spent(1.0, work * (HOUR + 30), HOUR))
    assert expectation(HOUR, [TRANSCRIBE]) == "1:00:00 of audio: about 6 min"


def test_a_machine_that_got_faster_is_believed_after_some_runs() -> None:
    for work in (0.2,) * KEPT + (0.1,) * (KEPT // 2 + 1):
        remember(TRANSCRIBE.kind, Spent(0.0, work * (HOUR + 30), HOUR))
    assert expectation(HOUR, [TRANSCRIBE]) == "1:00:00 of audio: about 6 min"


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", '{"a model": 3}', '{"a model": [[1]]}', '{"a model": [["x", 1, 2]]}']
)
def test_a_damaged_file_is_none(cache: Path, damage: str) -> None:
    cache.mkdir()
    (cache / "pace.json").write_text(damage)
    assert "no earlier runs" in expectation(HOUR, STAGES)
    remember(TRANSCRIBE.kind, Spent(1.0, 36.3, HOUR))
    assert expectation(HOUR, [TRANSCRIBE]) == "1:00:00 of audio: about 40 s"


def test_a_cache_that_cannot_be_written_costs_no_run(cache: Path) -> None:
    cache.touch()  # a file, in which nothing can be kept
    remember(TRANSCRIBE.kind, Spent(1.0, 1.0, HOUR))
    assert "no earlier runs" in expectation(HOUR, STAGES)


def test_a_run_tells_before_its_first_stage_and_at_its_end(said: list[str]) -> None:
    work = Work(60.0, STAGES, "cpu")
    assert said == []
    assert work.computed("diarise", lambda: None, lambda: {"turns": 2})["turns"] == 2
    assert said == ["01:00 of audio: about 20 s (no earlier runs here)"]
    work.computed("transcribe", lambda: None, dict)
    work.end()
    assert re.fullmatch(r"took \d+ s", said[-1])
    assert len(said) == 2
    assert expectation(60.0, [DIARISE, TRANSCRIBE]) == "01:00 of audio: about 1 s"


def test_what_need_not_be_computed_is_not_counted(said: list[str]) -> None:
    Work(HOUR, STAGES, "cpu").computed("transcribe", lambda: None, dict)
    assert said == ["1:00:00 of audio: about 3 min (no earlier runs here)"]


def test_a_run_in_which_no_model_works_says_nothing_and_leaves_nothing(said: list[str], cache: Path) -> None:
    Work(HOUR, STAGES, "cpu").end()
    assert said == []
    assert not cache.exists()


def test_a_stage_that_fails_leaves_nothing(said: list[str], cache: Path) -> None:
    def fail() -> dict[str, object]:
        raise RuntimeError("no memory")

    with pytest.raises(RuntimeError):
        Work(HOUR, STAGES, "cpu").computed("diarise", fail, fail)
    assert not cache.exists()


def test_times_are_as_exact_as_they_can_be_told() -> None:
    assert [pace._rounded(seconds) for seconds in (0.2, 7.4, 31, 149, 5000, 9100)] == [
        1,
        7,
        30,
        120,
        4980,
        9000,
    ]
