"""Requests that have the app ask other sites, some at once: who waits for slow ones takes no thread from the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import anyio.to_thread
from fastapi import Request

from flows.web.problems import ProblemError

AT_ONCE = 4
RETRY_SECONDS = 5
RESPONSES: dict[int | str, dict[str, Any]] = {
    503: {"description": "The app waits for many other sites; Retry-After says when to come back."}
}
Result = TypeVar("Result")


class Fetches:
    """Those of an app that go on; used in its event loop only."""

    def __init__(self) -> None:
        self._going = 0
        self._threads = anyio.CapacityLimiter(AT_ONCE)

    async def do(self, work: Callable[[], Result]) -> Result:
        """Do what asks another site; ProblemError 503 where as many as may do so already."""
        if self._going >= AT_ONCE:
            told = "the app waits for many other sites: try again in a moment"
            raise ProblemError(503, "busy", told, {"Retry-After": str(RETRY_SECONDS)})
        self._going += 1
        try:
            return await anyio.to_thread.run_sync(work, limiter=self._threads)
        finally:
            self._going -= 1


def fetches_of(request: Request) -> Fetches:
    """Those of the app that answers."""
    fetches: Fetches = request.app.state.fetches
    return fetches
