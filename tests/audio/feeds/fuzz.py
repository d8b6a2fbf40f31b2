"""Feeds with the faults that feeds have, made at random: no item may get lost without a word.

`python -m tests.audio.feeds.fuzz 100000` tries so many; the suite tries a few hundred.
"""

from __future__ import annotations

import re
import sys
import time
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audio.feeds.parse import parse_feed
from models.record.errors import InputError

URL = "https://feeds.example/show/rss.xml"
TEXTS = (
    "Tom & Jerry", "AT&T", "&nbsp;x&copy;", "&#8220;q&#8221;", "&amp;#8220;", "i<n", "a < b > c", "Vec<T>", "<3",
    "<b>bold</b>", "<br>", "</p>", "<p>open", "<![CDATA[<item> & </item> <b>x]]>", "<![CDATA[</podcast:liveItem>]]>",
    "<!-- <item> no & item -->", "&#0;", "&#xD800;", "\x00", "\x0b", "]]>", "日本語", "é", "'", '"', "a=b", "<a@b>",
    "<a href=x>l</a>", "<?php x ?>", "&unknown;", "&", "<", ">", "x" * 300, "<o:p></o:p>", "&lt;b&gt;", "<img src=x/>",
)  # fmt: skip
ENCLOSURES = (
    '<enclosure url="{}" type="audio/mpeg" length="1"/>', "<enclosure url='{}' type='audio/mpeg'/>",
    "<enclosure url={} type=audio/mpeg />", '<enclosure url="{}"type="audio/mpeg"length="1"/>',
    '<enclosure url="{}" type="audio/mpeg"></enclosure>', '<enclosure url="{}" type="audio/mpeg">',
    '<enclosure\n\turl="{}"\n/>', '<enclosure url="{}" url="https://other.example/x.mp3" type="audio/mpeg"/>',
    '<media:content url="{}" type="audio/mpeg"/>', '<Enclosure url="{}" type="audio/mpeg"/>',
    '<enclosure url="{} type="audio/mpeg"/>', '<enclosure type=“audio/mpeg” url="{}"/>',
    '<enclosure disabled url="{}" type="audio/mpeg"/>', '<enclosure url="{}" title="a>b" type="audio/mpeg"/>',
)  # fmt: skip
NOISE = (
    "<itunes:duration>1:00", "<pubDate>Mon, 01 Jan 2024 10:00:00 GMT</pubDate>", "<pubDate>now", "</title>",
    "<link>https://x.example/?a=1&b=2</link>", "<foo:bar baz='1'/>", "<foo:bar>", "</b>", "</description>",
    "<itunes:image href=x>", "<category>a<category>b", "\n", "<guid/>", "<itunes:summary>s", "<author>a@b.c (A)",
)  # fmt: skip
HEADS = (
    '<?xml version="1.0" encoding="utf-8"?>', "", "Warning: x in y.php on line 3\n", "\n\n  ", "<!-- <rss> old -->",
    '<?xml version="1.0" encoding="windows-1251"?>', "<!DOCTYPE rss PUBLIC '-//N//DTD RSS 0.91//EN' 'x.dtd'>",
    "<br />\n<b>Notice</b>: x<br />\n", '<?xml version="1.0" encoding="x-nonsense"?>', "\ufeff",
)  # fmt: skip
ROOTS = (
    '<rss version="2.0">', '<rss xmlns:itunes="http://www.itunes.com/DTDs/Podcast-1.0.dtd"version="2.0">', "<RSS>",
    "<rss version=2.0>", '<rss xmlns:media="http://search.yahoo.com/mrss/" xmlns:a="">',
)  # fmt: skip


@dataclass(frozen=True)
class Made:
    """A feed, and the addresses of the audio of its items in order, "" for one that has none."""

    data: bytes
    audio: tuple[str, ...]


@st.composite
def text(draw: st.DrawFn) -> str:
    """Text such as hosts write, escaped or not."""
    return " ".join(draw(st.lists(st.sampled_from(TEXTS), max_size=3)))


