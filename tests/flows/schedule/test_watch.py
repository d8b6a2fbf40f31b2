"""How far a run is, by what it tells."""

from __future__ import annotations

import threading

import pytest

from flows import progress
from flows.schedule.queue import Step
from flows.schedule.watch import RunWatch, watched
from models.record.errors import EpiscribeError, InterruptedRun
from tests.waiting import PATIENCE


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_share_goes_by_what_stages_are_expected_to_take_and_never_falls() -> None:
    clock = Clock()
    watch = RunWatch(clock)
    shares = [watch.step().share]

    def step() -> Step:
        told = watch.step()
        shares.append(told.share)
        return told

    watch.progress("download", 50, 100)
    assert step() == Step("download", 0.025)
    watch.progress("decode", 30, 60)
    step()
    watch.stage("diarise", {"diarise": 20.0, "transcribe": 60.0, "overlaps": 0.0})
    assert step().seconds_left == 80.0
    clock.now = 10.0
    watch.progress("decode", 60, 60)  # of samples that this stage reads
    watch.progress("diarise", 1, 4)
    assert step() == Step("diarise", 0.136, 150.0)  # half as fast as was expected
    watch.stage("transcribe", {"transcribe": 60.0, "overlaps": 0.0})
    assert step() == Step("transcribe", 0.305, 120.0)
    watch.heard("As they stand there.")
    watch.progress("transcribe", 30, 60)
    clock.now = 40.0
    assert step() == Step("transcribe", 0.642, 30.0, "As they stand there.")
    watch.stage("overlaps", {"overlaps": 0.0})
    step()
    watch.stage("publish", {})
    assert step().share == 0.98
    assert shares == sorted(shares)


def test_stages_whose_results_are_kept_take_nothing() -> None:
    watch = RunWatch()
    watch.progress("decode", 60, 60)
    watch.stage("publish", {})
    assert watch.step() == Step("publish", 0.98, 0.0)


def test_of_many_words_the_last_are_shown() -> None:
    watch = RunWatch()
    watch.heard(" ".join(f"word{number}" for number in range(1000)))
    words = watch.step().words
    assert len(words) <= 300
    assert words.startswith("word")
    assert words.endswith("word999")


def test_a_run_is_stopped_where_it_tells_how_far_it_is() -> None:
    asked = threading.Event()

    def report(step: Step | None) -> bool:
        asked.set()
        return False

    def work() -> None:
        assert asked.wait(PATIENCE)
        while True:
            progress.progress("transcribe", 1, 2)
            progress.stage("transcribe", {})

    with pytest.raises(InterruptedRun, match="cancelled"), watched(report):
        work()


def test_a_store_that_fails_is_no_affair_of_the_run() -> None:
    times = threading.Semaphore(0)

    def report(step: Step | None) -> bool:
        times.release()
        raise EpiscribeError("the store can't be used")

    with watched(report):
        for _ in range(2):
            assert times.acquire(timeout=PATIENCE)
        progress.progress("transcribe", 1, 2)
