"""GET requests to addresses that strangers wrote: feeds, redirects, enclosures.

Only http and https, only to public addresses (checked for every hop, and the connection goes to the
very address that was checked), with time limits, and with retries where they can help.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx2

from audio.transfer.access import Access
from audio.transfer.addresses import checked_url, redacted
from audio.transfer.network import LAST_READ, open_client
from audio.transfer.ranges import content_range
from models.record.errors import DownloadError, InputError, SettingsError

MAX_REDIRECTS = 10  # podcast statistics chain up to about five
ATTEMPTS = 5
FIRST_PAUSE = 0.5  # seconds before the second attempt, doubled for each further one
MAX_PAUSE = 30.0  # seconds
MAX_RETRY_AFTER = 60.0  # seconds; asked to wait longer, we give up for now
TRANSIENT_STATUS = frozenset((202, 204, 408, 425, 429))  # not there yet, not now; and all from 500 on
PROXY_LOGIN = 407
LOGIN_STATUS = (401, PROXY_LOGIN)
REDIRECTS = frozenset((301, 302, 303, 307, 308))
PERMANENT = frozenset((301, 308))
USABLE = frozenset((200, 203, 206, 304, 416))
_Result = TypeVar("_Result")
Sleep = Callable[[float], Any]


class UnavailableError(DownloadError):
    """A fault that may pass; `retry_after` is how many seconds the server asks to wait."""

    def __init__(self, message: str, retry_after: float | None = None, *, status: int = 0) -> None:
        super().__init__(message, transient=True)
        self.retry_after = retry_after
        self.status = status


class RefusedError(DownloadError):
    """A status that says that asking again won't help."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class LoginError(RefusedError, SettingsError):
    """A server, or a proxy on the way, wants a login, or another one than it was given."""

    reach = "episode"


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

    `permanent_location` is where it has moved for good, "" where it has not. An `unchanged` page has no data.
    """

    data: bytes
    url: str
    content_type: str
    validators: Validators = Validators()
    moved_to: str = ""
    unchanged: bool = False


def get(
    client: httpx2.Client, url: str, headers: Mapping[str, str], access: Access | None = None
) -> httpx2.Response:
    """The opened response to a GET after redirects, with one of the USABLE statuses; close it.

    access: as whom to ask, and which servers on the way may see secrets. The redirects that led to the response
    are in its `history`.
    InputError for an address that may not be fetched, DownloadError for every other failure.
    """
    access = access or Access()
    target = checked_url(url)
    passed: list[httpx2.Response] = []
    for _ in range(MAX_REDIRECTS + 1):
        response = _send(client, target, {**headers, **access.headers_for(target)})
        if response.status_code not in REDIRECTS or "Location" not in response.headers:
            response.history = passed
            return _usable(response, target)
        response.close()
        passed.append(response)
        target = _redirected(target, response.headers["Location"])
    raise DownloadError(f"{redacted(url)} was redirected over {MAX_REDIRECTS} times")


def permanent_location(response: httpx2.Response) -> str:
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
    with network_errors(url):
        return client.send(request, stream=True, auth=login)


def _redirected(url: httpx2.URL, location: str) -> httpx2.URL:
    try:
        return checked_url(url.join(location))
    except (httpx2.InvalidURL, ValueError):
        raise DownloadError(f"{redacted(url)} redirects to something that is not a URL") from None
    except InputError as error:
        raise InputError(f"{redacted(url)} redirects where we don't follow: {error}") from None


def _usable(response: httpx2.Response, url: httpx2.URL) -> httpx2.Response:
    status = response.status_code
    if status in USABLE:
        return response
    response.close()
    message = f"{redacted(url)} answered {status} {response.reason_phrase}".rstrip()
    if status >= 500 or status in TRANSIENT_STATUS:
        asked = retry_after(response.headers.get("Retry-After", ""))
        raise UnavailableError(message, asked, status=status)
    raise (LoginError if status in LOGIN_STATUS else RefusedError)(message, status)


def retry_after(value: str) -> float | None:
    """Seconds to wait by a Retry-After header, which holds seconds or a date (RFC 9110)."""
    if value.strip().isdecimal():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


@contextmanager
def network_errors(url: str | httpx2.URL) -> Iterator[None]:
    """Turns what goes wrong on the wire into a DownloadError that may be tried again."""
    try:
        yield
    except httpx2.DecodingError as error:
        raise DownloadError(f"{redacted(url)} sent what can't be unpacked: {error}") from error
    except httpx2.ProxyError as error:
        if str(PROXY_LOGIN) not in str(error):
            raise UnavailableError(f"{redacted(url)}: {type(error).__name__}: {error}") from error
        raise LoginError(f"the proxy on the way to {redacted(url)} wants a login", PROXY_LOGIN) from None
    except httpx2.TransportError as error:
        raise UnavailableError(f"{redacted(url)}: {type(error).__name__}: {error}") from error


def with_retries(
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
    access: Access | None = None,
    seconds: float = 120,
    attempts: int = ATTEMPTS,
    sleep: Sleep = time.sleep,
) -> Page:
    """A small file such as a feed, in whole, unpacked if it came compressed.

    known: what was said about the version that is here already; if it still holds, no data comes.
    access: as whom to ask, and by which way. `seconds` is for all attempts together.
    InputError: over `max_bytes`, an address that may not be fetched. DownloadError: all else.
    """
    deadline = time.monotonic() + seconds
    headers = {"Accept-Encoding": "gzip", **(known.conditions() if known else {})}
    access = access or Access()
    with open_client(allow_private=allow_private, deadline=deadline, proxy=access.proxy) as client:

        def fetch() -> Page:
            check_deadline(url, deadline)
            response = get(client, url, headers, access)
            try:
                return _page(response, read_all(response.iter_bytes(), url, max_bytes, deadline))
            finally:
                response.close()

        return with_retries(fetch, attempts=attempts, sleep=sleep)


def _page(response: httpx2.Response, data: bytes) -> Page:
    said = response.headers
    told = content_range(said.get("Content-Range", ""))
    whole = told is not None and told.start == 0 and told.total in (None, told.end)
    if response.status_code == 416 or (response.status_code == 206 and not whole):
        raise UnavailableError(
            f"{redacted(response.request.url)} sent a part of a file although all was asked for"
        )
    validators = Validators(said.get("ETag", ""), said.get("Last-Modified", ""))
    unchanged = response.status_code == 304
    return Page(
        data,
        final_url(response),
        said.get("Content-Type", ""),
        validators,
        permanent_location(response),
        unchanged,
    )


def read_all(pieces: Iterable[bytes], url: str, max_bytes: int, deadline: float) -> bytes:
    """The pieces joined; InputError over `max_bytes`, DownloadError after `deadline` (monotonic)."""
    data = bytearray()
    with network_errors(url):
        for piece in pieces:
            data += piece
            if len(data) > max_bytes:
                raise InputError(f"{redacted(url)} is bigger than {max_bytes:,} bytes")
            check_deadline(url, deadline)
    return bytes(data)


def check_deadline(url: str, deadline: float) -> None:
    """DownloadError once the monotonic clock has passed `deadline`."""
    if time.monotonic() > deadline:
        raise DownloadError(f"{redacted(url)} took too long and was given up")


def surplus(response: httpx2.Response, end: bytes) -> bool:
    """Whether more has come than the length that a server announced; `end` are the last bytes of what it announced.

    HTTP takes what follows for the beginning of the next response. Only what came along with the end can be seen.
    """
    stream = response.extensions.get("network_stream")
    last = stream.get_extra_info(LAST_READ) if stream is not None else None
    if not last or not end or announced_length(response) is None:
        return False
    end = end[-len(last) :]
    return not last.endswith(end) and bool(last[last.rfind(end) + len(end) :].strip())


def announced_length(response: httpx2.Response) -> int | None:
    """How many bytes a server says that it sends, packed or not; None where it doesn't."""
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() and "Transfer-Encoding" not in response.headers else None


def final_url(response: httpx2.Response) -> str:
    """The address a response came from, with its query: for resolving what it refers to."""
    return str(response.request.url)
