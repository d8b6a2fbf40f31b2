"""The download step: which of an episode's enclosures is taken, and what is told of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flows import steps
from flows.options import RunOptions
from models.record.errors import DownloadError, NotAudioError
from models.record.identity import find
from models.record.transcript import Enclosure, Episode
from tests.audio.server import Reply, Server, ranged
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
