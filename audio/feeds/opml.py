"""Lists of subscriptions as podcast apps exchange them: OPML (https://opml.org/spec2.opml), or an address a line.

What apps write is read as it is meant: attributes in any case, types left out, folders in folders, characters and
entities that are no XML. Files are never included, and nothing is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from html.entities import html5

from lxml import etree

from audio.feeds.cleaning import NO_CHARACTERS
from audio.feeds.encoding import decoded
from audio.feeds.text import single_line
from audio.transfer.addresses import absolute, web_address
from models.record.errors import InputError

MAX_OPML_BYTES = 10_000_000
MAX_SUBSCRIPTIONS = 20_000
MAX_ENTRIES = 100_000  # that are looked at, repeated and useless ones with them
MAX_PROBLEMS = 1000  # that are told one by one
MAX_ADDRESS = 8192  # characters
_ENTITY = re.compile(r"<!ENTITY", re.IGNORECASE)
_DOCTYPE = re.compile(r"<!DOCTYPE[^<>\[]{0,1000}>", re.IGNORECASE)
_OUTLINE = re.compile(r"<(?:\w+:)?outline[\s/>]", re.IGNORECASE)
_OF_HTML = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)([A-Za-z][A-Za-z0-9]{1,31};)")
_AMPERSAND = re.compile(r"&(?!(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|amp|lt|gt|quot|apos);)")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,200}\?>")
_NO_FEEDS = frozenset(("podcast-episode", "podcast-playlist", "include"))
_ADDRESS_FIRST = re.compile(r"[a-z]{3,10}:\S+", re.IGNORECASE)
_CALLED = re.compile(r'"~([^"]{1,500})"')  # as newsboat has titles beside addresses


@dataclass(frozen=True, slots=True)
class Subscription:
    """A feed that somebody follows; `title` is "" where the list doesn't tell."""

    url: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """The feeds of a list in its order, each once, and a line about each entry that can't be used (MAX_PROBLEMS)."""

    feeds: tuple[Subscription, ...]
    problems: tuple[str, ...] = ()


def read_subscriptions(data: bytes, content_type: str = "") -> Subscriptions:
    """The feeds in a list. InputError where it is none, or declares entities of XML.

    content_type: the header that it came with, "" for a file.
    """
    if len(data) > MAX_OPML_BYTES:
        raise InputError(f"the list has over {MAX_OPML_BYTES // 1_000_000} MB")
    text = NO_CHARACTERS.sub("", decoded(data, content_type))
    if _OUTLINE.search(text):
        entries = _outlines(text)
    elif not text.lstrip().startswith("<"):
        entries = _lines(text)
    else:
        raise InputError("this is no list of feeds: neither OPML with outlines nor an address a line")
    feeds, problems, unused = dict[str, Subscription](), list[str](), 0
    for number, (written, title) in enumerate(entries, 1):
        if number > MAX_ENTRIES:
            raise InputError(f"the list has more than {MAX_ENTRIES:,} entries")
        if len(feeds) >= MAX_SUBSCRIPTIONS:
            raise InputError(f"the list has more than {MAX_SUBSCRIPTIONS:,} feeds")
        url = absolute("", web_address(written)) if len(written) <= MAX_ADDRESS else ""
        if url:
            feeds.setdefault(url, Subscription(url, title))
        elif len(problems) == MAX_PROBLEMS:
            unused += 1
        else:
            called = f"entry {number} ({title!r})" if title else f"entry {number}"
            why = f"has no address that can be fetched: {written[:60]!r}" if written else "has no xmlUrl"
            problems.append(f"{called} {why}")
    if not feeds and not problems:
        raise InputError("the list has no feed in it")
    if unused:
        problems.append(f"{unused:,} more entries have no address that can be fetched")
    return Subscriptions(tuple(feeds.values()), tuple(problems))


def _outlines(text: str) -> Iterator[tuple[str, str]]:
    """Address and title of each outline that is, or should be, a feed."""
    if _ENTITY.search(text):
        raise InputError("the list declares XML entities, which lists of feeds have no use for: refused")
    text = _OF_HTML.sub(_character, _DOCTYPE.sub("", _DECLARATION.sub("", text)))
    text = _AMPERSAND.sub("&amp;", text)  # those that are none of XML
    parser = etree.XMLParser(
        encoding="utf-8",
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
    )
    try:
        root = etree.fromstring(f"<list>{text}</list>".encode(), parser)
    except etree.XMLSyntaxError as error:
        raise InputError(f"the list is broken XML: {error.msg}") from None
    for node in root.iter() if root is not None else ():
        if isinstance(node.tag, str) and node.tag.rpartition("}")[2].lower() == "outline":
            told = {name.rpartition("}")[2].lower(): value.strip() for name, value in node.attrib.items()}
            address = told.get("xmlurl") or told.get("url", "")
            is_folder = len(node) > 0 or not told.keys() & {"xmlurl", "htmlurl"}
            if told.get("type", "").lower() not in _NO_FEEDS and (address or not is_folder):
                yield address, single_line(told.get("title") or told.get("text"))


def _character(found: re.Match[str]) -> str:
    """An entity of HTML as the character that it is."""
    return escape(html5.get(found[1], f"&{found[1]}"))


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """The addresses of a plain list: the first word of each line that is no comment, as of newsboat's `urls`."""
    for line in map(str.strip, text.splitlines()):
        if _ADDRESS_FIRST.match(line):
            called = _CALLED.search(line)
            yield line.split()[0], single_line(called[1]) if called else ""


def write_subscriptions(title: str, feeds: Iterable[Subscription]) -> bytes:
    """The feeds as OPML 2.0, in UTF-8."""
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = single_line(title)
    body = etree.SubElement(root, "body")
    for feed in feeds:
        called = single_line(NO_CHARACTERS.sub("", feed.title)) or feed.url
        etree.SubElement(body, "outline", type="rss", text=called, title=called, xmlUrl=feed.url)
    return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True))
