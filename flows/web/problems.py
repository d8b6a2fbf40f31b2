"""Errors as the API tells them: application/problem+json (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from flows.web.config import API
from models.record.errors import DownloadError, EpiscribeError, InputError, ModelError

MEDIA_TYPE = "application/problem+json"
PHRASES = {460: "Checksum Mismatch"}  # of statuses that HTTP itself doesn't have


class ProblemError(Exception):
    """A failure with members of its own, such as what is there now beside what was expected.

    kind: the last part of its type, which programs can tell it by: "conflict".
    """

    def __init__(
        self, status: int, kind: str, detail: str, headers: dict[str, str] | None = None, **members: Any
    ) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail, self.headers = status, kind, detail, headers
        self.members = members


def problem(
    status: int, detail: str, kind: str = "", headers: dict[str, str] | None = None, **members: Any
) -> JSONResponse:
    """The answer that tells a failure."""
    told = {
        "type": f"urn:episcribe:problem:{kind}" if kind else "about:blank",
        "title": PHRASES.get(status) or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **members,
    }
    return JSONResponse(told, status, headers, MEDIA_TYPE)


def refusal(
    request: Request,
    status: int,
    detail: str,
    kind: str = "",
    headers: dict[str, str] | None = None,
    **members: Any,
) -> Response:
    """The same, as a page where a person looks for one."""
    path = request.app.state.config.below(request.scope["path"]) or ""
    wants_page = "text/html" in request.headers.get("accept", "")
    if path.startswith(f"{API}/") or not wants_page or request.method not in ("GET", "HEAD"):
        return problem(status, detail, kind, headers, **members)
    from flows.web import shells

    answer = shells.page(request, "error", status)
    answer.headers.update(headers or {})
    return answer


def install(app: FastAPI) -> None:
    """Have all failures told so."""

    @app.exception_handler(ProblemError)
    async def _own(request: Request, error: ProblemError) -> Response:
        return refusal(request, error.status, error.detail, error.kind, error.headers, **error.members)

    @app.exception_handler(EpiscribeError)
    async def _failed(request: Request, error: EpiscribeError) -> Response:
        statuses = {InputError: 400, DownloadError: 502, ModelError: 503}
        status = next((number for kind, number in statuses.items() if isinstance(error, kind)), 500)
        return refusal(request, status, str(error))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        return refusal(request, error.status_code, str(error.detail), headers=dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        told = "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors())
        errors = {str(one["loc"][-1]): one["msg"] for one in error.errors()}
        return refusal(request, 422, told, "invalid", errors=errors)
