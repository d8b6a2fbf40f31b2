"""Which item of a feed is which episode of a library: other shows' transcripts are never linked, own ones found."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from audio.feeds.parse import parse_feed
from flows.library.publishing import publish_feed
from models.record.errors import InputError
from models.record.transcript import Episode
from outputs.library.migration import MARKER
from outputs.library.placement import episode_folder
from outputs.library.write import publish
from tests.outputs.samples import CONVERSATION

A, B = "https://a.example/feed.xml", "https://b.example/shows/feed.xml"
BASE = "https://t.example/"
CDN = "https://cdn.example.org"
FIRST = "Mon, 15 Jan 2024 10:00:00 +0000"


def item(guid: str = "1", title: str = "Pilot", audio: str = f"{CDN}/a.mp3", date: str = FIRST) -> str:
    told = f"<guid>{escape(guid)}</guid>" if guid else ""
    return (
        f"<item><title>{title}</title>{told}<pubDate>{date}</pubDate>"
        f'<enclosure url="{escape(audio)}" type="audio/mpeg"/></item>'
    )


def feed(*items: str, title: str = "Embedded", about: str = "") -> bytes:
    declared = (
        'xmlns:atom="http://www.w3.org/2005/Atom" xmlns:podcast="https://podcastindex.org/namespace/1.0"'
    )
    return f"<rss {declared}><channel><title>{title}</title>{about}{''.join(items)}</channel></rss>".encode()


def put(library: Path, data: bytes, url: str, folder: str = "") -> list[str]:
    """Transcripts for all episodes of a feed, in a library; returns their folders in it."""
    folders = []
    for episode in parse_feed(data, url).episodes:
        kept = replace(episode, enclosures=())
        place = library / folder if folder else episode_folder(library, kept)
        publish(replace(CONVERSATION, episode=kept), place, ["vtt"])
        folders.append(place.relative_to(library).as_posix())
    return folders


def linked(library: Path, data: bytes, url: str = "") -> list[str]:
    """The folders that a published feed links to, item by item, "" for none."""
    published, skipped = publish_feed(data, library, BASE, "the feed", url)
    assert skipped == {}
    items = re.findall(r"<item>.*?</item>", published.data.decode(), re.DOTALL)
    found = [re.search(rf'url="{BASE}([^"]*)/transcript.vtt"', one) for one in items]
    return [one[1] if one else "" for one in found]


@pytest.mark.parametrize("address", [B, ""])
def test_another_show_of_the_same_title_is_not_linked(tmp_path: Path, address: str) -> None:
    """podgrab 120, vocal 409."""
    ours = feed(item(title="Circuits at home"))
    (own,) = put(tmp_path, ours, A)
    later = "Mon, 15 Jan 2024 11:00:00 +0000"
    theirs = feed(item(title="Inside the newsroom", audio=f"{CDN}/b.mp3", date=later))
    assert linked(tmp_path, theirs, address) == [""]
    same_file = feed(item("2", "Second newsroom", f"{CDN}/a.mp3?show=b", later))
    assert linked(tmp_path, same_file, address) == [""]
    assert linked(tmp_path, ours, A) == [own]
    (other,) = put(tmp_path, theirs, B)
    assert own != other
    assert linked(tmp_path, theirs, address) == [other]
    assert linked(tmp_path, ours, address and A) == [own]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (item("", audio=f"{CDN}/a.mp3?updated=111"), item("", audio=f"{CDN}/a.mp3?updated=222")),
        (item("", audio="../audio/a.mp3"), item("", audio="../audio/a.mp3")),
        (item("", audio=f"{CDN}/a.mp3#t=0"), item("", audio=f"{CDN}/a.mp3#t=5")),
        (item("", "Salt &amp;amp; Sea"), item("", "Salt &amp; Sea", f"{CDN}/new.mp3")),
        (item("", audio=f"{CDN}/a b.mp3"), item("", "Other", f"{CDN}/a%20b.mp3")),
        (item(), item("1", "Corrected", f"{CDN}/new.mp3")),
        (item(), item("new", audio=f"{CDN}/n.mp3", date="Mon, 15 Jan 2024 05:00:00 -0500")),
        (item(), item("new", "Corrected", f"https://track.example/redirect.mp3/{CDN[8:]}/a.mp3")),
        (item(" 1 "), item("1", audio=f"{CDN}/new.mp3")),
    ],
)
def test_what_a_poll_takes_for_the_same_is_linked(tmp_path: Path, before: str, after: str) -> None:
    """airsonic-advanced 505, PodFetch 1581, gpodder 1407, AntennaPod 3275."""
    (folder,) = put(tmp_path, feed(before), B)
    assert linked(tmp_path, feed(after), B) == [folder]


@pytest.mark.parametrize(
    ("about", "known"),
    [
        (f'<atom:link rel="self" href="{A}"/>', True),
        ("<podcast:guid>917393E3-1B1E-5CEF-ACE4-EDAA54E1F810</podcast:guid>", True),
        ('<atom:link rel="self" href="https://other.example/feed.xml"/>', False),
        ("", False),
    ],
)
def test_a_feed_in_a_file_tells_whose_it_is(tmp_path: Path, about: str, known: bool) -> None:
    guid = "<podcast:guid>917393e3-1b1e-5cef-ace4-edaa54e1f810</podcast:guid>"
    (folder,) = put(tmp_path, feed(item(), about=guid), A)
    assert linked(tmp_path, feed(item("1", "Corrected", f"{CDN}/new.mp3"), about=about)) == [
        folder if known else ""
    ]
    assert linked(tmp_path, feed(item(audio="b.mp3"), about=about)) == [folder]


@pytest.mark.parametrize(
    ("guid", "show", "audio", "found"),
    [
        ("guid-1", "The Show", "", True),
        ("guid-1", "Another", "", False),  # guids such as "1" are everybody's
        ("guid-1", "Another", "http://me:pw@cdn.example.org/pilot.mp3?a=1&b=2", True),
        ("", "Another", "https://cdn.example.org/pilot.mp3?a=1&b=2", True),
        ("guid-2", "The Show", "https://cdn.example.org/other.mp3", False),
        ("", "The Show", "", False),
    ],
)
def test_records_that_do_not_tell_their_feed(
    tmp_path: Path, guid: str, show: str, audio: str, found: bool
) -> None:
    episode = Episode("id", show, guid, "Pilot", audio_url=audio)
    publish(replace(CONVERSATION, episode=episode), tmp_path / "s" / "e", ["vtt"])
    data = feed(item("guid-1", audio=f"{CDN}/pilot.mp3?a=1&b=2"), title="The Show")
    assert linked(tmp_path, data) == ["s/e" if found else ""]


def test_an_item_that_is_there_twice_is_linked_twice(tmp_path: Path) -> None:
    (folder,) = put(tmp_path, feed(item()), A)
    assert linked(tmp_path, feed(item(), item("2", audio=f"{CDN}/b.mp3"), item()), A) == [folder, "", folder]


def test_of_two_folders_of_one_episode_that_with_its_title_is_linked(tmp_path: Path) -> None:
    """gpodder 1459; earlier versions made them."""
    put(tmp_path, feed(item(title="Interveiw with a baker")), A, "embedded/2024-01-15-interveiw-with-a-baker")
    right = "embedded/2024-01-15-our-interview-with-a-baker"
    put(tmp_path, feed(item(title="Our interview with a baker")), A, right)
    put(tmp_path, feed(item(title="An interview")), A, "embedded/2024-01-15-a")
    assert linked(tmp_path, feed(item(title="Our interview with a baker")), A) == [right]


def test_links_lead_to_where_an_old_library_is_moved(tmp_path: Path) -> None:
    put(tmp_path, feed(item(), item("2", "Second", f"{CDN}/2.mp3")), A)
    theirs = feed(item("1", "Theirs", f"{CDN}/b.mp3"))
    put(tmp_path, theirs, B, "embedded/2024-01-15-theirs")
    (tmp_path / MARKER).unlink(missing_ok=True)
    (folder,) = linked(tmp_path, theirs, B)
    assert folder != "embedded/2024-01-15-theirs"
    assert (tmp_path / folder / "transcript.vtt").is_file()


def test_what_is_no_feed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the feed is not well-formed"):
        publish_feed(b"<rss><channel>", tmp_path, BASE, "the feed")
    with pytest.raises(InputError, match="no such folder"):
        publish_feed(feed(item()), tmp_path / "none", BASE, "the feed")
