"""What the model hub means where it gives nothing."""

from __future__ import annotations


def is_away(error: Exception) -> bool:
    """Whether the hub could not be asked, or could not answer; not where it said no, to a name or to a token.

    >>> is_away(TimeoutError()), is_away(ValueError("no name of a model"))
    (True, False)
    """
    status = getattr(getattr(error, "response", None), "status_code", 500)
    return status >= 500 and not isinstance(error, ValueError)
