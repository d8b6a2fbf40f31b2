"""Requests by a real proxy on this machine, which leads every name to the test's server."""

import base64
import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from audio.transfer.access import Access
from audio.transfer.download import Limits, download
from audio.transfer.http import Page, fetch_bytes
from audio.transfer.proxies import checked_proxy, proxy_for
from models.record.errors import DownloadError, InputError
from tests.audio.server import Reply, Server, ranged
from tests.audio.transfer.test_http import resolve_to

BODY = b"ID3\x04" + bytes(range(256)) * 400


class Proxy:
    """Forwards requests for http, opens tunnels for CONNECT, and notes the first lines and logins."""

    def __init__(self, target: Server, login: str = "") -> None:
        self.lines: list[str] = []
        self.logins: list[str] = []
        proxy, address = self, ("127.0.0.1", int(target.url("").rpartition(":")[2]))

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                head = b""
                while b"\r\n\r\n" not in head:
                    head += self.request.recv(65536)
                lines = head.decode("latin-1").split("\r\n")
                proxy.lines.append(lines[0])
                told = [line for line in lines if line.lower().startswith("proxy-authorization")]
                proxy.logins += told
                if login and not any(line.endswith(login) for line in told):
                    self.request.sendall(
                        b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
                    )
                    return
                with socket.create_connection(address) as upstream:
                    if lines[0].startswith("CONNECT"):
                        self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                    else:
                        method, url, version = lines[0].split(" ")
                        lines[0] = f"{method} {httpx2.URL(url).raw_path.decode()} {version}"
                        kept = [line for line in lines if line not in told]
                        upstream.sendall("\r\n".join(kept).encode("latin-1"))
                    self.pump(upstream)

            def pump(self, upstream: socket.socket) -> None:
                pairs = {self.request: upstream, upstream: self.request}
                while True:
                    for ready in select.select(list(pairs), [], [], 10)[0]:
                        data = ready.recv(65536)
                        if not data:
                            return
                        pairs[ready].sendall(data)

        self._tcp = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._tcp.daemon_threads = True
        threading.Thread(target=self._tcp.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._tcp.server_address[1]}"

    def close(self) -> None:
        self._tcp.shutdown()
        self._tcp.server_close()


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    running = Proxy(server)
    yield running
    running.close()


def fetch(url: str, proxy: str = "", **options: Any) -> Page:
    chosen: dict[str, Any] = {"sleep": lambda seconds: None, "attempts": 1, **options}
    return fetch_bytes(url, 1000, access=Access(proxy=proxy), **chosen)


def unresolved(monkeypatch: pytest.MonkeyPatch) -> None:
    """As behind most proxies: no name of the internet can be looked up from here."""

    def getaddrinfo(*arguments: object, **options: object) -> list[Any]:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def test_a_proxy_of_the_settings(server: Server, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, show=["1.1.1.1"])
    server.routes["/f"] = Reply(body=b"<rss/>")
    assert fetch("http://show.example/f", proxy.url).data == b"<rss/>"
    assert proxy.lines == ["GET http://show.example/f HTTP/1.1"]


