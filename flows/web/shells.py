"""The pages as the server sends them: a frame in the user's language, which scripts of our own fill by the API.

Nothing comes from another site, no text becomes markup or code (Trusted Types), and no page may be framed.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from flows.web import catalogs
from flows.web.access import Caller
from flows.web.accounts import accounts_of
from flows.web.authentication import own_path
from flows.web.episodes import config_of, folder_of
from outputs.captions.profiles import PROFILES
from outputs.formats.format import Times
from outputs.formats.registry import FORMATS
from outputs.pages import templates

ASSETS, TEMPLATES = Path(__file__).parent / "assets", Path(__file__).parent / "pages"
PAGES = ("library", "search", "add", "queue", "publish", "settings")
PUBLIC = ("login", "error")
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}

router = APIRouter(include_in_schema=False)


@router.get("/")
def library_page(request: Request) -> Response:
    """The library, or the one episode there is."""
    config = config_of(request)
    if config.only is not None:
        return RedirectResponse(f"{config.base}/episodes/-/{config.only.name}", 303)
    return page(request, "library")


@router.get("/episodes/{show}/{name}")
def episode_page(request: Request, show: str, name: str) -> Response:
    """An episode: to read, hear, correct, review."""
    folder_of(config_of(request), show, name)
    return page(
        request,
        "episode",
        episode=f"{show}/{name}",
        formats=FORMATS.values(),
        times=get_args(Times),
        profiles=("", *PROFILES),  # the format's own first
    )


@router.get("/login")
def login_page(request: Request, next: str = "") -> Response:
    """Where users sign in, and then go on to `next`."""
    onward = own_path(config_of(request), next)
    if getattr(request.state, "caller", None) is not None:
        return RedirectResponse(onward, 303)
    return page(request, "login", onward=onward, users=accounts_of(request).users.any())


@router.get("/{name}")
def named_page(request: Request, name: str) -> Response:
    """One of the other pages."""
    if name not in PAGES:
        raise HTTPException(404, f"there is no page {name}")
    return page(request, name)


@router.get("/assets/{release}/{name:path}")
def asset(release: str, name: str) -> Response:
    """A style or script of ours; its address changes with its content, so browsers keep it."""
    data = _assets().get(name)
    if data is None:
        raise HTTPException(404, "there is no such file")
    headers = FOREVER if release == assets_release() else {"Cache-Control": "no-store"}
    return Response(data, media_type=KINDS[Path(name).suffix], headers=headers)


def page(request: Request, name: str, status: int = 200, **values: Any) -> Response:
    """The page `name` of the templates; who isn't let in is sent to sign in."""
    config, caller = config_of(request), getattr(request.state, "caller", None)
    if caller is None and name not in PUBLIC:
        wanted = quote(request.scope["path"]) + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"{config.base}/login?{urlencode({'next': wanted})}", 303)
    language = catalogs.choose(caller.language if caller else "", request.headers.get("accept-language", ""))
    texts = catalogs.catalog(language)
    html = (
        templates.environment(TEMPLATES)
        .get_template(f"{name}.html")
        .render(
            page=name,
            status=status,
            url=config.url,
            base=config.base,
            assets=f"{config.base}/assets/{assets_release()}",
            language=language,
            languages=catalogs.languages(),
            texts=texts,
            t=lambda key, **with_values: texts[key].format(**with_values),
            caller=caller or Caller("", "reader"),
            alone=config.only is not None,
            **values,
        )
    )
    headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Cache-Control": "no-store"}
    return HTMLResponse(html, status, headers)


@cache
def _assets() -> dict[str, bytes]:
    files = (file for file in sorted(ASSETS.rglob("*")) if file.suffix in KINDS)
    own = {file.relative_to(ASSETS).as_posix(): file.read_bytes() for file in files}
    return {"tokens.css": templates.asset("tokens.css").encode(), **own}


@cache
def assets_release() -> str:
    """Changes when a style or script does."""
    found = hashlib.sha256()
    for name, data in _assets().items():
        found.update(f"{name}\0{len(data)}\0".encode() + data)
    return found.hexdigest()[:16]
