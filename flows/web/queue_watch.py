"""One look a second at the queue for all who watch it, while anybody does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from flows.schedule import queue
from flows.schedule.queue import LIVE, Standing
from flows.web.config import WebConfig
from flows.web.hub import Hub
from flows.web.lasting import Lasting

TOPIC = "queue"
SECONDS = 1.0  # between two looks
NEXT = 100  # of those that wait
RECENT = 50  # of those that have ended
MANY = 100  # changes at once that are told as a whole

Tell = Callable[[WebConfig, Standing], BaseModel]


@dataclass(frozen=True)
class Look:
    """What the queue is at a time: episodes by id, ids of the next that wait in order, and how many are in each state.

    An episode says nothing of its place: where one begins, all behind it move up, and nothing else changes.
    """

    items: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    waiting: Sequence[str] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def line(self) -> dict[str, Any]:
        """What is told of the order."""
        return {"waiting": self.waiting, "counts": self.counts}

    @property
    def whole(self) -> dict[str, Any]:
        """The message that tells all of it."""
        return {"event": "queue", "items": list(self.items.values()), **self.line}

    @property
    def ended(self) -> dict[str, int]:
        """How many have ended, by state."""
        return {state: count for state, count in self.counts.items() if state not in LIVE}


class QueueWatch:
    """What the queue was when it was last looked at; differences go to the hub."""

    def __init__(self, config: WebConfig, hub: Hub, tell: Tell) -> None:
        self._config, self._hub, self._tell = config, hub, tell
        self._seen = Look()
        self._task: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    async def first(self) -> list[dict[str, Any]]:
        """All of it now, for somebody who begins to watch; from now on changes are looked for."""
        async with self._lock:
            if self._task is None or self._task.done():
                self._seen = await asyncio.to_thread(self.look, Look())
                self._task = asyncio.create_task(self._watch())
            else:
                await self._look_again()
            return [self._seen.whole]

    async def _watch(self) -> None:
        looking = Lasting("the queue's watch")
        await asyncio.sleep(SECONDS)
        while self._hub.listeners(TOPIC):
            async with self._lock:
                with looking.once():
                    await self._look_again()
            await asyncio.sleep(SECONDS)

    async def _look_again(self) -> None:
        """Tell who watches what has changed since the last look."""
        before = self._seen
        self._seen = await asyncio.to_thread(self.look, before)
        for message in changes(before, self._seen):
            self._hub.publish(TOPIC, message)

    def look(self, before: Look) -> Look:
        """What there is now; what has ended is read anew only where there is more or less of it than `before`."""
        store = self._config.store
        counts = queue.counts(store)
        live = queue.standing(store, counts.get("running", 0) + NEXT)
        told = self._told(live)
        now = Look(told, [one.listed.id for one in live if one.place is not None], counts)
        ended = {one: item for one, item in before.items.items() if item["state"] not in LIVE}
        left = before.items.keys() - ended.keys() - told.keys()
        if left or not before.counts or now.ended != before.ended:
            ended = self._told(queue.ended(store, RECENT))
        return replace(now, items={**ended, **told})

    def _told(self, standing: Iterable[Standing]) -> dict[str, dict[str, Any]]:
        return {
            one.listed.id: self._tell(self._config, one).model_dump(mode="json", exclude={"position"})
            for one in standing
        }


def changes(before: Look, now: Look) -> list[dict[str, Any]]:
    """What to tell those who saw the one that they see the other.

    >>> was = Look({"a": {"id": "a", "share": 0.1}, "b": {"id": "b"}}, ["b"])
    >>> changes(was, Look({"a": {"id": "a", "share": 0.2}}, ["b"]))
    [{'event': 'item', 'id': 'a', 'share': 0.2}, {'event': 'gone', 'id': 'b'}]
    """
    told = [{"event": "item", **item} for one, item in now.items.items() if before.items.get(one) != item]
    told += [{"event": "gone", "id": one} for one in before.items if one not in now.items]
    if now.line != before.line:
        told.append({"event": "line", **now.line})
    return told if len(told) <= MANY else [now.whole]


def of(app: FastAPI, tell: Tell) -> QueueWatch:
    """The watch of an app."""
    if not hasattr(app.state, "queue_watch"):
        app.state.queue_watch = QueueWatch(app.state.config, app.state.hub, tell)
    watch: QueueWatch = app.state.queue_watch
    return watch
