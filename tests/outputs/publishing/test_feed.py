from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import Any

import feedparser
import podcastparser
import pytest
from lxml import etree

from models.record.errors import InputError
from models.record.transcript import PROPOSED, Episode, Person, Speaker
from outputs.publishing.feed import LINKED, FeedEntry, checked_base_url, feed_entry, link_transcripts
from outputs.publishing.feed_reader import NAMESPACE
from tests.outputs.samples import WITH_CHAPTERS, said, talk
from tests.outputs.shared_data import shared

BASE = "https://transcripts.example.org/all"
OLDER_NAMESPACE = "https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/1.0.md"
PILOT = "the-show/2026-11-16-pilot"
FEED = """\
<?xml version='1.0' encoding="UTF-8" ?>
<!-- by hand > with care -->
<rss version="2.0" xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'>
  <channel>
    <title>The Show</title>\r
    <itunes:author a=">">Ann</itunes:author  >
    <item>
\t<title><![CDATA[ Pilot </item> & co ]]></title>
\t<guid isPermaLink = "false"> guid-1 </guid>
\t<enclosure url="https://cdn.example.org/pilot.mp3?a=1&amp;b=2" length="1" type="audio/mpeg"/>
    </item>
    <item><title>Older</title><guid>guid-0</guid></item>
  </channel>
</rss>
<!-- the end -->
"""


def entry(people: tuple[str, ...] = (), guid: str = "guid-1", **about: Any) -> FeedEntry:
    episode = Episode("id", "The Show", guid, "Pilot", audio_url="https://cdn.example.org/pilot.mp3?a=1&b=2")
    values = {
        "episode": episode,
        "folder": PILOT,
        "language": "en",
        "formats": LINKED,
        "people": people,
        **about,
    }
    return FeedEntry(**values)


def published(feed: str | bytes, *entries: FeedEntry, base: str = BASE) -> bytes:
    data = feed.encode() if isinstance(feed, str) else feed
    return link_transcripts(data, dict(enumerate(entries)), base).data


def with_podcast(uri: str = NAMESPACE, prefix: str = "podcast", channel: str = "", item: str = "") -> str:
    declared = FEED.replace('<rss version="2.0"', f'<rss version="2.0" xmlns:{prefix}="{uri}"')
    return declared.replace("<channel>", f"<channel>{channel}").replace(
        "\n    </item>", f"{item}\n    </item>"
    )


def tags(data: bytes, name: str) -> list[dict[str, str]]:
    """The tags of one name in the first item, with their text as "text"."""
    item = etree.fromstring(data).find("channel/item")
    assert item is not None
    return [{**node.attrib, "text": node.text or ""} for node in item if node.tag == f"{{{NAMESPACE}}}{name}"]


def test_adds_its_tags_and_changes_nothing_else() -> None:
    data = published(FEED, entry())
    url = f"{BASE}/{PILOT}/transcript"
    captions = 'language="en" rel="captions"/>'
    added = (
        f'\n\t<podcast:transcript url="{url}.vtt" type="text/vtt" {captions}'
        f'\n\t<podcast:transcript url="{url}.srt" type="application/x-subrip" {captions}'
        f'\n\t<podcast:transcript url="{url}.json" type="application/json" {captions}'
        f'\n\t<podcast:transcript url="{url}.html" type="text/html" language="en"/>'
    )
    declaration = f' xmlns:podcast="{NAMESPACE}"'
    expected = FEED.replace("<rss", f"<rss{declaration}").replace("\n    </item>", f"{added}\n    </item>")
    assert data.decode() == expected


def test_feedparser_and_lxml_read_it_back() -> None:
    data = published(FEED, entry(("Ann",)))
    kinds = [(tag["type"], tag.get("rel"), tag["language"]) for tag in tags(data, "transcript")]
    assert kinds == [
        ("text/vtt", "captions", "en"),
        ("application/x-subrip", "captions", "en"),
        ("application/json", "captions", "en"),
        ("text/html", None, "en"),
    ]
    parsed = feedparser.parse(data)
    assert not parsed.bozo
    assert parsed.namespaces["podcast"] == NAMESPACE
    assert parsed.entries[0].podcast_transcript["type"] == "text/html"
    assert parsed.entries[0].title == "Pilot </item> & co"


def test_podcastparser_reads_it_where_the_feed_declares_the_namespace_that_it_knows() -> None:
    data = published(with_podcast(OLDER_NAMESPACE), entry(("Ann",)))
    items = podcastparser.parse("https://example.org/feed", io.BytesIO(data))["episodes"]
    (pilot,) = [item for item in items if item["guid"] == "guid-1"]
    assert pilot["transcript_url"].startswith(f"{BASE}/{PILOT}/transcript.")
    assert [person["name"] for person in pilot["persons"]] == ["Ann"]
    # It must also take a feed with the namespace of today, in which it sees no transcripts.
    assert (
        podcastparser.parse("https://example.org/feed", io.BytesIO(published(FEED, entry())))["title"]
        == "The Show"
    )


