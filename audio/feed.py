"""Podcast feeds: RSS and Atom as they are found in the wild, good or bad, to episodes.

feedparser reads the common tags, also of broken XML. It keeps only the last of repeated tags, so
those of https://podcastindex.org/namespace/1.0, and a few more, are read from the tree with lxml.
"""

from __future__ import annotations

import calendar
import difflib
import math
import re
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit, urlunsplit
from uuid import NAMESPACE_URL, uuid5
from xml.parsers import expat

import feedparser
from lxml import etree, html

from audio.sniff import AUDIO_EXTENSIONS, HEAD_BYTES, VIDEO_EXTENSIONS, extension, kind, media_type
from models.errors import InputError
from models.transcript import Chapter, Episode, Person, TranscriptLink

MAX_LINE_CHARS = 10_000  # of a title, name or guid; more is an attack or a mistake
MAX_FEED_BYTES = 50_000_000
MAX_BROKEN_BYTES = 5_000_000  # broken XML takes time that grows with the square of its length
PROLOG_BYTES = 65_536  # what comes before the first item
MAX_EXTRAS = 500  # people, transcripts or chapters of one episode
CLOSEST = 3  # episodes offered when a guid isn't found

# By the prefix that everybody uses: feeds that forget to declare it keep it in the name.
_NAMESPACES = {
    "podcast": (
        "https://podcastindex.org/namespace/1.0",
        "http://podcastindex.org/namespace/1.0",
        "https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/1.0.md",
    ),
    "itunes": ("http://www.itunes.com/dtds/podcast-1.0.dtd", "http://www.itunes.com/DTDs/Podcast-1.0.dtd"),
    "psc": ("http://podlove.org/simple-chapters",),
}
# fmt: off
_BLOCKS = frozenset((
    "address", "blockquote", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
    "li", "ol", "p", "pre", "section", "table", "tr", "ul",
))
_NEVER_MEDIA = frozenset((
    ".gif", ".htm", ".html", ".jpeg", ".jpg", ".json", ".pdf", ".png", ".srt", ".txt", ".vtt", ".webp",
    ".zip",
))
# fmt: on
_UNSEEN = frozenset(("script", "style", "head", "template"))
_NO_MEDIA = 3
_PARAGRAPH, _BLOCK = "\v", "\f"  # marks in half-made text: a blank line, a new line
_REFERENCE = re.compile(rb"&#(?:[xX]([0-9a-fA-F]{1,8})|(\d{1,10}));")
_GZIP = b"\x1f\x8b"
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DOCTYPE = re.compile(rb"<!DOCTYPE\s+[^\[>]*(\[[^\]]*\]\s*)?>", re.IGNORECASE)
_STRAY_AMPERSAND = re.compile(rb"&(?!#\d+;|#[xX][0-9a-fA-F]+;|\w+;)")


@dataclass(frozen=True, slots=True)
class Feed:
    """A show and its episodes, newest first. `language` is as the feed writes it ("en-us", "").

    `new_url` is where the feed says it lives from now on (itunes:new-feed-url), "" where it doesn't.
    """

    title: str
    url: str
    language: str
    link: str
    episodes: tuple[Episode, ...]
    new_url: str = ""


def parse_feed(data: bytes, url: str) -> Feed:
    """The feed in `data`, which came from `url` (relative addresses in it start from there).

    Raises InputError where it is not a feed, too big, or without a single episode with audio.
    """
    _check_size(data)
    url = without_login(url)
    told = _without_query(url) or "the file"  # what follows the question mark may be a secret
    clean = _clean(data)
    try:
        parsed = feedparser.parse(clean, sanitize_html=False, resolve_relative_uris=False)
    except Exception as error:  # it has no errors of its own: whatever trips it is in the feed
        raise InputError(f"{told} can't be read as a feed: {error}") from error
    if not parsed.get("version") and not parsed.entries:
        raise InputError(f"{told} is not a podcast feed (neither RSS nor Atom)")
    title, language = _line(parsed.feed.get("title")), _line(parsed.feed.get("language"))
    root = _tree(clean)
    extras = _extras(root, len(parsed.entries), url)
    found = _episodes(parsed.entries, extras, Episode(id="", show=title, feed_url=url, language=language))
    if not found:
        raise InputError(
            f"the feed {_without_query(url) or title} has no episode with audio ({len(parsed.entries)} items)"
        )
    link = urljoin(url, parsed.feed.get("link") or "")
    return Feed(title, url, language, link, found, _new_url(root, url))


