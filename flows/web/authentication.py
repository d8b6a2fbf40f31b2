"""Who calls: the session of a browser, a program's token, or the token of an app on its user's own machine.

What a browser does because another site's page had it do so is refused: unsafe requests must come from a page of ours
(Origin, Sec-Fetch-Site) and bear what only such a page knows (X-CSRF-Token). A program's token needs neither, for no
browser sends it by itself.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from functools import partial
from urllib.parse import quote, urlencode, urlsplit

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from flows.schedule.queue import OWNER
from flows.web import catalogs, problems
from flows.web.access import Caller
from flows.web.config import API, WebConfig
from flows.web.sessions import LIFE_SECONDS, Sessions, Tokens, csrf_of
from flows.web.users import User

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
PUBLIC = frozenset({f"{API}/login", f"{API}/openapi.json"})  # of the API, for who hasn't signed in


class Authentication:
    """ASGI middleware. Sets request.state.caller, None for strangers, to whom no other part of the API answers."""

    def __init__(self, app: ASGIApp, config: WebConfig, sessions: Sessions, tokens: Tokens) -> None:
        self._app, self._config, self._sessions, self._tokens = app, config, sessions, tokens
        self._owner = owner_cookie(config)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let it go on."""
        if scope["type"] == "http":
            request = Request(scope)
            answer = self._token_in_address(request) or await self._refused(request)
            if answer is not None:
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _token_in_address(self, request: Request) -> Response | None:
        """The first visit: the token, or a code that does it once, becomes a cookie, and leaves the address."""
        given = request.query_params.get("token", "")
        if request.method != "GET" or not given:
            return None
        codes: set[str] = request.app.state.codes
        if given in codes:
            codes.remove(given)
        elif not _same(given, self._config.token):
            return None
        rest = [pair for pair in request.query_params.multi_items() if pair[0] != "token"]
        query = f"?{urlencode(rest)}" if rest else ""
        answer = RedirectResponse(f"{self._config.origin}{quote(request.scope['path'])}{query}", 303)
        set_cookie(answer, self._config, self._owner, strict=True)
        return answer

    async def _refused(self, request: Request) -> Response | None:
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        path = self._config.below(request.scope["path"]) or ""
        safe, caller = request.method in SAFE, None
        look_up: Callable[[], Awaitable[Caller | None]] = _nobody
        if scheme.lower() == "bearer":
            look_up = partial(self._program, secret.strip())
            caller = await look_up()
        elif not safe and not self._from_our_page(request):
            return problems.refusal(request, 403, "this request comes from another site's page", "origin")
        elif (secret := request.cookies.get(cookie_name(self._config), "")) and (
            not safe or self._from_our_page(request) or _is_navigation(request)
        ):
            look_up = partial(self._browser, request, secret)
            caller = await look_up()
            given = request.headers.get("x-csrf-token", "")
            if caller and not safe and path not in PUBLIC and not _same(given, caller.csrf):
                told = "X-CSRF-Token is missing or of another session: load the page again"
                return problems.refusal(request, 403, told, "csrf")
        if caller is None and path.startswith(f"{API}/") and path not in PUBLIC:
            headers = {"WWW-Authenticate": "Bearer"}
            return problems.refusal(request, 401, "sign in, or send a token", headers=headers)
        request.state.caller, request.state.look_up = caller, look_up
        return None

    async def _program(self, secret: str) -> Caller | None:
        user = self._tokens.known(secret) or await run_in_threadpool(self._tokens.find, secret)
        return _caller(user, "") if user else None

    async def _browser(self, request: Request, secret: str) -> Caller | None:
        if _same(secret, self._owner):
            language = request.cookies.get(language_cookie(self._config), "")
            known = language if language in catalogs.languages() else ""
            return Caller(OWNER, "admin", known, csrf_of(secret))
        user = self._sessions.known(secret) or await run_in_threadpool(self._sessions.find, secret)
        if user is not None:
            request.state.session = secret
        return _caller(user, csrf_of(secret)) if user else None

    def _from_our_page(self, request: Request) -> bool:
        site = request.headers.get("sec-fetch-site", "same-origin")
        origin = request.headers.get("origin", self._config.origin)
        return site in ("same-origin", "none") and origin == self._config.origin


async def _nobody() -> None:
    return None


def cookie_name(config: WebConfig) -> str:
    """What the cookie is called: a browser sends one of 127.0.0.1 to all ports, so each app has its own."""
    if config.secure:
        return "__Secure-episcribe" if config.base else "__Host-episcribe"
    return f"episcribe-{urlsplit(config.url).port or 80}"


def language_cookie(config: WebConfig) -> str:
    """The cookie that holds the owner's language, as the store does for users."""
    return f"{cookie_name(config)}-language"


def owner_cookie(config: WebConfig) -> str:
    """What the cookie of the owner holds; "" where the app has no token."""
    return hashlib.sha256(f"cookie {config.token}".encode()).hexdigest() if config.token else ""


def set_cookie(answer: Response, config: WebConfig, secret: str, *, strict: bool = False) -> None:
    """Give the browser a session. strict: not even a link on another site may lead into it."""
    answer.set_cookie(
        cookie_name(config),
        secret,
        path=config.base or "/",
        secure=config.secure,
        httponly=True,
        samesite="strict" if strict else "lax",
        max_age=None if strict else int(LIFE_SECONDS),
    )


def drop_cookie(answer: Response, config: WebConfig) -> None:
    """Take the session from the browser."""
    answer.delete_cookie(
        cookie_name(config), config.base or "/", secure=config.secure, httponly=True, samesite="lax"
    )


def own_path(config: WebConfig, wanted: str) -> str:
    """Where to go on after signing in: what is wanted if it is a page of the app, else its first.

    >>> config = WebConfig(..., ..., ..., "https://example.org/talks")
    >>> own_path(config, "/talks/search?q=x"), own_path(config, "//evil.example/talks/")
    ('/talks/search?q=x', '/talks/')
    """
    home = f"{config.base}/"
    plain = wanted.isascii() and wanted.isprintable() and "\\" not in wanted and " " not in wanted
    inside = wanted.startswith(home) and not wanted[len(config.base) :].startswith("//")
    parts = wanted.partition("?")[0].lower().replace("%2e", ".").split("/")
    return wanted if plain and inside and ".." not in parts else home


def _is_navigation(request: Request) -> bool:
    """Whether a person goes to a page, from wherever; what pages load from us by themselves is another thing."""
    mode, aim = request.headers.get("sec-fetch-mode"), request.headers.get("sec-fetch-dest")
    return request.method == "GET" and mode == "navigate" and aim == "document"


def _caller(user: User, csrf: str) -> Caller:
    return Caller(user.name, user.role, user.language, csrf)


def _same(given: str, wanted: str) -> bool:
    return bool(wanted) and hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())
