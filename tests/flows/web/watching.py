"""Server-sent events as somebody who watches gets them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

from tests.flows.web.conftest import Running
from tests.waiting import PATIENCE


@contextmanager
def watching(app: Running) -> Iterator[Callable[..., dict[str, Any]]]:
    """Server-sent events of the queue; `until(event, **members)` waits for one."""
    told: SimpleQueue[dict[str, Any]] = SimpleQueue()
    client = app.stranger(cookies=app.client.cookies)
    with client.stream("GET", "/api/v1/queue/events") as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")

        def read() -> None:
            event = ""
            try:
                for line in answer.iter_lines():
                    kind, _, rest = line.partition(": ")
                    event = rest if kind == "event" else event
                    if kind == "data":
                        told.put({"event": event, **json.loads(rest)})
            except Exception:  # the end of the test closes the stream
                return

        threading.Thread(target=read, daemon=True).start()

        def until(event: str, **members: Any) -> dict[str, Any]:
            while True:
                message = told.get(timeout=PATIENCE)
                if message["event"] == event and members.items() <= message.items():
                    return message

        yield until
