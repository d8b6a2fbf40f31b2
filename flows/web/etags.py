"""Answers that the caller may have already: entity tags and 304 (RFC 9110).

All tags are weak, since the same content is sent compressed and not.
"""

from __future__ import annotations

import hashlib

from fastapi import Request
from fastapi.responses import Response

HEADERS = {"Cache-Control": "private, no-cache"}  # kept by the browser, but asked for again each time


def etag(content: bytes | str) -> str:
    """The tag of some bytes; of a text, such as a revision, that stands for them.

    >>> etag(b"hello")
    'W/"2cf24dba5fb0a30e26e83b2ac5b9e29e"'
    """
    data = content.encode() if isinstance(content, str) else content
    return f'W/"{hashlib.sha256(data).hexdigest()[:32]}"'


def matches(given: str, tag: str) -> bool:
    """Whether what is listed as If-Match or If-None-Match has a tag, however weak; "*" has all."""
    known = {one.strip().removeprefix("W/") for one in given.split(",")}
    return given.strip() == "*" or tag.removeprefix("W/") in known


def not_modified(request: Request, tag: str) -> Response | None:
    """The answer 304, if the caller has what `tag` is of: to be asked before the work is done."""
    if request.method not in ("GET", "HEAD") or not matches(request.headers.get("if-none-match", ""), tag):
        return None
    return Response(status_code=304, headers={**HEADERS, "ETag": tag})


def tagged(
    request: Request, content: bytes, media_type: str = "application/json", tag: str | None = None
) -> Response:
    """The content with its tag, or 304."""
    own = tag or etag(content)
    return not_modified(request, own) or Response(content, 200, {**HEADERS, "ETag": own}, media_type)
