"""Feeds in the shapes that readers have stumbled over in public; the table in docs/reliability.md names the reports."""

import gzip

import pytest

from audio.feeds.parse import Feed, parse_feed, pick_episode
from audio.transfer.sniff import HEAD_BYTES, content_kind
from models.record.errors import InputError
from models.record.identity import pair_up
from models.record.transcript import Episode
from tests.audio.feeds.test_parse import AUDIO, URL, only, rss

UTF8 = '<?xml version="1.0" encoding="utf-8"?>'
A = "https://a.example"


def titles(feed: Feed) -> list[str]:
    return [episode.title for episode in feed.episodes]


def plain(*items: str, channel: str = "<title>Show</title>", root: str = "<rss>") -> str:
    """A feed without a declaration and without namespaces."""
    inner = "".join(f"<item>{item}</item>" for item in items)
    return f"{root}<channel>{channel}{inner}</channel></rss>"


# Addresses


def test_spaces_in_addresses() -> None:
    item = f"""<title>Tides</title><guid>h</guid><enclosure url="
        {A}/Harbour Talk 1.mp3&#9;" type="audio/mpeg"/>
        <podcast:transcript url=" my words.vtt&#10;" type="text/vtt"/><podcast:chapters url="the chapters.json"/>"""
    moved = "<itunes:new-feed-url> https://new.example/my feed.xml\n</itunes:new-feed-url>"
    feed = parse_feed(rss(item, channel=moved), URL)
    (episode,) = feed.episodes
    assert episode.audio_url == f"{A}/Harbour%20Talk%201.mp3"
    assert episode.transcripts[0].url == "https://feeds.example/show/my%20words.vtt"
    assert episode.chapters_url == "https://feeds.example/show/the%20chapters.json"
    assert feed.new_url == "https://new.example/my%20feed.xml"


def test_relative_addresses_start_from_xml_base() -> None:
    data = f"""<feed xmlns="http://www.w3.org/2005/Atom" xml:base="{A}/shows/"><title>S</title><entry xml:base="one/">
        <id>1</id><link rel="enclosure" href="1.mp3" type="audio/mpeg"/></entry></feed>"""
    assert parse_feed(data.encode(), URL).episodes[0].audio_url == f"{A}/shows/one/1.mp3"


# Encodings


def cyrillic(encoding: str, declared: str = "", content_type: str = "") -> str:
    head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    text = head + plain(f"<title>Съешь же ещё этих мягких булок</title>{AUDIO}")
    return parse_feed(text.encode(encoding), URL, content_type).episodes[0].title


@pytest.mark.parametrize(
    ("encoding", "declared", "content_type"),
    [
        ("windows-1251", "windows-1251", ""),
        ("windows-1251", "WINDOWS-1251", "text/xml"),
        ("windows-1251", "cp-1251", ""),
        ("windows-1251", "", "text/xml; charset=windows-1251"),
        ("windows-1251", "utf-8", "text/xml; charset=windows-1251"),
        ("windows-1251", "windows-1251", "text/xml; charset=utf-8"),  # the bytes refute the header
        ("koi8-r", "koi8-r", ""),
        ("utf-8", "windows-1251", ""),
        ("utf-8", "iso-8895-1", "application/rss+xml; charset=iso-8859-1"),
        ("utf-8", "utf-16", ""),
        ("utf-8", "zip", "text/xml; charset=idna"),
        ("utf-8-sig", "iso-8859-1", ""),
        ("utf-16", "utf-8", ""),
        ("utf-16-le", "utf-16", ""),
        ("utf-16-be", "", ""),
        ("utf-32", "utf-8", ""),
    ],
)
def test_encodings_of_cyrillic(encoding: str, declared: str, content_type: str) -> None:
    assert cyrillic(encoding, declared, content_type) == "Съешь же ещё этих мягких булок"


