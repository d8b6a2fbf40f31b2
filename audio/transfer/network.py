"""Connections to public addresses only, within a time limit.

A name is resolved here, what comes out is checked, and the connection goes to the very address that was checked.
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
from models.record.errors import InputError

USER_AGENT = "Episcribe/0.1"
CONNECT_TIMEOUT = 15.0  # seconds
READ_TIMEOUT = 30.0  # seconds between two pieces of a response
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

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline, timeout))

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
        return self._stream.get_extra_info(info)


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


class _Transport(httpx2.HTTPTransport):
    """httpx2 offers no way to pass a network backend, so its pool is replaced."""

    def __init__(self, network: httpcore2.NetworkBackend) -> None:
        super().__init__(verify=_ssl_context(), trust_env=False)
        self._pool = httpcore2.ConnectionPool(ssl_context=_ssl_context(), network_backend=network)


@cache
def _ssl_context() -> ssl.SSLContext:
    """One for all clients: to read the certificates of all authorities takes a while."""
    return httpx2.create_ssl_context(trust_env=False)


def open_client(*, allow_private: bool = False, deadline: float = math.inf) -> httpx2.Client:
    """A client for `get`, of no use after `deadline` (monotonic).

    It uses no proxy: one would resolve names where they can't be checked.
    """
    addresses_of = _any_address if allow_private else _public_addresses
    return httpx2.Client(
        transport=_Transport(_Network(deadline, addresses_of)),
        trust_env=False,
        timeout=httpx2.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT),
        headers={"User-Agent": USER_AGENT},
    )
