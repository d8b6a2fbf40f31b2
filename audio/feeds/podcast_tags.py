"""Tags that feedparser drops or keeps only the last of: podcast:*, some itunes:*, Podlove Simple Chapters.

They are read from the tree with lxml. https://podcastindex.org/namespace/1.0"""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from audio.feeds.text import CONTROLS, MAX_LINE_CHARS, parse_duration, single_line
from audio.transfer.addresses import absolute
from audio.transfer.sniff import media_type
from models.record.transcript import Chapter, Person, TranscriptLink

MAX_EXTRAS = 500  # people, transcripts or chapters of one episode
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


@dataclass(frozen=True, slots=True)
class ItemTags:
    """What an item says in tags that feedparser doesn't keep."""

    people: tuple[Person, ...] = ()
    transcripts: tuple[TranscriptLink, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    chapters_url: str = ""


def recovered_tree(data: bytes) -> etree._Element | None:
    """The root of XML, also of broken XML; None where nothing can be made of it."""
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


def new_feed_url(root: etree._Element | None, url: str) -> str:
    """Where the feed says that it lives from now on (itunes:new-feed-url); "" where it doesn't."""
    found = [] if root is None else _tagged(_channel(root), "itunes", "new-feed-url")
    return absolute(url, _text(found[0])) if found else ""


def item_tags(root: etree._Element | None, count: int, url: str) -> list[ItemTags]:
    """What each of `count` items says, with the people of the show where an item names none."""
    if root is None:
        return [ItemTags()] * count
    items = list(root.iter("{*}item", "{*}entry", "item", "entry"))
    channel = _channel(root)
    show, author = _credits(channel), _author(channel)
    if len(items) != count:
        # Broken XML: the two parsers disagree on what an item is, and credits must not shift.
        return [ItemTags(show or author)] * count
    return [
        ItemTags(
            _credits(item) or show or _author(item) or author,
            _transcripts(item, url),
            _chapters(item),
            next((absolute(url, node.get("url")) for node in _tagged(item, "podcast", "chapters")), ""),
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
            absolute(url, node.get("url")),
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
    chapters = [
        Chapter(parse_duration(node.get("start")), single_line(node.get("title")))
        for node in told[:MAX_EXTRAS]
    ]
    return tuple(chapter for chapter in chapters if chapter.title)


def _tagged(node: etree._Element, prefix: str, name: str) -> list[etree._Element]:
    """The children with this tag, in a namespace of the prefix or with the prefix undeclared."""
    tags = {f"{prefix}:{name}", *(f"{{{uri}}}{name}" for uri in _NAMESPACES[prefix])}
    return [child for child in node if child.tag in tags][:MAX_EXTRAS]


def _text(node: etree._Element) -> str:
    """All text inside, on one line."""
    return CONTROLS.sub("", " ".join("".join(node.itertext()).split()))[:MAX_LINE_CHARS]


def _local_name(node: etree._Element) -> str:
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""
