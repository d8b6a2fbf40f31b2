"""Who calls, and what callers may do.

A route says what it takes by the type of a parameter: `caller: Reader`, `Editor` or `Admin`. Who calls is told by
`request.state.caller`, which `authentication` sets, as `request.state.look_up`, which finds out again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, HTTPException, Request

ROLES = ("reader", "editor", "admin")  # each may do what those before it may


@dataclass(frozen=True, slots=True)
class Caller:
    """A user as the app knows them. `csrf` is what unsafe requests of their browser must bear; "" for programs."""

    name: str
    role: str
    language: str = ""
    csrf: str = ""

    def may(self, role: str) -> bool:
        """Whether the caller has at least this role."""
        return ROLES.index(self.role) >= ROLES.index(role)


def requires(role: str) -> Callable[[Request], Caller]:
    """The caller of a request, who has at least this role; else 401 or 403."""

    def caller(request: Request) -> Caller:
        found: Caller | None = getattr(request.state, "caller", None)
        if found is None:
            raise HTTPException(401, "sign in, or send a token", {"WWW-Authenticate": "Bearer"})
        if not found.may(role):
            raise HTTPException(403, f"this takes the role {role}, {found.name} is {found.role}")
        return found

    return caller


async def still_let_in(request: Request) -> bool:
    """Whether who sent a request, which goes on, could send it now: not who has signed out or was removed."""
    look_up: Callable[[], Awaitable[Caller | None]] = request.state.look_up
    return await look_up() is not None


Reader = Annotated[Caller, Depends(requires("reader"))]
Editor = Annotated[Caller, Depends(requires("editor"))]
Admin = Annotated[Caller, Depends(requires("admin"))]