@pytest.mark.parametrize(
    ("encoding", "declared", "title"),
    [
        ("iso-8859-1", "ISO-8859-1", "Coração à família"),
        ("iso-8859-1", "utf-8", "Coração à família"),
        ("iso-8859-1", "", "Coração à família"),
        ("cp1252", "iso-8859-1", "“Café” – naïve"),
        ("utf-8", "iso-8859-1", "Mixórdia de temáticas"),
        ("iso-8859-2", "ISO-8859-2", "Zażółć gęślą jaźń"),
        ("cp1254", "iso-8859-9", "“Şüğı” İstanbul"),
        ("iso-8859-8", "ISO-8859-8-I", "שלום עולם"),
        ("gbk", "x-gbk", "联通的节目很好听"),
        ("shift_jis", "Shift_JIS", "町工場の声を聞く番組"),
        ("euc-jp", "EUC-JP", "町工場の声を聞く番組"),
        ("utf-8", "Shift_JIS", "町工場の声を聞く番組"),
        ("gb18030", "gb2312", "联通的节目"),
        ("big5", "big5", "聲音的故事"),
        ("euc-kr", "ks_c_5601-1987", "안녕하세요 여러분"),
        ("iso-2022-jp", "iso-2022-jp", "町工場の声"),
        ("shift_jis", "windows-31j", "町工場の声を聞く番組"),
        ("big5", "x-x-big5", "聲音的故事"),
        ("gb18030", "gb_2312-80", "联通的节目"),
        ("euc-kr", "csksc56011987", "안녕하세요 여러분"),
        ("euc-jp", "cseucpkdfmtjapanese", "町工場の声を聞く番組"),
        ("koi8-r", "koi", "Съешь же ещё"),
        ("iso-8859-5", "iso88595", "Съешь же ещё"),
        ("iso-8859-8", "logical", "שלום עולם"),
        ("iso-8859-7", "sun_eu_greek", "Ο κόσμος"),
        ("mac-cyrillic", "x-mac-ukrainian", "Съешь же ещё"),
        ("mac-roman", "csmacintosh", "Coração à família"),
        ("utf-8", "Shift_JIS", "声"),
    ],
)
def test_encodings_elsewhere(encoding: str, declared: str, title: str) -> None:
    head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    data = (head + plain(f"<title>{title}</title>{AUDIO}")).encode(encoding)
    assert parse_feed(data, URL).episodes[0].title == title


def test_one_bad_byte_costs_one_character() -> None:
    items = [f"<title>Zwölf Äpfel</title>{AUDIO}", f"<title>Über Straßen</title><guid>2</guid>{AUDIO}"]
    items[1] += "<description>mitten im Zeichen: Gro\x00</description>"
    data = rss(*items, channel="<itunes:author>Größe zählt</itunes:author>").replace(b"\x00", b"\xc3")
    feed = parse_feed(data, URL)
    assert titles(feed) == ["Zwölf Äpfel", "Über Straßen"]
    assert feed.episodes[1].notes == "mitten im Zeichen: Gro\ufffd"
    assert feed.episodes[0].people[0].name == "Größe zählt"


def test_bytes_of_two_encodings_are_both_read() -> None:
    items = [f"<title>Zwölf Äpfel</title>{AUDIO}", f"<title>Über Stra\x00en</title><guid>2</guid>{AUDIO}"]
    assert titles(parse_feed(rss(*items).replace(b"\x00", b"\xdf"), URL))[1] == "Über Straßen"


# What `run` takes for a feed


def big(head: str, text: str, item: str = f"<title>One</title>{AUDIO}") -> bytes:
    return (
        head + plain(item, channel=f"<title>Show</title><description>{text * 200}</description>")
    ).encode()


FEEDS = {
    "Japanese": big(UTF8, "毎週月曜日に町工場と職人の話を聞く番組です。"),
    "Russian": big(UTF8, "Каждую неделю мы говорим о книгах и о людях. "),
    "Russian in windows-1251": big("", "Каждую неделю мы говорим. ").decode().encode("windows-1251"),
    "Shift_JIS": big('<?xml version="1.0" encoding="Shift_JIS"?>', "毎週月曜日に")
    .decode()
    .encode("shift_jis"),
    "packed": gzip.compress(big(UTF8, "Words. ")),
    "a PHP notice first": big(f"Warning: something is deprecated in x.php on line 3\n{UTF8}", "Words. "),
    "a PHP notice in HTML": big(f"<br />\n<b>Deprecated</b>: x<br />\n{UTF8}", "Words. "),
    "dated notices first": big(f"[12-Jan-2024 10:00:00 UTC] PHP Warning: x in y.php\n{UTF8}", "Words. "),
    "a remark first": big(f"# cached\n{UTF8}", "Words. "),
    "an empty answer first": big(f"{{}}{UTF8}", "Words. "),
    "UTF-32": big("", "Words. ").decode().encode("utf-32"),
    "packed in two members": gzip.compress(big(UTF8, "Words. ")[:900])
    + gzip.compress(big(UTF8, "Words. ")[900:]),
    "a page in a comment first": big(f"{UTF8}<!-- made from <html> and <!ENTITY a 'b'> -->", "Words. "),
    "a control character": big(UTF8, "Wor\x1bds\x0c\x01. "),
    "a long comment first": big(f"<!-- {'cached page ' * 500} -->", "Words. "),
    "UTF-16 without a mark": big("", "Words. ").decode().encode("utf-16-le"),
    "nothing but a channel": big("", "Words. ")[5:],
    "a prefix": b'<atom:feed xmlns:atom="http://www.w3.org/2005/Atom"><atom:title>Show</atom:title><atom:entry>'
    b'<atom:title>One</atom:title><atom:link rel="enclosure" href="/1.mp3"/></atom:entry></atom:feed>',
}