def test_audio_by_the_proxy_of_the_environment(
    server: Server, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """advplyr/audiobookshelf 3754, akhilrex/podgrab 200: the environment's proxy was not asked for episodes."""
    monkeypatch.setenv("http_proxy", proxy.url)
    resolve_to(monkeypatch, show=["1.1.1.1"], cdn=["1.1.1.2"])
    server.routes |= {
        "/a.mp3": Reply(302, headers={"Location": "http://cdn.example/b.mp3"}),
        "/b.mp3": [ranged(BODY, cut=50_000), ranged(BODY)],
    }
    quick: dict[str, Any] = {"sleep": lambda seconds: None, "limits": Limits(attempts=2)}
    server.routes["/a.mp3"] = [server.routes["/a.mp3"]] * 2  # type: ignore[list-item]
    stored = download("http://show.example/a.mp3", tmp_path, **quick)
    assert stored.path.read_bytes() == BODY
    assert [line.split()[1] for line in proxy.lines] == [
        "http://show.example/a.mp3",
        "http://cdn.example/b.mp3",
        "http://show.example/a.mp3",
        "http://cdn.example/b.mp3",
    ]


def test_https_goes_through_a_tunnel(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's server speaks no TLS, so the tunnel is all there is to see."""
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    resolve_to(monkeypatch, show=["1.1.1.1"])
    with pytest.raises(DownloadError):
        fetch("https://show.example/f")
    assert proxy.lines == ["CONNECT show.example:443 HTTP/1.1"]


def test_a_name_that_only_the_proxy_knows(
    server: Server, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.routes["/f"] = Reply(body=b"ok")
    with monkeypatch.context() as patched:
        real = socket.getaddrinfo
        unresolved(patched)
        mocked = socket.getaddrinfo
        patched.setattr(
            socket,
            "getaddrinfo",
            lambda host, *rest, **more: (real if host == "127.0.0.1" else mocked)(host, *rest, **more),
        )
        assert fetch("http://show.example/f", proxy.url).data == b"ok"


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("10.0.0.1", ["10.0.0.1"]),
        ("169.254.169.254", ["169.254.169.254"]),
        ("inside.example", ["10.0.0.1"]),
        ("mixed.example", ["1.1.1.1", "10.0.0.1"]),
        ("router", None),
        ("nas.local", None),
        ("wiki.corp", None),
        ("metadata.google.internal.", None),
    ],
)
def test_private_hosts_are_not_handed_to_the_proxy(
    server: Server, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, host: str, found: list[str] | None
) -> None:
    if found is None:
        unresolved(monkeypatch)
    else:
        resolve_to(monkeypatch, **{host.partition(".")[0]: found})
    with pytest.raises(InputError, match=r"private host|not a public address"):
        fetch(f"http://{host}/f", proxy.url)
    assert proxy.lines == []


def test_a_redirect_to_a_private_host_is_not_handed_to_the_proxy(
    server: Server, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, show=["1.1.1.1"], inside=["10.0.0.1"])
    server.routes["/f"] = Reply(302, headers={"Location": "http://inside.example/secret"})
    with pytest.raises(InputError, match="not a public address"):
        fetch("http://show.example/f", proxy.url)
    assert len(proxy.lines) == 1


def test_this_machine_is_asked_directly(server: Server, proxy: Proxy) -> None:
    server.routes["/f"] = Reply(body=b"ok")
    assert fetch(server.url("/f"), proxy.url, allow_private=True).data == b"ok"
    with pytest.raises(InputError, match="not a public address"):
        fetch(server.url("/f"), proxy.url)
    assert proxy.lines == []


def test_the_proxy_gets_its_login_and_nobody_else_does(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Proxy(server, login=base64.b64encode(b"me:hush").decode())
    try:
        resolve_to(monkeypatch, show=["1.1.1.1"])
        server.routes["/f"] = Reply(body=b"ok")
        with pytest.raises(DownloadError, match="407"):
            fetch("http://show.example/f", proxy.url)
        assert fetch("http://show.example/f", proxy.url.replace("//", "//me:hush@")).data == b"ok"
        assert "Authorization" not in str(server.requests)
    finally:
        proxy.close()


def test_a_proxy_that_is_not_there_is_a_fault_that_may_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, show=["1.1.1.1"])
    with pytest.raises(DownloadError, match="ConnectError") as caught:
        fetch("http://show.example/f", "http://127.0.0.1:9")
    assert caught.value.transient


def test_which_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    def chosen(url: str, named: str = "") -> str:
        return str(proxy_for(httpx2.URL(url), named) or "")

    assert chosen("http://a.example/") == ""
    monkeypatch.setenv("HTTPS_PROXY", "http://p.example:3128")
    assert chosen("http://a.example/") == ""
    assert chosen("https://a.example/") == "http://p.example:3128"
    assert chosen("https://a.example/", "q.example:8080") == "http://q.example:8080"
    assert chosen("https://a.example/", "none") == ""
    monkeypatch.setenv("NO_PROXY", "a.example,10.0.0.0/8")
    assert chosen("https://cdn.a.example/") == chosen("https://10.1.1.1/") == ""
    assert chosen("https://b.example/") == "http://p.example:3128"
    assert chosen("https://localhost/") == ""


@pytest.mark.parametrize("address", ["socks5://me:hush@p.example", "ftp://p.example", "http://", "http://["])
def test_proxies_that_cannot_be_used(address: str) -> None:
    with pytest.raises(InputError) as caught:
        checked_proxy(address)
    assert "hush" not in str(caught.value)