@st.composite
def an_element(draw: st.DrawFn, name: str) -> str:
    """An element of text, with its end or without."""
    closing = draw(st.sampled_from((f"</{name}>",) * 4 + ("", f"</{name} >", f"</{name.upper()}>")))
    return f"<{name}>{draw(text())}{closing}"


@st.composite
def an_item(draw: st.DrawFn, number: int) -> tuple[str, str]:
    """An item and the address of its audio."""
    audio = f"https://a.example/{number}.mp3" if draw(st.integers(0, 9)) else ""
    parts = [
        draw(an_element(name))
        for name in draw(st.lists(st.sampled_from(("title", "description")), max_size=2))
    ]
    parts += draw(st.lists(st.sampled_from(NOISE), max_size=3))
    parts.append(f"<guid>g-{number}</guid>")
    if audio:
        parts.append(draw(st.sampled_from(ENCLOSURES)).format(audio))
    opening = draw(st.sampled_from(("<item>",) * 6 + ("<item >", "<ITEM>", '<item x="1">', "<item\n>")))
    closing = draw(st.sampled_from(("</item>",) * 5 + ("", "</ITEM>", "</item></item>")))
    return f"{opening}{''.join(draw(st.permutations(parts)))}{closing}", audio


@st.composite
def feeds(draw: st.DrawFn) -> Made:
    """A feed of some items."""
    count = draw(st.integers(1, 6))
    items = [draw(an_item(number)) for number in range(count)]
    start = draw(st.sampled_from(HEADS)) + draw(st.sampled_from(ROOTS)) + "<channel>"
    end = draw(
        st.sampled_from(("</channel></rss>", "</channel>", "", "</rss>", "</channel></rss><!-- x --> & <p>"))
    )
    whole = start + draw(an_element("title")) + "".join(item for item, _ in items) + end
    data = whole.encode("utf-8")
    for place in draw(st.lists(st.integers(0, len(data)), max_size=2)):
        data = _with_byte(data, place, draw(st.sampled_from((b"\xc3", b"\xff", b"\x00", b"\x1b", b"\x85"))))
    return Made(data, tuple(audio for _, audio in items))


def _with_byte(data: bytes, place: int, byte: bytes) -> bytes:
    """With a bad byte somewhere in a text, not in a tag, whose name it would change."""
    at = data.rfind(b">", 0, place) + 1
    inside = data[at : data.find(b"<", at)]
    safe = (
        at and not data[:at].endswith((b"channel>", b"]>")) and b"<![CDATA[" not in data[max(0, at - 60) : at]
    )
    return (
        data[:at] + byte + data[at:]
        if safe and inside.strip() and b"<!--" not in data[max(0, at - 40) : at]
        else data
    )


def check(made: Made) -> None:
    """An item in, an item or a line of warning out."""
    wanted = [audio for audio in made.audio if audio]
    try:
        feed = parse_feed(made.data, URL)
    except InputError:
        if wanted:
            raise
        return
    told = sorted(item.episode.audio_url for item in feed.items)
    assert told == sorted(wanted), f"{told} {made.data!r}"
    left_out = [line for line in feed.warnings if re.match(r"item \d+ .*left out$", line)]
    assert len(feed.items) + len(left_out) == len(made.audio), f"{feed.warnings} {made.data!r}"
    positions = {item.episode.audio_url: item.position for item in feed.items}
    assert all(made.audio[position] == audio for audio, position in positions.items()), made.data


def main(examples: int) -> None:
    """Try so many feeds."""
    tried = [0]

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(feeds())
    def many(made: Made) -> None:
        tried[0] += 1
        check(made)

    begun = time.monotonic()
    many()
    print(f"{tried[0]} feeds in {time.monotonic() - begun:.0f} s: no item lost")


if __name__ == "__main__":
    main(int(sys.argv[1]))