@pytest.mark.parametrize("kind", FEEDS)
def test_what_can_be_read_is_a_feed(kind: str) -> None:
    feed = parse_feed(FEEDS[kind], URL)
    assert (feed.title, titles(feed)) == ("Show", ["One"])
    for content_type in ("application/rss+xml", "text/html", "audio/mpeg", ""):
        assert content_kind(content_type, FEEDS[kind][:HEAD_BYTES]) == "feed"


@pytest.mark.parametrize("head", ["<!DOCTYPE html>\n<html>", "<!-- saved -->\n<html lang='en'>"])
def test_a_page_about_feeds_is_a_page(head: str) -> None:
    page = f"{head}<body><pre><rss><channel><item></pre></body></html>".encode()
    assert content_kind("text/html", page) == "page"
    with pytest.raises(InputError, match="not a podcast feed"):
        parse_feed(page, URL)


# Text


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("A browser without &lt;blink&gt;", "A browser without <blink>"),
        ("Why i&lt;n is faster than you think", "Why i<n is faster than you think"),
        ("<![CDATA[Vec<T> explained]]>", "Vec<T> explained"),
        ("&lt;3 letters", "<3 letters"),
        ("&lt;Untitled&gt;", "<Untitled>"),
        ("if a &lt;b and c&gt; d", "if a <b and c> d"),
        ("The &lt;title&gt; tag", "The <title> tag"),
        ("&lt;b&gt;Bold&lt;/b&gt; words&lt;br/&gt;here", "Bold words here"),
        ("&lt;h2&gt;Head&lt;/h2&gt;", "Head"),
        ("&lt;a href='https://x.example'&gt;link&lt;/a&gt;", "link"),
        ("&amp;#8220;YOUR WELCOME&amp;#8221;", "“YOUR WELCOME”"),
        ("#314: It&amp;#039;s Never Over", "#314: It's Never Over"),
        ("Salt &amp;amp; Sea", "Salt & Sea"),
        ("Lechtermann &amp;quot;Biggi&amp;quot;", 'Lechtermann "Biggi"'),
        ("&#147;curly&#148; \x93too\x94", "“curly” “too”"),
        ("R & B", "R & B"),
        ("AT&T & Co", "AT&T & Co"),
        ("caf&eacute; &unknown; &nbsp;x", "café &unknown; x"),
        ("family: \U0001f468&#x200d;\U0001f469", "family: \U0001f468\u200d\U0001f469"),
    ],
)
def test_titles(written: str, title: str) -> None:
    assert only(f"<title>{written}</title>{AUDIO}").title == title


@pytest.mark.parametrize("guid", ["<a@b>", "a<b", "&lt;x&gt;", "  <tag:1>  ", "a&b"])
def test_guids_as_they_are(guid: str) -> None:
    written = guid.replace("&", "&amp;").replace("<", "&lt;")
    assert only(f"<guid>{written}</guid>{AUDIO}").guid == guid.strip()


def test_unescaped_markup_in_notes_is_all_there() -> None:
    notes = (
        "<description>1. First & last<br>2. Second <b>one</b><br />Download &ldquo;it&rdquo;...</description>"
    )
    episode = only(notes + AUDIO)
    assert episode.notes == "1. First & last\n2. Second one\nDownload “it”..."
    assert episode.audio_url == f"{A}/1.mp3"


def test_html_in_notes() -> None:
    notes = "&lt;p&gt;The &lt;em&gt;end&lt;/em&gt;&lt;/p&gt;&lt;p&gt;Vec&lt;T&gt; &amp;amp; more&lt;/p&gt;"
    assert only(f"<description>{notes}</description>{AUDIO}").notes == "The end\n\nVec<T> & more"


