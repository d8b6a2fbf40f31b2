"""Addresses that strangers wrote: whether they may be fetched, how they are shown, what they name."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, IPv6Network, ip_address
from pathlib import PurePosixPath
from urllib.parse import unquote, urldefrag, urljoin, urlsplit, urlunsplit

import httpx2

from models.record.errors import InputError

# Control characters and spaces, those that nobody sees too: editors paste them.
_AROUND = "".join(map(chr, range(33))) + "\x7f\xa0\u200b\u200c\u200d\u2028\u2029\u2060\u3000\ufeff"
_APP_SCHEME = re.compile(r"\s*(?:feed|itpc|pcast|podcast):(?://(?!/))?", re.IGNORECASE)
_ADDRESS = re.compile(r"""\bhttps?://[^\s<>"'`]+""", re.IGNORECASE)
_LOGIN = re.compile(r"\b([a-z][a-z0-9+.-]{0,20}://)[^\s/?#]+@", re.IGNORECASE)
_NAT64 = IPv6Network("64:ff9b::/96")


def redacted(url: str | httpx2.URL) -> str:
    """A URL fit for messages: without login, query and fragment, which may hold secrets.

    >>> redacted("https://me:secret@example.org/show/1.mp3?token=abc")
    'https://example.org/show/1.mp3'
    """
    parsed = checked_url(url)
    return str(parsed.copy_with(username=None, password=None, query=None, fragment=None))


def without_secrets(text: str) -> str:
    """Text for people and logs, the web addresses in it as `redacted` has them, others without login.

    >>> without_secrets("GET https://me:pw@example.org/1.mp3?token=abc: 403")
    'GET https://example.org/1.mp3: 403'
    >>> without_secrets("to sftp://me:p@w@host.example/library")
    'to sftp://host.example/library'
    """
    return _LOGIN.sub(r"\1", _ADDRESS.sub(_redacted_match, text))


def _redacted_match(found: re.Match[str]) -> str:
    address = found[0].rstrip(".,:;")
    try:
        return redacted(address) + found[0][len(address) :]
    except InputError:
        return f"{address.partition('://')[0]}://..."


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


def is_fetchable(url: str) -> bool:
    """Whether `checked_url` takes an address.

    >>> [is_fetchable(url) for url in ("https://example.org/1.mp3", "magnet:?xt=1", "http://[")]
    [True, False, False]
    """
    try:
        checked_url(url)
    except InputError:
        return False
    return True


def same_host(one: str, other: str) -> bool:
    """Whether two addresses are of one host, whatever the scheme and port; not where one is no address."""
    return is_fetchable(one) and is_fetchable(other) and checked_url(one).host == checked_url(other).host


def origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    """Scheme, host and port: what a secret is meant for."""
    return url.scheme, url.host, url.port


def name_in(url: str) -> str:
    """What the file at an address is called, without extension.

    >>> name_in("https://example.org/shows/My%20Talk.mp3?token=se/cret")
    'My Talk'
    """
    return PurePosixPath(unquote(urlsplit(url).path)).stem


def without_login(url: str) -> str:
    """`url` without a user name and password: fit to be stored and shown.

    >>> without_login("https://me:secret@example.org:8080/feed?x=1")
    'https://example.org:8080/feed?x=1'
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise InputError(f"this is not a URL: {error}") from None
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def with_login_of(url: str, other: str) -> str:
    """`url` with the login that is in `other`, where both are of one server.

    >>> with_login_of("https://example.org/feed?page=2", "https://me:secret@example.org/feed")
    'https://me:secret@example.org/feed?page=2'
    """
    ours, login = urlsplit(url), urlsplit(other).netloc.rpartition("@")[0]
    if not login or "@" in ours.netloc or origin(checked_url(url)) != origin(checked_url(other)):
        return url
    return urlunsplit(ours._replace(netloc=f"{login}@{ours.netloc}"))


def without_query(url: str) -> str:
    """`url` without login, query and fragment: what names a file rather than a request."""
    return urlunsplit(urlsplit(without_login(url))._replace(query="", fragment=""))


def absolute(url: str, href: str | None) -> str:
    """`href` resolved against `url`, or "" unless that gives an http(s) address.

    Read as browsers do (https://url.spec.whatwg.org): tabs and line ends don't count, white space around it
    doesn't either, and a space inside stands for %20.

    >>> absolute("https://example.org/feeds/rss.xml", " ../My Talk 1.mp3\\n")
    'https://example.org/My%20Talk%201.mp3'
    """
    href = re.sub(r"[\t\n\r]", "", href or "").strip(_AROUND)
    if not href:
        return ""
    href = re.sub(r"^(https?:)[/\\]+", r"\1//", href, flags=re.IGNORECASE)
    path, mark, rest = href.partition("?")
    path = (
        path if re.match(r"(?!https?:)[a-z][a-z0-9+.-]*:", path, re.IGNORECASE) else path.replace("\\", "/")
    )
    try:
        address = urldefrag(urljoin(url, f"{path}{mark}{rest}".replace(" ", "%20"))).url
        return address if urlsplit(address).scheme in ("http", "https") and urlsplit(address).hostname else ""
    except ValueError:
        return ""


def web_address(source: str) -> str:
    """The http(s) address behind one that asks for a podcast app, such as feed: or itpc:; all others unchanged.

    >>> [web_address(source) for source in ("feed://example.org/rss", "podcast:https://example.org/rss", "a.mp3")]
    ['http://example.org/rss', 'https://example.org/rss', 'a.mp3']
    """
    found = _APP_SCHEME.match(source)
    if not found:
        return source
    rest = source[found.end() :]
    return rest if re.match(r"https?://", rest, re.IGNORECASE) else f"http://{rest.lstrip('/')}"
