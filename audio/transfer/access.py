"""As whom, by which way and with what secrets somebody's servers are asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx2

from audio.transfer.addresses import checked_url, origin


@dataclass(frozen=True, slots=True)
class Access:
    """How the servers of a show are asked.

    secret: headers, such as a login, that only the server of `home` gets to see, and the `hosts` named beside it
    ("cdn.example.org", with a port where it is not the usual one). No redirect leads them anywhere else, and none
    to an unencrypted server if `home` is an encrypted one. user_agent: "" for our own, told to every server. proxy:
    the address of a proxy, "none", or "" for what HTTP_PROXY, HTTPS_PROXY and NO_PROXY say. login: whether its user has
    a login for it, be that among these secrets or not.
    """

    secret: Mapping[str, str] = field(default_factory=dict, repr=False)
    home: str = ""
    hosts: tuple[str, ...] = ()
    user_agent: str = ""
    proxy: str = field(default="", repr=False)
    login: bool = False

    def headers_for(self, url: httpx2.URL) -> dict[str, str]:
        """What a request to `url` is to say besides what it asks for."""
        named = {"User-Agent": self.user_agent} if self.user_agent else {}
        return {**named, **self.secret} if self.secret and self._trusts(url) else named

    def _trusts(self, url: httpx2.URL) -> bool:
        home = checked_url(self.home)
        if origin(url) == origin(home):
            return True
        # From http to https of one host is no other server, only a safer way to it.
        safer = (home.scheme, url.scheme) == ("http", "https") and url.host == home.host
        encrypted = url.scheme == "https" or home.scheme == "http"
        named = url.netloc.decode("ascii") in self.hosts
        return (safer and url.port is None and home.port is None) or (encrypted and named)
