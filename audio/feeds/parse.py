"""Podcast feeds: RSS and Atom as they are found in the wild, good or bad, to episodes.

feedparser reads the common tags, also of broken XML; `podcast_tags` reads what it doesn't keep.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from urllib.parse import urljoin

import feedparser

from audio.feeds.cleaning import check_size, cleaned_xml
from audio.feeds.items import episode_id, playable_episodes
from audio.feeds.podcast_tags import item_tags, new_feed_url, recovered_tree
from audio.feeds.text import single_line
from audio.transfer.addresses import without_login, without_query
from models.record.errors import InputError
from models.record.transcript import Episode

CLOSEST = 3  # episodes offered when a guid isn't found


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
    check_size(data)
    url = without_login(url)
    told = without_query(url) or "the file"  # what follows the question mark may be a secret
    cleaned = cleaned_xml(data)
    try:
        parsed = feedparser.parse(cleaned, sanitize_html=False, resolve_relative_uris=False)
    except Exception as error:  # it has no errors of its own: whatever trips it is in the feed
        raise InputError(f"{told} can't be read as a feed: {error}") from error
    if not parsed.get("version") and not parsed.entries:
        raise InputError(f"{told} is not a podcast feed (neither RSS nor Atom)")
    title, language = single_line(parsed.feed.get("title")), single_line(parsed.feed.get("language"))
    root = recovered_tree(cleaned)
    tags = item_tags(root, len(parsed.entries), url)
    found = playable_episodes(
        parsed.entries, tags, Episode(id="", show=title, feed_url=url, language=language)
    )
    if not found:
        raise InputError(
            f"the feed {without_query(url) or title} has no episode with audio ({len(parsed.entries)} items)"
        )
    link = urljoin(url, parsed.feed.get("link") or "")
    return Feed(title, url, language, link, found, new_feed_url(root, url))


def with_feed_url(feed: Feed, url: str) -> Feed:
    """The feed with the identity of the address that its user gave.

    Where that leads to may change with every request, and ids must not.
    """
    url = without_login(url)
    episodes = tuple(
        replace(episode, id=episode_id(url, episode.guid), feed_url=url) for episode in feed.episodes
    )
    return replace(feed, episodes=episodes)


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
