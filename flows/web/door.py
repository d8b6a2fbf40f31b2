"""What comes in at all: requests to the app's host, below its path, with bodies no larger than need be."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import Match, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flows.web import problems
from flows.web.config import API, WebConfig

MAX_BODY = 1_000_000  # bytes; what is larger comes in as an upload
HEARD_OUT = 16 * MAX_BODY  # so much more is read of a body that is too large: who is cut off gets no answer
UPLOADS = f"{API}/uploads/"


class Door:
    """ASGI middleware. Names another host than ours: some page's trick to reach us, or a wrong setting."""

    def __init__(self, app: ASGIApp, config: WebConfig) -> None:
        self._app, self._config = app, config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        if (refused := self._refused(request)) is not None:
            if refused.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                await _hear_out(receive)
            await refused(scope, receive, send)
            return
        scope["root_path"] = self._config.base
        if _takes_any_size(scope["method"], self._config.below(scope["path"]) or ""):
            await self._app(scope, receive, send)
        else:
            await self._app(scope, _limited(receive), send)

    def _refused(self, request: Request) -> Response | None:
        config, path = self._config, request.scope["path"]
        hosts = request.headers.getlist("host")
        if [host.lower() for host in hosts] != [config.host]:
            return problems.refusal(request, 421, f"this is not the app's host: it is at {config.url}/")
        if config.base and path == config.base:
            return RedirectResponse(f"{config.url}/", 308)
        below = config.below(path)
        if below is None:
            return problems.refusal(request, 404, f"the app is at {config.url}/")
        length = request.headers.get("content-length", "0")
        if not length.isdecimal():
            return problems.refusal(request, 400, "Content-Length is no number")
        if int(length[:20]) > MAX_BODY and not _takes_any_size(request.method, below):
            return problems.refusal(request, 413, TOO_LARGE, headers={"Connection": "close"})
        return None


TOO_LARGE = f"a request has at most {MAX_BODY} bytes; audio comes in as an upload"


def _takes_any_size(method: str, path: str) -> bool:
    return method == "PATCH" and path.startswith(UPLOADS)


def _limited(receive: Receive) -> Receive:
    """As `receive`, for bodies that don't say how long they are."""
    received = 0

    async def receive_on() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MAX_BODY:
            if message.get("more_body"):
                await _hear_out(receive)
            raise HTTPException(413, TOO_LARGE, {"Connection": "close"})
        return message

    return receive_on


async def _hear_out(receive: Receive) -> None:
    """Read what is still sent, up to HEARD_OUT bytes of it."""
    received, more = 0, True
    while more and received < HEARD_OUT:
        message = await receive()
        received += len(message.get("body", b""))
        more = message.get("more_body", False)


class HeadAsGet:
    """ASGI middleware: HEAD works wherever GET does, and is answered as soon as the headers are known."""

    def __init__(self, app: ASGIApp, router: Router) -> None:
        self._app, self._router = app, router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["method"] != "HEAD" or self._is_routed(scope):
            await self._app(scope, receive, send)
            return

        async def send_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body"})  # the end: streams see their caller gone

        await self._app({**scope, "method": "GET"}, receive, send_headers)

    def _is_routed(self, scope: Scope) -> bool:
        return any(route.matches(scope)[0] is Match.FULL for route in self._router.routes)
