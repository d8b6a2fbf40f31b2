"""A process that stays."""

from __future__ import annotations

import os
from concurrent.futures.process import BrokenProcessPool

import pytest

from flows.schedule.warm import WarmProcess
from tests.waiting import wait_until


def test_it_stays_until_it_is_closed_and_its_death_is_told() -> None:
    process = WarmProcess(os.chdir, "/")
    assert process.submit(os.getcwd).result() == "/"
    assert process.submit(os.getpid).result() == process.pid
    with pytest.raises(BrokenProcessPool):
        process.submit(os._exit, 1).result()
    process.close()
    wait_until(lambda: not os.path.exists(f"/proc/{process.pid}"), "its end")  # noqa: PTH110
