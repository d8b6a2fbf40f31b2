"""Lists in pages: `{"items": […], "next": cursor or null}`, and where the next page is in a Link header (RFC 8288).

A route takes `paging: Paging` and gives back `paging.slice(everything)`, or, where the store does the work,
`paging.answer(rows, after)` with what it needs to know to go on; the next request finds that in `paging.after`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import quote, urlencode

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, Field

from flows.web.problems import ProblemError

Item = TypeVar("Item")
LIMIT, MAX_LIMIT = 50, 200
MAX_CURSOR_CHARS = 1000


class Page(BaseModel, Generic[Item]):
    """Part of a list; `next` is the cursor of the part after it, null at the end."""

    items: list[Item]
    next: str | None = Field(None, description="cursor of the next page; null: this is the last")


@dataclass(frozen=True, slots=True)
class Paged:
    """Which part of a list is asked for: up to `limit` items behind `after`, None for its beginning.

    `after` is what the page before was answered with, but comes from outside: it may be any JSON whose texts and
    numbers a store takes.
    """

    limit: int
    after: Any
    request: Request
    response: Response

    def answer(self, items: Sequence[Item], after: Any = None) -> Page[Item]:
        """A page; `after`, any JSON, says where the next begins, None that there is none."""
        if after is None:
            return Page(items=list(items), next=None)
        cursor = encode(after)
        asked = [pair for pair in self.request.query_params.multi_items() if pair[0] != "cursor"]
        url = f"{self.request.app.state.config.origin}{quote(self.request.scope['path'])}"
        self.response.headers["Link"] = f'<{url}?{urlencode([*asked, ("cursor", cursor)])}>; rel="next"'
        return Page(items=list(items), next=cursor)

    def slice(self, items: Sequence[Item]) -> Page[Item]:
        """The page of a list that is all at hand, by position."""
        start = 0 if self.after is None else self.after
        if not isinstance(start, int) or start < 0:
            raise bad_cursor()
        stop = start + self.limit
        return self.answer(items[start:stop], stop if stop < len(items) else None)


def bad_cursor() -> ProblemError:
    """The failure that a cursor is none of ours, for routes that find something odd in `after`."""
    return ProblemError(422, "cursor", "this cursor is none that this list gave")


def encode(after: Any) -> str:
    """JSON as a cursor."""
    return base64.urlsafe_b64encode(json.dumps(after, separators=(",", ":")).encode()).decode().rstrip("=")


def decode(cursor: str) -> Any:
    """What `encode` was given; ProblemError where it was something else."""
    try:
        told = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
        after = json.loads(told, parse_int=_small, parse_constant=_small)
        if b"\\u0000" in json.dumps(after, ensure_ascii=False).encode():
            raise ValueError("text that no store takes")
        return after
    except (ValueError, binascii.Error, RecursionError):
        raise bad_cursor() from None


def _small(number: str) -> int:
    """A number that stores take, of 64 bits; ValueError for others, and what is none."""
    if not -(2**63) <= (found := int(number)) < 2**63:
        raise ValueError("a number that no store takes")
    return found


def _paged(
    request: Request,
    response: Response,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="items at most")] = LIMIT,
    cursor: Annotated[
        str | None, Query(max_length=MAX_CURSOR_CHARS, description="`next` of the page before")
    ] = None,
) -> Paged:
    return Paged(limit, decode(cursor) if cursor else None, request, response)


Paging = Annotated[Paged, Depends(_paged)]
