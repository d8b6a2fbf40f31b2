"""Connections to public addresses only, within a time limit.

A name is resolved here, what comes out is checked, and the connection goes to the very address that was checked. By a
proxy that can't be had: it resolves names again. Then hosts that are private as far as can be told here are refused,
and the rest is up to the proxy, which its user has chosen.
"""

from __future__ import annotations

import math
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import httpcore2
import httpx2

from audio.transfer.addresses import is_public
from audio.transfer.proxies import proxy_for
from models.record.errors import InputError

USER_AGENT = "Episcribe/0.1"
CONNECT_TIMEOUT = 15.0  # seconds
LAST_READ = "last_read"  # the extra info of our streams: what came last, before anybody made sense of it
READ_TIMEOUT = 30.0  # seconds between two pieces of a response
# Names that are never of the public internet (RFC 6762, 8375, 6761 and custom).
_PRIVATE_NAMES = (".local", ".localhost", ".internal", ".intranet", ".lan", ".home", ".corp", ".home.arpa")
AddressesOf = Callable[[str, int], list[str]]


class _Network(httpcore2.NetworkBackend):
    """Connections that end at a deadline (monotonic), whatever the server does with its headers or body.

    addresses_of: where a host with a port is to be looked for; the first that answers is taken.
    """

    def __init__(self, deadline: float, addresses_of: AddressesOf) -> None:
        self._plain = httpcore2.SyncBackend()
        self._deadline = deadline
        self._addresses_of = addresses_of

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        error: Exception = httpcore2.ConnectError(f"{host} has no address")
        for address in self._addresses_of(host, port):
            left = _left(self._deadline, timeout)
            try:
                stream = self._plain.connect_tcp(address, port, left, local_address, socket_options or ())
                return _TimedStream(stream, self._deadline)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as failed:
                error = failed
        raise error


class _TimedStream(httpcore2.NetworkStream):
    """A stream of which no call lasts beyond the deadline."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline
        self._last = b""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._last = self._stream.read(max_bytes, _left(self._deadline, timeout))
        return self._last

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = _left(self._deadline, timeout)
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._last if info == LAST_READ else self._stream.get_extra_info(info)


def _left(deadline: float, timeout: float | None) -> float:
    """Seconds that one call may take: `timeout`, or what is left until the deadline."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout("out of time")
    return left if timeout is None else min(timeout, left)


def _any_address(host: str, port: int) -> list[str]:
    return [host]


def _public_addresses(host: str, port: int) -> list[str]:
    """All addresses of a host, resolved here and found to be public; InputError where one is not."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore2.ConnectError(f"{host} can't be resolved: {error}") from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if private := [address for address in addresses if not is_public(address)]:
        raise InputError(
            f"{host} is at {private[0]}, which is not a public address: refused without --allow-private"
        )
    return addresses


def is_private(host: str, port: int) -> bool:
    """Whether all addresses of a host are private, resolved here; one that can't be resolved is not."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return not any(is_public(str(entry[4][0])) for entry in found)


def check_name(host: str, port: int) -> None:
    """InputError for a host that is private as far as can be told from here; a proxy may know more of it."""
    try:
        _public_addresses(host, port)
    except httpcore2.ConnectError:  # behind a proxy names often can't be resolved
        name = host.rstrip(".").lower()
        if "." not in name or name.endswith(_PRIVATE_NAMES):
            raise InputError(
                f"{host} is the name of a private host: refused without --allow-private"
            ) from None


class _Transport(httpx2.HTTPTransport):
    """httpx2 offers no way to pass a network backend, so its pool is replaced."""

    def __init__(self, pool: httpcore2.ConnectionPool) -> None:
        super().__init__(verify=_ssl_context(), trust_env=False)
        self._pool = pool


class _Route(httpx2.BaseTransport):
    """Sends each request directly or by a proxy, as `proxy_for` says."""

    def __init__(self, allow_private: bool, deadline: float, proxy: str) -> None:
        self._check_name = _leave_unchecked if allow_private else check_name
        self._named = proxy
        addresses_of = _any_address if allow_private else _public_addresses
        self._direct = _Transport(_direct_pool(_Network(deadline, addresses_of)))
        self._to_proxies = _Network(deadline, _any_address)  # the user's own choice may well be private
        self._proxied: dict[httpx2.URL, _Transport] = {}

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        proxy = proxy_for(request.url, self._named)
        if proxy is None:
            return self._direct.handle_request(request)
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        self._check_name(request.url.host, port)
        if proxy not in self._proxied:
            self._proxied[proxy] = _Transport(_proxy_pool(proxy, self._to_proxies))
        return self._proxied[proxy].handle_request(request)

    def close(self) -> None:
        for transport in (self._direct, *self._proxied.values()):
            transport.close()


def _leave_unchecked(host: str, port: int) -> None:
    """Private hosts are allowed."""


def _direct_pool(network: httpcore2.NetworkBackend) -> httpcore2.ConnectionPool:
    return httpcore2.ConnectionPool(ssl_context=_ssl_context(), network_backend=network)


def _proxy_pool(proxy: httpx2.URL, network: httpcore2.NetworkBackend) -> httpcore2.ConnectionPool:
    return httpcore2.HTTPProxy(
        str(proxy.copy_with(username=None, password=None)),
        proxy_auth=(proxy.username.encode(), proxy.password.encode()) if proxy.userinfo else None,
        ssl_context=_ssl_context(),
        proxy_ssl_context=_ssl_context() if proxy.scheme == "https" else None,
        network_backend=network,
    )


@cache
def _ssl_context() -> ssl.SSLContext:
    """One for all clients: to read the certificates of all authorities takes a while."""
    return httpx2.create_ssl_context(trust_env=False)


def open_client(*, allow_private: bool = False, deadline: float = math.inf, proxy: str = "") -> httpx2.Client:
    """A client for `get`, of no use after `deadline` (monotonic); `proxy` as in `proxy_for`."""
    return httpx2.Client(
        transport=_Route(allow_private, deadline, proxy),
        trust_env=False,
        timeout=httpx2.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT),
        headers={"User-Agent": USER_AGENT},
    )
