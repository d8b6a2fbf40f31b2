"""The work on an episode as the queue shows it: told to the store once a second, and stopped where that says so."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from flows.progress import watched_by
from flows.schedule.queue import WORDS, Step
from models.record.errors import EpiscribeError, InterruptedRun

SECONDS = 1.0  # between two reports
BEFORE_MODELS = {"download": (0.0, 0.05), "decode": (0.05, 0.08)}  # shares of the run that these take
MODELS = (0.08, 0.98)  # what the stages of models take, by the seconds that each is expected to
ENOUGH = 0.1  # of a stage, from which on it tells how fast the run really is
SLOWEST = 10.0  # times what was expected, beyond which nobody believes it

Report = Callable[[Step | None], bool]


class RunWatch:
    """How far a run is, by what it tells; safe to call from any thread. `clock`: seconds, from anywhere."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._stage, self._done, self._began = "download", 0.0, clock()
        self._expected: dict[str, float] = {}
        self._whole = 0.0  # seconds that all stages of models were expected to take
        self._pace = 1.0  # real seconds for each that was expected
        self._share = 0.0
        self._words = ""
        self._spent: list[tuple[str, float, float]] = []
        self.stopped = threading.Event()

    def progress(self, stage: str, done: float, total: float) -> None:
        """See `flows.progress.Watch`; raises InterruptedRun where the run is to stop."""
        if self.stopped.is_set():
            raise InterruptedRun("cancelled")
        with self._lock:
            if stage in BEFORE_MODELS and not self._whole:
                self._stage = stage
            if stage == self._stage and total > 0:
                self._done = max(self._done if stage not in BEFORE_MODELS else 0.0, min(1.0, done / total))

    def stage(self, name: str, expected: Mapping[str, float]) -> None:
        """See `flows.progress.Watch`."""
        if self.stopped.is_set():
            raise InterruptedRun("cancelled")
        with self._lock:
            self._stage, self._done, self._began = name, 0.0, self._clock()
            self._expected = dict(expected)
            self._whole = self._whole or sum(expected.values())

    def heard(self, words: str) -> None:
        """See `flows.progress.Watch`."""
        with self._lock:
            self._words = _last(words)

    def took(self, stage: str, seconds: float, audio: float) -> None:
        """See `flows.progress.Watch`."""
        with self._lock:
            self._spent.append((stage, seconds, audio))

    @property
    def spent(self) -> Sequence[tuple[str, float, float]]:
        """The stages that were worked through, each with its seconds and those of its audio."""
        with self._lock:
            return tuple(self._spent)

    def step(self) -> Step:
        """How far it is now. The share never falls."""
        with self._lock:
            share, left = self._reckoned()
            self._share = max(self._share, share)
            return Step(self._stage, round(self._share, 3), left, self._words)

    def _reckoned(self) -> tuple[float, float | None]:
        """The share of the run that is done, and the seconds that are left where that can be told."""
        if self._stage in BEFORE_MODELS:
            first, last = BEFORE_MODELS[self._stage]
            return first + (last - first) * self._done, None
        if self._stage not in self._expected:  # publishing
            return MODELS[1], 0.0
        own = self._expected[self._stage]
        rest = sum(self._expected.values()) - own
        took = self._clock() - self._began
        done = self._done or min(
            0.9, took / own if own else 0.9
        )  # of some stages nobody tells how far they are
        if self._done >= ENOUGH and own:
            self._pace = min(SLOWEST, took / self._done / own)
        left = own * (1.0 - done) + rest
        share = 1.0 - left / self._whole if self._whole else 0.0
        return MODELS[0] + (MODELS[1] - MODELS[0]) * max(0.0, share), round(left * self._pace, 1)


def _last(words: str) -> str:
    """The last words of a text, as many as are shown."""
    return words if len(words) <= WORDS else words[-WORDS:].partition(" ")[2]


@contextmanager
def watched(report: Report) -> Iterator[RunWatch]:
    """Within, `report` is called once a second with how far the run is, None where that has not changed.

    That happens in a thread of its own, so whatever becomes of it the run goes on as it would; but where `report`
    answers False the run is stopped, by InterruptedRun from where it next tells how far it is.
    """
    watch, ended = RunWatch(), threading.Event()

    def tell() -> None:
        told = None
        while not ended.wait(SECONDS):
            step = watch.step()
            with suppress(EpiscribeError):  # a store that can't be reached now may be there next time
                if not report(step if step != told else None):
                    watch.stopped.set()
                told = step

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        with watched_by(watch):
            yield watch
    finally:
        ended.set()