def test_tags_named_in_cdata_and_comments_are_text() -> None:
    opened = '<![CDATA[About <podcast:liveItem status="live"> and </item> too]]>'
    items = [
        f"<guid>{number}</guid><title>{title}</title>{AUDIO.replace('1.mp3', f'{number}.mp3')}{more}"
        for number, (title, more) in enumerate(
            {
                "Live": f"<description>{opened}</description>",
                "Boats": "<!-- <item> & <podcast:liveItem> -->",
                "Trains": "<description><![CDATA[closed with </podcast:liveItem>, we forgot]]></description>",
                "Planes": "",
            }.items()
        )
    ]
    feed = parse_feed(rss(*items), URL)
    assert titles(feed) == ["Live", "Boats", "Trains", "Planes"]
    assert feed.episodes[0].notes == 'About <podcast:liveItem status="live"> and </item> too'
    assert feed.warnings == ()


# XML


def test_the_namespace_of_itunes_in_capitals() -> None:
    root = '<rss xmlns:itunes="http://www.itunes.com/DTDs/Podcast-1.0.dtd">'
    text = plain(
        f"{AUDIO}<itunes:duration>10:00</itunes:duration><itunes:author>Ann</itunes:author>", root=root
    )
    (episode,) = parse_feed(text.encode(), URL).episodes
    assert (episode.duration, episode.people[0].name) == (600.0, "Ann")


def test_an_unbound_prefix() -> None:
    thumbnail = '<media:thumbnail height="720" url="https://x.example/?url=http%3A%2F%2Fy"/>'
    item = f"<title>One</title>{thumbnail}{AUDIO}<itunes:duration>60</itunes:duration>"
    (episode,) = parse_feed(plain(item, channel=f"<title>S</title>{thumbnail}").encode(), URL).episodes
    assert (episode.title, episode.duration) == ("One", 60.0)


def test_attributes_glued_together() -> None:
    root = '<rss xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"xmlns:rawvoice="http://x.example/"version="2">'
    glued = AUDIO.replace('" type', '"type')
    (episode,) = parse_feed(
        plain(f"{glued}<itunes:duration>60</itunes:duration>", root=root).encode(), URL
    ).episodes
    assert (episode.audio_url, episode.duration) == (f"{A}/1.mp3", 60.0)


@pytest.mark.parametrize(
    "tag",
    [
        f"<enclosure url={A}/1.mp3 type=audio/mpeg />",
        f"<enclosure url='{A}/1.mp3'/>",
        f'<enclosure type=“audio/mpeg" url="{A}/1.mp3"/>',
        f'<enclosure url="{A}/1.mp3 type="audio/mpeg"/>',
        f'<enclosure url="{A}/1.mp3" url="{A}/2.mp3" type="audio/mpeg"/>',
        f'<enclosure url="{A}/1.mp3" type="audio/mpeg">',
        f'<foo:bar><enclosure url="{A}/1.mp3" type="audio/mpeg"/>',
        f'<title>open<enclosure url="{A}/1.mp3" type="audio/mpeg"/>',
        f'<description><p>open<enclosure url="{A}/1.mp3" type="audio/mpeg"/>',
    ],
)
def test_broken_tags(tag: str) -> None:
    assert only(tag).audio_url == f"{A}/1.mp3"


def test_items_without_an_end_are_beside_one_another() -> None:
    items = "".join(f"<item><guid>{n}</guid>{AUDIO.replace('1.mp3', f'{n}.mp3')}" for n in range(3))
    feed = parse_feed(f"<rss><channel><title>Show{items}</channel></rss>".encode(), URL)
    assert [episode.guid for episode in feed.episodes] == ["0", "1", "2"]
    assert feed.title == "Show"


def test_a_cdata_section_without_its_end_hides_no_item() -> None:
    items = [f"<guid>{n}</guid>{AUDIO.replace('1.mp3', f'{n}.mp3')}" for n in range(2)]
    items[0] += "<description><![CDATA[cut off</description>"
    items[1] += "<description><![CDATA[whole]]></description>"
    feed = parse_feed(rss(*items), URL)
    assert [(episode.guid, episode.notes) for episode in feed.episodes] == [("0", "cut off"), ("1", "whole")]


@pytest.mark.parametrize(
    "doctype", ["<!DOCTYPE rss SYSTEM 'x.dtd'>", "<!doctype RSS PUBLIC '-//N//EN' 'x.dtd'>"]
)
def test_a_document_type(doctype: str) -> None:
    assert parse_feed((doctype + plain(AUDIO)).encode(), URL).title == "Show"


