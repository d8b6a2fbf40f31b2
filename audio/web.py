"""GET requests to addresses that strangers wrote: feeds, redirects, enclosures.

Only http and https, only to public addresses (checked for every hop, and the connection goes to the
very address that was checked), with time limits, and with retries where they can help.
"""

from __future__ import annotations

import itertools
import math
import random
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpcore2
import httpx2

from models.errors import DownloadError, InputError

USER_AGENT = "Episcribe/0.1"
CONNECT_TIMEOUT = 15.0  # seconds
READ_TIMEOUT = 30.0  # seconds between two pieces of a response
MAX_REDIRECTS = 10  # podcast statistics chain up to about five
ATTEMPTS = 5
FIRST_PAUSE = 0.5  # seconds before the second attempt, doubled for each further one
MAX_PAUSE = 30.0  # seconds
MAX_RETRY_AFTER = 60.0  # seconds; asked to wait longer, we give up for now
TRANSIENT_STATUS = frozenset((408, 425, 429))  # and all from 500 on
REDIRECTS = frozenset((301, 302, 303, 307, 308))
PERMANENT = frozenset((301, 308))
USABLE = frozenset((200, 206, 304, 416))

_NAT64 = IPv6Network("64:ff9b::/96")
_Result = TypeVar("_Result")
Sleep = Callable[[float], Any]


class UnavailableError(DownloadError):
    """A fault that may pass; `retry_after` is how many seconds the server asks to wait."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message, transient=True)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server said to tell one version of a file from the next (RFC 9110, 8.8)."""

    etag: str = ""
    last_modified: str = ""

    def conditions(self) -> dict[str, str]:
        """Headers that ask for the content only if it has changed."""
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in headers.items() if value}


@dataclass(frozen=True, slots=True)
class Page:
    """A small response in whole; `url` is where it was found after redirects.

    `moved_to` is where it has moved for good, "" where it has not. An `unchanged` page has no data.
    """

    data: bytes
    url: str
    content_type: str
    validators: Validators = Validators()
    moved_to: str = ""
    unchanged: bool = False


def shown(url: str | httpx2.URL) -> str:
    """A URL fit for messages: without login, query and fragment, which may hold secrets.

    >>> shown("https://me:secret@example.org/show/1.mp3?token=abc")
    'https://example.org/show/1.mp3'
    """
    parsed = checked_url(url)
    return str(parsed.copy_with(username=None, password=None, query=None, fragment=None))


def checked_url(url: str | httpx2.URL) -> httpx2.URL:
    """`url` parsed; InputError unless it is http or https and names a host."""
    try:
        parsed = httpx2.URL(url)
        _ = urlsplit(str(url)).port  # raises for brackets left open and ports that don't exist
    except (httpx2.InvalidURL, ValueError, TypeError) as error:
        raise InputError(f"this is not a URL: {error}") from None
    if parsed.scheme not in ("http", "https"):
        raise InputError(f"only http and https addresses can be fetched, not {parsed.scheme or 'plain'}:")
    if not parsed.host:
        raise InputError("this URL names no host")
    return parsed


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, also where it wraps an IPv4 address.

    >>> [is_public(a) for a in ("93.184.215.14", "10.0.0.1", "::ffff:127.0.0.1", "169.254.169.254")]
    [True, False, False, False]
    """
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            inner = ip_address(int(ip) & 0xFFFF_FFFF)  # type: ignore[assignment]
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


class _Network(httpcore2.NetworkBackend):
    """Connections that end at a deadline (monotonic), whatever the server does with its headers or body."""

    def __init__(self, deadline: float) -> None:
        self._plain = httpcore2.SyncBackend()
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        left = _left(self._deadline, timeout)
        return _TimedStream(
            self._plain.connect_tcp(host, port, left, local_address, socket_options or ()), self._deadline
        )


class _PublicNetwork(_Network):
    """Connects to a host by an address it has resolved itself and found to be public."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        error: Exception = httpcore2.ConnectError(f"{host} has no address")
        for address in _public_addresses(host, port):
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
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


def _public_addresses(host: str, port: int) -> list[str]:
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
    network = _Network if allow_private else _PublicNetwork
    return httpx2.Client(
        transport=_Transport(network(deadline)),
        trust_env=False,
        timeout=httpx2.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT),
        headers={"User-Agent": USER_AGENT},
    )


def get(
    client: httpx2.Client, url: str, headers: Mapping[str, str], secret: Mapping[str, str] | None = None
) -> httpx2.Response:
    """The opened response to a GET after redirects, with one of the USABLE statuses; close it.

    secret: headers that only the server of `url` itself gets to see, also after redirects. The redirects
    that led to the response are in its `history`.
    InputError for an address that may not be fetched, DownloadError for every other failure.
    """
    first = target = checked_url(url)
    passed: list[httpx2.Response] = []
    for _ in range(MAX_REDIRECTS + 1):
        known_to_it = secret if secret and _origin(target) == _origin(first) else {}
        response = _send(client, target, {**headers, **known_to_it})
        if response.status_code not in REDIRECTS or "Location" not in response.headers:
            response.history = passed
            return _usable(response, target)
        response.close()
        passed.append(response)
        target = _redirected(target, response.headers["Location"])
    raise DownloadError(f"{shown(url)} was redirected over {MAX_REDIRECTS} times")