def test_publishing_twice_changes_nothing_and_a_new_base_moves_the_links() -> None:
    once = published(FEED, entry(("Ann",)))
    assert published(once, entry(("Ann",))) == once
    moved = published(once, entry(("Ann",)), base="https://new.example.org/")
    assert moved == once.replace(BASE.encode() + b"/", b"https://new.example.org/")


@pytest.mark.parametrize("uri", [NAMESPACE, OLDER_NAMESPACE])
@pytest.mark.parametrize("prefix", ["podcast", "pc"])
def test_a_declared_namespace_is_used_under_its_own_prefix(uri: str, prefix: str) -> None:
    feed = with_podcast(uri, prefix)
    data = published(feed, entry())
    assert data.count(b"xmlns:") == feed.count("xmlns:")
    assert data.count(f"<{prefix}:transcript ".encode()) == 4
    item = etree.fromstring(data).find("channel/item")
    assert item is not None
    assert len(item.findall(f"{{{uri}}}transcript")) == 4


def test_a_prefix_that_means_something_else_is_not_used() -> None:
    data = published(with_podcast("https://example.org/other"), entry())
    assert len(tags(data, "transcript")) == 4
    assert b"<podcast2:transcript" in data


def test_a_prefix_that_was_forgotten_to_be_declared_is_declared() -> None:
    theirs = '<podcast:transcript url="https://host.example/t.txt" type="text/plain" />'
    data = published(FEED.replace("\n    </item>", f"{theirs}\n    </item>"), entry())
    assert [tag["type"] for tag in tags(data, "transcript")][:2] == ["text/plain", "text/vtt"]
    assert theirs.encode() in data


def test_a_namespace_declared_on_the_item_only() -> None:
    feed = FEED.replace("<item>\n", f'<item xmlns:p="{NAMESPACE}">\n')
    data = published(feed, entry())
    assert b"<p:transcript" in data
    assert data.count(b"xmlns:") == feed.count("xmlns:")


def test_only_files_that_are_there_and_a_known_language() -> None:
    data = published(FEED, entry(formats=("srt",), language=""))
    (tag,) = tags(data, "transcript")
    assert tag == {
        "url": f"{BASE}/{PILOT}/transcript.srt",
        "type": "application/x-subrip",
        "rel": "captions",
        "text": "",
    }
    assert published(FEED, entry(formats=())) == FEED.encode()


def test_people_only_if_they_were_confirmed() -> None:
    speakers = (Speaker("SPEAKER_00", "Ann", "user", 1.0), Speaker("SPEAKER_01", "Bob", "feed", 0.9))
    transcript = talk(said("Hi."), said("Ho.", 2, speaker="SPEAKER_01"))
    found = feed_entry(
        replace(transcript, speakers=speakers), PILOT, ["transcript.vtt", "transcript.txt", "transcript.html"]
    )
    assert found.people == ("Ann",)
    assert found.formats == ("vtt", "html")


CHAPTERS_TAG = f'<podcast:chapters url="{BASE}/{PILOT}/chapters.json" type="application/json+chapters"/>'
THEIR_CHAPTERS = (
    '<podcast:chapters url="https://host.example/chapters.json" type="application/json+chapters"/>'
)


def test_chapters_are_linked_where_the_item_has_none_and_only_as_long_as_there_are_some() -> None:
    once = published(FEED, entry(chapters=True))
    assert once.decode().count(f"\n\t{CHAPTERS_TAG}") == 1
    assert published(once, entry(chapters=True)) == once
    moved = published(once, entry(chapters=True), base="https://new.example.org/")
    assert moved == once.replace(BASE.encode() + b"/", b"https://new.example.org/")
    assert published(once, entry()) == published(FEED, entry())
    named = published(once, entry(("Ann",)))  # something is put in where something goes
    assert named == published(FEED, entry(("Ann",)))
    theirs = with_podcast(item=f"\n\t{THEIR_CHAPTERS}")
    assert published(theirs, entry(chapters=True)) == published(theirs, entry())
    both = with_podcast(item=f"\n\t{CHAPTERS_TAG}\n\t{THEIR_CHAPTERS}\n\t{CHAPTERS_TAG}")
    assert published(both, entry(chapters=True)) == published(theirs, entry())


def test_chapters_are_linked_and_taken_out_also_where_there_is_no_transcript() -> None:
    alone = link_transcripts(FEED.encode(), {0: entry(chapters=True, formats=())}, BASE)
    assert (alone.data.decode().count(CHAPTERS_TAG), alone.linked, alone.without) == (1, (), 2)
    none = published(alone.data, entry(formats=()))
    assert [tag for tag in ("podcast:chapters", "podcast:transcript") if f"<{tag}" in none.decode()] == []
    podlove = '<psc:chapters xmlns:psc="http://podlove.org/simple-chapters"/>'
    told = published(with_podcast(item=podlove), entry(chapters=True)).decode()
    assert (told.count(podlove), told.count(CHAPTERS_TAG)) == (1, 1)


