"""A Prefect worker whose processes stay warm.

Prefect's own process worker starts two Python processes for every run, and the run then loads its models:
some ten seconds each time. Here a run goes to a process that has done others before, where all of that is
loaded. Each of a worker's slots is a process of its own, so a run that crashes takes nothing else with it.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult

from flows import logs

if TYPE_CHECKING:
    from anyio.abc import TaskStatus
    from prefect import Flow
    from prefect.client.schemas.objects import FlowRun

RUNS_PER_PROCESS = 100  # then it makes way for a fresh one, with whatever memory it has lost hold of
GRACE_SECONDS = 20.0  # a model that is at work hears no signal until it has finished a piece
KILLED = -signal.SIGKILL


class WarmWorker(ProcessWorker):
    """Polls a work pool of the type process, and runs our own flows in processes that stay.

    Flows of others run as Prefect's process worker runs them.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._slots: list[_Slot] = []
        self._idle: list[_Slot] = []

    @classmethod
    def __dispatch_key__(cls) -> str:
        """A name of our own in Prefect's register, where "process" stays Prefect's class."""
        return "episcribe"

    async def run(
        self,
        flow_run: FlowRun,
        configuration: ProcessJobConfiguration,
        task_status: TaskStatus[int] | None = None,
    ) -> ProcessWorkerResult:
        """Have a warm process do the run, and wait for it."""
        name = (await self.client.read_flow(flow_run.flow_id)).name
        if name not in FLOWS:
            return await super().run(flow_run, configuration, task_status)
        slot = self._idle.pop() if self._idle else await self._new_slot()
        if task_status is not None:
            task_status.started(slot.pid)
        status = await self._outcome(slot.start(name, flow_run), flow_run)
        self._put_back(slot, alive=status == 0)
        return ProcessWorkerResult(status_code=status, identifier=str(slot.pid))

    async def _outcome(self, run: Future[None], flow_run: FlowRun) -> int:
        """0 when the run has reached a state of its own, whatever that is; else how its process ended."""
        try:
            await asyncio.wrap_future(run)
        except BrokenProcessPool:
            await asyncio.to_thread(_give_back, flow_run)
            return KILLED
        return 0

    async def _new_slot(self) -> _Slot:
        slot = await asyncio.to_thread(_Slot)
        self._slots.append(slot)
        return slot

    def _put_back(self, slot: _Slot, *, alive: bool) -> None:
        slot.flow_run = None
        if alive and slot.runs < RUNS_PER_PROCESS:
            self._idle.append(slot)
        else:
            self._slots.remove(slot)
            slot.close()

    async def teardown(self, *exc_info: Any) -> None:
        """End the processes; what they were at is given back."""
        for slot in self._slots:
            slot.terminate()
        for slot in self._slots:
            slot.close()
            if slot.flow_run is not None:
                _give_back(slot.flow_run)
        await super().teardown(*exc_info)


class _Slot:
    """A process that does one run after another."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(1, mp_context=context, initializer=_settle)
        self.pid = self._pool.submit(os.getpid).result()
        self.runs = 0
        self.flow_run: FlowRun | None = None  # that it is at

    def start(self, name: str, flow_run: FlowRun) -> Future[None]:
        self.runs += 1
        self.flow_run = flow_run
        return self._pool.submit(_execute, name, flow_run.id)

    def terminate(self) -> None:
        """Ask the process to end."""
        self._signal(signal.SIGTERM)

    def close(self) -> None:
        """End the process: politely, so that it can give back what it is at, and then in any case."""
        self.terminate()
        last = threading.Timer(GRACE_SECONDS, self._signal, [signal.SIGKILL])
        last.start()
        self._pool.shutdown(wait=True)
        last.cancel()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)


def _give_back(flow_run: FlowRun) -> None:
    """Tell the store at once that an episode's process has died; else its lease would have to run out."""
    from flows.schedule import leases

    if episode_id := flow_run.parameters.get("episode_id"):
        leases.record_failure(episode_id, str(flow_run.id), "its process died", cut_off=True)


# What follows happens in the warm process.


def _settle() -> None:
    """Leave signals of the terminal to the worker, tidy up when told to end, and leave with it, however it ends."""
    logs.set_format(os.environ.get(logs.VARIABLE, logs.TEXT))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # during a run Prefect has a handler of its own
    threading.Thread(target=_leave_with_worker, daemon=True).start()


def _leave_with_worker() -> None:
    worker = multiprocessing.parent_process()
    assert worker is not None
    wait([worker.sentinel])
    os._exit(1)


def _execute(name: str, flow_run_id: UUID) -> None:
    """Do one run; its state tells how it went."""
    from prefect import get_client
    from prefect.exceptions import Abort, Pause
    from prefect.flow_engine import run_flow

    with get_client(sync_client=True) as client:
        flow_run = client.read_flow_run(flow_run_id)
    with suppress(Abort, Pause):  # the server wants it not to run, or not now
        run_flow(_flow(name), flow_run=flow_run, return_type="state")


FLOWS = ("process-episode", "poll-feeds")


def _flow(name: str) -> Flow[..., Any]:
    from flows.episode import process_episode
    from flows.schedule.poll import poll_feeds

    known: Sequence[Flow[..., Any]] = (process_episode, poll_feeds)
    return next(flow for flow in known if flow.name == name)