def same_origin(one: str, other: str) -> bool:
    """Whether two addresses are of one server: scheme, host and port."""
    return _origin(checked_url(one)) == _origin(checked_url(other))


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def moved_to(response: httpx2.Response) -> str:
    """The address to ask from now on, by the permanent redirects before any other; "" where none is.

    A move from https to http is not one to remember: anybody on the way could have made it up.
    """
    hops = [*response.history, response]
    steps = itertools.pairwise(hops)
    lasting = list(itertools.takewhile(lambda step: step[0].status_code in PERMANENT, steps))
    if not lasting:
        return ""
    address = lasting[-1][1].request.url
    return "" if hops[0].request.url.scheme == "https" != address.scheme else str(address)


def _send(client: httpx2.Client, url: httpx2.URL, headers: Mapping[str, str]) -> httpx2.Response:
    # The login goes into a header: what is in the URL reaches the client's log.
    login = httpx2.BasicAuth(url.username, url.password) if url.userinfo else None
    request = client.build_request("GET", url.copy_with(username=None, password=None), headers=headers)
    with faults(url):
        return client.send(request, stream=True, auth=login)


def _redirected(url: httpx2.URL, location: str) -> httpx2.URL:
    try:
        return checked_url(url.join(location))
    except (httpx2.InvalidURL, ValueError):
        raise DownloadError(f"{shown(url)} redirects to something that is not a URL") from None
    except InputError as error:
        raise InputError(f"{shown(url)} redirects where we don't follow: {error}") from None


def _usable(response: httpx2.Response, url: httpx2.URL) -> httpx2.Response:
    status = response.status_code
    if status in USABLE:
        return response
    response.close()
    message = f"{shown(url)} answered {status} {response.reason_phrase}".rstrip()
    if status >= 500 or status in TRANSIENT_STATUS:
        raise UnavailableError(message, _retry_after(response.headers.get("Retry-After", "")))
    raise DownloadError(message)


def _retry_after(value: str) -> float | None:
    """Seconds to wait by a Retry-After header, which holds seconds or a date (RFC 9110)."""
    if value.strip().isdecimal():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


@contextmanager
def faults(url: str | httpx2.URL) -> Iterator[None]:
    """Turns what goes wrong on the wire into a DownloadError that may be tried again."""
    try:
        yield
    except httpx2.DecodingError as error:
        raise DownloadError(f"{shown(url)} sent what can't be unpacked: {error}") from error
    except httpx2.TransportError as error:
        raise UnavailableError(f"{shown(url)}: {type(error).__name__}: {error}") from error


def retrying(
    action: Callable[[], _Result],
    *,
    attempts: int = ATTEMPTS,
    sleep: Sleep = time.sleep,
    progress: Callable[[], int] = lambda: 0,
) -> _Result:
    """What `action` returns, tried again after transient faults, with growing pauses.

    Failures count from one again whenever `progress()` has grown.
    """
    failures = 0
    while True:
        before = progress()
        try:
            return action()
        except DownloadError as error:
            failures = 1 if progress() > before else failures + 1
            if not error.transient or failures >= attempts:
                raise
            sleep(_pause(error, failures))


def _pause(error: DownloadError, failures: int) -> float:
    """Seconds to wait after the given number of failures; re-raises where that is too long."""
    asked = error.retry_after if isinstance(error, UnavailableError) else None
    if asked is not None and asked > MAX_RETRY_AFTER:
        raise UnavailableError(f"{error}; it asks to come back in {asked:.0f} s", asked)
    backoff = min(MAX_PAUSE, FIRST_PAUSE * 2.0 ** (failures - 1)) * random.uniform(0.5, 1.5)
    return max(asked or 0.0, backoff)


def fetch_bytes(
    url: str,
    max_bytes: int,
    *,
    allow_private: bool = False,
    known: Validators | None = None,
    secret: Mapping[str, str] | None = None,
    seconds: float = 120,
    attempts: int = ATTEMPTS,
    sleep: Sleep = time.sleep,
) -> Page:
    """A small file such as a feed, in whole, unpacked if it came compressed.

    known: what was said about the version that is here already; if it still holds, no data comes.
    secret: headers for the server of `url` alone, such as a login. `seconds` is for all attempts together.
    InputError: over `max_bytes`, an address that may not be fetched. DownloadError: all else.
    """
    deadline = time.monotonic() + seconds
    headers = {"Accept-Encoding": "gzip", **(known.conditions() if known else {})}
    with open_client(allow_private=allow_private, deadline=deadline) as client:

        def fetch() -> Page:
            check_deadline(url, deadline)
            response = get(client, url, headers, secret)
            try:
                return _page(response, read_all(response.iter_bytes(), url, max_bytes, deadline))
            finally:
                response.close()

        return retrying(fetch, attempts=attempts, sleep=sleep)


def _page(response: httpx2.Response, data: bytes) -> Page:
    said = response.headers
    validators = Validators(said.get("ETag", ""), said.get("Last-Modified", ""))
    unchanged = response.status_code == 304
    return Page(
        data, final_url(response), said.get("Content-Type", ""), validators, moved_to(response), unchanged
    )


def read_all(pieces: Iterable[bytes], url: str, max_bytes: int, deadline: float) -> bytes:
    """The pieces joined; InputError over `max_bytes`, DownloadError after `deadline` (monotonic)."""
    data = bytearray()
    with faults(url):
        for piece in pieces:
            data += piece
            if len(data) > max_bytes:
                raise InputError(f"{shown(url)} is bigger than {max_bytes:,} bytes")
            check_deadline(url, deadline)
    return bytes(data)


def check_deadline(url: str, deadline: float) -> None:
    """DownloadError once the monotonic clock has passed `deadline`."""
    if time.monotonic() > deadline:
        raise DownloadError(f"{shown(url)} took too long and was given up")


def final_url(response: httpx2.Response) -> str:
    """The address a response came from, with its query: for resolving what it refers to."""
    return str(response.request.url)
