"""Who is heard, and which transcripts and chapters there are: podcast:*, itunes:author, Podlove Simple Chapters.

https://podcastindex.org/namespace/1.0, https://podlove.org/simple-chapters
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from audio.feeds.text import on_one_line, parse_time, single_line
from audio.feeds.tree import Node, base_of, extras, text_of
from audio.transfer.addresses import absolute
from audio.transfer.sniff import media_type
from models.record.transcript import MAX_CHAPTERS, Chapter, Person, TranscriptLink


def people_of(item: Node, show: Credits) -> tuple[Person, ...]:
    """Those whom the item names, or else the show, or else the author of one or the other."""
    own = credits_of(item)
    return own.people or show.people or own.author or show.author


@dataclass(frozen=True, slots=True)
class Credits:
    """Who is heard, as podcast:person and as itunes:author have it."""

    people: tuple[Person, ...]
    author: tuple[Person, ...]


def credits_of(node: Node) -> Credits:
    """The credits of an item or a channel."""
    return Credits(_people(node), _author(node))


def _people(node: Node) -> tuple[Person, ...]:
    """The podcast:person children of an item or channel, in order, each once."""
    people = [
        Person(on_one_line(text_of(child)), (child.get("role") or "host").strip().lower())
        for child in extras(node, "podcast", "person")
    ]
    return tuple(dict.fromkeys(person for person in people if person.name))


def _author(node: Node) -> tuple[Person, ...]:
    """The itunes:author, who may be a person, some people, or a company."""
    names = [on_one_line(text_of(child)) for child in extras(node, "itunes", "author")]
    return tuple(Person(name, "author") for name in names[:1] if name)


def transcripts_of(item: Node, url: str) -> tuple[TranscriptLink, ...]:
    """The transcripts that a feed offers already."""
    links = [
        TranscriptLink(
            absolute(base_of(node, url), node.get("url")),
            media_type(node.get("type") or ""),
            (node.get("language") or "").strip(),
            (node.get("rel") or "").strip().lower(),
        )
        for node in extras(item, "podcast", "transcript")
    ]
    return tuple(link for link in links if link.url)


def chapters_url_of(item: Node, url: str) -> str:
    """Where JSON chapters are, "" where there are none."""
    told = extras(item, "podcast", "chapters")
    told.sort(key=lambda node: "json" not in (node.get("type") or "json").lower())
    found = (absolute(base_of(node, url), node.get("url")) for node in told)
    return next(filter(None, found), "")


def chapters_of(item: Node, url: str) -> tuple[Chapter, ...]:
    """Podlove Simple Chapters, as they are told."""
    groups = extras(item, "psc", "chapters")
    found = (chapter for group in groups for chapter in simple_chapters(group, url))
    return tuple(islice(found, MAX_CHAPTERS))


def simple_chapters(group: Node, url: str) -> tuple[Chapter, ...]:
    """The chapters in a psc:chapters element, as they are told."""
    told = extras(group, "psc", "chapter")
    return tuple(chapter for node in told if (chapter := _chapter(node, base_of(node, url))))


def _chapter(node: Node, base: str) -> Chapter | None:
    start, title = parse_time(node.get("start")), single_line(node.get("title"))
    if start is None:
        return None
    url, image = (absolute(base, node.get(name)) for name in ("href", "image"))
    return Chapter(start, title, url=url, image=image, listed=bool(title))
