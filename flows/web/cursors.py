"""Where a list goes on: an opaque text that says it to us and to nobody else."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from models.record.errors import InputError

MAX_CHARS = 2000


def cursor_of(position: Any) -> str:
    """A place in a list, what JSON can hold, as a cursor.

    >>> position_of(cursor_of([1, "a"]))
    [1, 'a']
    """
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def position_of(cursor: str) -> Any:
    """The place that a cursor is of; InputError where it is none of ours."""
    try:
        if len(cursor) > MAX_CHARS:
            raise ValueError
        return json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        raise InputError("this cursor is not one that a list gave") from None