def test_no_title_and_two_enclosures() -> None:
    other = AUDIO.replace("1.mp3", "1.ogg").replace("mpeg", "ogg")
    (item,) = parse_feed(rss(f"<guid>1</guid>{AUDIO}{other}"), URL).items
    assert (item.episode.title, item.episode.audio_url) == ("1", f"{A}/1.mp3")
    assert [one.url for one in item.episode.enclosures] == [f"{A}/1.mp3", f"{A}/1.ogg"]


def test_an_item_without_enclosure_is_left_out_with_a_word() -> None:
    feed = parse_feed(rss(f"<title>One</title>{AUDIO}", "<title>Notice</title>", "<guid>3</guid>"), URL)
    assert titles(feed) == ["One"]
    assert feed.warnings == ("item 2 ('Notice') has no audio: left out", "item 3 has no audio: left out")


def test_an_item_that_comes_twice_is_told() -> None:
    same = f"<title>One</title><guid>1</guid>{AUDIO}"
    feed = parse_feed(rss(same, "<title>No</title>", same), URL)
    assert [item.positions for item in feed.items] == [(0, 2)]
    assert feed.warnings[-1] == "item 3 ('One') is item 1 again: left out"


# Enclosures


def test_media_before_playlists() -> None:
    offers = {
        "live.m3u8": "audio/x-mpegurl",
        "page.html": "text/html",
        "film.mp4": "video/mp4",
        "get.php": "",
        "talk.mp3": "audio/mpeg",
        "stream": "application/vnd.apple.mpegurl",
    }
    enclosures = "".join(f'<enclosure url="{A}/{name}" type="{kind}"/>' for name, kind in offers.items())
    more = (
        f'<podcast:alternateEnclosure type="audio/opus"><podcast:source uri="{A}/talk.opus"/>'
        f'<podcast:source uri="ipfs://x"/></podcast:alternateEnclosure><media:content url="{A}/m" medium="audio"/>'
    )
    (item,) = parse_feed(rss(enclosures + more), URL).items
    assert item.episode.audio_url == f"{A}/talk.mp3"
    places = ("talk.mp3", "m", "film.mp4", "talk.opus", "get.php", "live.m3u8", "stream")
    assert [one.url for one in item.episode.enclosures] == [f"{A}/{name}" for name in places]


def alternate(source: str, attributes: str = 'type="audio/opus"', more: str = "") -> str:
    return (
        f"<podcast:alternateEnclosure {attributes}>{more}"
        f'<podcast:source uri="{source}"/></podcast:alternateEnclosure>'
    )


def places(*parts: str, channel: str = "") -> list[str]:
    """What of the media of an item with these parts is offered, in the order to try it."""
    (item,) = parse_feed(rss("".join(parts), channel=channel), URL).items
    return [one.url.rpartition("/")[2] for one in item.episode.enclosures]


def test_alternates_come_after_enclosures_and_before_what_may_be_media() -> None:
    video = 'type="video/mp4"'
    assert places(
        '<enclosure url="/get.php" type=""/>',
        alternate("/1080.mp4", f'{video} height="1080"'),
        alternate("/360.mp4", f'{video} height="360"'),
        alternate("/16k.opus", 'type="audio/opus" bitrate="16000"'),
        alternate("/8k.opus", 'type="audio/opus" bitrate="8"'),  # kbit/s
        alternate("/talk.m4a", 'type="audio/x-m4a" bitrate="160000.5"'),
        alternate("/same.mp3", 'type="audio/mpeg" default="true"'),
        AUDIO,
    ) == ["1.mp3", "same.mp3", "talk.m4a", "16k.opus", "8k.opus", "360.mp4", "1080.mp4", "get.php"]


def test_alternates_that_nobody_can_fetch_are_none() -> None:
    for source in (
        "ipfs://x",
        "magnet:?xt=urn:btih:1",
        f"{A}/1.torrent",
        "ftp://a.example/1.mp3",
        "",
        "http://[",
    ):
        assert places(AUDIO, alternate(source)) == ["1.mp3"], source
    torrent = f'<podcast:source uri="{A}/get" contentType="application/x-bittorrent"/>'
    assert places(
        AUDIO, f'<podcast:alternateEnclosure type="audio/opus">{torrent}</podcast:alternateEnclosure>'
    ) == ["1.mp3"]
    (warning,) = parse_feed(rss(AUDIO, alternate("/1.torrent")), URL).warnings
    assert "has no audio" in warning
    assert places(AUDIO, '<podcast:alternateEnclosure type="audio/opus" url="/2.opus"/>') == [
        "1.mp3",
        "2.opus",
    ]


