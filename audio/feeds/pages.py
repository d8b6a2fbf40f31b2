"""Feeds that list their older episodes on further pages (RFC 5005)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from audio.feeds.items import in_order
from audio.feeds.parse import Feed, parse_feed, with_feed_url
from audio.transfer.addresses import without_query
from audio.transfer.http import Page
from models.record.errors import EpiscribeError
from models.record.identity import audio_keys
from models.record.transcript import Episode

MAX_PAGES = 200
MAX_ITEMS = 50_000
MAX_SECONDS = 300.0  # after which no other page is asked for


def with_older_pages(feed: Feed, fetch: Callable[[str], Page], enough: Callable[[Feed], bool]) -> Feed:
    """The feed with the episodes of its further pages, one after the other, until there are `enough`.

    A page that can't be read ends it with a warning: what came before it counts. Each address is asked once.
    """
    asked, begun = {feed.url}, time.monotonic()
    while feed.next_url and feed.next_url not in asked and not enough(feed):
        if len(asked) >= MAX_PAGES or len(feed.items) >= MAX_ITEMS or time.monotonic() - begun > MAX_SECONDS:
            return _warned(feed, "there are more pages of older episodes than are read")
        address = feed.next_url
        asked.add(address)
        try:
            page = fetch(address)
            older = parse_feed(page.data, page.url, page.content_type)
        except EpiscribeError as error:
            return _warned(feed, f"older episodes at {without_query(address)} can't be read: {error}")
        asked.add(page.url)
        feed = _joined(feed, older)
    return feed


def _joined(feed: Feed, older: Feed) -> Feed:
    """Both pages as one feed, that of the first; what is on both counts once."""
    known = {item.episode.id for item in feed.items}
    own = with_feed_url(older, feed.items[0].episode.feed_url)
    new = (replace(item, positions=()) for item in own.items if item.episode.id not in known)
    items = in_order([*feed.items, *new])
    keys = audio_keys([item.episode.audio_url for item in items])
    same = tuple(
        replace(item, episode=_of_show(item.episode, feed, key))
        for item, key in zip(items, keys, strict=True)
    )
    return replace(feed, items=same, next_url=older.next_url, warnings=feed.warnings + older.warnings)


def _of_show(episode: Episode, feed: Feed, key: str) -> Episode:
    """The episode with what all of the show share, as the first page has it."""
    guid = feed.items[0].episode.show_guid
    return replace(episode, show=feed.title, language=feed.language, show_guid=guid, audio_key=key)


def _warned(feed: Feed, warning: str) -> Feed:
    return replace(feed, next_url="", warnings=(*feed.warnings, warning))