def listed_at(feed: Feed, url: str) -> Feed:
    """The feed with the identity of the address that its user gave.

    Where that leads to may change with every request, and ids must not.
    """
    url = without_login(url)
    episodes = tuple(
        replace(episode, id=episode_id(url, episode.guid), feed_url=url) for episode in feed.episodes
    )
    return replace(feed, episodes=episodes)


def pick(feed: Feed, which: str | int) -> Episode:
    """The episode called "latest", by its guid (or id), or by number: 1 is the newest.

    InputError says how many there are, or which guids come closest.
    """
    wanted = str(which).strip()
    for episode in feed.episodes:
        if wanted in (episode.guid, episode.id):
            return episode
    if wanted.lower() == "latest":
        return feed.episodes[0]
    if re.fullmatch(r"[+-]?\d{1,9}", wanted):
        count = len(feed.episodes)
        if not 1 <= int(wanted) <= count:
            raise InputError(f"there is no episode {wanted}: the feed has {count}, and 1 is the newest")
        return feed.episodes[int(wanted) - 1]
    guids = [episode.guid for episode in feed.episodes]
    close = difflib.get_close_matches(wanted, guids, CLOSEST, cutoff=0.4) or guids[:CLOSEST]
    raise InputError(f"no episode has the guid {wanted!r}; closest: {', '.join(close)}")


def episode_id(feed_url: str, guid: str) -> str:
    """The id of an episode: the same for the same guid of the same feed, for ever."""
    return str(uuid5(uuid5(NAMESPACE_URL, feed_url), guid))


def name_in(url: str) -> str:
    """What the file at an address is called, without extension.

    >>> name_in("https://example.org/shows/My%20Talk.mp3?token=se/cret")
    'My Talk'
    """
    return PurePosixPath(unquote(urlsplit(url).path)).stem


def without_login(url: str) -> str:
    """`url` without a user name and password: fit to be stored and shown.

    >>> without_login("https://me:secret@example.org:8080/feed?x=1")
    'https://example.org:8080/feed?x=1'
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise InputError(f"this is not a URL: {error}") from None
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def plain_text(markup: str) -> str:
    """HTML as readable text: one line a block, no tags, no runs of blank lines.

    >>> plain_text("<p>Hello <b>you</b> &amp; me</p><ul><li>one<li>two</ul>")
    'Hello you & me\\n\\none\\ntwo'
    """
    if not re.search(r"<[a-zA-Z/!]", markup):
        return _tidy(unescape(markup))
    try:
        # lxml takes no NUL, nor text that declares an encoding.
        tree = html.fromstring("<div>" + re.sub(r"\x00|<\?[^<>]*>", "", markup) + "</div>")
    except (etree.ParserError, ValueError):
        return _tidy(re.sub(r"<[^<>]*>", " ", markup))
    return _tidy("".join(_texts(tree)))


def _texts(tree: html.HtmlElement) -> Iterable[str]:
    """The text of a tree with line breaks where a browser has them."""
    unseen = 0
    for event, node in etree.iterwalk(tree, events=("start", "end", "comment", "pi")):
        if event in ("start", "end"):
            step = 1 if event == "start" else -1
            unseen += step if node.tag in _UNSEEN else 0
            if node.tag == "br" and event == "start":
                yield "\n"
            elif node.tag in _BLOCKS:
                yield _PARAGRAPH if node.tag == "p" else _BLOCK
        text = node.text if event == "start" else node.tail
        if text and not unseen:
            yield " ".join(text.splitlines()) if text.strip() else " "


def _tidy(text: str) -> str:
    broken = re.sub(r"[ \f\v]+", _break, text)
    lines = [" ".join(line.split()) for line in broken.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _break(run: re.Match[str]) -> str:
    """What a run of spaces and marks comes to: a blank line, a line break, or the spaces it is."""
    if _PARAGRAPH in run[0]:
        return "\n\n"
    return "\n" if _BLOCK in run[0] else run[0]


def _line(text: str | None) -> str:
    """Text that belongs on one line, such as a title, without control characters."""
    words = plain_text((text or "")[:MAX_LINE_CHARS]).split()
    return _CONTROLS.sub("", " ".join(words))


def _clean(data: bytes) -> bytes:
    """`data` as bytes that both parsers can read, without what could harm or mislead them."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", errors="replace")
        data = re.sub(r"^\s*<\?xml[^>]*\?>", "", text).encode()
    if data.startswith(_GZIP):
        data = _unpacked(data)
    begin = data[:HEAD_BYTES].find(b"<")
    if not data.strip():
        raise InputError("the feed is empty (0 bytes)")
    if begin < 0 or kind("", data[:HEAD_BYTES]) == "audio":
        raise InputError("this is not a podcast feed (neither RSS nor Atom)")
    data = _without_live_items(_without_doctype(data[begin:]))
    data = _without_noncharacters(_escape_ampersands(data))
    if len(data) > MAX_BROKEN_BYTES and not _well_formed(data):
        raise InputError(f"the feed is broken XML of over {MAX_BROKEN_BYTES // 1_000_000} MB")
    return data


