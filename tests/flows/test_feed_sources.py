"""Feeds as SOURCE of a run: what can be read is one, whatever the server calls it, and `publish` counts its items."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from audio.feeds.parse import parse_feed
from flows import steps
from flows.options import RunOptions
from flows.schedule import shows
from flows.schedule.settings import CONFIG_VARIABLE
from models.record.errors import InputError
from outputs.publishing.feed_reader import read_feed
from tests.audio.server import Reply, Server
from tests.flows.shows import clip, feed

JAPANESE = "毎週月曜日に町工場と職人の話を聞く番組です。" * 150


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("flows.steps.downloads_folder", lambda: tmp_path / "downloads")


def options(episode: str = "latest") -> RunOptions:
    return RunOptions(allow_private=True, episode=episode)


def served(server: Server, body: bytes, content_type: str = "text/xml") -> str:
    """The address of a feed, whose first clip is there, too."""
    server.routes["/1.wav"] = Reply(200, clip(1))
    server.routes["/feed.xml"] = Reply(200, body, {"Content-Type": content_type})
    return server.url("/feed.xml")


@pytest.mark.parametrize("content_type", ["text/xml", "text/html", "audio/mpeg", "application/octet-stream"])
@pytest.mark.parametrize("kind", ["Japanese", "packed", "notice", "control", "comment", "windows-1251"])
def test_a_run_reads_what_adding_a_show_reads(server: Server, kind: str, content_type: str) -> None:
    text = feed(server, [1]).decode()
    described = text.replace("<item>", f"<description>{JAPANESE}</description><item>", 1)
    bodies = {
        "Japanese": described.encode(),
        "packed": gzip.compress(text.encode()),
        "notice": f"Notice: undefined index in x.php on line 3\n{text}".encode(),
        "control": text.replace("<item>", "<description>a\x1bb</description><item>").encode(),
        "comment": f"<!-- {'cached ' * 1000} -->{text}".encode(),
        "windows-1251": text.replace("Short Show", "Книги и люди " * 300).encode("windows-1251"),
    }
    found = steps.download(served(server, bodies[kind], content_type), options())
    assert (found.episode.guid, found.episode.published[:10]) == ("g1", "2026-11-16")


def test_the_charset_of_the_server_counts(server: Server) -> None:
    body = feed(server, [1], title="Книги и люди").decode().encode("windows-1251")
    found = steps.download(served(server, body, "text/xml; charset=windows-1251"), options())
    assert found.episode.show == "Книги и люди"


def test_an_address_with_spaces(server: Server) -> None:
    url = served(server, feed(server, [1]).replace(b"/1.wav", b"/Harbour Talk 1.wav"))
    server.routes["/Harbour%20Talk%201.wav"] = Reply(200, clip(1))
    assert steps.download(url, options()).episode.audio_url.endswith("/Harbour%20Talk%201.wav")


def test_an_episode_of_the_second_page(server: Server) -> None:
    link = f'<link rel="next" href="{server.url("/2.xml")}"/>'
    url = served(server, feed(server, [2], extra=link))
    server.routes["/2.xml"] = Reply(200, feed(server, [1]))
    assert steps.download(url, options("g1")).episode.title == "Clip 1"
    assert steps.download(url, options("2")).episode.title == "Clip 1"
    with pytest.raises(InputError, match="no episode has the guid 'g7'; closest: g"):
        steps.download(url, options("g7"))
    server.routes["/2.wav"] = Reply(200, clip(2))
    before = len(server.requests)
    assert steps.download(url, options()).episode.title == "Clip 2"
    assert "/2.xml" not in [path for path, _ in server.requests[before:]]


def test_what_is_left_out_is_told(server: Server) -> None:
    without = b"<item><title>%s</title></item>"
    body = feed(server, [1]).replace(b"<item>", without % b"Soon" + without % b"Later" + b"<item>", 1)
    found = steps.download(served(server, body), options())
    assert found.episode.title == "Clip 1"
    assert found.feed_warnings == (
        "the feed: item 1 ('Soon') has no audio: left out, and 1 more of the kind",
    )
    assert steps.download(served(server, feed(server, [1])), options()).feed_warnings == ()


@pytest.mark.parametrize("scheme", ["feed:", "itpc:", "pcast:", "podcast:"])
def test_addresses_that_are_meant_for_apps(
    server: Server, scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path / "episcribe.toml"))
    (tmp_path / "episcribe.toml").touch()
    url = served(server, feed(server, [1]))
    steps.check_input(url.replace("http:", scheme), RunOptions(allow_private=True, diariser="none"))
    for written in (scheme + url, url.replace("http:", scheme)):
        assert steps.download(written, options()).episode.feed_url == url
    shows.add("one", {"url": url.replace("http:", scheme)}, allow_private=True)
    assert f'url = "{url}"' in (tmp_path / "episcribe.toml").read_text()


def test_publishing_counts_items_as_reading_does() -> None:
    audio = '<enclosure url="https://a.example/{}.mp3" type="audio/mpeg"/>'
    text = f"""<rss xmlns:atom="http://www.w3.org/2005/Atom" xmlns:podcast="https://podcastindex.org/namespace/1.0">
        <channel><title>Show</title><podcast:liveItem><guid>live</guid></podcast:liveItem>
        <item><guid>none</guid></item><item><guid>1</guid>{audio.format(1)}</item>
        <group><item><guid>odd</guid>{audio.format(2)}</item></group><atom:entry><atom:id>e</atom:id></atom:entry>
        <item><guid>3</guid>{audio.format(3)}</item></channel></rss>"""
    read = {item.episode.guid: item.position for item in parse_feed(text.encode(), "").items}
    placed = [item.position for item in read_feed(text.encode(), "the feed", None).items]
    assert read == {"1": 1, "odd": 2, "3": 4}
    assert placed == [0, 1, 4]  # those with nothing between them and the channel
