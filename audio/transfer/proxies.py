"""Whether a request goes by a proxy, and which.

A proxy resolves names itself, so nobody here can tell what it reaches; `network` refuses what can be told beforehand.
"""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

import httpx2

from models.record.errors import WrongSettingError

DIRECT = "none"  # as the address of a proxy: ask directly, whatever the environment says


def proxy_for(url: httpx2.URL, named: str = "") -> httpx2.URL | None:
    """The proxy to ask for `url`, None to ask directly.

    named: the address of a proxy, DIRECT, or "" for HTTP_PROXY and HTTPS_PROXY. NO_PROXY names exceptions in any
    case, and this machine is always asked directly. InputError where the proxy is none that we can use.
    """
    if named == DIRECT or is_this_machine(url.host):
        return None
    told = getproxies_environment()
    address = named or told.get(url.scheme, "")
    if not address or is_excepted(url.host, url.port, told.get("no", "")):
        return None
    return checked_proxy(address)


def checked_proxy(address: str) -> httpx2.URL:
    """The address of a proxy; InputError, which does not repeat it, unless it is http or https and names a host.

    >>> checked_proxy("proxy.example.org:3128")
    URL('http://proxy.example.org:3128')
    """
    try:
        address = address if "://" in address else f"http://{address}"
        proxy = httpx2.URL(address)
        _ = urlsplit(address).port  # raises for brackets left open and ports that don't exist
    except (httpx2.InvalidURL, ValueError):
        raise WrongSettingError("the proxy's address is not a URL") from None
    if proxy.scheme not in ("http", "https") or not proxy.host:
        raise WrongSettingError(f"only http and https proxies can be used, not {proxy.scheme}:")
    return proxy


def is_excepted(host: str, port: int | None, no_proxy: str) -> bool:
    """Whether NO_PROXY, names and networks with commas between them, lets a host be asked directly.

    >>> hosts = "cdn.example.org", "10.1.2.3", "myexample.org"
    >>> [is_excepted(host, None, "example.org, 10.0.0.0/8") for host in hosts]
    [True, True, False]
    """
    for entry in filter(None, (part.strip().lower().removeprefix("*.") for part in no_proxy.split(","))):
        with suppress(ValueError):
            if ip_address(host) in ip_network(entry, strict=False):
                return True
        name, _, wanted = entry.removeprefix(".").partition(":")
        if (name == "*" or host == name or host.endswith(f".{name}")) and wanted in ("", str(port)):
            return True
    return False


def is_this_machine(host: str) -> bool:
    """Whether a host is this machine by its very name or number.

    >>> [is_this_machine(host) for host in ("localhost", "127.0.0.1", "::1", "example.org")]
    [True, True, True, False]
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