def _unpacked(data: bytes) -> bytes:
    """A feed that is kept as a .gz file, as long as it is not too big inside."""
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        inside = unpacking.decompress(data, MAX_FEED_BYTES + 1)
    except zlib.error as error:
        raise InputError(f"this is not a podcast feed: damaged gzip ({error})") from None
    _check_size(inside)
    return inside


def _check_size(data: bytes) -> None:
    if len(data) > MAX_FEED_BYTES:
        raise InputError(f"the feed has over {MAX_FEED_BYTES // 1_000_000} MB: that is no podcast feed")


def _without_doctype(data: bytes) -> bytes:
    """Without its document type, and so without entity declarations, which can grow without bound."""
    prolog, rest = data[:PROLOG_BYTES], data[PROLOG_BYTES:]
    prolog = _DOCTYPE.sub(b"", prolog, count=1)
    if b"<!ENTITY" in prolog.partition(b"<item")[0]:
        raise InputError("the feed declares XML entities, which podcast feeds have no use for: refused")
    return prolog + rest


def _without_live_items(data: bytes) -> bytes:
    """Without announcements of live shows: feedparser takes their title and link for the show's."""
    first, *rest = data.split(b"<podcast:liveItem")
    closing = b"</podcast:liveItem>"
    return first + b"".join(part.partition(closing)[2] if closing in part else part for part in rest)


def _escape_ampersands(data: bytes) -> bytes:
    """With every & that begins no reference written as &amp;, but for those inside CDATA."""
    first, *rest = data.split(b"<![CDATA[")
    parts = [_STRAY_AMPERSAND.sub(b"&amp;", first)]
    for part in rest:
        inside, closing, outside = part.partition(b"]]>")
        parts.append(inside + closing + _STRAY_AMPERSAND.sub(b"&amp;", outside))
    return b"<![CDATA[".join(parts)


def _without_noncharacters(data: bytes) -> bytes:
    """With references to what is no character, such as half a surrogate pair, as the mark for those."""

    def checked(reference: re.Match[bytes]) -> bytes:
        code = int(reference[1], 16) if reference[1] else int(reference[2])
        return b"&#xFFFD;" if 0xD800 <= code < 0xE000 or code > 0x10FFFF else reference[0]

    return _REFERENCE.sub(checked, data)


def _well_formed(data: bytes) -> bool:
    try:
        expat.ParserCreate(namespace_separator=" ").Parse(data, True)
    except expat.ExpatError:
        return False
    return True


