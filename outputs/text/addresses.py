"""Addresses from outside, which a reader may be sent to."""

from __future__ import annotations

import re
from unicodedata import category
from urllib.parse import urlsplit

_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs")  # categories of characters that hide or turn what can be seen
_UNFIT = re.compile(r'[<>"\\^`{|}]')  # RFC 3986 has them nowhere


def is_web(address: str) -> bool:
    """Whether it is one of http or https."""
    try:
        return urlsplit(address).scheme in ("http", "https")
    except ValueError:
        return False


def web_address(text: str) -> str:
    """The address of something on the web, fit to be put into a document and to be read there; "" for all others.

    Also for one with a login: it may look like another host.

    >>> web_address(" https://example.org/a?b=1 "), web_address("javascript:alert(1)"), web_address("http://a b")
    ('https://example.org/a?b=1', '', '')
    >>> web_address("https://bank.example@example.org/"), web_address("https://example.org/\u202egpj.exe")
    ('', '')
    """
    bare = text.strip()
    if not is_web(bare) or _UNFIT.search(bare) or any(category(one) in _UNSEEN for one in bare):
        return ""
    parts = urlsplit(bare)
    return bare if parts.hostname and "@" not in parts.netloc else ""
