"""Who calls, and what callers may do.

A route says what it takes by the type of a parameter: `caller: Reader`, `Editor` or `Admin`. Who calls is told by
`request.state.caller`, which `authentication` sets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, HTTPException, Request

ROLES = ("reader", "editor", "admin")  # each may do what those before it may
OWNER = "owner"  # who has the token of an app that runs on their own machine


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


Reader = Annotated[Caller, Depends(requires("reader"))]
Editor = Annotated[Caller, Depends(requires("editor"))]
Admin = Annotated[Caller, Depends(requires("admin"))]
