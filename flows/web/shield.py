"""What every answer has, whoever makes it: headers that keep it safe, and an answer at all where code failed."""

from __future__ import annotations

import logging

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flows.web import problems

log = logging.getLogger(__name__)
HEADERS = {
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",  # pages bring their own
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
HTTPS = {"Strict-Transport-Security": "max-age=31536000"}


class Shield:
    """ASGI middleware, to stand outside of all other."""

    def __init__(self, app: ASGIApp, secure: bool) -> None:
        self._app, self._headers = app, {**HEADERS, **(HTTPS if secure else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = False

        async def send_on(message: Message) -> None:
            nonlocal began
            if message["type"] == "http.response.start":
                began, headers = True, MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["path"].encode("unicode_escape").decode())
            if began:
                raise
            answer = problems.refusal(
                Request(scope), 500, "something went wrong here; the app's log says what"
            )
            await answer(scope, receive, send_on)
