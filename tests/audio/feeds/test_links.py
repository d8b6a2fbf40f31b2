"""What pages tell, in shapes that were reported where programs could not read them, and in hostile ones."""

from __future__ import annotations

import json
import time

import pytest

from audio.feeds.links import MAX_PAGE_BYTES, PageLinks, page_links
from audio.feeds.meant import Meant, episode_meant
from audio.feeds.parse import parse_feed
from models.record.errors import InputError

HERE = "https://example.org/show/5"


def told(page: str, url: str = HERE, content_type: str = "text/html; charset=utf-8") -> PageLinks:
    return page_links(page.encode(), url, content_type)


def ld(*things: object) -> str:
    return "".join(f'<script type="application/ld+json">{json.dumps(one)}</script>' for one in things)


FEEDS = {
    "nextcloud/news 1385: relative, without quotes": (
        '<head><link rel=alternate type=application/rss+xml href=rss.xml title="RSS zdroj"></head>',
        ["https://example.org/show/rss.xml"],
    ),
    "lwindolf/liferea 87: relative to the base": (
        '<base href="/blog/"><link rel="alternate" type="application/rss+xml" href="feed">',
        ["https://example.org/blog/feed"],
    ),
    "gpodder/gpodder 1751: the first one, and that of comments last": (
        '<link rel="alternate" type="application/rss+xml" title="Comments Feed" href="/comments/feed/">'
        '<link rel="alternate" type="application/rss+xml" title="Show" href="/feed/">'
        '<link rel="alternate" type="application/rss+xml" title="Other" href="/other/feed/">',
        [
            "https://example.org/feed/",
            "https://example.org/other/feed/",
            "https://example.org/comments/feed/",
        ],
    ),
    "miniflux/v2 2844: a link in the body": (
        '<footer><a href="/blog/index.xml" rel="alternate" type="application/rss+xml"><span class="fa-rss"></span></a>',
        ["https://example.org/blog/index.xml"],
    ),
    "AntennaPod/AntennaPod 333: for podcast apps": (
        '<a href="itpc://feeds.example.org/show">Subscribe</a><a href="/contact">Write</a>',
        ["http://feeds.example.org/show"],
    ),
    "einmalfel/PodListen 16: a plain link": (
        '<a href="https://feeds.example.org/abc123"><img src="/img/badge-rss.svg"></a><a href="/about">About</a>',
        ["https://feeds.example.org/abc123"],
    ),
    "letters in any case, the podcast before the blog": (
        '<LINK REL="Alternate" TYPE="Application/RSS+XML" HREF="/feed"><LINK TYPE="application/atom+xml"'
        ' REL="ALTERNATE" TITLE="Our Podcast" HREF="/pod">',
        ["https://example.org/pod", "https://example.org/feed"],
    ),
    "alternates that are no feeds": (
        '<link rel="alternate" hreflang="de" href="/de/"><link rel="alternate" type="application/json+oembed" '
        'href="/oembed?format=xml"><link rel="stylesheet" type="text/css" href="/feed">',
        [],
    ),
    "addresses that nobody can fetch": (
        '<link rel="alternate" type="application/rss+xml" href="javascript:alert(1)">'
        '<link rel="alternate" type="application/rss+xml" href="data:text/xml,x">'
        '<link rel="alternate" type="application/rss+xml" href="file:///etc/passwd">',
        [],
    ),
    "webFeed of JSON-LD": (
        ld({"@type": "PodcastSeries", "webFeed": "https://example.org/pod.rss"}),
        ["https://example.org/pod.rss"],
    ),
}
PLACE = "https://cdn.example.org/5.mp3"
AUDIO = {
    "ytdl-org/youtube-dl 18448: Open Graph": f'<meta property="og:audio" content="{PLACE}"><meta property="og:type"'
    ' content="website">',
    "podlove/podlove-web-player 10: src, and an object inside": f'<audio controls type="audio/mpeg" src="{PLACE}">'
    '<object data="player.swf"><param name="movie" value="player.swf"></object></audio>',
    "microlinkhq/metascraper 353: contentUrl": ld({"@type": "AudioObject", "contentUrl": PLACE}),
    "microlinkhq/metascraper 233: @graph": ld(
        {
            "@graph": [
                {"@type": "WebPage"},
                {"@type": ["PodcastEpisode"], "associatedMedia": [{"contentUrl": PLACE}]},
            ]
        }
    ),
    "yt-dlp/yt-dlp 2831: audio of schema.org": ld([{"@type": "PodcastEpisode", "audio": {"url": PLACE}}]),
    "microlinkhq/metascraper 338: a plain link": f'<a href="{PLACE}">Download</a><a href="/6">Next</a>',
    "Twitter's card": f'<meta name="twitter:player" content="https://e.example/p"><meta name="twitter:player:stream"'
    f' content="{PLACE}">',
    "sources, one of them a playlist": f'<audio><source src="5.m3u8"><source src="{PLACE}"></audio>',
    "a player of HTML in og:audio": '<meta property="og:audio" content="https://e.example/player.html">'
    f'<audio src="{PLACE}"></audio>',
    "og:audio that is said to be HTML": '<meta property="og:audio" content="https://e.example/player?id=5">'
    f'<meta property="og:audio:type" content="text/html"><audio src="{PLACE}"></audio>',
    "og:video that is a page, beside the audio": '<meta property="og:video" content="https://e.example/embed/5">'
    f'<audio src="{PLACE}"></audio>',
    "the page's own of several episodes": ld(
        *(
            {
                "@type": "PodcastEpisode",
                "url": f"/show/{n}",
                "audio": {"contentUrl": PLACE.replace("5.", f"{n}.")},
            }
            for n in (4, 5)
        )
    ),
    "JSON-LD in a comment, with a line end in a text": '<script type="application/ld+json"><!-- {"@type": '
    f'"AudioObject", "name": "a\nb", "contentUrl": "{PLACE}"}} --></script>',
    "a player that says what the head said": f'<meta property="og:audio" content="{PLACE}"><audio src="{PLACE}?x=1">',
}


