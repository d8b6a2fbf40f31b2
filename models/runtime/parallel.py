"""Run a network on many small batches at once, one CPU core each.

On two cores that is a third faster than one batch on both of them, and far less hurt by other
programs: threads inside one LSTM step wait for each other hundreds of times a second.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

Job = TypeVar("Job")
Result = TypeVar("Result")


def parallel_map(
    work: Callable[[Job], Result], jobs: Sequence[Job], device: torch.device
) -> Iterator[Result]:
    """`work(job)` of every job, in order; on a CPU several at a time.

    Only about twice as many jobs as cores are begun before their results are taken. Closing the
    iterator, or an error at the caller's, drops those that haven't started.
    """
    if device.type != "cpu":
        yield from map(work, jobs)
        return
    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
    waiting: deque[Future[Result]] = deque()
    try:
        for job in jobs:
            waiting.append(pool.submit(work, job))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)  # a worker's setting is also what threads born later begin with