def _episodes(
    entries: Sequence[Mapping[str, Any]], extras: Sequence[_Extras], common: Episode
) -> tuple[Episode, ...]:
    """The entries that have audio, newest first; those without a date last, in the feed's order.

    common: an episode with what all of the show share.
    """
    url = common.feed_url
    found = [(entry, _enclosure(entry, url), extra) for entry, extra in zip(entries, extras, strict=True)]
    playable = {
        (_line(entry.get("id")), audio): (entry, extra) for entry, audio, extra in reversed(found) if audio
    }
    times_used = Counter(guid for guid, _ in playable)
    stand_ins = Counter(_without_query(audio) for _, audio in playable)
    episodes = []
    for (own, audio), (entry, extra) in reversed(playable.items()):
        # Some feeds give every item the same guid: then the address tells episodes apart. What follows its
        # question mark may change with every request, so it counts only where nothing else tells.
        bare = _without_query(audio)
        guid = own if own and times_used[own] == 1 else bare if stand_ins[bare] == 1 else without_login(audio)
        if guid != own and times_used[guid]:  # another item has this very address as its guid
            guid = f"{own or 'no guid'} {without_login(audio)}"
        episodes.append(
            replace(
                common,
                id=episode_id(url, guid),
                guid=guid,
                title=_line(entry.get("title")) or name_in(audio),
                published=_published(entry),
                audio_url=audio,
                notes=_notes(entry),
                people=extra.people,
                duration=_duration(entry.get("itunes_duration")),
                transcripts=extra.transcripts,
                chapters=extra.chapters,
                chapters_url=extra.chapters_url,
            )
        )
    return tuple(sorted(episodes, key=_age))


def _without_query(url: str) -> str:
    return urlunsplit(urlsplit(without_login(url))._replace(query="", fragment=""))


def _age(episode: Episode) -> float:
    """Sort key: the newest first, without a date last."""
    return -datetime.fromisoformat(episode.published).timestamp() if episode.published else math.inf


def _enclosure(entry: Mapping[str, Any], url: str) -> str:
    """The absolute address of an entry's audio: audio before video, the first of each; "" for none."""
    offers = [(item.get("href"), item.get("type")) for item in entry.get("enclosures", ())]
    offers += [(item.get("url"), item.get("type")) for item in entry.get("media_content", ())]
    ranked = [
        (_media_rank(address, content_type or ""), address)
        for address, content_type in ((_absolute(url, href), content_type) for href, content_type in offers)
        if address
    ]
    rank, address = min(ranked, key=lambda offer: offer[0], default=(_NO_MEDIA, ""))
    return address if rank < _NO_MEDIA else ""


def _absolute(url: str, href: str | None) -> str:
    """`href` resolved against `url`, or "" unless that gives an http(s) address."""
    href = "".join((href or "").split())
    if not href:
        return ""
    try:
        address = urldefrag(urljoin(url, href)).url
        return address if urlsplit(address).scheme in ("http", "https") and urlsplit(address).hostname else ""
    except ValueError:
        return ""


def _media_rank(address: str, content_type: str) -> int:
    """0 audio, 1 video, 2 perhaps, 3 no media, by extension where type and extension disagree."""
    ending, named = extension(address), media_type(content_type)
    if ending in _NEVER_MEDIA:
        return _NO_MEDIA
    if ending in AUDIO_EXTENSIONS or named.startswith("audio/"):
        return 0
    if ending in VIDEO_EXTENSIONS or named.startswith("video/"):
        return 1
    return 2 if named in ("", "application/octet-stream", "binary/octet-stream") else _NO_MEDIA


def _published(entry: Mapping[str, Any]) -> str:
    """When an entry came out, ISO 8601 with the offset it was written with, or "" if it doesn't say."""
    entry = dict(entry)  # feedparser's own kind warns of "updated" where there is none
    for tag in ("published", "updated"):
        written = str(entry.get(tag, "")).strip()
        for read in (parsedate_to_datetime, datetime.fromisoformat):
            try:
                when = read(written)
                # Without an offset, or with one by a name that isn't known: UTC.
                return when.replace(tzinfo=when.tzinfo or UTC).isoformat(timespec="seconds")
            except (ValueError, TypeError, IndexError, OverflowError):
                continue
        if parsed := entry.get(f"{tag}_parsed"):
            return _from_utc(parsed)
    return ""


def _from_utc(parsed: time.struct_time) -> str:
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return ""


def _notes(entry: Mapping[str, Any]) -> str:
    """The longest of an entry's descriptions as plain text; the full content wins a tie."""
    written = [content.get("value") for content in entry.get("content", ())]
    written += [entry.get("summary"), entry.get("description")]
    return max((plain_text(text) for text in dict.fromkeys(written) if text), key=len, default="")


