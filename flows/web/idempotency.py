"""Requests that may come twice, because an answer got lost, and are to be done once.

A route that takes `once: Once` and gives back `once(action)` heeds the header Idempotency-Key: its answer is kept for
a day, and given to whoever of the same user asks the same with the same key again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, Response
from sqlalchemy import delete, select, update

from flows.schedule.store import Store
from flows.schedule.tables import database_time, idempotency, insert_or_leave
from flows.web.problems import ProblemError

KEEP_SECONDS = 24 * 3600.0
RUN_SECONDS = 300.0  # after which a request without an answer was cut off, and may be done again
PENDING = 0  # in place of the status while it runs
RESPONSES: dict[int | str, dict[str, Any]] = {
    409: {"description": "The first request with this Idempotency-Key goes on."},
    422: {"description": "This Idempotency-Key was used for another request."},
}


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A request and its key, "" without one; calling it with an action does it, or answers as the first time."""

    store: Store
    key: str
    request: str  # SHA-256 of what is asked
    status: int

    def __call__(self, action: Callable[[], Any]) -> Response:
        """The answer: what `action` gives back, a model or JSON, with the route's own status.

        What fails is not kept. ProblemError where the key is in use.
        """
        if not self.key:
            return JSONResponse(jsonable_encoder(action()), self.status)
        if (known := self._begin()) is not None:
            return known
        try:
            answer = JSONResponse(jsonable_encoder(action()), self.status)
        except BaseException:
            self._forget()
            raise
        with self.store.begin() as connection:
            values = {"status": self.status, "body": bytes(answer.body).decode()}
            connection.execute(update(idempotency).where(idempotency.c.key == self.key).values(**values))
        return answer

    def _begin(self) -> Response | None:
        """The answer of the first time; None where this is it, which others now see going on."""
        table = idempotency
        with self.store.begin() as connection:
            now = database_time(connection)
            old = table.c.created_at < now - KEEP_SECONDS
            cut_off = (table.c.status == PENDING) & (table.c.created_at < now - RUN_SECONDS)
            connection.execute(delete(table).where(old | cut_off))
            values = {"request": self.request, "status": PENDING, "body": "", "created_at": now}
            if insert_or_leave(connection, table, key=self.key, **values):
                return None
            row = connection.execute(select(table).where(table.c.key == self.key)).mappings().one()
        if row["request"] != self.request:
            raise ProblemError(422, "idempotency-key", "this Idempotency-Key was used for another request")
        if row["status"] == PENDING:
            raise ProblemError(409, "in-progress", "the same request is being worked on")
        headers = {"Idempotent-Replayed": "true"}
        return Response(row["body"], row["status"], headers, "application/json")

    def _forget(self) -> None:
        with self.store.begin() as connection:
            connection.execute(delete(idempotency).where(idempotency.c.key == self.key))


async def _once(
    request: Request,
    idempotency_key: Annotated[
        str,
        Header(
            max_length=200, pattern=r"^[!-~]*$", description="any unique text: done once, however often sent"
        ),
    ] = "",
) -> Idempotency:
    caller = getattr(request.state, "caller", None)
    asked = f"{request.method} {request.url.path}?{request.url.query}\n".encode() + await request.body()
    key = f"{caller.name if caller else ''} {idempotency_key}" if idempotency_key else ""
    status = getattr(request.scope.get("route"), "status_code", None) or 200
    return Idempotency(request.app.state.config.store, key, hashlib.sha256(asked).hexdigest(), status)


Once = Annotated[Idempotency, Depends(_once)]