def test_proposed_chapters_are_linked_only_if_that_is_asked_for() -> None:
    there = ["transcript.vtt", "chapters.json"]
    proposed = replace(WITH_CHAPTERS, chapters=replace(WITH_CHAPTERS.chapters, source=PROPOSED))
    assert feed_entry(WITH_CHAPTERS, PILOT, there).chapters
    assert not feed_entry(WITH_CHAPTERS, PILOT, there[:1]).chapters
    assert not feed_entry(proposed, PILOT, there).chapters
    assert feed_entry(proposed, PILOT, there, proposed_chapters=True).chapters


def test_people_of_an_item_go_on_top_of_those_it_has() -> None:
    theirs = '<podcast:person role="guest" href="https://x.example/?a=1&amp;b=2">Bob  B.</podcast:person>'
    people = tags(published(with_podcast(item=theirs), entry(("bob b.", "Ann & <Co>"))), "person")
    assert people == [
        {"role": "guest", "href": "https://x.example/?a=1&b=2", "text": "Bob  B."},
        {"text": "Ann & <Co>"},
    ]


def test_people_of_the_show_are_not_lost_when_an_item_gets_its_own() -> None:
    # An item's people replace those of the show: without repeating them the host would vanish from apps.
    host = '<podcast:person img="https://x.example/a.png">Ann</podcast:person>'
    data = published(with_podcast(channel=host), entry(("Ann", "Bob")))
    assert tags(data, "person") == [
        {"img": "https://x.example/a.png", "text": "Ann"},
        {"role": "guest", "text": "Bob"},
    ]
    assert data.count(host.encode()) == 2
    assert tags(published(with_podcast(channel=host), entry(("Ann",))), "person") == []


def test_the_role_that_the_feed_gave() -> None:
    episode = Episode("id", "The Show", "guid-1", "Pilot", people=(Person("Bob", "editor"),))
    (person,) = tags(published(FEED, entry(("Bob",), episode=episode)), "person")
    assert person == {"role": "editor", "text": "Bob"}


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "iso-8859-1", "windows-1252", "utf-16", "utf-16-le", "utf-16-be"]
)
def test_encodings(encoding: str) -> None:
    named = encoding.removesuffix("-sig")
    feed = FEED.replace("UTF-8", named).replace("Older", "Älter").encode(encoding)
    data = published(feed, entry(("Zoë 東",)))
    assert [tag["text"] for tag in tags(data, "person")] == ["Zoë 東"]
    without = re.sub(r"\s<podcast:.*?(/>|</podcast:person>)", "", data.decode(encoding), flags=re.S)
    assert re.sub(r"\s", "", without) == re.sub(
        r"\s", "", feed.decode(encoding).replace("<rss", f'<rss xmlns:podcast="{NAMESPACE}"')
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not well-formed"),
        (b"ID3\x04", "not well-formed"),
        (b"<rss><channel>", "not well-formed"),
        (b"\xff\xfe<\x00r", "encoding can't be read"),
        (b'<?xml version="1.0" encoding="shift_jis"?><rss/>', "encoding can't be read"),
        (b"<html><body/></html>", "no RSS feed"),
        (b"<feed xmlns='http://www.w3.org/2005/Atom'/>", "no RSS feed"),
        (b'<!DOCTYPE rss [<!ENTITY a "b">]><rss/>', "declares XML entities"),
        (b'<?xml version="1.0" encoding="klingon"?><rss/>', "encoding"),
        (b"<rss>" + b"<a>" * 100 + b"</a>" * 100 + b"</rss>", "deep"),
    ],
)
def test_what_is_no_feed_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        published(data, entry())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "example.org", "ftp://example.org/", "https://", "https://x/?q=1", "https://x/#a",
    "https://x y/", "http://["])  # fmt: skip
def test_base_urls_that_are_none(url: str) -> None:
    with pytest.raises(InputError, match="is no base URL"):
        checked_base_url(url)


def test_real_feeds_keep_their_bytes() -> None:
    """Every feed at hand, with transcripts put into each of its items: without them it is what it was."""
    checked = 0
    for path in sorted(shared("feeds").rglob("*")):
        if path.suffix not in (".xml", ".rss"):
            continue
        feed = path.read_bytes()
        try:
            assert published(feed) == feed
        except InputError:
            continue
        items = len(link_transcripts(feed, {}, BASE).linked) + link_transcripts(feed, {}, BASE).without
        entries = {position: entry(folder=f"s/{position}") for position in range(items)}
        result = link_transcripts(feed, entries, BASE)
        data = result.data
        assert _without_ours(data, feed) == feed, path.name
        again = etree.fromstring(data.lstrip(), etree.XMLParser(recover=True))
        linked = [node for node in again.iter() if str(node.get("url", "")).startswith(f"{BASE}/s/")]
        assert (len(linked), result.without) == (4 * items, 0), path.name
        checked += 1
    assert checked > 50


def _without_ours(data: bytes, feed: bytes) -> bytes:
    data = re.sub(rb"\s*<\w+:transcript url=\"https://transcripts\.example\.org[^>]*/>", b"", data)
    declared = re.search(rb'<rss( xmlns:podcast\d?="https://podcastindex.org/namespace/1.0")', data)
    if declared and data.count(b" xmlns:") > feed.count(b" xmlns:"):
        data = data[: declared.start(1)] + data[declared.end(1) :]
    return data
