from __future__ import annotations

from collections.abc import Iterator
from threading import Barrier

import pytest
import torch

from models.runtime.parallel import parallel_map
from tests.waiting import PATIENCE

CPU = torch.device("cpu")
THREADS = 3


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """As on a machine of three cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    yield
    torch.set_num_threads(before)


def test_as_many_at_once_as_there_are_cores_with_one_each_in_order() -> None:
    together = Barrier(THREADS, timeout=PATIENCE)

    def work(job: int) -> tuple[int, int]:
        together.wait()
        return job, torch.get_num_threads()

    assert list(parallel_map(work, range(9), CPU)) == [(job, 1) for job in range(9)]
    assert torch.get_num_threads() == THREADS


def test_no_more_is_begun_than_is_taken_soon() -> None:
    begun = list[int]()
    results = parallel_map(begun.append, range(100), CPU)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert len(begun) <= 2 * THREADS + 1


def test_an_error_is_the_callers() -> None:
    with pytest.raises(ZeroDivisionError):
        list(parallel_map(lambda job: 1 / job, [1, 0, 2], CPU))
    assert torch.get_num_threads() == THREADS


def test_one_after_the_other_on_a_gpu() -> None:
    assert list(parallel_map(lambda job: job + 1, [1, 2], torch.device("cuda"))) == [2, 3]
