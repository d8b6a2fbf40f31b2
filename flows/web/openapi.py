"""What the API tells of itself (OpenAPI 3.1): names that code is made of, how callers sign in, how failures look."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from flows.web.authentication import PUBLIC, cookie_name
from flows.web.config import WebConfig
from flows.web.problems import MEDIA_TYPE

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "A failure (RFC 9457); some kinds have further members.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "about:blank, or urn:episcribe:problem: and its kind."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong, in a sentence."},
    },
}
_PROBLEM_CONTENT = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
_OF_FASTAPI = ("HTTPValidationError", "ValidationError")  # how it would tell invalid requests


def operation_id(route: APIRoute) -> str:
    """What a route is called: after its function, with its tag where that doesn't say it."""
    tag = str(route.tags[0]) if route.tags else ""
    return route.name if tag.removesuffix("s") in route.name else f"{tag}_{route.name}"


def install(app: FastAPI, config: WebConfig) -> None:
    """Have the app tell so."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title,
                version=app.version,
                description="All that the pages do, for programs: see docs/api.md.",
                routes=app.routes,
                servers=app.servers,
            )
            app.openapi_schema = _completed(made, config)
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def _completed(made: dict[str, Any], config: WebConfig) -> dict[str, Any]:
    components = made.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in _OF_FASTAPI:
        schemas.pop(name, None)
    schemas["Problem"] = PROBLEM
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "A token of POST /tokens."},
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": cookie_name(config),
            "description": "Of a browser; what changes something bears X-CSRF-Token, too, which GET /me tells.",
        },
    }
    made["security"] = [{"token": []}, {"session": []}]
    for path, operations in made["paths"].items():
        for method in METHODS:
            if method in operations:
                _complete(operations[method], public=path in PUBLIC)
    return made


def _complete(operation: dict[str, Any], *, public: bool) -> None:
    told = operation.get("description", "")
    summary, _, rest = told.partition("\n\n")
    operation["summary"] = " ".join(summary.split()).removesuffix(".")
    operation["description"] = rest
    if not rest:
        del operation["description"]
    if public:
        operation["security"] = []
    responses = operation["responses"]
    invalid = responses.get("422", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if invalid.get("$ref", "").endswith(_OF_FASTAPI[0]):
        del responses["422"]
    for response in responses.values():
        content = response.get("content", {})
        if content.get("application/json", {}).get("schema") == {}:
            del content["application/json"]  # of a route that makes its answer itself and says nothing of it
    responses["4XX"] = {"description": "It can't be done, and why."}
    for status, response in responses.items():
        if status[0] in "45":
            response["content"] = _PROBLEM_CONTENT
