"""A Prefect worker whose processes stay warm.

Prefect's own process worker starts two Python processes for every run, and the run then loads its models:
some ten seconds each time. Here a run goes to a process that has done others before, where all of that is
loaded. Each of a worker's slots is a process of its own, so a run that crashes takes nothing else with it.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult

from flows.schedule.warm import WarmProcess

if TYPE_CHECKING:
    from anyio.abc import TaskStatus
    from prefect import Flow
    from prefect.client.schemas.objects import FlowRun

RUNS_PER_PROCESS = 100  # then it makes way for a fresh one, with whatever memory it has lost hold of
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


class _Slot(WarmProcess):
    """A process that does one run after another."""

    def __init__(self) -> None:
        super().__init__()
        self.runs = 0
        self.flow_run: FlowRun | None = None  # that it is at

    def start(self, name: str, flow_run: FlowRun) -> Future[None]:
        self.runs += 1
        self.flow_run = flow_run
        return self.submit(_execute, name, flow_run.id)


def _give_back(flow_run: FlowRun) -> None:
    """Tell the store at once that an episode's process has died; else its lease would have to run out."""
    from flows.schedule import leases

    if episode_id := flow_run.parameters.get("episode_id"):
        leases.record_failure(episode_id, str(flow_run.id), "its process died", cut_off=True)


# What follows happens in the warm process.


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
