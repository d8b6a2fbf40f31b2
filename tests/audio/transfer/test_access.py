"""Who gets to see a show's login and headers, and as whom servers are asked."""

from pathlib import Path

import httpx2
import pytest

from audio.transfer.access import Access
from audio.transfer.download import download
from audio.transfer.http import fetch_bytes
from audio.transfer.network import USER_AGENT
from tests.audio.server import Reply, Server, ranged

SECRET = {"X-Token": "hush"}
BODY = b"ID3\x04" + bytes(range(256)) * 20


def elsewhere(server: Server, path: str) -> str:
    """The same server under another name, and so another host."""
    return server.url(path).replace("127.0.0.1", "localhost")


def tokens(server: Server) -> list[tuple[str, str | None]]:
    return [(path, headers.get("X-Token")) for path, headers in server.requests]


@pytest.mark.parametrize(
    ("home", "hosts", "url", "shown"),
    [
        ("https://a.example/feed", (), "https://a.example/1.mp3", True),
        ("https://a.example/feed", (), "https://a.example:8443/1.mp3", False),
        ("https://a.example/feed", (), "https://cdn.example/1.mp3", False),
        ("https://a.example/feed", ("cdn.example",), "https://cdn.example/1.mp3", True),
        ("https://a.example/feed", ("cdn.example",), "https://CDN.example/1.mp3", True),
        ("https://a.example/feed", ("cdn.example",), "https://cdn.example:8443/1.mp3", False),
        ("https://a.example/feed", ("cdn.example:8443",), "https://cdn.example:8443/1.mp3", True),
        ("https://a.example/feed", ("cdn.example",), "https://evil.cdn.example/1.mp3", False),
        ("https://a.example/feed", ("cdn.example",), "http://cdn.example/1.mp3", False),  # in the clear
        ("https://a.example/feed", (), "http://a.example/1.mp3", False),
        # AntennaPod 5214: from http to https of one host the header was lost
        ("http://a.example/feed", (), "https://a.example/1.mp3", True),
        ("http://a.example/feed", (), "https://b.example/1.mp3", False),
        ("http://a.example/feed", ("cdn.example",), "http://cdn.example/1.mp3", True),
    ],
)
def test_whom_secrets_are_shown(home: str, hosts: tuple[str, ...], url: str, shown: bool) -> None:
    access = Access(SECRET, home=home, hosts=hosts)
    assert bool(access.headers_for(httpx2.URL(url))) is shown


def test_secrets_are_not_shown_by_chance() -> None:
    assert "hush" not in repr(Access(SECRET, home="https://a.example", proxy="http://me:hush@p.example"))


def test_audio_elsewhere_gets_no_secret_unless_named(server: Server, tmp_path: Path) -> None:
    """akhilrex/podgrab 140: audio behind the login of its feed; but only where the user says so."""
    server.routes["/a.mp3"] = Reply(body=BODY)
    home, audio = server.url("/feed"), elsewhere(server, "/a.mp3")
    host = audio.split("/")[2]
    for hosts, seen in ((), None), ((host,), "hush"):
        download(audio, tmp_path, allow_private=True, access=Access(SECRET, home=home, hosts=hosts))
        assert tokens(server)[-1] == ("/a.mp3", seen)


def test_a_tracker_before_the_named_host_sees_nothing(server: Server, tmp_path: Path) -> None:
    home = "http://127.0.0.2/feed"
    cdn = elsewhere(server, "/a.mp3")
    server.routes |= {"/track": Reply(302, headers={"Location": cdn}), "/a.mp3": ranged(BODY)}
    access = Access(SECRET, home=home, hosts=(cdn.split("/")[2],))
    download(server.url("/track"), tmp_path, allow_private=True, access=access)
    assert tokens(server) == [("/track", None), ("/a.mp3", "hush")]


def test_a_redirect_leads_no_secret_to_another_host(server: Server, tmp_path: Path) -> None:
    server.routes |= {
        "/a.mp3": Reply(302, headers={"Location": elsewhere(server, "/b.mp3")}),
        "/b.mp3": Reply(302, headers={"Location": server.url("/c.mp3")}),
        "/c.mp3": Reply(body=BODY),
    }
    url = server.url("/a.mp3")
    download(url, tmp_path, allow_private=True, access=Access(SECRET, home=url))
    assert tokens(server) == [("/a.mp3", "hush"), ("/b.mp3", None), ("/c.mp3", "hush")]


def test_the_user_agent_is_told_to_every_server(server: Server) -> None:
    """dplocki/podcast-downloader 33, lightpohl/podcast-dl 118: hosts that turn some programs away."""

    def picky(headers: dict[str, str]) -> Reply:
        return Reply(200, b"ok") if headers["User-Agent"] == "Player/1.0" else Reply(403)

    server.routes |= {"/a": Reply(302, headers={"Location": elsewhere(server, "/b")}), "/b": picky}
    access = Access(user_agent="Player/1.0")
    assert fetch_bytes(server.url("/a"), 1000, allow_private=True, access=access).data == b"ok"
    server.routes["/b"] = Reply(200, b"ok")
    fetch_bytes(server.url("/b"), 1000, allow_private=True)
    assert server.requests[-1][1]["User-Agent"] == USER_AGENT
