"""Which episode of a feed somebody means who gives what a page or a directory says of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from audio.feeds.dates import parse_date
from audio.feeds.items import FeedItem
from audio.feeds.parse import Feed
from models.record.identity import audio_key, feed_key, published_at
from models.record.transcript import Episode

SAME_DAY = 36 * 3600.0  # seconds by which a page and a feed may differ that tell of one day
# What is added to an address to see who follows it, and leads nowhere else.
_TRACKING = re.compile(
    r"utm_\w+|fbclid|gclid|dclid|msclkid|mc_[ce]id|igshid|at_campaign|at_medium|itscg|itsct|uo|si"
)
_BETWEEN = re.compile(r"\s+[|\-–—·•:»«]+\s+|\s*[|»«]\s*")  # parts of a title: "Episode 5 | Show"
MAX_PARTS = 8
LONG_SLUG = 25  # characters from which on one may have been cut off


@dataclass(frozen=True, slots=True)
class Meant:
    """What is known of an episode; nothing of it need be known.

    `audio` are addresses that it may have, `pages` those of its web page, `titles` what it may be called,
    `published` when it came out, ISO 8601, and `slug` its title as addresses have it ("the-first-one").
    """

    guid: str = ""
    audio: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    published: str = ""
    slug: str = ""

    def __bool__(self) -> bool:
        return bool(self.guid or self.audio or self.pages or self.titles or self.slug)


def episode_meant(feed: Feed, meant: Meant) -> Episode | None:
    """The episode of a feed that is meant: by its guid, else its audio, its page, its title; None for none, or several.

    Of several with one title the one is taken that came out when the one that is meant did.
    """
    tests: list[tuple[Iterable[str], Callable[[FeedItem], Iterable[str]]]] = [
        ([meant.guid], lambda item: [item.episode.guid]),
        (map(_audio, meant.audio), _audio_of),
        (map(page_key, meant.pages), lambda item: _pages_of(item, feed)),
        (_titles(meant.titles) - {folded(feed.title)}, lambda item: [folded(item.episode.title)]),
        ([meant.slug], lambda item: [_slug_like(meant.slug, item.episode.title)]),
    ]
    for told, keys in tests:
        wanted = set(filter(None, told))
        found = [item.episode for item in feed.items if not wanted.isdisjoint(keys(item))] if wanted else []
        if len(found) > 1:
            found = [episode for episode in found if _of_day(episode, meant.published)]
        if len(found) == 1:
            return found[0]
    return None


def page_key(url: str) -> str:
    """What of a page's address tells it from others.

    >>> page_key("http://Example.org/ep/1/?utm_source=x&p=7#t=30") == page_key("https://example.org/ep/1?p=7")
    True
    """
    return feed_key(without_tracking(url))


def without_tracking(url: str) -> str:
    """An address without the parameters that only tell who follows it.

    >>> without_tracking("https://example.org/a?utm_source=x&id=1")
    'https://example.org/a?id=1'
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    told = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, value) for name, value in told if not _TRACKING.fullmatch(name.lower())]
    return url if len(kept) == len(told) else urlunsplit(parts._replace(query=urlencode(kept)))


def folded(title: str) -> str:
    """A title as it is compared: without case, marks and spaces between words.

    >>> folded("Episode 5:  “Trees” &c.") == folded("episode 5 - 'Trees' & c")
    True
    """
    return " ".join(re.findall(r"\w+", title.casefold()))


def _titles(titles: Iterable[str]) -> set[str]:
    """The titles, and the parts of them that stand between marks."""
    parts = (part for title in titles for part in (title, *_BETWEEN.split(title)[:MAX_PARTS]))
    return {folded(part) for part in parts}


def _audio(url: str) -> str:
    return audio_key(url, query=False)


def _audio_of(item: FeedItem) -> list[str]:
    episode = item.episode
    return [_audio(episode.audio_url), *(_audio(place.url) for place in episode.enclosures)]


def _pages_of(item: FeedItem, feed: Feed) -> list[str]:
    """The addresses of an item's page; not that of the show, which careless feeds tell for each of them."""
    told = [one for one in (item.link, item.episode.guid) if one.startswith(("http://", "https://"))]
    return [key for key in map(page_key, told) if key != page_key(feed.link)]


def _slug_like(slug: str, title: str) -> str:
    """The slug, where it may be that of a title; directories cut long ones off."""
    plain = unicodedata.normalize("NFKD", re.sub("['’ʼ]", "", title.casefold()))
    own = "-".join(re.findall(r"[^\W_]+", "".join(sign for sign in plain if not unicodedata.combining(sign))))
    return slug if own == slug or (len(slug) >= LONG_SLUG and own.startswith(slug)) else ""


def _of_day(episode: Episode, published: str) -> bool:
    when, moment = parse_date(published), published_at(episode)
    return when is not None and moment is not None and abs(when.timestamp() - moment) < SAME_DAY
