"""Addresses from outside, which a reader may be sent to."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_UNFIT = re.compile(r"[\x00-\x20\x7f-\xa0<>\"\\^`{|}\u2028\u2029]")  # RFC 3986 has them nowhere


def is_web(address: str) -> bool:
    """Whether it is one of http or https."""
    try:
        return urlsplit(address).scheme in ("http", "https")
    except ValueError:
        return False


def web_address(text: str) -> str:
    """The address of something on the web, fit to be put into a document; "" for all others.

    >>> web_address(" https://example.org/a?b=1 "), web_address("javascript:alert(1)"), web_address("http://a b")
    ('https://example.org/a?b=1', '', '')
    """
    bare = text.strip()
    return bare if is_web(bare) and urlsplit(bare).netloc and not _UNFIT.search(bare) else ""