@pytest.mark.parametrize(("page", "feeds"), FEEDS.values(), ids=FEEDS)
def test_feeds_of_a_page(page: str, feeds: list[str]) -> None:
    assert [feed.url for feed in told(f"<html><body>{page}").feeds] == feeds


@pytest.mark.parametrize("page", AUDIO.values(), ids=AUDIO)
def test_audio_of_a_page(page: str) -> None:
    found = told(f"<html>{page}</html>")
    assert found.audio[0] == PLACE
    assert found.recordings == ()


def test_a_page_that_plays_several_means_none_of_them() -> None:
    found = told('<audio src="a.mp3"></audio><audio src="b.mp3"></audio><audio src="b.mp3"></audio>')
    assert (found.audio, found.recordings) == (
        (),
        ("https://example.org/show/a.mp3", "https://example.org/show/b.mp3"),
    )
    assert told('<a href="a.mp3">1</a><a href="b.mp3">2</a>').audio == ()
    assert told('<div data-audio="a.mp3"></div><source src="a.mp3">').audio == ()


def test_what_a_page_tells_of_its_episode() -> None:
    episode = {
        "@type": "PodcastEpisode",
        "name": "Trees &amp; us",
        "datePublished": "2026-11-16",
        "duration": "PT1H2M3S",
        "partOfSeries": {"@type": "PodcastSeries", "name": "Woods"},
        "sameAs": "https://podcasts.apple.com/us/podcast/woods/id42?i=7",
    }
    page = '<title>Trees | Woods</title><link rel="canonical" href="/show/trees">'
    found = told(f"<head>{page}{ld(episode)}</head>", f"{HERE}?utm_source=mail")
    assert (found.title, found.show, found.duration) == ("Trees & us", "Woods", 3723.0)
    assert found.published == "2026-11-16T00:00:00+00:00"
    assert found.pages == (f"{HERE}?utm_source=mail", "https://example.org/show/trees")
    assert found.apple == "https://podcasts.apple.com/us/podcast/woods/id42"


