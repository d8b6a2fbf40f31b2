"""Links as people have them, to the episode or the feed that they mean, against a server that has such pages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audio.feeds.directories import Directories
from flows import finding, steps
from flows.finding import Found, FoundFeed, Reach
from flows.options import RunOptions
from flows.schedule import additions, settings, shows
from flows.schedule.store import Store, open_store
from models.record.errors import DownloadError, InputError, NotAudioError
from tests.audio.server import Reply, Server, ranged
from tests.flows.shows import clip, serve_show, show_table, write_config

PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n/1.wav\n#EXT-X-ENDLIST\n"
ALTERNATE = '<link rel="alternate" type="application/rss+xml" href="/feed.xml">'


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPISCRIBE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("audio.transfer.http.FIRST_PAUSE", 0.01)


@pytest.fixture
def site(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A show of three clips, and directories that know it."""
    serve_show(server, [3, 2, 1])
    at = Directories(*(server.url(f"/{name}") for name in ("apple", "index", "pocket", "pocket-feeds")))
    monkeypatch.setattr(finding, "DIRECTORIES", at)
    return server


def page(*parts: str) -> Reply:
    return Reply(
        200, "<!doctype html><html>{}".format("".join(parts)).encode(), {"Content-Type": "text/html"}
    )


def answer(told: object) -> Reply:
    return Reply(200, json.dumps(told).encode(), {"Content-Type": "text/javascript; charset=utf-8"})


def episode(site: Server, source: str, which: str = "latest", *, extract: bool = False) -> Found:
    address = site.url(source) if source.startswith("/") else source
    reach = Reach(Path("downloads").absolute(), allow_private=True, extract=extract)
    with finding.found_at(address, which, reach) as found:
        return found


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def feed(site: Server, source: str) -> FoundFeed:
    return finding.feed_at(site.url(source) if source.startswith("/") else source, Reach(Path("d"), True))


@pytest.mark.parametrize(
    ("parts", "title"),
    [
        (["<title>Clip 2 | Short Show</title>", ALTERNATE], "Clip 2"),
        (["<title>Listen</title>", ALTERNATE, '<audio src="/1.wav?from=web"></audio>'], "Clip 1"),
        (["<title>Short Show</title>", ALTERNATE], "Clip 3"),
        (["<title>Short Show</title>", ALTERNATE, *(f'<audio src="/{n}.wav"></audio>' for n in (1, 2))], "Clip 3"),
        (["<title>Clip 2</title>", '<link rel="alternate" type="application/rss+xml" href="/gone.xml">', ALTERNATE],
         "Clip 2"),
    ],
    ids=["title", "audio", "show", "show with players", "a feed that is gone"],
)  # fmt: skip
def test_a_page_means_the_item_of_its_feed(site: Server, parts: list[str], title: str) -> None:
    site.routes |= dict.fromkeys(("/page", "/page?utm_source=mail"), page(*parts))
    found = episode(site, "/page?utm_source=mail")
    assert (found.episode.title, found.episode.show) == (title, "Short Show")
    assert found.episode.feed_url == site.url("/feed.xml")
    assert episode(site, "/page", "3").episode.title == "Clip 1"
    assert feed(site, "/page").url == site.url("/feed.xml")


def test_a_page_whose_audio_no_feed_lists_is_taken_alone(site: Server) -> None:
    head = '<meta property="og:site_name" content="Woods"><title>Trees</title>'
    dead = '<meta property="og:audio" content="/player.html?x"><meta property="og:audio" content="/player">'
    site.routes |= {
        "/player": page("Play"),
        "/page?utm_source=x": page(head, dead, '<audio src="/player"></audio>', "<audio src=9.wav></audio>"),
        "/alone?utm_source=x": page(
            head, dead, ALTERNATE, '<meta property="twitter:player:stream" content="/9.wav">'
        ),
        "/9.wav": ranged(clip(2)),
    }
    found = episode(site, "/alone?utm_source=x").episode
    assert (found.title, found.show, found.guid) == ("Trees", "Woods", site.url("/alone"))
    fetched = steps.download(site.url("/alone?utm_source=x"), RunOptions(allow_private=True))
    assert Path(fetched.path).read_bytes() == clip(2)
    assert fetched.episode.id == found.id == finding.identity_of(site.url("/alone"))
    assert fetched.episode.audio_url == site.url("/9.wav")
    with pytest.raises(NotAudioError, match="a page of HTML"):
        steps.download(site.url("/page?utm_source=x"), RunOptions(allow_private=True))


