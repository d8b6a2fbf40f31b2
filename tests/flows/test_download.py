"""The download step: which of an episode's enclosures is taken, and what is told of it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from audio.transfer.access import Access
from audio.transfer.download import Limits
from audio.transfer.http import LoginError
from flows import steps
from flows.options import RunOptions
from models.record.errors import DownloadError, InputError, NotAudioError, SettingsError
from models.record.identity import find
from models.record.transcript import Enclosure, Episode
from tests.audio.server import NO_LENGTH, Reply, Server, ranged
from tests.flows.shows import clip

PLAYLIST = Reply(200, b"#EXTM3U\n#EXT-X-TARGETDURATION:6\nseg1.ts\n", {"Content-Type": "audio/x-mpegurl"})
OPTIONS = RunOptions(allow_private=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("audio.transfer.http.FIRST_PAUSE", 0.01)
    monkeypatch.setenv("EPISCRIBE_CACHE", str(tmp_path / "cache"))


def episode(server: Server, *paths: str, **told: Any) -> Episode:
    """An episode whose media are at these places of the server."""
    places = tuple(Enclosure(server.url(path)) for path in paths)
    return Episode("id-1", "Show", "g1", "Title", audio_url=places[0].url, enclosures=places, **told)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:6\nseg1.ts\n", "a playlist"),  # thebells1111/sovereign-feeds PR 7
        (b"[playlist]\nFile1=http://a.example/1.mp3\n", "a playlist"),
        (b"<!DOCTYPE html><html><body>Sorry", "a page of HTML"),  # PodFetch 82, CarolusMagnus/Podcatcher 55
        (b"Unauthorized", 'plain text \\("Unauthorized"\\)'),  # akhilrex/podgrab 140
        (b'{"error": 404}', "JSON"),
        (b"<rss version='2.0'><channel/></rss>", "a podcast feed"),
    ],
    ids=["m3u8", "pls", "HTML", "Unauthorized", "JSON", "feed"],
)
def test_the_next_enclosure_where_one_is_no_audio(server: Server, body: bytes, what: str) -> None:
    server.routes |= {"/a": Reply(200, body, {"Content-Type": "audio/mpeg"}), "/b.wav": ranged(clip(1))}
    with pytest.raises(NotAudioError, match=what) as caught:
        steps.download_episode(episode(server, "/a"), OPTIONS)
    assert "\n" not in str(caught.value)
    fetched = steps.download_episode(episode(server, "/a", "/b.wav"), OPTIONS)
    assert Path(fetched.path).read_bytes() == clip(1)
    assert fetched.episode.audio_url == server.url("/b.wav")
    (warning,) = fetched.warnings
    assert server.url("/a") in warning
    assert f"{server.url('/b.wav')} was taken instead" in warning


def test_an_episode_stays_itself_by_another_enclosure(server: Server) -> None:
    server.routes |= {"/a.m3u8": PLAYLIST, "/b.wav": ranged(clip(1))}
    listed = episode(server, "/a.m3u8", "/b.wav", feed_url=server.url("/feed"))
    fetched = steps.download_episode(listed, OPTIONS).episode
    other = episode(server, "/b.wav", feed_url=server.url("/feed"))
    assert find(fetched, [listed]) == 0
    assert fetched.audio_key
    assert find(Episode("id-2", feed_url=listed.feed_url, audio_url=listed.audio_url), [fetched]) == 0
    assert find(Episode("id-2", feed_url=other.feed_url, audio_url=other.audio_url), [fetched]) is None


def test_the_first_that_is_audio_is_the_only_one_asked_for(server: Server) -> None:
    server.routes |= {"/a.wav": ranged(clip(1)), "/b.wav": ranged(clip(2))}
    fetched = steps.download_episode(episode(server, "/a.wav", "/b.wav"), OPTIONS)
    assert (fetched.warnings, fetched.episode) == ((), episode(server, "/a.wav", "/b.wav"))
    assert [path for path, _ in server.requests] == ["/a.wav"]


def test_enclosures_that_cannot_be_fetched_and_doubles_are_left_out(server: Server) -> None:
    server.routes |= {"/a.m3u8": PLAYLIST, "/b.wav": ranged(clip(1))}
    listed = episode(server, "/a.m3u8", "/a.m3u8", "/b.wav")
    odd = (Enclosure("magnet:?xt=urn:btih:1"), Enclosure("http://["))
    listed = replace(listed, enclosures=(*odd, *listed.enclosures))
    assert steps.download_episode(listed, OPTIONS).episode.audio_url == server.url("/b.wav")
    assert [path for path, _ in server.requests] == ["/a.m3u8", "/b.wav"]


def test_where_none_is_audio_the_first_is_told(server: Server) -> None:
    server.routes |= {"/a.m3u8": PLAYLIST, "/b": Reply(200, b"<html>"), "/c": Reply(200, b"{}")}
    with pytest.raises(NotAudioError, match=r"a\.m3u8.*a playlist; none of its 2 other enclosures is audio"):
        steps.download_episode(episode(server, "/a.m3u8", "/b", "/c"), OPTIONS)


def test_a_fault_that_may_pass_leads_to_no_other_enclosure(server: Server) -> None:
    """It is tried again; the next one may be of a lesser kind."""
    server.routes |= {"/a.wav": Reply(), "/b.wav": ranged(clip(2))}
    with pytest.raises(DownloadError, match="0 bytes"):
        steps.download_episode(episode(server, "/a.wav", "/b.wav"), OPTIONS)


@pytest.mark.parametrize("status", [404, 410, 403])
def test_what_is_gone_is_looked_for_elsewhere_at_once(server: Server, status: int) -> None:
    server.routes |= {"/a.wav": Reply(status), "/b.wav": ranged(clip(2))}
    listed = episode(server, "/a.wav", "/b.wav", feed_url=server.url("/feed"))
    fetched = steps.download_episode(listed, OPTIONS)
    assert Path(fetched.path).read_bytes() == clip(2)
    assert fetched.episode.audio_url == server.url("/b.wav")
    assert (fetched.episode.id, fetched.episode.guid) == (listed.id, listed.guid)
    (warning,) = fetched.warnings
    assert warning.startswith(f"{server.url('/a.wav')} answered {status}")
    assert f"{server.url('/b.wav')} was taken instead" in warning


@pytest.mark.parametrize(
    "fault",
    [
        Reply(503),
        Reply(429),
        Reply(),
        Reply(200, clip(1), cut=500),
        Reply(503, headers={"Retry-After": "7200"}),
    ],
    ids=["503", "429", "0 bytes", "cut short", "asks for peace"],
)
def test_what_may_pass_is_waited_for_up_to_the_last_attempt(server: Server, fault: Reply) -> None:
    """A host may be down for five minutes; what else is offered may be cut otherwise, or sound worse."""
    server.routes |= {"/a.wav": fault, "/b.wav": ranged(clip(2))}
    listed = episode(server, "/a.wav", "/b.wav")
    with pytest.raises(DownloadError) as caught:
        steps.download_episode(listed, OPTIONS)
    assert caught.value.transient
    assert "/b.wav" not in [path for path, _ in server.requests]
    fetched = steps.download_episode(listed, OPTIONS, last=True)
    assert fetched.episode.audio_url == server.url("/b.wav")


def test_a_server_that_is_not_there_is_done_without_at_the_last_attempt(server: Server) -> None:
    gone = Server()
    gone.close()
    server.routes["/b.wav"] = ranged(clip(2))
    places = (Enclosure(gone.url("/a.wav")), Enclosure(server.url("/b.wav")))
    listed = Episode("id-1", audio_url=places[0].url, enclosures=places)
    assert steps.download_episode(listed, OPTIONS, last=True).episode.audio_url == server.url("/b.wav")


def test_where_all_fail_the_first_is_told_and_how_many_others(server: Server) -> None:
    server.routes |= {"/a.wav": Reply(404), "/b": Reply(200, b"<html>"), "/c.wav": Reply(503)}
    with pytest.raises(
        DownloadError, match=r"/a\.wav answered 404.*; 2 other enclosures failed, too"
    ) as caught:
        steps.download_episode(episode(server, "/a.wav", "/b", "/c.wav"), OPTIONS, last=True)
    assert caught.value.transient
    with pytest.raises(
        DownloadError, match=r"/a\.wav answered 404 Not Found; 1 other enclosure failed, too"
    ) as caught:
        steps.download_episode(episode(server, "/a.wav", "/b"), OPTIONS)
    assert not caught.value.transient
    with pytest.raises(DownloadError, match=r"/a\.wav answered 404 Not Found$"):
        steps.download_episode(episode(server, "/a.wav"), OPTIONS)


def test_a_login_that_is_missing_is_for_its_user_to_mend(server: Server) -> None:
    server.routes |= {"/a.wav": Reply(401), "/b.wav": ranged(clip(2)), "/proxied.wav": Reply(407)}
    known = Access(home=server.url("/"), login=True)
    with pytest.raises(LoginError):
        steps.download_episode(episode(server, "/a.wav", "/b.wav"), OPTIONS, access=known)
    with pytest.raises(LoginError):
        steps.download_episode(episode(server, "/proxied.wav", "/b.wav"), OPTIONS)


def test_a_paywall_is_a_refusal_as_any_where_there_is_no_login(server: Server) -> None:
    server.routes |= {"/a.wav": Reply(401), "/b.wav": ranged(clip(2))}
    fetched = steps.download_episode(episode(server, "/a.wav", "/b.wav"), OPTIONS)
    assert fetched.episode.audio_url == server.url("/b.wav")
    assert "answered 401" in fetched.warnings[0]
    with pytest.raises(DownloadError, match="answered 401") as caught:
        steps.download_episode(episode(server, "/a.wav"), OPTIONS, access=Access())
    assert not isinstance(caught.value, SettingsError)


def test_what_has_not_the_checksum_that_the_feed_tells_is_not_taken(server: Server) -> None:
    server.routes |= {"/a.wav": Reply(404), "/b.wav": ranged(clip(2)), "/c.wav": ranged(clip(3))}

    def sri(name: str, data: bytes) -> str:
        return f"{name}-{base64.b64encode(hashlib.new(name, data).digest()).decode()}"

    for name in ("sha256", "sha384", "sha512"):
        places = (
            Enclosure(server.url("/a.wav")),
            Enclosure(server.url("/b.wav"), sri=f"{sri('sha256', clip(2))} {sri(name, clip(9))}"),
            Enclosure(server.url("/c.wav"), sri=f"{sri(name, clip(9))} {sri(name, clip(3))}"),
        )
        listed = Episode("id-1", audio_url=places[0].url, enclosures=places)
        right = "/b.wav" if name == "sha256" else "/c.wav"  # one of the strongest kind is enough
        assert steps.download_episode(listed, OPTIONS).episode.audio_url == server.url(right)
    with pytest.raises(DownloadError, match=r"answered 404.*1 other"):
        steps.download_episode(
            replace(listed, enclosures=(places[0], replace(places[1], sri=sri("sha512", b"")))), OPTIONS
        )


def test_a_live_stream_is_no_episode(server: Server) -> None:
    """It has no end, and would fill the disk up to the limit."""

    def station(_: dict[str, str]) -> Reply:
        return Reply(200, clip(1) * 50, {"icy-name": "Radio", "Content-Type": "audio/mpeg"}, length=NO_LENGTH)

    server.routes |= {"/live": station, "/b.wav": ranged(clip(2))}
    with pytest.raises(NotAudioError, match="a live stream, which has no end"):
        steps.download_episode(episode(server, "/live"), OPTIONS)
    assert steps.download_episode(episode(server, "/live", "/b.wav"), OPTIONS).sha256


def test_a_stream_that_does_not_say_so_ends_at_the_limit(server: Server, tmp_path: Path) -> None:
    server.routes["/live"] = Reply(200, clip(1) * 50, {"Content-Type": "audio/mpeg"}, length=NO_LENGTH)
    with pytest.raises(InputError, match="bigger than 100,000 bytes"):
        steps.download_episode(episode(server, "/live"), OPTIONS, limits=Limits(bytes=100_000))
    assert not list(tmp_path.rglob("*.part"))


def test_what_the_feed_promised_is_kept_for_comparison(server: Server) -> None:
    server.routes["/a.wav"] = ranged(clip(1))
    place = Enclosure(server.url("/a.wav"), "audio/wav", 5_000_000)
    listed = Episode("id-1", audio_url=place.url, enclosures=(place,))
    fetched = steps.download_episode(listed, OPTIONS)
    assert (fetched.size, fetched.promised_bytes) == (len(clip(1)), 5_000_000)


def test_an_address_of_nothing(server: Server) -> None:
    server.routes["/a.mp3"] = Reply(headers={"Content-Type": "audio/mpeg"})
    with pytest.raises(DownloadError, match="the server sent 0 bytes") as caught:
        steps.download(server.url("/a.mp3"), OPTIONS)
    assert caught.value.transient
    assert caught.value.exit_code == 1
    assert len(server.requests) == 5