def test_alternates_in_another_language_are_left_out() -> None:
    told = [alternate(f"/{code}.opus", f'type="audio/opus" lang="{code}"') for code in ("en-GB", "de", "")]
    assert places(AUDIO, *told, channel="<language>en-us</language>") == ["1.mp3", "en-GB.opus", ".opus"]
    assert places(AUDIO, *told) == ["1.mp3", "en-GB.opus", "de.opus", ".opus"]


def test_checksums_of_alternates() -> None:
    right = "sha256-" + "A" * 43 + "="
    shapes = {
        f'type="sri" value="{right}"': right,
        f'type="SRI" value="md5-x {right}?ct=audio/opus"': right,
        f'value="{right}"': right,
        'type="sri" value="sha256-abc123"': "",
        'type="sri" value="sha384-"': "",
        f'type="pgp-signature" value="{right}"': "",
        "": "",
    }
    for told, sri in shapes.items():
        (item,) = parse_feed(
            rss(AUDIO + alternate("/2.opus", more=f"<podcast:integrity {told}/>")), URL
        ).items
        assert [one.sri for one in item.episode.enclosures] == ["", sri], told


LIVE = (
    "<title>Live tonight</title><guid>live-1</guid><podcast:person>Streamer</podcast:person>"
    '<enclosure url="https://stream.example/live.mp3" type="audio/mpeg" length="33"/>'
    '<podcast:alternateEnclosure type="audio/mpeg"><podcast:source uri="https://stream.example/2.mp3"/>'
    "</podcast:alternateEnclosure>"
)


@pytest.mark.parametrize("status", ["pending", "live", "ended", "LIVE", ""])
@pytest.mark.parametrize(
    "shape",
    [
        "{feed}{live}{item}",
        "{feed}{item}{live}",
        "{feed}<item>{own}{live}</item>",  # in the item that it is to become
    ],
)
@pytest.mark.parametrize("name", ["podcast:liveItem", "podcast:LiveItem", "p2:liveItem", "liveItem"])
def test_live_items_are_no_episodes(shape: str, name: str, status: str) -> None:
    root = '<rss xmlns:podcast="https://podcastindex.org/namespace/1.0" xmlns:p2="https://odd.example/">'
    own = f"<title>One</title><guid>1</guid>{AUDIO}"
    live = f'<{name} status="{status}">{LIVE}</{name}>'
    body = shape.format(feed="<title>Show</title>", live=live, item=f"<item>{own}</item>", own=own)
    feed = parse_feed(f"{root}<channel>{body}</channel></rss>".encode(), URL)
    assert (feed.title, titles(feed), feed.warnings) == ("Show", ["One"], ())
    assert [one.url for one in feed.episodes[0].enclosures] == [f"{A}/1.mp3"]
    assert feed.episodes[0].people == ()


def test_an_item_in_a_live_item_is_none_and_keeps_its_number() -> None:
    inner = f"<podcast:liveItem><item>{LIVE}</item></podcast:liveItem>"
    text = rss(f"<guid>1</guid><title>One</title>{AUDIO}", channel=inner)
    (item,) = parse_feed(text, URL).items
    assert (item.episode.title, item.position) == ("One", 1)


def test_a_live_item_that_became_an_item_is_an_episode() -> None:
    live = f'<podcast:liveItem status="ended">{LIVE}</podcast:liveItem>'
    text = rss(f"<title>Tonight</title><guid>live-1</guid>{AUDIO}", channel=live)
    assert titles(parse_feed(text, URL)) == ["Tonight"]


def test_live_items_in_broken_feeds_swallow_no_episode() -> None:
    items = "".join(
        f"<item><title>{n} & more</title><guid>{n}</guid>{AUDIO.replace('1.mp3', f'{n}.mp3')}</item>"
        for n in (1, 2)
    )
    for live in (f"<podcast:liveItem>{LIVE}</podcast:liveItem>", f"<podcast:liveItem>{LIVE}"):
        feed = parse_feed(f"<rss><channel><title>Show</title>{live}{items}</channel></rss>".encode(), URL)
        assert (titles(feed), feed.warnings) == (["1 & more", "2 & more"], ())
        assert [episode.people for episode in feed.episodes] == [(), ()]


