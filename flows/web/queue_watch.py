"""One look a second at the queue for all who watch it, while anybody does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
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
RECENT = 50  # of those that have ended
MANY = 100  # changes at once that are told as a whole

Tell = Callable[[WebConfig, Standing], BaseModel]
Items = dict[str, dict[str, Any]]


class QueueWatch:
    """What the queue was when it was last looked at; differences go to the hub."""

    def __init__(self, config: WebConfig, hub: Hub, tell: Tell) -> None:
        self._config, self._hub, self._tell = config, hub, tell
        self._items: Items = {}
        self._ended: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    async def first(self) -> list[dict[str, Any]]:
        """All of it now, for somebody who begins to watch; from now on changes are looked for."""
        async with self._lock:
            if self._task is None or self._task.done():
                self._items, self._ended = await asyncio.to_thread(self._whole)
                self._task = asyncio.create_task(self._watch())
            return [{"event": "queue", "items": list(self._items.values())}]

    async def _watch(self) -> None:
        looking = Lasting("the queue's watch")
        await asyncio.sleep(SECONDS)
        while self._hub.listeners(TOPIC):
            async with self._lock:
                with looking.once():
                    before = self._items
                    self._items, self._ended = await asyncio.to_thread(self._look)
                    for message in changes(before, self._items):
                        self._hub.publish(TOPIC, message)
            await asyncio.sleep(SECONDS)

    def _look(self) -> tuple[Items, dict[str, int]]:
        """What there is now; all that has ended is read anew only where there is more or less of it."""
        counts = queue.counts(self._config.store)
        ended = {state: count for state, count in counts.items() if state not in LIVE}
        live = {one.listed.id: one for one in queue.standing(self._config.store)}
        left = [one for one, item in self._items.items() if item["state"] in LIVE and one not in live]
        if ended != self._ended or left:
            return self._whole()
        rest = {one: item for one, item in self._items.items() if one not in live}
        return {**self._told(live.values()), **rest}, ended

    def _whole(self) -> tuple[Items, dict[str, int]]:
        counts = queue.counts(self._config.store)
        live = queue.standing(self._config.store)
        recent = queue.ended(self._config.store, RECENT)
        return self._told([*live, *recent]), {state: n for state, n in counts.items() if state not in LIVE}

    def _told(self, standing: Any) -> Items:
        return {one.listed.id: self._tell(self._config, one).model_dump(mode="json") for one in standing}


def changes(before: Items, now: Items) -> list[dict[str, Any]]:
    """What to tell those who saw the one that they see the other.

    >>> changes({"a": {"id": "a", "share": 0.1}, "b": {"id": "b"}}, {"a": {"id": "a", "share": 0.2}})
    [{'event': 'item', 'id': 'a', 'share': 0.2}, {'event': 'gone', 'id': 'b'}]
    """
    told = [{"event": "item", **item} for one, item in now.items() if before.get(one) != item]
    told += [{"event": "gone", "id": one} for one in before if one not in now]
    return told if len(told) <= MANY else [{"event": "queue", "items": list(now.values())}]


def of(app: FastAPI, tell: Tell) -> QueueWatch:
    """The watch of an app."""
    if not hasattr(app.state, "queue_watch"):
        app.state.queue_watch = QueueWatch(app.state.config, app.state.hub, tell)
    watch: QueueWatch = app.state.queue_watch
    return watch
