"""Links of directories: what is asked for them, and what is read from the answers."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode

import pytest

from audio.feeds.directories import Directories, listing_of
from models.record.errors import InputError

AT = Directories()
SHOW = {
    "wrapperType": "track",
    "kind": "podcast",
    "collectionId": 42,
    "trackId": 42,
    "collectionName": "Woods",
}
FEED = "https://example.org/feed"
UUID = "d20aba20-25cf-012e-0587-00163e1b201c"
EPISODE = "e9efaa6f-08f6-4acc-934a-81430bd97013"


def asked(url: str) -> list[str]:
    listing = listing_of(url, AT)
    return [question.url for question in listing.questions] if listing else []


@pytest.mark.parametrize(
    "url",
    [
        "https://podcasts.apple.com/podcast/id42",
        "https://podcasts.apple.com/us/podcast/woods/id42?uo=4",
        "https://itunes.apple.com/us/podcast/woods/id42?mt=2",  # dvehrs/podget 36
        "https://podcasts.apple.com/us/podcast/woods/id42",  # yt-dlp/yt-dlp 11560
        "https://podcasts.apple.com/podcast/uwp-e%D0%B6%D0%B5%D0%BD/id42",  # podcast-uwp/site 36
        "https://embed.podcasts.apple.com/us/podcast/woods/id42?itscg=30200&amp;itsct=x",
        "https://overcast.fm/itunes42/woods",  # podlove/podlove-subscribe-button 157
        "https://pca.st/itunes/42",
        "https://castro.fm/itunes/42",
        "https://pod.link/42",  # chhoumann/PodNotes 36
        "http://www.PODCASTS.apple.com/us/podcast/id42#top",
    ],
)
def test_shows_by_their_number_at_apple(url: str) -> None:
    (question,) = asked(url)
    assert question.startswith("https://itunes.apple.com/lookup?id=42&media=podcast&entity=podcast")
    assert ("country=us" in question) == ("/us/" in url)


@pytest.mark.parametrize(
    "url",
    [
        "https://itunes.apple.com/us/podcast/the-botanist/id42?i=1000394367287&mt=2",  # openradar-mirror 19299
        "https://podcasts.apple.com/us/podcast/the-botanist/id42?i=1000394367287&uo=4&at=x",  # yt-dlp/yt-dlp 10829
    ],
)
def test_episodes_at_apple(url: str) -> None:
    listing = listing_of(url, AT)
    assert listing
    assert ["limit=200" in question.url for question in listing.questions] == [True, False]
    assert "id=1000394367287" in listing.questions[1].url
    own = {
        "kind": "podcast-episode",
        "trackId": 1000394367287,
        "episodeGuid": "g7",
        "trackName": "The Botanist",
    }
    audio = {"episodeUrl": "https://cdn.example.org/7.mp3", "releaseDate": "2026-11-16T06:00:00Z"}
    show = {**SHOW, "feedUrl": FEED}
    found = listing.read([json.dumps({"results": [show, {"trackId": 1}, {**own, **audio}]}).encode()])
    assert (found.feed, found.is_whole, found.meant.guid) == (FEED, True, "g7")
    assert (found.meant.audio, found.meant.titles) == (("https://cdn.example.org/7.mp3",), ("The Botanist",))
    first = json.dumps({"results": [show]}).encode()
    assert not listing.read([first]).is_whole
    assert listing.read([first, b""]).meant.slug == "the-botanist"  # of more than 200 episodes the others


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"resultCount": 0, "results": []}, "has no show 42"),
        ({"resultCount": 1, "results": [SHOW]}, "no feed of Woods"),  # AntennaPod/AntennaPod 2879
        ({"results": [{**SHOW, "feedUrl": "javascript:alert(1)"}]}, "no feed of Woods"),
        ([1], "has no show 42"),
    ],
)
def test_what_apple_does_not_tell(answer: object, said: str) -> None:
    listing = listing_of("https://podcasts.apple.com/podcast/id42", AT)
    assert listing
    with pytest.raises(InputError, match=said):
        listing.read([json.dumps(answer).encode()])
    for broken in (b"<html>", b"[" * 100_000, b"\xff\xfe"):
        with pytest.raises(InputError, match="has no show 42"):
            listing.read([broken])


def test_the_podcast_index() -> None:
    listing = listing_of("https://podcastindex.org/podcast/920666?episode=7", AT)
    assert listing
    assert [question.url for question in listing.questions] == [
        "https://podcastindex.org/api/podcasts/byfeedid?id=920666",
        "https://podcastindex.org/api/episodes/byfeedid?id=920666&max=1000",
    ]
    show = json.dumps({"feed": {"url": FEED, "title": "Woods"}}).encode()
    items = [
        {"id": 6},
        {"id": 7, "guid": "g7", "enclosureUrl": "https://cdn.example.org/7.mp3", "title": "Trees"},
    ]
    assert not listing.read([show]).is_whole
    found = listing.read([show, json.dumps({"items": items}).encode()])
    assert (found.feed, found.meant.guid, found.of_episode) == (FEED, "g7", True)
    with pytest.raises(InputError, match="has no show 920666"):
        listing.read([b'{"feed": []}'])


@pytest.mark.parametrize(
    "url",
    [
        f"https://pca.st/podcast/{UUID}",
        f"https://pocketcasts.com/podcast/woods/{UUID}/trees/{EPISODE}",
        f"https://play.pocketcasts.com/podcasts/{UUID}/{EPISODE}",
    ],
)
def test_pocket_casts(url: str) -> None:
    listing = listing_of(url, AT)
    assert listing
    assert json.loads(listing.questions[0].data) == {"uuids": [UUID]}
    feeds = json.dumps({"status": "ok", "result": {UUID: FEED}}).encode()
    told = {
        "url": "https://example.org/",
        "title": "Woods",
        "episodes": [{"uuid": EPISODE, "title": "Trees"}],
    }
    found = listing.read([feeds, json.dumps({"podcast": told}).encode()])
    assert (found.feed, found.website, found.title) == (FEED, "https://example.org/", "Woods")
    assert found.meant.titles == (("Trees",) if EPISODE in url else ())
    assert listing.read([b""]).feed == ""


def base64(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("url", "feed", "guid", "audio"),
    [
        ("https://subscribeonandroid.com/example.org/feed", "http://example.org/feed", "", ()),  # AntennaPod 4510
        (f"https://podcasts.google.com/?feed={base64(FEED)}&ved=0CAU", FEED, "", ()),  # podStation/podStation 74
        (f"https://podcasts.google.com/feed/{base64(FEED)}/episode/{base64('g7')}?sa=X", FEED, "g7", ()),
        ("https://antennapod.org/deeplink/subscribe/?url=https%3A%2F%2Fexample.org%2Ffeed&title=W", FEED, "", ()),
        ("https://antennapod.org/p/?url=https%253A%252F%252Fexample.org%252Ffeed", FEED, "", ()),
        ("https://podcastaddict.com/episode/https%3A%2F%2Fcdn.example.org%2F7.mp3&podcastId=1", "", "",
         ("https://cdn.example.org/7.mp3",)),
    ],
)  # fmt: skip
def test_links_that_hold_the_address(url: str, feed: str, guid: str, audio: tuple[str, ...]) -> None:
    listing = listing_of(url, AT)
    assert listing
    assert listing.questions == ()
    found = listing.read([])
    assert (found.feed, found.meant.guid, found.meant.audio) == (feed, guid, audio)


@pytest.mark.parametrize(
    "url",
    [
        "https://open.spotify.com/episode/4rOoJ6Egrf8K2IrywzwOMk?si=x",
        "https://open.spotify.com/intl-de/show/abc",
        "https://music.amazon.com/podcasts/abc",
        "https://www.audible.com/pd/abc",
    ],
)
def test_players_that_give_nothing_away(url: str) -> None:
    with pytest.raises(InputError, match="own apps only") as caught:
        listing_of(url, AT)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/itunes/42",
        "https://overcast.fm/+FFX3qo_pE",
        "https://castro.fm/episode/JCaQes",
        f"https://pca.st/episode/{EPISODE}",
        "https://pca.st/FG3H",
        "https://apple.com.evil.example/podcast/id42",
        "https://podcasters.spotify.com/pod/show/woods",
        "https://podcasts.google.com/feed/%%%",
        "https://antennapod.org/deeplink/subscribe/?url=file:///etc/passwd",
        "https://subscribeonandroid.com/",
        "http://[",
    ],
)
def test_addresses_that_are_pages_like_others(url: str) -> None:
    assert listing_of(url, AT) is None
