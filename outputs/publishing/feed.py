"""A show's own feed with links to its transcripts and chapters put in, and nothing else changed.

The feed is not written anew: tags are put between the bytes that are there, so that whatever a host's
software wrote stays as it was. https://github.com/Podcastindex-org/podcast-namespace
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote, urlsplit
from xml.sax.saxutils import escape, quoteattr

from models.record.errors import InputError
from models.record.transcript import Episode, Transcript
from outputs.formats.registry import FORMATS
from outputs.publishing.feed_reader import NAMESPACE, SPACE, ByteChange, FeedItem, ParsedFeed, read_feed
from outputs.text.chapters import listed_chapters
from outputs.text.characters import one_line
from outputs.text.translations import translations_of

LINKED = ("vtt", "srt", "json", "html")  # the first is the one to take for who wants one only
LINKED_TRANSLATIONS = ("vtt", "srt")
CHAPTERS = "chapters"
TIMED = frozenset(("vtt", "srt", "json"))  # rel="captions": its text has times
_UTF16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_UNMARKED = {b"<\0?\0": "utf-16-le", b"<\0r\0": "utf-16-le", b"\0<\0?": "utf-16-be", b"\0<\0r": "utf-16-be"}


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """An episode to link to: where its files are below the base URL, which there are, who was named by people.

    `translations` are formats that are there in other languages, with those, `chapters` whether its chapters are to be
    linked to where the item has no podcast:chapters.
    """

    episode: Episode
    folder: str
    language: str
    formats: tuple[str, ...]
    people: tuple[str, ...] = ()
    translations: tuple[tuple[str, str], ...] = ()
    chapters: bool = False

    @property
    def files(self) -> tuple[tuple[str, str], ...]:
        """What there is to link to, the best first: formats, with the language of a translation or "" for none."""
        return (*((name, "") for name in self.formats), *self.translations)


@dataclass(frozen=True, slots=True)
class PublishedFeed:
    """The new feed, the entries to whose transcripts it links, and the number of its items that have none."""

    data: bytes
    linked: tuple[FeedEntry, ...]
    without: int


def feed_entry(
    transcript: Transcript, folder: str, files: Iterable[str], *, proposed_chapters: bool = False
) -> FeedEntry:
    """What a feed says of an episode. Names count only if a person gave or confirmed them.

    files: the names of those that are in its folder. proposed_chapters: whether chapters count that no person made.
    """
    there = set(files)
    spoken = {segment.speaker for segment in transcript.segments}
    named = (s for s in transcript.speakers if s.source == "user" and s.label in spoken)
    return FeedEntry(
        episode=transcript.episode,
        folder=folder,
        language=one_line(transcript.language).strip(),
        formats=tuple(name for name in LINKED if FORMATS[name].file_name in there),
        people=tuple(dict.fromkeys(name for one in named if (name := one_line(one.name).strip()))),
        translations=tuple(
            (name, language)
            for language in translations_of(transcript)
            for name in LINKED_TRANSLATIONS
            if FORMATS[name].translated_name(language) in there
        ),
        chapters=FORMATS[CHAPTERS].file_name in there
        and bool(listed_chapters(transcript))
        and (proposed_chapters or not transcript.chapters.proposed),
    )


def checked_base_url(url: str) -> str:
    """The address below which the library is served, ending in a slash; InputError if it is none."""
    try:
        parts = urlsplit(url)
        usable = (
            parts.scheme in ("http", "https") and parts.hostname and not parts.query and not parts.fragment
        )
    except ValueError:
        usable = False
    if not usable or re.search(r"\s", url):
        raise InputError(f"{url!r} is no base URL: give one such as https://example.org/transcripts/")
    return url if url.endswith("/") else f"{url}/"


def link_transcripts(
    data: bytes, entries: Mapping[int, FeedEntry], base_url: str, source: str = "the feed"
) -> PublishedFeed:
    """`data`, an RSS feed, with podcast:transcript tags for those of its items that have entries.

    And with podcast:chapters for those that have none; a link to ours goes where there are no chapters any more.
    `entries` by the positions of the items among all items of the feed, in the order of the document, from 0 on.
    Tags that link to the same files stay, or move to a new base URL, so that publishing twice changes
    nothing. People that somebody named are added as podcast:person where they aren't credited. Raises
    InputError, naming `source`, for what isn't a well-formed RSS feed.
    """
    base = checked_base_url(base_url)
    mark = data[:2] if data[:2] in _UTF16 else b""
    if encoding := _UTF16.get(mark) or _UNMARKED.get(data[:4]):
        try:
            text = data[len(mark) :].decode(encoding)
        except UnicodeDecodeError as error:
            raise InputError(f"{source}: its encoding can't be read ({error})") from error
        inner = _published(text.encode(), entries, base, source, "utf-8")
        return replace(inner, data=mark + inner.data.decode().encode(encoding))
    lead = len(data) - len(data.lstrip(SPACE))
    if lead:  # XML forbids it, and hosts do it
        inner = link_transcripts(data[lead:], entries, base, source)
        return replace(inner, data=data[:lead] + inner.data)
    return _published(data, entries, base, source, None)


def _published(
    data: bytes, entries: Mapping[int, FeedEntry], base: str, source: str, encoding: str | None
) -> PublishedFeed:
    """As `link_transcripts`, for bytes in `encoding`, or in the one that the XML declares."""
    feed = read_feed(data, source, encoding)
    changes, linked = list[ByteChange](), list[FeedEntry]()
    for item in feed.items:
        entry = entries.get(item.position)
        if entry is not None and (entry.formats or entry.chapters or item.chapters):
            changes += _item_changes(feed, item, entry, base)
            if entry.formats:
                linked.append(entry)
    if any(change.uses_new_prefix for change in changes):
        declaration = f' xmlns:{feed.free_prefix}="{NAMESPACE}"'.encode()
        changes.append(ByteChange(feed.root_name_end, feed.root_name_end, declaration))
    result = bytearray(data)
    for change in sorted(changes, key=lambda one: one.start, reverse=True):
        result[change.start : change.end] = change.data
    if len(read_feed(bytes(result), source, encoding).items) != len(feed.items):
        raise InputError(f"{source}: links can't be put in without changing what it says")
    return PublishedFeed(bytes(result), tuple(linked), len(feed.items) - len(linked))


def _item_changes(feed: ParsedFeed, item: FeedItem, entry: FeedEntry, base: str) -> list[ByteChange]:
    prefix = item.prefix or feed.free_prefix
    new = list[str]()
    changes = list[ByteChange]()
    for name, language in entry.files:
        tag = _transcript_tag(prefix, entry, name, language, base)
        path = _path(entry, name, language)
        old = next((t for t in item.transcripts if t.attributes.get("url", "").endswith(f"/{path}")), None)
        if old is None:
            new.append(tag)
        elif old.attributes.get("url") != base + path:
            changes.append(ByteChange(old.start, old.end, _encoded(feed, tag), item.prefix is None))
    chapters = _chapters_tag(prefix, entry, base)
    ours = [
        tag
        for tag in item.chapters
        if tag.attributes.get("url", "").endswith(f"/{_path(entry, CHAPTERS, '')}")
    ]
    wanted = entry.chapters and len(item.chapters) == len(ours)
    if wanted and not ours:
        new.append(chapters)
    for number, old in enumerate(ours):
        if not wanted or number:
            changes.append(ByteChange(_before(feed.data, old.start), old.end, b""))
        elif old.attributes.get("url") != base + _path(entry, CHAPTERS, ""):
            changes.append(ByteChange(old.start, old.end, _encoded(feed, chapters), item.prefix is None))
    added = _people_tags(feed, item, entry, prefix)
    if new or added:
        inside = [_encoded(feed, tag) for tag in new] + added
        at, indent = _insertion(feed.data, item)
        changes.append(ByteChange(at, at, b"".join(indent + tag for tag in inside), item.prefix is None))
    return changes


def _insertion(data: bytes, item: FeedItem) -> tuple[int, bytes]:
    """Where new tags go, after the last child, and the white space that goes before each."""
    start = item.last_child or item.end
    return _before(data, item.end), data[_before(data, start) : start]


def _before(data: bytes, at: int) -> int:
    """Where the white space before a place begins."""
    while at and data[at - 1] in SPACE:
        at -= 1
    return at


def _path(entry: FeedEntry, name: str, language: str) -> str:
    written = FORMATS[name]
    return quote(f"{entry.folder}/{written.translated_name(language) if language else written.file_name}")


def _transcript_tag(prefix: str, entry: FeedEntry, name: str, language: str, base: str) -> str:
    attributes = {"url": base + _path(entry, name, language), "type": FORMATS[name].media_type}
    if language or entry.language:
        attributes["language"] = language or entry.language
    if name in TIMED:
        attributes["rel"] = "captions"
    written = " ".join(f"{key}={quoteattr(value)}" for key, value in attributes.items())
    return f"<{prefix}:transcript {written}/>"


def _chapters_tag(prefix: str, entry: FeedEntry, base: str) -> str:
    url, media_type = base + _path(entry, CHAPTERS, ""), FORMATS[CHAPTERS].media_type
    return f"<{prefix}:chapters url={quoteattr(url)} type={quoteattr(media_type)}/>"


def _people_tags(feed: ParsedFeed, item: FeedItem, entry: FeedEntry, prefix: str) -> list[bytes]:
    """podcast:person tags for those who were named and aren't credited.

    People of an item replace those of the show, so when an item gets its first ones, the show's are
    repeated there. Who isn't credited in a show that names its hosts is a guest.
    """
    credited = item.people or feed.people
    names = {_folded(tag.text) for tag in credited}
    missing = [name for name in entry.people if _folded(name) not in names]
    if not missing:
        return []
    roles = {_folded(person.name): person.role for person in entry.episode.people}
    hosted = any(tag.attributes.get("role", "host").strip().lower() == "host" for tag in credited)
    tags = [] if item.people else [feed.data[tag.start : tag.end] for tag in feed.people]
    for name in missing:
        role = roles.get(_folded(name)) or ("guest" if hosted else "")
        said = f" role={quoteattr(role)}" if role else ""
        tags.append(_encoded(feed, f"<{prefix}:person{said}>{escape(name)}</{prefix}:person>"))
    return tags


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()


def _encoded(feed: ParsedFeed, tag: str) -> bytes:
    return tag.encode(feed.encoding, "xmlcharrefreplace")
