"""Feeds that list their older episodes on further pages (RFC 5005)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from audio.feeds.items import FeedItem, in_order, same_item
from audio.feeds.parse import Feed, read_feed, with_feed_url
from audio.transfer.addresses import without_login, without_query
from audio.transfer.http import Page
from models.record.errors import EpiscribeError
from models.record.identity import audio_keys, episode_id
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
            older = read_feed(page.data, page.url, page.content_type)
        except EpiscribeError as error:
            return _warned(feed, f"older episodes at {without_query(address)} can't be read: {error}")
        asked.add(page.url)
        feed = _joined(feed, older)
    return feed


def _joined(feed: Feed, older: Feed) -> Feed:
    """Both pages as one feed, that of the first; what is on both counts once."""
    url = feed.items[0].episode.feed_url
    known, ids = {key for item in feed.items for key in _same(item)}, {item.episode.id for item in feed.items}
    new = list[FeedItem]()
    for item in with_feed_url(older, url).items:
        if known.isdisjoint(_same(item)):
            episode = _told_apart(item.episode, url) if item.episode.id in ids else item.episode
            new.append(replace(item, positions=(), episode=episode))
            ids.add(episode.id)
    items = in_order([*feed.items, *new])
    keys = audio_keys([item.episode.audio_url for item in items])
    same = tuple(
        replace(item, episode=_of_show(item.episode, feed, key))
        for item, key in zip(items, keys, strict=True)
    )
    return replace(feed, items=same, next_url=older.next_url, warnings=feed.warnings + older.warnings)


def _same(item: FeedItem) -> list[tuple[str, ...]]:
    episode = item.episode
    return same_item(episode.guid, episode.audio_url, episode.title, episode.published)


def _told_apart(episode: Episode, url: str) -> Episode:
    """An episode whose guid another page has given to another one."""
    guid = f"{episode.guid} {without_login(episode.audio_url)}"
    return replace(episode, guid=guid, id=episode_id(url, guid))


def _of_show(episode: Episode, feed: Feed, key: str) -> Episode:
    """The episode with what all of the show share, as the first page has it."""
    guid = feed.items[0].episode.show_guid
    return replace(episode, show=feed.title, language=feed.language, show_guid=guid, audio_key=key)


def _warned(feed: Feed, warning: str) -> Feed:
    return replace(feed, next_url="", warnings=(*feed.warnings, warning))