def test_a_feed_of_live_items_alone_has_no_episode() -> None:
    with pytest.raises(InputError, match="no episode with audio"):
        parse_feed(f"<rss><channel><podcast:liveItem>{LIVE}</podcast:liveItem></channel></rss>".encode(), URL)


def test_types_and_lengths_of_episodes() -> None:
    types = {"trailer": "trailer", " Bonus ": "bonus", "FULL": "full", "episode": "", "": ""}
    for told, kind in types.items():
        assert only(f"{AUDIO}<itunes:episodeType>{told}</itunes:episodeType>").type == kind
    assert only(AUDIO).type == ""
    lengths = {"1:02:3": 3723.0, "00:00:00": 0.0, "0": 0.0, "00:31": 31.0, "3723000": 3_723_000.0, "-5": 0.0}
    for told, seconds in lengths.items():
        assert only(f"{AUDIO}<itunes:duration>{told}</itunes:duration>").duration == seconds, told


def test_a_feed_that_is_complete() -> None:
    for told, complete in {"Yes": True, "true": True, "No": False, "": False}.items():
        channel = f"<itunes:complete>{told}</itunes:complete>"
        assert parse_feed(rss(AUDIO, channel=channel), URL).complete == complete


def test_the_length_of_an_enclosure() -> None:
    lengths = {"5000": 5000, " 12 ": 12, "": 0, "-1": 0, "12:30": 0, "4 MB": 0, "1" * 30: 0, "\u0661": 0}
    for told, right in lengths.items():
        (place,) = only(f'<enclosure url="{A}/1.mp3" type="audio/mpeg" length="{told}"/>').enclosures
        assert (place.type, place.length) == ("audio/mpeg", right), told


def test_a_playlist_alone_is_an_episode() -> None:
    assert only(f'<enclosure url="{A}/live.m3u8" type="audio/x-mpegurl"/>').audio_url == f"{A}/live.m3u8"


# Identity


def test_shows_of_one_title_are_told_apart() -> None:
    guid = "<podcast:guid> 917393E3-1B1E-5CEF-ACE4-EDAA54E1F810 </podcast:guid>"
    one = only(f"<guid>1</guid>{AUDIO}", channel=guid)
    other = parse_feed(rss(f"<guid>1</guid>{AUDIO}"), "https://b.example/rss").episodes[0]
    assert one.show_guid == "917393e3-1b1e-5cef-ace4-edaa54e1f810"
    assert (other.show_guid, other.show) == ("", one.show)
    assert one.id != other.id


def moved(guid: str, zone: str, query: str) -> list[Episode]:
    items = [
        f"<title>Episode {n}</title><guid>{guid}-{n}</guid><pubDate>Mon, 0{n} Jan 2024 {zone}</pubDate>"
        f"{AUDIO.replace('1.mp3', f'{n}.mp3?{query}')}"
        for n in (1, 2, 3)
    ]
    return list(parse_feed(rss(*items), URL).episodes)


def test_new_guids_in_another_time_zone_are_the_same_episodes() -> None:
    before, after = moved("old", "15:00:00 GMT", "t=1"), moved("new", "10:00:00 -0500", "t=2")
    assert pair_up(after, before) == {0: 0, 1: 1, 2: 2}


def test_what_changes_in_an_address_is_not_in_its_key() -> None:
    relative = '<enclosure url="../../audio/b.mp3" type="audio/mpeg"/>'
    one, two = (
        parse_feed(rss(AUDIO.replace("1.mp3", f"1.mp3?updated={n}"), relative), URL).episodes for n in (1, 2)
    )
    assert (
        [e.audio_key for e in one]
        == [e.audio_key for e in two]
        == ["a.example/1.mp3", "feeds.example/audio/b.mp3"]
    )
    by_query = [AUDIO.replace("1.mp3", f"get.php?id={n}") for n in (1, 2)]
    keys = [episode.audio_key for episode in parse_feed(rss(*by_query), URL).episodes]
    assert keys == ["a.example/get.php?id=1", "a.example/get.php?id=2"]


def test_a_title_that_is_corrected_is_the_same_episode() -> None:
    one, two = (only(f"<title>{title}</title><guid>t</guid>{AUDIO}") for title in ("Interveiw", "Interview"))
    assert one.id == two.id


