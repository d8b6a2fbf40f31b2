"""Feeds in pages, by RFC 5005."""

import pytest

from audio.feeds import pages
from audio.feeds.pages import with_older_pages
from audio.feeds.parse import Feed, parse_feed
from audio.transfer.http import Page
from models.record.errors import DownloadError
from tests.audio.feeds.test_parse import AUDIO, URL, rss


def page(number: int, *, after: str = "", relation: str = "next") -> bytes:
    """A page with one episode, older for each further page, and a link to the one after it."""
    link = (
        f'<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="{relation}" href="{after}"/>'
        if after
        else ""
    )
    date = f"<pubDate>{28 - number} Jan 2024 10:00 GMT</pubDate>"
    return rss(f"<guid>g{number}</guid>{date}{AUDIO.replace('1.mp3', f'{number}.mp3')}", channel=link)


class Host:
    """Serves pages and counts."""

    def __init__(self, **served: bytes) -> None:
        self.served = {f"https://feeds.example/show/{name}.xml": data for name, data in served.items()}
        self.asked: list[str] = []

    def fetch(self, url: str) -> Page:
        self.asked.append(url.rpartition("/")[2])
        if url not in self.served:
            raise DownloadError(f"{url} answered 404")
        return Page(self.served[url], url, "application/rss+xml")


def whole(first: bytes, host: Host, *guids: str) -> Feed:
    """All pages, or up to one that has all of these guids."""

    def enough(feed: Feed) -> bool:
        return bool(guids) and set(guids) <= {episode.guid for episode in feed.episodes}

    return with_older_pages(parse_feed(first, URL), host.fetch, enough)


@pytest.mark.parametrize("relation", ["next", "prev-archive", "Next"])
def test_all_pages(relation: str) -> None:
    host = Host(two=page(2, after="three.xml", relation=relation), three=page(3))
    feed = whole(page(1, after="two.xml", relation=relation), host)
    assert [episode.guid for episode in feed.episodes] == ["g1", "g2", "g3"]
    assert {episode.feed_url for episode in feed.episodes} == {URL}
    assert [item.position for item in feed.items] == [0, -1, -1]
    assert [e.audio_key for e in feed.episodes] == [f"a.example/{n}.mp3" for n in (1, 2, 3)]
    assert feed.warnings == ()


def test_an_episode_has_the_id_that_it_has_on_the_first_page() -> None:
    feed = whole(page(1, after="two.xml"), Host(two=page(2)))
    assert feed.episodes[1].id == parse_feed(page(2), URL).episodes[0].id


def test_no_more_pages_than_it_takes() -> None:
    host = Host(two=page(2, after="three.xml"), three=page(3))
    assert len(whole(page(1, after="two.xml"), host, "g1").episodes) == 1
    assert len(whole(page(1, after="two.xml"), host, "g2").episodes) == 2
    assert host.asked == ["two.xml"]


@pytest.mark.parametrize("back", ["two.xml", "rss.xml", "?"])
def test_a_ring_of_pages_ends(back: str) -> None:
    host = Host(two=page(2, after="three.xml"), three=page(3, after=back))
    assert len(whole(page(1, after="two.xml"), host).episodes) == 3
    assert len(host.asked) <= 3


def test_what_is_on_two_pages_counts_once() -> None:
    assert len(whole(page(1, after="two.xml"), Host(two=page(1))).episodes) == 1


def test_what_is_on_two_pages_with_another_token_counts_once() -> None:
    again = page(1).replace(b"1.mp3", b"1.mp3?token=2").replace(b"<guid>", b"<title>T</title><guid>")
    first = (
        page(1, after="two.xml")
        .replace(b"1.mp3", b"1.mp3?token=1")
        .replace(b"<guid>", b"<title>T</title><guid>")
    )
    assert len(whole(first, Host(two=again)).episodes) == 1


def test_guids_that_start_anew_on_each_page_lose_no_episode() -> None:
    second = page(2).replace(b"g2", b"g1")
    feed = whole(page(1, after="two.xml"), Host(two=second))
    assert [episode.audio_key for episode in feed.episodes] == ["a.example/1.mp3", "a.example/2.mp3"]
    assert len({episode.id for episode in feed.episodes}) == 2


def test_a_page_without_audio_does_not_end_the_older_ones() -> None:
    silent = page(2, after="three.xml").replace(AUDIO.replace("1.mp3", "2.mp3").encode(), b"")
    feed = whole(page(1, after="two.xml"), Host(two=silent, three=page(3)))
    assert [episode.guid for episode in feed.episodes] == ["g1", "g3"]
    assert "has no audio" in feed.warnings[0]


def test_a_page_that_is_gone_costs_only_itself() -> None:
    feed = whole(page(1, after="two.xml"), Host())
    assert len(feed.episodes) == 1
    assert "older episodes at https://feeds.example/show/two.xml can't be read" in feed.warnings[0]


def test_pages_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MAX_PAGES", 5)
    host = Host(**{f"p{n}": page(n, after=f"p{n + 1}.xml") for n in range(2, 20)})
    feed = whole(page(1, after="p2.xml"), host)
    assert len(feed.episodes) == 5
    assert feed.warnings == ("there are more pages of older episodes than are read",)
