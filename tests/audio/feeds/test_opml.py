"""Lists of feeds as apps export them, in shapes that were reported where programs could not read them."""

from __future__ import annotations

import time

import pytest

from audio.feeds.opml import Subscription, read_subscriptions, write_subscriptions
from models.record.errors import InputError

URL = "https://a.example/feed"


def opml(outlines: str) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<opml version="2.0"><head/><body>{outlines}</body></opml>'
    )


SHAPES = {
    "gpodder/gpodder 382: no type": (f'<outline text="A" xmlUrl="{URL}"/>', "A"),
    "fossar/selfoss 1055: no text": (f'<outline title="A" type="rss" xmlUrl="{URL}"/>', "A"),
    "fossar/selfoss 1475: no type, in a folder": (
        f'<outline text="All"><outline title="A" text="A" xmlUrl="{URL}" htmlUrl="{URL}"></outline></outline>',
        "A",
    ),
    "yang991178/fluent-reader 270: an empty text": (f'<outline text="" title="A" xmlUrl="{URL}"/>', "A"),
    "AntennaPod/AntennaPod 65: a description for text": (
        f'<outline text="Chats about trees" title="A" type="rss" xmlUrl="{URL}"/>',
        "A",
    ),
    "Automattic/pocket-casts-android 51: a bare &amp; in an address": (
        f'<outline text="A" xmlUrl="{URL}" htmlUrl="https://a.example/?utm_source=K&utm_medium=RSS"/>',
        "A",
    ),
    "jeb5/YouTube-Subscriptions-RSS 4: a bare &amp; in a title": (
        f'<outline text="Wallace & Gromit" type="rss" xmlUrl="{URL}"/>',
        "Wallace & Gromit",
    ),
    "nt1m/livemarks 6: commas between": (f',<outline text="A" type="rss" xmlUrl="{URL}"/>,', "A"),
    "attributes in any case, feed: before the address": (
        '<OUTLINE TEXT="A" TYPE="RSS" XMLURL="feed:https://a.example/feed"/>',
        "A",
    ),
    "entities of HTML": (f'<outline text="Caf&eacute; &lt;3" xmlUrl="{URL}"/>', "Café <3"),
    "url instead of xmlUrl": (f'<outline text="A" type="link" url="{URL}"/>', "A"),
    "Overcast, with episodes and playlists": (
        '<outline text="playlists"><outline type="podcast-playlist" title="All" smart="1"/></outline>'
        f'<outline text="feeds"><outline type="rss" text="A" xmlUrl="{URL}">'
        '<outline type="podcast-episode" title="1" url="https://overcast.fm/+x" enclosureUrl="https://a.example/1.mp3"/>'
        "</outline></outline>",
        "A",
    ),
    "twice": (f'<outline text="A" xmlUrl="{URL}"/><outline text="B" xmlUrl="{URL}"/>', "A"),
    "the end missing": (f'<outline text="A" xmlUrl="{URL}"/><outline text="', "A"),
}


@pytest.mark.parametrize(("outlines", "title"), SHAPES.values(), ids=SHAPES)
def test_a_list_in_this_shape(outlines: str, title: str) -> None:
    assert read_subscriptions(opml(outlines).encode()).feeds == (Subscription(URL, title),)


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("utf-16", "UTF-8"),
        ("utf-8", "UTF-16"),
        ("cp1252", "ISO-8859-1"),
    ],
)  # the first is AntennaPod/AntennaPod 4153
def test_encodings_told_rightly_or_wrongly(encoding: str, declared: str) -> None:
    text = opml(f'<outline text="Über Bäume" xmlUrl="{URL}"/>').replace("UTF-8", declared)
    assert read_subscriptions(text.encode(encoding)).feeds == (Subscription(URL, "Über Bäume"),)


def test_what_can_not_be_used_is_told_and_passed_over() -> None:
    listed = read_subscriptions(
        opml(
            '<outline text="No address" htmlUrl="https://b.example"/><outline text="Odd" xmlUrl="file:///etc/passwd"/>'
            f'<outline text="A" xmlUrl="{URL}"/><outline text="Folder"/>'
        ).encode()
    )
    assert [feed.url for feed in listed.feeds] == [URL]
    assert listed.problems == (
        "entry 1 ('No address') has no xmlUrl",
        "entry 2 ('Odd') has no address that can be fetched: 'file:///etc/passwd'",
    )


def test_an_address_a_line() -> None:
    text = f'# mine\n{URL} news "~The A"\nhttps://b.example/feed\n\n{URL}\nnothing\n'
    assert read_subscriptions(text.encode()).feeds == (
        Subscription(URL, "The A"),
        Subscription("https://b.example/feed"),
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            b'<!DOCTYPE x [<!ENTITY a "b">]><opml><outline text="&a;" xmlUrl="https://a.example/"/></opml>',
            "entities",
        ),
        (b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><outline xmlUrl="&a;"/>', "entities"),
        (b"<html><body>Sign in</body></html>", "no list of feeds"),
        (b"<opml></opml>", "no list of feeds"),
        (b"hello", "no feed in it"),
        (b"", "no feed in it"),
        (b"\0\1\2", "no feed in it"),
        (b"<opml>" + b"<outline>" * 500_000, "no feed in it"),
        (
            b"https://a.example/%d\n" * 1 + b"".join(b"https://a.example/%d\n" % n for n in range(20_001)),
            "20,000",
        ),
    ],
    ids=["entity", "file", "page", "empty OPML", "text", "empty", "bytes", "deep", "many"],
)
def test_what_is_no_list(data: bytes, said: str) -> None:
    begun = time.process_time()
    with pytest.raises(InputError, match=said):
        read_subscriptions(data)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (opml("<outline xmlUrl='x'/>" * 100_001), "100,000 entries"),
        ("<outline xmlUrl='" + "&" * 4_000_000, "no feed"),
        ("x" * 10_000_001, "10 MB"),
    ],
    ids=["outlines", "ampersands", "big"],
)
def test_lists_that_are_made_to_be_long(data: str, said: str) -> None:
    begun = time.process_time()
    with pytest.raises(InputError, match=said):
        read_subscriptions(data.encode())
    assert time.process_time() - begun < 4


def test_problems_are_told_one_by_one_up_to_a_bound() -> None:
    listed = read_subscriptions((f"{URL}\n" + "http:/\n" * 1005).encode())
    assert len(listed.problems) == 1001
    assert listed.problems[-1] == "5 more entries have no address that can be fetched"


def test_what_is_written_is_read_again() -> None:
    feeds = (
        Subscription("https://a.example/?a=1&b=2", 'Q&A "<x>"'),
        Subscription("https://b.example/", "ü\x01"),
    )
    written = write_subscriptions("Mine", feeds)
    assert written.startswith(b"<?xml version='1.0' encoding='UTF-8'?>\n<opml version=\"2.0\">")
    assert read_subscriptions(written).feeds == (feeds[0], Subscription("https://b.example/", "ü"))
