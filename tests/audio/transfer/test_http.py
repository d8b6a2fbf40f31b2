"""GET requests: what is refused, followed, and tried again."""

import gzip
import logging
import random
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpcore2
import pytest
from httpcore2._backends.sync import SyncStream

from audio.transfer import http, network
from audio.transfer.access import Access
from audio.transfer.addresses import is_public, redacted
from audio.transfer.http import fetch_bytes
from models.record.errors import DownloadError, InputError
from tests.audio.server import Reply, Server, ranged


def fetch(url: str, max_bytes: int = 1000, **options: Any) -> http.Page:
    chosen: dict[str, Any] = {"sleep": lambda seconds: None, "allow_private": True, **options}
    return fetch_bytes(url, max_bytes, **chosen)


def resolve_to(monkeypatch: pytest.MonkeyPatch, **hosts: list[str]) -> list[str]:
    """Makes the named hosts resolve to these addresses; returns the names that were asked for."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, *rest: object, **options: object) -> list[Any]:
        asked.append(host)
        found = hosts.get(host.partition(".")[0], [host])
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_page(server: Server) -> None:
    server.routes["/f?x=1"] = Reply(body=b"hello", headers={"Content-Type": "text/plain"})
    assert fetch(server.url("/f?x=1")) == http.Page(b"hello", server.url("/f?x=1"), "text/plain")


def test_too_big(server: Server) -> None:
    server.routes["/f"] = Reply(body=b"x" * 1001)
    with pytest.raises(InputError, match="bigger than 1,000 bytes"):
        fetch(server.url("/f"))


def test_too_big_once_unpacked(server: Server) -> None:
    packed = gzip.compress(b"x" * 100_000)
    server.routes["/f"] = Reply(body=packed, headers={"Content-Encoding": "gzip"})
    assert len(packed) < 1000
    with pytest.raises(InputError, match="bigger than"):
        fetch(server.url("/f"))


def test_damaged_packing(server: Server) -> None:
    server.routes["/f"] = Reply(body=b"not gzip", headers={"Content-Encoding": "gzip"})
    with pytest.raises(DownloadError, match="can't be unpacked"):
        fetch(server.url("/f"))


def test_redirects_are_followed(server: Server) -> None:
    server.routes["/a"] = Reply(302, headers={"Location": "/b?c=1"})
    server.routes["/b?c=1"] = Reply(body=b"here")
    assert fetch(server.url("/a")).url == server.url("/b?c=1")


def test_redirect_loop(server: Server) -> None:
    server.routes["/a"] = Reply(302, headers={"Location": "/a"})
    with pytest.raises(DownloadError, match="redirected over 10 times"):
        fetch(server.url("/a"))
    assert len(server.requests) == 11


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://a.example/", "gopher://a.example"])
def test_redirect_to_another_scheme(server: Server, target: str) -> None:
    server.routes["/a"] = Reply(302, headers={"Location": target})
    with pytest.raises(InputError, match="redirects where we don't follow"):
        fetch(server.url("/a"))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://a.example/x", "/etc/passwd", "", "data:,x"])
def test_other_schemes_are_refused(url: str) -> None:
    with pytest.raises(InputError, match="only http and https"):
        fetch(url)


@pytest.mark.parametrize("url", ["http://", "http://[", "http://a:99999/", "http://a\nb/"])
def test_no_url(url: str) -> None:
    with pytest.raises(InputError):
        fetch(url)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fc00::1",
        "::ffff:10.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "::",
    ],
)
def test_private_addresses(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1"])
def test_private_hosts_are_refused(server: Server, host: str) -> None:
    url = server.url("/").replace("127.0.0.1", host)
    with pytest.raises(InputError, match="not a public address"):
        fetch(url, allow_private=False)
    assert server.requests == []


def test_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, mixed=["1.1.1.1", "10.0.0.1"])
    with pytest.raises(InputError, match=r"mixed\.example is at 10\.0\.0\.1"):
        fetch("http://mixed.example/", allow_private=False)


def test_redirect_to_a_private_address_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first host counts as public here, and the second must still be checked."""
    resolve_to(monkeypatch, outside=["127.0.0.2"], inside=["127.0.0.1"])
    monkeypatch.setattr(network, "is_public", lambda address: address == "127.0.0.2")
    reached = connect_home(monkeypatch, server)
    server.routes["/a"] = Reply(302, headers={"Location": "http://inside.example/secret"})
    with pytest.raises(InputError, match=r"inside\.example is at 127\.0\.0\.1"):
        fetch("http://outside.example/a", allow_private=False)
    assert [path for path, _ in server.requests] == ["/a"]
    assert reached == ["127.0.0.2"]