def test_positions_count_all_items() -> None:
    items = [
        "<title>No audio</title>",
        f"<guid>1</guid>{AUDIO}",
        f"<guid>2</guid>{AUDIO.replace('1.mp3', '2.mp3')}",
    ]
    items[2] += "<pubDate>Mon, 01 Jan 2024 10:00:00 GMT</pubDate>"
    found = {item.episode.guid: item.position for item in parse_feed(rss(*items), URL).items}
    assert found == {"1": 1, "2": 2}


def test_latest_is_what_came_out_last() -> None:
    dates = (
        "Thu, 25 Apr 2024 24:12:03 GMT",
        "2024/03/20 10:00:00",
        "1705312800",
        "Mon, 01 Jan 2024 10:00:00 +0000",
    )
    items = [f"<guid>g-{4 - n}</guid>{AUDIO}<pubDate>{date}</pubDate>" for n, date in enumerate(dates)]
    feed = parse_feed(rss(*items), URL)
    assert [episode.guid for episode in feed.episodes] == ["g-4", "g-3", "g-2", "g-1"]
    assert pick_episode(feed, "latest").published == "2024-04-26T00:12:03+00:00"


# What stands in the feed twice, or is not closed


def test_an_item_with_another_token_is_the_same_item() -> None:
    item = f"<title>One</title><guid>1</guid>{AUDIO}"
    again = item.replace("1.mp3", "1.mp3?token=2")
    plainly = item.replace("https://", "http://")
    feed = parse_feed(rss(item.replace("1.mp3", "1.mp3?token=1"), again, plainly), URL)
    assert [item.positions for item in feed.items] == [(0, 1, 2)]


def test_items_of_one_program_are_as_many_as_its_queries() -> None:
    played = "<enclosure url='https://a.example/play.php?id={}' type='audio/mpeg'/>"
    feed = parse_feed(rss(*(f"<title>Part</title>{played.format(n)}" for n in range(3))), URL)
    assert len(feed.items) == 3


def test_code_of_a_feed_in_a_description_hides_no_item() -> None:
    code = "<description><![CDATA[Write <item></item> and then <![CDATA[ text. ]]></description>"
    items = [f"<title>{n}</title><guid>{n}</guid>{code}{AUDIO}" for n in ("One", "Two")]
    feed = parse_feed(rss(*items), URL)
    assert [item.position for item in feed.items] == [0, 1]
    assert feed.episodes[0].notes.startswith("Write <item></item> and then")


@pytest.mark.parametrize(
    "unclosed",
    [
        '<itunes:image href="https://a.example/1.jpg">',
        '<media:thumbnail url="https://a.example/1.jpg">',
        '<podcast:transcript url="https://a.example/1.vtt" type="text/vtt">',
        '<enclosure url="https://a.example/1.mp3" type="audio/mpeg">',
        "<description>Words",
    ],
)
def test_what_is_not_closed_does_not_eat_the_title(unclosed: str) -> None:
    two = f"<title>Two</title><guid>2</guid>{AUDIO}"
    feed = parse_feed(plain(f"{unclosed}<title>One</title>{AUDIO}", two).encode(), URL)
    assert titles(feed) == ["One", "Two"]


def test_a_placeholder_among_undated_items_is_not_the_latest() -> None:
    later = f"<title>Coming</title><guid>9</guid><pubDate>Fri, 01 Jan 2100 00:00:00 GMT</pubDate>{AUDIO}"
    feed = parse_feed(rss(later, *(f"<title>{n}</title><guid>{n}</guid>{AUDIO}" for n in (2, 1))), URL)
    assert titles(feed) == ["2", "1", "Coming"]


def test_words_that_begin_like_references() -> None:
    feed = parse_feed(rss(f"<title>news&amp;notes &amp;amp; more</title>{AUDIO}"), URL)
    assert titles(feed) == ["news&notes & more"]


@pytest.mark.parametrize(
    "kind",
    ["application/ogg", "mp3", "audio", "application/force-download", "unknown/unknown", "application/mp4"],
)
def test_types_that_hosts_make_up(kind: str) -> None:
    feed = parse_feed(rss(f"<title>One</title><enclosure url='{A}/listen' type='{kind}'/>"), URL)
    assert feed.episodes[0].audio_url == f"{A}/listen"


@pytest.mark.parametrize("around", ["\xa0{}", "\ufeff{}", "{}\u200b"])
def test_what_nobody_sees_around_an_address(around: str) -> None:
    written = around.format(f"{A}/1.mp3")
    feed = parse_feed(rss(f"<title>One</title><enclosure url='{written}' type='audio/mpeg'/>"), URL)
    assert feed.episodes[0].audio_url == f"{A}/1.mp3"
