"""What somebody means by an address, of audio or of a feed, and by what it is known again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from audio.feeds.cleaning import MAX_FEED_BYTES
from audio.feeds.pages import with_older_pages
from audio.feeds.parse import Feed, holds_episode, parse_feed, pick_episode, with_feed_url
from audio.transfer.access import Access
from audio.transfer.addresses import name_in, redacted, with_login_of, without_login
from audio.transfer.download import RemoteSource
from audio.transfer.http import Page, fetch_bytes
from models.record.errors import NotAudioError
from models.record.transcript import Episode


@dataclass(frozen=True)
class Found:
    """The episode that is meant, and what to warn of in the feed that lists it."""

    episode: Episode
    warnings: tuple[str, ...] = ()


def episode_at(
    opened: RemoteSource, which: str, *, allow_private: bool, access: Access | None = None
) -> Found:
    """The episode at an address that was opened: the audio itself, or of a feed the one that `which` chooses.

    which: as `audio.feeds.parse.pick_episode` has it. Raises InputError and DownloadError.
    """
    source = opened.url
    if opened.kind == "audio":
        address = without_login(source)
        return Found(Episode(id=identity_of(address), title=name_in(address), audio_url=address))
    if opened.kind == "page":
        raise NotAudioError(f"{no_media(opened)}: give the address of the feed or of the audio file")
    page = opened.read(MAX_FEED_BYTES)

    def fetch(url: str) -> Page:
        address = with_login_of(url, source)
        return fetch_bytes(address, MAX_FEED_BYTES, allow_private=allow_private, access=access)

    feed = with_feed_url(parse_feed(page.data, page.url, page.content_type), source)
    feed = with_older_pages(feed, fetch, lambda found: holds_episode(found, which))
    return Found(pick_episode(feed, which), _summary(feed))


def no_media(opened: RemoteSource) -> str:
    """What is at an address at which there is nothing to hear, in words."""
    return f"{redacted(opened.url)} is neither audio nor a podcast feed, but {opened.looks_like}"


def identity_of(what: str) -> str:
    """The id of an episode that came from no feed: the same for the same address, or SHA-256 of what is heard."""
    return str(uuid5(NAMESPACE_URL, what))


def sha256_of_all(tracks: Sequence[str], mix: str) -> str:
    """One SHA-256 for those of several tracks and of their mix, "" for none."""
    return hashlib.sha256("\n".join([*tracks, mix]).encode()).hexdigest()


def _summary(feed: Feed) -> tuple[str, ...]:
    """Many warnings about a feed in one."""
    warnings = feed.warnings
    more = f", and {len(warnings) - 1} more of the kind" if len(warnings) > 1 else ""
    return (f"the feed: {warnings[0]}{more}",) if warnings else ()
