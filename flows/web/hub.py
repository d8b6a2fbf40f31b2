"""Who watches hears of changes: topics within one process, and server-sent events out of them."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from fastapi import Request
from fastapi.responses import StreamingResponse

from flows.web.access import still_let_in
from models.record.errors import EpiscribeError

KEEP_ALIVE_SECONDS = 15.0
BACKLOG = 1000  # messages that a slow listener may be behind, before it is cut off and must begin anew
# What a route that answers with `stream` says of itself.
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "Server-sent events."}
}


class Hub:
    """Messages by topic. `publish` may be called from any thread, once `attach` was called in the loop."""

    def __init__(self) -> None:
        self._queues: dict[str, set[asyncio.Queue[str | None]]] = defaultdict(set)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def attach(self) -> None:
        """Belong to the event loop that runs."""
        self._loop = asyncio.get_running_loop()

    def close(self) -> None:
        """End all streams; called in the loop."""
        self._closed = True
        for queues in self._queues.values():
            for queue in queues:
                queue.put_nowait(None)

    def publish(self, topic: str, message: dict[str, Any]) -> None:
        """Tell all who listen to a topic."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._deliver, topic, _event(message))

    def _deliver(self, topic: str, event: str) -> None:
        for queue in self._queues.get(topic, ()):
            if queue.qsize() < BACKLOG:
                queue.put_nowait(event)
            elif queue.qsize() == BACKLOG:
                queue.put_nowait(None)

    def listeners(self, topic: str) -> int:
        """How many listen to a topic."""
        return len(self._queues.get(topic, ()))

    async def listen(self, topic: str) -> AsyncIterator[str | None]:
        """Messages as they come, each as a server-sent event, None at first and now and then where none does.

        Ends with the app, and for a slow listener.
        """
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._queues[topic].add(queue)
        try:
            yield None
            while not self._closed:
                try:
                    message = await asyncio.wait_for(queue.get(), KEEP_ALIVE_SECONDS)
                except TimeoutError:
                    yield None
                    continue
                if message is None:
                    return
                yield message
        finally:
            self._queues[topic].discard(queue)
            if not self._queues[topic]:
                del self._queues[topic]


First = Callable[[], Awaitable[Sequence[dict[str, Any]]]]


def stream(request: Request, topic: str, first: First) -> StreamingResponse:
    """The messages of a topic as server-sent events, after `first`; each is of the event that its "event" names.

    first: makes messages once this stream listens, so that no change falls between the two. It ends when the caller
    may not come in any more.
    """
    hub: Hub = request.app.state.hub
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # nginx would hold events back

    async def events() -> AsyncIterator[str]:
        greeted = False
        with suppress(EpiscribeError):  # the store, or the episode, can't be read: who listens comes back
            async for message in hub.listen(topic):
                if not await still_let_in(request):
                    return
                if not greeted:
                    for one in await first():
                        yield _event(one)
                    greeted = True
                yield ": still here\n\n" if message is None else message

    return StreamingResponse(events(), media_type="text/event-stream", headers=headers)


def _event(message: dict[str, Any]) -> str:
    told = {name: value for name, value in message.items() if name != "event"}
    return f"event: {message['event']}\ndata: {json.dumps(told)}\n\n"