def _duration(written: str | None) -> float:
    """Seconds of a duration as feeds write it, 0.0 where it can't be told.

    >>> _duration("1:02:03"), _duration("62:03"), _duration("3723"), _duration("about an hour")
    (3723.0, 3723.0, 3723.0, 0.0)
    """
    parts = (written or "").strip().split(":")
    if len(parts) > 3 or not all(re.fullmatch(r"\d{1,9}(\.\d{1,9})?", part) for part in parts):
        return 0.0
    return float(sum(float(part) * 60**power for power, part in enumerate(reversed(parts))))


@dataclass(frozen=True, slots=True)
class _Extras:
    """What an item says in tags that feedparser doesn't keep."""

    people: tuple[Person, ...] = ()
    transcripts: tuple[TranscriptLink, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    chapters_url: str = ""


def _tree(data: bytes) -> etree._Element | None:
    parser = etree.XMLParser(
        recover=True, resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False
    )
    try:
        root: etree._Element | None = etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        return None
    return root


def _channel(root: etree._Element) -> etree._Element:
    return next((node for node in root if _local_name(node) == "channel"), root)


def _new_url(root: etree._Element | None, url: str) -> str:
    found = [] if root is None else _tagged(_channel(root), "itunes", "new-feed-url")
    return _absolute(url, _text(found[0])) if found else ""


def _extras(root: etree._Element | None, count: int, url: str) -> list[_Extras]:
    """What each of `count` items says, with the people of the show where an item names none."""
    if root is None:
        return [_Extras()] * count
    items = list(root.iter("{*}item", "{*}entry", "item", "entry"))
    channel = _channel(root)
    show, author = _credits(channel), _author(channel)
    if len(items) != count:
        # Broken XML: the two parsers disagree on what an item is, and credits must not shift.
        return [_Extras(show or author)] * count
    return [
        _Extras(
            _credits(item) or show or _author(item) or author,
            _transcripts(item, url),
            _chapters(item),
            next((_absolute(url, node.get("url")) for node in _tagged(item, "podcast", "chapters")), ""),
        )
        for item in items
    ]


def _credits(node: etree._Element) -> tuple[Person, ...]:
    """The podcast:person children of an item or channel, in order, each once."""
    people = [
        Person(_text(child), (child.get("role") or "host").strip().lower())
        for child in _tagged(node, "podcast", "person")
    ]
    return tuple(dict.fromkeys(person for person in people if person.name))


def _author(node: etree._Element) -> tuple[Person, ...]:
    """The itunes:author, who may be a person, some people, or a company."""
    names = [_text(child) for child in _tagged(node, "itunes", "author")]
    return tuple(Person(name, "author") for name in names[:1] if name)


def _transcripts(item: etree._Element, url: str) -> tuple[TranscriptLink, ...]:
    links = [
        TranscriptLink(
            _absolute(url, node.get("url")),
            media_type(node.get("type") or ""),
            (node.get("language") or "").strip(),
            (node.get("rel") or "").strip().lower(),
        )
        for node in _tagged(item, "podcast", "transcript")
    ]
    return tuple(link for link in links if link.url)


def _chapters(item: etree._Element) -> tuple[Chapter, ...]:
    """Podlove Simple Chapters (https://podlove.org/simple-chapters)."""
    told = [node for group in _tagged(item, "psc", "chapters") for node in _tagged(group, "psc", "chapter")]
    chapters = [Chapter(_duration(node.get("start")), _line(node.get("title"))) for node in told[:MAX_EXTRAS]]
    return tuple(chapter for chapter in chapters if chapter.title)


def _tagged(node: etree._Element, prefix: str, name: str) -> list[etree._Element]:
    """The children with this tag, in a namespace of the prefix or with the prefix undeclared."""
    tags = {f"{prefix}:{name}", *(f"{{{uri}}}{name}" for uri in _NAMESPACES[prefix])}
    return [child for child in node if child.tag in tags][:MAX_EXTRAS]


def _text(node: etree._Element) -> str:
    """All text inside, on one line."""
    return _CONTROLS.sub("", " ".join("".join(node.itertext()).split()))[:MAX_LINE_CHARS]


def _local_name(node: etree._Element) -> str:
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""
