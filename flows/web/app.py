"""The app put together."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from urllib.parse import urlencode

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from flows.web import problems, shells
from flows.web.access import Caller, Reader
from flows.web.api import transcripts
from flows.web.config import WebConfig
from flows.web.hub import Hub

API = "/api/v1"
COOKIE = "episcribe"
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def create_app(config: WebConfig) -> FastAPI:
    """The app for an ASGI server."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        app.state.hub.attach()
        yield
        app.state.hub.close()

    app = FastAPI(
        title="Episcribe",
        version="1",
        lifespan=life,
        docs_url=None,  # these pages would load from other sites
        redoc_url=None,
        openapi_url=f"{API}/openapi.json",
        servers=[{"url": config.url}],
    )
    app.state.config, app.state.hub = config, Hub()
    problems.install(app)
    _guard(app, config)
    for router in _routers():
        app.include_router(router, prefix=API)
    app.include_router(shells.router)
    return app


def _routers() -> list[APIRouter]:
    me = APIRouter(tags=["users"])

    @me.get("/me")
    def who_am_i(caller: Reader) -> dict[str, str]:
        """Who the caller is, and what unsafe requests of a browser must bear as X-CSRF-Token."""
        return {"name": caller.name, "role": caller.role, "language": caller.language, "csrf": caller.csrf}

    return [me, transcripts.router]


def _guard(app: FastAPI, config: WebConfig) -> None:
    """Only who may comes in, only from where they may, and every answer has the headers that keep it safe."""
    csrf = sha256(f"csrf {config.token}".encode()).hexdigest()

    @app.middleware("http")
    async def guard(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        given = request.query_params.get("token", "")
        answer: Response
        if request.headers.get("host") != config.origin.partition("://")[2]:
            answer = problems.problem(421, "this is not the app's host")
        elif request.method == "GET" and given and _same(given, config.token):
            rest = [(name, value) for name, value in request.query_params.multi_items() if name != "token"]
            query = f"?{urlencode(rest)}" if rest else ""
            answer = RedirectResponse(f"{config.base}{request.url.path}{query}", 303)
            answer.set_cookie(COOKIE, config.token, path=config.base or "/", httponly=True, samesite="strict")
        else:
            if _same(request.cookies.get(COOKIE, ""), config.token):
                request.state.caller = Caller("owner", "admin", csrf=csrf)
                told = request.headers.get("x-csrf-token", "")
                origin = request.headers.get("origin", config.origin)
                if request.method in UNSAFE and (origin != config.origin or not _same(told, csrf)):
                    request.state.caller = None
            answer = await go_on(request)
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        return answer


def _same(given: str, wanted: str) -> bool:
    return bool(wanted) and hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())
