"""Errors as the API tells them: application/problem+json (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from models.record.errors import EpiscribeError, InputError

MEDIA_TYPE = "application/problem+json"


class ProblemError(Exception):
    """A failure with members of its own, such as what is there now beside what was expected.

    kind: the last part of its type, which programs can tell it by: "conflict".
    """

    def __init__(self, status: int, kind: str, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail, self.members = status, kind, detail, members


def problem(
    status: int, detail: str, kind: str = "", headers: dict[str, str] | None = None, **members: Any
) -> JSONResponse:
    """The answer that tells a failure."""
    told = {
        "type": f"urn:episcribe:problem:{kind}" if kind else "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **members,
    }
    return JSONResponse(told, status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Have all failures told so."""

    @app.exception_handler(ProblemError)
    def _own(_: Request, error: ProblemError) -> JSONResponse:
        return problem(error.status, error.detail, error.kind, None, **error.members)

    @app.exception_handler(EpiscribeError)
    def _failed(_: Request, error: EpiscribeError) -> JSONResponse:
        return problem(400 if isinstance(error, InputError) else 500, str(error))

    @app.exception_handler(HTTPException)
    def _http(_: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, str(error.detail), headers=dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        told = "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors())
        return problem(422, told, "invalid")
