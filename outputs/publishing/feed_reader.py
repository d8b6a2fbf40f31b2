"""Where in the bytes of an RSS feed its items and their podcast:* tags are.

Other bytes can then be put between them, so that whatever a host's software wrote stays as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from models.record.errors import InputError

NAMESPACE = "https://podcastindex.org/namespace/1.0"
NAMESPACES = (
    NAMESPACE,
    "http://podcastindex.org/namespace/1.0",
    "https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/1.0.md",
)
ITEM_NAMES = frozenset(("item", "entry", "rss:item", "atom:entry"))
MAX_DEPTH = 64  # of elements in one another; feeds have five or so
SPACE = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class ByteChange:
    """Bytes to put in place of those from `start` to `end`."""

    start: int
    end: int
    data: bytes
    uses_new_prefix: bool = False


@dataclass(slots=True)
class _Tag:
    """A podcast:transcript, podcast:person or podcast:chapters: where it is and what it says."""

    start: int
    end: int
    attributes: Mapping[str, str]
    text: str = ""


@dataclass(slots=True)
class FeedItem:
    """An item of the feed. `end` is where its end tag begins, `prefix` the namespace's, None if undeclared.

    `position` is its number, from 0 on, among all items of the document, those in odd places included:
    `audio.feeds` counts them in the same way.
    """

    prefix: str | None
    position: int = 0
    transcripts: list[_Tag] = field(default_factory=list)
    people: list[_Tag] = field(default_factory=list)
    chapters: list[_Tag] = field(default_factory=list)
    last_child: int = 0
    end: int = 0


@dataclass(slots=True)
class ParsedFeed:
    """An RSS feed as bytes, and where in them what matters is."""

    data: bytes
    encoding: str = "utf-8"
    root_name_end: int = 0
    free_prefix: str = "podcast"
    people: list[_Tag] = field(default_factory=list)
    items: list[FeedItem] = field(default_factory=list)


def read_feed(data: bytes, source: str, encoding: str | None) -> ParsedFeed:
    """Where things are in an RSS feed. InputError, naming `source`, where it is none or not well-formed."""
    try:
        return _Reader(data, encoding).read()
    except expat.ExpatError as error:
        raise InputError(f"{source} is not well-formed XML ({error}): mend it where it is made") from error
    except _RefusedError as error:
        raise InputError(f"{source} {error}") from error
    except (LookupError, ValueError) as error:  # a codec that isn't there, or is none for XML
        raise InputError(f"{source}: its encoding can't be read ({error})") from error


class _RefusedError(ValueError):
    """Something that no feed has a use for."""


class _Reader:
    """Walks over the XML and notes where things are, in bytes."""

    def __init__(self, data: bytes, encoding: str | None) -> None:
        self._feed = ParsedFeed(data)
        self._parser = expat.ParserCreate(encoding)
        self._parser.buffer_text = True
        if encoding is None:
            self._parser.XmlDeclHandler = self._declaration
        self._parser.EntityDeclHandler = self._entity
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._path: list[str] = []
        self._prefixes: list[dict[str, str]] = [{}]
        self._seen: set[str] = set()
        self._item: FeedItem | None = None
        self._items = 0
        self._tag: _Tag | None = None
        self._words: list[str] = []

    def read(self) -> ParsedFeed:
        self._parser.Parse(self._feed.data, True)
        for prefix in ("podcast", *(f"podcast{number}" for number in range(2, 100))):
            if prefix not in self._seen:
                self._feed.free_prefix = prefix
                break
        return self._feed

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        self._feed.encoding = encoding or "utf-8"
        "".encode(self._feed.encoding)

    def _entity(self, *declared: object) -> None:
        raise _RefusedError("declares XML entities, which podcast feeds have no use for")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        at = self._parser.CurrentByteIndex
        if not self._path:
            self._root(name, at)
        if len(self._path) >= MAX_DEPTH:
            raise _RefusedError(f"has elements over {MAX_DEPTH} deep: that is no podcast feed")
        declared = {key[6:]: value for key, value in attributes.items() if key.startswith("xmlns:")}
        self._seen |= declared.keys()
        self._prefixes.append({**self._prefixes[-1], **declared} if declared else self._prefixes[-1])
        self._words = []
        if self._path == ["rss", "channel"] and name == "item":
            self._item = FeedItem(self._prefix(), self._items)
        elif self._path == ["rss", "channel", "item"] and self._item:
            self._item.last_child = at
        if self._path in (["rss", "channel"], ["rss", "channel", "item"]) and self._is_ours(name):
            self._tag = _Tag(at, 0, attributes)
        self._items += name.lower() in ITEM_NAMES
        self._path.append(name)

    def _root(self, name: str, at: int) -> None:
        if name != "rss":
            raise _RefusedError(f"is no RSS feed (its root is {name}): podcast:transcript is for RSS")
        self._feed.root_name_end = at + 1 + len(name)

    def _end(self, name: str) -> None:
        self._path.pop()
        self._prefixes.pop()
        words = "".join(self._words)
        if self._path == ["rss", "channel", "item"] and self._item:
            item = self._item
            kept = {"transcript": item.transcripts, "person": item.people, "chapters": item.chapters}
            self._keep(name, words, kept)
        elif self._path == ["rss", "channel"]:
            if name == "item" and self._item:
                self._item.end = self._parser.CurrentByteIndex
                self._feed.items.append(self._item)
                self._item = None
            else:
                self._keep(name, words, {"person": self._feed.people})
        self._words = []

    def _keep(self, name: str, words: str, kept: Mapping[str, list[_Tag]]) -> None:
        """Note a tag of ours that ends here, with those of its local name."""
        if self._tag is None:
            return
        tag, self._tag = self._tag, None
        end = _tag_end(self._feed.data, tag.start)
        closed = self._feed.data[end - 2 : end] == b"/>"
        tag.end = end if closed else _tag_end(self._feed.data, self._parser.CurrentByteIndex)
        tag.text = " ".join(words.split())
        kept.get(name.rpartition(":")[2], []).append(tag)

    def _text(self, text: str) -> None:
        if len(self._path) in (3, 4):
            self._words.append(text)

    def _prefix(self) -> str | None:
        """The prefix under which the namespace is declared here, if it is."""
        return next((name for name, uri in self._prefixes[-1].items() if uri in NAMESPACES), None)

    def _is_ours(self, name: str) -> bool:
        # Feeds that forget to declare the prefix still mean it.
        prefix, _, local = name.partition(":")
        known = self._prefixes[-1].get(prefix, NAMESPACE if prefix == "podcast" else "")
        return local in ("transcript", "person", "chapters") and known in NAMESPACES


def _tag_end(data: bytes, start: int) -> int:
    """Where the tag that starts at `start` ends; a > inside quotes does not end it."""
    quoted = 0
    for at in range(start, len(data)):
        char = data[at]
        if quoted:
            quoted = 0 if char == quoted else quoted
        elif char in b"\"'":
            quoted = char
        elif char == ord(">"):
            return at + 1
    return len(data)