def connect_home(monkeypatch: pytest.MonkeyPatch, server: Server) -> list[str]:
    """Leads every connection to the test's server; returns the addresses that were asked for."""
    port = int(server.url("").rpartition(":")[2])
    reached: list[str] = []

    def connect(self: Any, host: str, *rest: Any) -> Any:
        reached.append(host)
        sock = socket.socket()
        sock.connect(("127.0.0.1", port))
        return SyncStream(sock)

    monkeypatch.setattr(httpcore2.SyncBackend, "connect_tcp", connect)
    return reached


def test_a_name_is_resolved_once(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second answer of the name server can't lead past the check: the checked address is used."""
    asked = resolve_to(monkeypatch, outside=["127.0.0.2"])
    monkeypatch.setattr(network, "is_public", lambda address: address == "127.0.0.2")
    reached = connect_home(monkeypatch, server)
    server.routes["/a"] = Reply(body=b"ok")
    assert fetch("http://outside.example/a", allow_private=False).data == b"ok"
    assert (asked, reached) == (["outside.example"], ["127.0.0.2"])
    assert server.requests[0][1]["Host"] == "outside.example"


def test_login_is_sent_but_never_shown(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    url = server.url("/a").replace("//", "//me:secret@")
    server.routes["/a"] = [Reply(body=b"ok"), Reply(403)]
    assert "secret" not in fetch(url).url
    assert server.requests[0][1]["Authorization"].startswith("Basic ")
    with pytest.raises(DownloadError) as caught:
        fetch(url)
    assert "secret" not in caplog.text + str(caught.value)
    assert "127.0.0.1" in caplog.text


def test_login_does_not_follow_to_another_host(server: Server) -> None:
    other = server.url("/b").replace("127.0.0.1", "localhost")
    server.routes |= {"/a": Reply(302, headers={"Location": other}), "/b": Reply(body=b"ok")}
    fetch(server.url("/a").replace("//", "//me:secret@"))
    assert "Authorization" not in server.requests[1][1]


def test_shown_hides_secrets() -> None:
    assert redacted("https://me:secret@a.example:8080/x?token=t#f") == "https://a.example:8080/x"


def test_404_is_asked_for_once(server: Server) -> None:
    with pytest.raises(DownloadError, match="answered 404 Not Found") as caught:
        fetch(server.url("/none"))
    assert not caught.value.transient
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_transient_faults_are_tried_again(server: Server, status: int) -> None:
    server.routes["/a"] = [Reply(status), Reply(status), Reply(body=b"ok")]
    pauses: list[float] = []
    assert fetch(server.url("/a"), sleep=pauses.append).data == b"ok"
    assert 0.25 <= pauses[0] <= 0.75
    assert 0.5 <= pauses[1] <= 1.5


def test_always_500(server: Server) -> None:
    server.routes["/a"] = Reply(500)
    with pytest.raises(DownloadError, match="500") as caught:
        fetch(server.url("/a"), attempts=3)
    assert caught.value.transient
    assert len(server.requests) == 3


def test_retry_after_is_honoured(server: Server) -> None:
    server.routes["/a"] = [Reply(429, headers={"Retry-After": "7"}), Reply(body=b"ok")]
    pauses: list[float] = []
    fetch(server.url("/a"), sleep=pauses.append)
    assert pauses == [7.0]


@pytest.mark.parametrize("value", ["3600", "Fri, 31 Dec 2999 23:59:59 GMT"])
def test_retry_after_too_far_off(server: Server, value: str) -> None:
    server.routes["/a"] = Reply(503, headers={"Retry-After": value})
    with pytest.raises(DownloadError, match="asks to come back in") as caught:
        fetch(server.url("/a"))
    assert caught.value.transient
    assert len(server.requests) == 1


def test_pauses_are_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    random.seed(0)
    fault = http.UnavailableError("busy")
    assert len({http._pause(fault, 3) for _ in range(20)}) == 20


def test_nobody_listens() -> None:
    with pytest.raises(DownloadError, match="ConnectError") as caught:
        fetch("http://127.0.0.1:9/", attempts=2)
    assert caught.value.transient


def test_out_of_time(server: Server) -> None:
    server.routes["/a"] = Reply(body=b"ok")
    with pytest.raises(DownloadError, match="took too long"):
        fetch(server.url("/a"), seconds=-1)


# What is remembered, what is secret, and how long it may take


def test_unchanged_page_is_not_sent_again(server: Server) -> None:
    server.routes["/f"] = ranged(b"<rss/>")
    first = fetch(server.url("/f"))
    assert first.validators == http.Validators('"v1"', "")
    again = fetch(server.url("/f"), known=first.validators)
    assert (again.unchanged, again.data) == (True, b"")
    assert server.requests[1][1]["If-None-Match"] == '"v1"'


def test_unchanged_by_date(server: Server) -> None:
    date = "Mon, 01 Jan 2024 00:00:00 GMT"
    server.routes["/f"] = [Reply(body=b"x", headers={"Last-Modified": date}), Reply(304)]
    first = fetch(server.url("/f"))
    assert fetch(server.url("/f"), known=first.validators).unchanged
    assert server.requests[1][1]["If-Modified-Since"] == date


@pytest.mark.parametrize(
    ("statuses", "moved"),
    [((301,), "/1"), ((308, 301), "/2"), ((302,), ""), ((301, 302), "/1"), ((307, 301), "")],
)
def test_permanent_redirects_are_told(server: Server, statuses: tuple[int, ...], moved: str) -> None:
    for step, status in enumerate(statuses):
        server.routes[f"/{step}"] = Reply(status, headers={"Location": f"/{step + 1}"})
    server.routes[f"/{len(statuses)}"] = Reply(body=b"here")
    page = fetch(server.url("/0"))
    assert page.moved_to == (server.url(moved) if moved else "")
    assert page.url == server.url(f"/{len(statuses)}")


def test_secret_headers_stay_with_the_server_of_the_address(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    other = server.url("/c").replace("127.0.0.1", "localhost")
    server.routes |= {"/a": Reply(302, headers={"Location": "/b"}), "/c": Reply(body=b"ok")}
    server.routes["/b"] = Reply(302, headers={"Location": other})
    fetch(server.url("/a"), access=Access({"X-Token": "hush"}, home=server.url("/a")))
    assert [headers.get("X-Token") for _, headers in server.requests] == ["hush", "hush", None]
    assert "hush" not in caplog.text


def test_packed_pages_are_unpacked(server: Server) -> None:
    server.routes["/f"] = Reply(body=gzip.compress(b"<rss/>"), headers={"Content-Encoding": "gzip"})
    assert fetch(server.url("/f")).data == b"<rss/>"
    assert server.requests[0][1]["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize("dripped", ["headers", "body"])
def test_a_server_that_drips_is_given_up(dripped: str) -> None:
    """One byte every 50 ms is never silent for long, and would go on for a week."""
    with dripping(head=b"HTTP/1.1 200 OK\r\n" + (b"" if dripped == "headers" else b"\r\n")) as url:
        begun = time.monotonic()
        with pytest.raises(DownloadError, match="took too long"):
            fetch(url, seconds=1)
        assert time.monotonic() - begun < 20


@contextmanager
def dripping(head: bytes) -> Iterator[str]:
    """A server that answers with `head` and then one letter after another."""
    done = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            self.request.sendall(head)
            with suppress(OSError):
                while not done.wait(0.05):
                    self.request.sendall(b"x")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as tcp:
        threading.Thread(target=tcp.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{tcp.server_address[1]}/a.mp3"
        finally:
            done.set()
            tcp.shutdown()