def test_pages_that_lead_nowhere_say_so_in_one_line(site: Server) -> None:
    site.routes |= {
        "/none": page("<title>Hello</title>"),  # AntennaPod/AntennaPod 3099
        "/several": page('<audio src="/1.wav"></audio><audio src="/2.wav"></audio>'),
        "/a": page('<meta http-equiv="refresh" content="0;url=/b">'),
        "/b": page('<meta http-equiv="Refresh" content="0; URL=\'/a\'">'),
        "/c": page('<meta http-equiv="refresh" content="0;url=/page">'),
        "/page": page(ALTERNATE),
        "/comments": page(ALTERNATE.replace("/feed.xml", "/empty.xml")),
        "/empty.xml": Reply(200, b"<rss><channel><title>Comments</title></channel></rss>"),
    }
    for source, error, said in (
        ("/none", NotAudioError, "a page of HTML: give the address of the feed or of the audio"),
        ("/several", NotAudioError, r"plays 2 recordings: .*/1\.wav"),
        ("/a", DownloadError, "from page to page"),
        ("/comments", InputError, "no episode with audio"),
        ("https://open.spotify.com/show/x", InputError, "own apps only"),
    ):
        with pytest.raises(error, match=said) as caught:
            episode(site, source)
        assert "\n" not in str(caught.value)
    assert episode(site, "/c").episode.title == "Clip 3"
    with pytest.raises(NotAudioError, match="tells of no feed"):
        feed(site, "/none")
    with pytest.raises(InputError, match="is audio, not a feed"):
        feed(site, "/1.wav")
    with (
        pytest.raises(InputError, match="not a public address"),
        finding.found_at(site.url("/page"), "latest", Reach(Path("d"))),
    ):
        pass


def test_links_to_apple(site: Server) -> None:
    show = {
        "kind": "podcast",
        "trackId": 42,
        "collectionName": "Short Show",
        "feedUrl": site.url("/feed.xml"),
    }
    own = {"kind": "podcast-episode", "trackId": 77, "episodeGuid": "g2", "trackName": "Clip 2"}
    lookup = "/apple?id=42&media=podcast&entity=podcast"
    site.routes |= {
        f"{lookup}&country=us": answer({"results": [show]}),
        lookup: answer({"results": [show]}),
        f"{lookup}Episode&limit=200&country=us": answer({"results": [show, own]}),
        f"{lookup}Episode&limit=200": answer({"results": [show]}),
        "/apple?id=77&media=podcast&entity=podcastEpisode": answer({"results": []}),
        "/apple?id=78&media=podcast&entity=podcastEpisode&country=us": answer({"results": []}),
        "/short": Reply(302, b"", {"Location": "https://podcasts.apple.com/us/podcast/short-show/id42"}),
        # gpodder/gpodder 904: a page whose only word of its feed is its link to Apple
        "/player": page('<a href="https://podcasts.apple.com/podcast/id42">Apple</a><title>Clip 1</title>'),
        # as of Overcast
        "/+AbC": page('<title>x</title><a href="https://podcasts.apple.com/podcast/id42">A</a><audio src="1.wav">'),
    }  # fmt: skip
    link = "https://podcasts.apple.com/us/podcast/short-show/id42"
    assert episode(site, f"{link}?i=77&uo=4").episode.title == "Clip 2"
    assert episode(site, link).episode.title == "Clip 3"
    assert episode(site, "https://podcasts.apple.com/podcast/clip-1/id42?i=77").episode.title == "Clip 1"
    assert feed(site, f"{link}?i=77").url == feed(site, "https://overcast.fm/itunes42/x").url
    with pytest.raises(
        InputError, match=r"can't be found in the show's feed: the show's feed is http.*/feed\.xml"
    ):
        episode(site, "https://podcasts.apple.com/us/podcast/other/id42?i=78")
    for source in ("/player", "/+AbC"):
        assert episode(site, source).episode.title == "Clip 1"
    assert "its link to Apple Podcasts" in episode(site, "/player").warnings[0]
    with pytest.raises(DownloadError, match=r"Apple Podcasts doesn't answer.*404"):
        episode(site, "https://podcasts.apple.com/de/podcast/id43")


