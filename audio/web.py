"""GET requests to addresses that strangers wrote: feeds, redirects, enclosures.

Only http and https, only to public addresses (checked for every hop, and the connection goes to the
very address that was checked), with time limits, and with retries where they can help.
"""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
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
class Page:
    """A small response in whole; `url` is where it was found after redirects."""

    data: bytes
    url: str
    content_type: str


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


class _PublicNetwork(httpcore2.NetworkBackend):
    """Connects to a host by an address it has resolved itself and found to be public."""

    def __init__(self) -> None:
        self._plain = httpcore2.SyncBackend()

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
                return self._plain.connect_tcp(address, port, timeout, local_address, socket_options or ())
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as failed:
                error = failed
        raise error


def _public_addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore2.ConnectError(f"{host} can't be resolved: {error}") from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if private := [address for address in addresses if not is_public(address)]:
        raise InputError(f"{host} is at {private[0]}, which is not a public address: refused")
    return addresses


class _PublicTransport(httpx2.HTTPTransport):
    """httpx2 offers no way to pass a network backend, so its pool is replaced."""

    def __init__(self) -> None:
        super().__init__(trust_env=False)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=httpx2.create_ssl_context(trust_env=False), network_backend=_PublicNetwork()
        )


def open_client(*, allow_private: bool = False) -> httpx2.Client:
    """A client for `get`. It uses no proxy: one would resolve names where they can't be checked."""
    return httpx2.Client(
        transport=httpx2.HTTPTransport(trust_env=False) if allow_private else _PublicTransport(),
        trust_env=False,
        timeout=httpx2.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT),
        headers={"User-Agent": USER_AGENT},
    )


def get(client: httpx2.Client, url: str, headers: dict[str, str]) -> httpx2.Response:
    """The opened response to a GET after redirects, with one of the USABLE statuses; close it.

    InputError for an address that may not be fetched, DownloadError for every other failure.
    """
    target = checked_url(url)
    for _ in range(MAX_REDIRECTS + 1):
        response = _send(client, target, headers)
        if response.status_code not in REDIRECTS or "Location" not in response.headers:
            return _usable(response, target)
        response.close()
        target = _redirected(target, response.headers["Location"])
    raise DownloadError(f"{shown(url)} was redirected over {MAX_REDIRECTS} times")


def _send(client: httpx2.Client, url: httpx2.URL, headers: dict[str, str]) -> httpx2.Response:
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
    seconds: float = 120,
    attempts: int = ATTEMPTS,
    sleep: Sleep = time.sleep,
) -> Page:
    """A small file such as a feed, in whole, unpacked if it came compressed.

    InputError: over `max_bytes`, an address that may not be fetched. DownloadError: all else.
    """
    with open_client(allow_private=allow_private) as client:
        return retrying(lambda: _fetch(client, url, max_bytes, seconds), attempts=attempts, sleep=sleep)


def _fetch(client: httpx2.Client, url: str, max_bytes: int, seconds: float) -> Page:
    response = get(client, url, {})
    try:
        data = read_all(response.iter_bytes(), url, max_bytes, time.monotonic() + seconds)
    finally:
        response.close()
    return Page(data, final_url(response), response.headers.get("Content-Type", ""))


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