def test_pages_in_other_encodings() -> None:
    title = "Книги и люди"
    page = f'<meta charset="windows-1251"><title>{title}</title>'
    assert page_links(page.encode("cp1251"), HERE, "text/html").title == title
    assert page_links(f"<title>{title}</title>".encode("utf-16"), HERE, "text/html").title == title
    assert (
        page_links(f"<title>{title}</title>".encode("koi8-r"), HERE, "text/html; charset=koi8-r").title
        == title
    )


@pytest.mark.parametrize(
    "page",
    [
        b"<div>" * 1_900_000,
        b"<a href=x.mp3>" * 150_000,
        b'<audio src="x.mp3"></audio>' * 100_000,
        b'<script type="application/ld+json">' + b"[" * 5_000_000,
        b'<script type="application/ld+json"><!-- ' + b"--> " * 1_000_000,
        b'<a href="' + b"rss/" * 2_000_000 + b'">x</a>',
        b'<!DOCTYPE html [<!ENTITY a "' + b"a" * 1000 + b'"><!ENTITY b "&a;&a;&a;">]><title>&b;</title>',
        b"<title>" + b" | " * 3_000_000,
        b"\0" * 1_000_000,
        b"",
    ],
    ids=["deep", "links", "players", "JSON", "comments", "address", "entities", "title", "zeros", "empty"],
)
def test_hostile_pages_are_read_in_seconds(page: bytes) -> None:
    begun = time.process_time()
    page_links(page[:MAX_PAGE_BYTES], HERE, "text/html")
    assert time.process_time() - begun < 10


def test_a_page_that_is_too_big() -> None:
    with pytest.raises(InputError, match="over 10 MB"):
        page_links(b"<p>" * 4_000_000, HERE)


def item(number: int, title: str, more: str = "") -> str:
    return (
        f"<item><title>{title}</title><guid>g{number}</guid><pubDate>{number} Nov 2026 06:00:00 GMT</pubDate>"
        f'<enclosure url="https://trk.example/e.mp3/cdn.example.org/{number}.mp3" type="audio/mpeg"/>{more}</item>'
    )


FEED = parse_feed(
    f"""<rss><channel><title>Woods</title><link>https://example.org/</link>
    {item(1, "Trees", "<link>https://example.org/trees/</link>")}
    {item(2, "Don’t über-think", "<link>https://example.org/</link>")}
    {item(3, "Again", "<link>https://example.org/</link>")}{item(4, "Again")}
    {item(5, "Woods")}</channel></rss>""".encode(),
    "https://example.org/feed",
)


@pytest.mark.parametrize(
    ("meant", "guid"),
    [
        (Meant(guid="g3", titles=("Trees",)), "g3"),
        (Meant(audio=("http://cdn.example.org/2.mp3?token=x",)), "g2"),
        (Meant(pages=("http://EXAMPLE.org/trees?fbclid=1",)), "g1"),
        (Meant(pages=("https://example.org/",)), None),  # careless feeds tell the show's page for each
        (Meant(titles=("Episode 1: x | trees | Woods",)), "g1"),
        (Meant(titles=("Again",)), None),
        (Meant(titles=("Again",), published="2026-11-04T20:00:00Z"), "g4"),
        (Meant(titles=("A home page - Woods",)), None),  # the show's name is no episode's
        (Meant(slug="dont-uber-think"), "g2"),
        (Meant(), None),
    ],
)
def test_the_episode_of_a_feed_that_is_meant(meant: Meant, guid: str | None) -> None:
    found = episode_meant(FEED, meant)
    assert (found.guid if found else None) == guid


@pytest.mark.parametrize(
    "thing",
    [
        {"@type": "PodcastEpisode", "audio": ["a", "b"] * 400_000},
        {"@type": "PodcastEpisode", "partOfSeries": [{}] * 1_000_000},
        [{"@type": ["AudioObject"] * 600_000, "contentUrl": "a"}],
    ],
    ids=["audio", "series", "types"],
)
def test_long_lists_cost_no_more_than_short_ones(thing: object) -> None:
    page = ld(thing)
    begun = time.process_time()
    told(page)
    assert time.process_time() - begun < 4  # 10 s and more where each were looked at