def test_links_to_the_index_and_pocket_casts(site: Server) -> None:
    uuid, own = "d20aba20-25cf-012e-0587-00163e1b201c", "e9efaa6f-08f6-4acc-934a-81430bd97013"
    items = [{"id": 7, "guid": "g2", "title": "x"}]
    told = {"url": site.url("/home"), "title": "Short Show", "episodes": [{"uuid": own, "title": "Clip 1"}]}
    site.routes |= {
        "/index/podcasts/byfeedid?id=9": answer({"feed": {"url": site.url("/feed.xml")}}),
        "/index/episodes/byfeedid?id=9&max=1000": answer({"items": items}),
        "/pocket-feeds": [answer({"result": {uuid: site.url("/feed.xml")}}), Reply(401), Reply(401)],
        f"/pocket/{uuid}": answer({"podcast": told}),
        "/home": page(ALTERNATE),
        f"/episode/{own}": Reply(301, b"", {"Location": f"https://pocketcasts.com/podcast/x/{uuid}/y/{own}"}),
    }
    assert episode(site, "https://podcastindex.org/podcast/9?episode=7").episode.title == "Clip 2"
    assert episode(site, "https://podcastindex.org/podcast/9").episode.title == "Clip 3"
    assert episode(site, f"https://pocketcasts.com/podcast/x/{uuid}/y/{own}").episode.title == "Clip 1"
    assert feed(site, f"https://pca.st/podcast/{uuid}").url == site.url("/feed.xml")  # by its web page
    assert json.loads(site.posted[0][1]) == {"uuids": [uuid]}


def test_a_login_goes_to_its_own_server_only(
    site: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = Server()
    try:
        path = write_config(tmp_path, "")
        monkeypatch.setenv(settings.CONFIG_VARIABLE, str(path))
        monkeypatch.setenv("LOGIN", "me:secret")
        serve_show(other, [1])
        site.routes |= {
            "/page": page(ALTERNATE),
            "/away": page(ALTERNATE.replace("/feed.xml", other.url("/feed.xml"))),
        }
        with pytest.raises(InputError, match="give that address, if it is to be told the login"):
            shows.add("away", {"url": site.url("/away"), "login_from": "LOGIN"})
        assert [headers for _, headers in other.requests if "Authorization" in headers] == []
        shows.add("mine", {"url": site.url("/page"), "login_from": "LOGIN"})
        assert {"Authorization" in headers for path, headers in site.requests} == {True}
        assert settings.load().shows["mine"].url == site.url("/feed.xml")
    finally:
        other.close()


@pytest.fixture
def app(site: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Store:
    path = write_config(tmp_path, show_table("short", site.url("/feed.xml"), "back_fill = 0"))
    monkeypatch.setenv(settings.CONFIG_VARIABLE, str(path))
    return open_store(settings.load().store)


def test_what_people_add_by_a_page_is_of_the_show_that_is_followed(site: Server, app: Store) -> None:
    site.routes["/page"] = page("<title>Clip 2</title>", ALTERNATE)
    listed = additions.add_address(settings.load(), app, site.url("/page"), "latest", options={}, by="ann")
    assert (listed.show, listed.episode.title) == ("short", "Clip 2")


def test_yt_dlp_is_asked_for_what_people_give_and_only_where_it_may_be(site: Server, app: Store) -> None:
    pytest.importorskip("yt_dlp")
    site.routes |= {
        "/watch": page('<title>A talk</title><video><source src="/a.m3u8" type="application/x-mpegURL"></video>'),
        "/a.m3u8": Reply(200, PLAYLIST,
                         {"Content-Type": "application/x-mpegURL"}),
    }  # fmt: skip
    with pytest.raises(NotAudioError, match="give the address of the feed or of the audio file"):
        additions.add_address(settings.load(), app, site.url("/watch"), "latest", options={}, by="ann")
    allowed = settings.load().model_copy(update={"extractors": True})
    listed = additions.add_address(allowed, app, site.url("/watch"), "latest", options={}, by="ann")
    assert (listed.episode.title, listed.episode.audio_url) == ("A talk", f"page:{site.url('/watch')}")
    options = allowed.run_options_for("")
    fetched = steps.download_episode(listed.episode, options)
    assert Path(fetched.path).read_bytes() == clip(1)
    assert (fetched.episode.audio_url, fetched.episode.guid) == ("", site.url("/watch"))
    with pytest.raises(InputError, match="takes yt-dlp"):
        steps.download_episode(listed.episode, options.model_copy(update={"extractors": "off"}))
    run = steps.download(site.url("/watch"), RunOptions(allow_private=True))
    assert (run.episode.id, run.fresh) == (listed.id, False)


def test_a_feed_can_not_have_yt_dlp_asked(site: Server) -> None:
    text = f'<rss><channel><item><title>x</title><enclosure url="page:{site.url("/1.wav")}" type="audio/mpeg"/></item>'
    site.routes["/odd.xml"] = Reply(200, f"{text}</channel></rss>".encode())
    with pytest.raises(InputError, match="no episode with audio"):
        steps.download(site.url("/odd.xml"), RunOptions(allow_private=True))


def test_a_page_that_turns_programs_away_is_left_to_yt_dlp(site: Server) -> None:
    pytest.importorskip("yt_dlp")
    site.routes["/page"] = Reply(403)
    with pytest.raises(DownloadError, match="403"):
        episode(site, "/page")
    with pytest.raises(DownloadError, match="403"):
        episode(site, "/page", extract=True)
