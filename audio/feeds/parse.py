"""Podcast feeds: RSS and Atom as they are found in the wild, good or bad, to episodes."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace

from audio.feeds.cleaning import NotAFeedError, feed_text
from audio.feeds.items import FeedItem, feed_items
from audio.feeds.text import on_one_line, single_line
from audio.feeds.tree import (
    Node,
    base_of,
    children,
    extras,
    feed_tree,
    items_of,
    language_of,
    name_of,
    text_of,
)
from audio.transfer.addresses import absolute, without_login, without_query
from models.record.errors import InputError
from models.record.identity import episode_id
from models.record.transcript import Episode

CLOSEST = 3  # episodes offered when a guid isn't found


@dataclass(frozen=True, slots=True)
class Feed:
    """A show and its episodes, newest first. `language` is as the feed writes it ("en-us", "").

    `self_url` is where the feed says it is (its link to itself), `new_url` where it lives from now on
    (itunes:new-feed-url), `next_url` where older episodes are listed (RFC 5005), each "" where it doesn't say.
    `complete` tells that no more episodes are to come (itunes:complete). `entries` counts the items, those without
    audio too. `warnings` tell what could not be read, a line each.
    """

    title: str
    url: str
    language: str
    link: str
    items: tuple[FeedItem, ...]
    self_url: str = ""
    new_url: str = ""
    next_url: str = ""
    complete: bool = False
    entries: int = 0
    warnings: tuple[str, ...] = ()

    @property
    def episodes(self) -> tuple[Episode, ...]:
        """The episodes of the items."""
        return tuple(item.episode for item in self.items)


def parse_feed(data: bytes, url: str, content_type: str = "") -> Feed:
    """The feed in `data`, which came from `url` (relative addresses in it start from there).

    content_type: the header of that name which came with it. Raises InputError where it is not a feed, too big,
    or without a single episode with audio.
    """
    feed = read_feed(data, url, content_type)
    if not feed.items:
        called = without_query(feed.url) or feed.title
        raise InputError(f"the feed {called} has no episode with audio ({feed.entries} items)")
    return feed


def read_feed(data: bytes, url: str, content_type: str = "") -> Feed:
    """As `parse_feed`, but one page of a feed, which need not have any audio."""
    url = without_login(url)
    told = without_query(url) or "the file"  # what follows the question mark may be a secret
    try:
        root, count = feed_tree(feed_text(data, content_type))
    except NotAFeedError as error:
        raise InputError(f"{told} is not a podcast feed (neither RSS nor Atom)") from error
    channel = next((node for node in root if name_of(node)[1] == "channel"), root)
    title = next(map(single_line, map(text_of, children(channel, "", "title"))), "")
    common = Episode(
        id="",
        show=title,
        feed_url=url,
        language=_language(root, channel),
        show_guid=next((on_one_line(text_of(one)).lower() for one in extras(channel, "podcast", "guid")), ""),
    )
    nodes = list(items_of(root))
    items, warnings = feed_items(nodes, channel, common)
    if len(nodes) < count:
        warnings += (f"{count - len(nodes)} of {count} items can't be read: the feed is damaged",)
    return Feed(
        title,
        url,
        common.language,
        link=_linked(channel, url, "alternate", "") or url,
        items=items,
        self_url=_linked(channel, url, "self"),
        new_url=next((absolute(url, text_of(one)) for one in extras(channel, "itunes", "new-feed-url")), ""),
        next_url=_next_url(channel, url),
        complete=any(
            text_of(one).strip().lower() in ("yes", "true") for one in extras(channel, "itunes", "complete")
        ),
        entries=len(nodes),
        warnings=warnings,
    )


def _language(root: Node, channel: Node) -> str:
    told = [*children(channel, "", "language"), *extras(channel, "dc", "language")]
    return next(
        (language for one in told if (language := single_line(text_of(one)))), language_of(root).strip()
    )


def _linked(channel: Node, url: str, *relations: str) -> str:
    """Where the first link of the channel leads that is of one of these kinds."""
    for link in children(channel, "", "link"):
        relation = (link.get("rel") or "").strip().lower()
        if relation in relations:
            return absolute(base_of(link, url), link.get("href") or text_of(link))
    return ""


def _next_url(channel: Node, url: str) -> str:
    """Where older episodes are listed: the next page, or the archive before (RFC 5005)."""
    found = _linked(channel, url, "next") or _linked(channel, url, "prev-archive")
    return found if found != url else ""


def with_feed_url(feed: Feed, url: str) -> Feed:
    """The feed with the identity of the address that its user gave.

    Where that leads to may change with every request, and ids must not.
    """
    url = without_login(url)
    items = tuple(
        replace(item, episode=replace(episode, id=episode_id(url, episode.guid), feed_url=url))
        for item in feed.items
        for episode in (item.episode,)
    )
    return replace(feed, items=items)


def holds_episode(feed: Feed, which: str | int) -> bool:
    """Whether `pick_episode` finds it."""
    try:
        pick_episode(feed, which)
    except InputError:
        return False
    return True


def pick_episode(feed: Feed, which: str | int) -> Episode:
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
