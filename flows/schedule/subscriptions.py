"""Lists of feeds taken over from other apps, and given to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from audio.feeds.opml import (
    MAX_OPML_BYTES,
    Subscription,
    Subscriptions,
    read_subscriptions,
    write_subscriptions,
)
from audio.media.ffmpeg import check_file
from audio.transfer.access import Access
from audio.transfer.addresses import redacted
from audio.transfer.http import fetch_bytes
from flows.schedule import settings as configuration
from flows.schedule import shows
from flows.schedule.settings import Settings
from flows.schedule.store import Store
from models.record.errors import DownloadError, EpiscribeError, InputError
from models.record.identity import feed_key


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a list: the names of shows that are followed now, and lines about all others.

    `unread` could not be read now but are followed: what kept them may pass. `refused` can't be.
    """

    added: tuple[str, ...]
    known: int = 0
    unread: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Look:
    """An entry after its feed was looked at: where it is, what it is called, and what went wrong."""

    subscription: Subscription
    error: EpiscribeError | None = None

    @property
    def line(self) -> str:
        told = f"{self.subscription.title}: " if self.subscription.title else ""
        return f"{told}{self.error}"


def read_list(source: str, *, allow_private: bool = False) -> Subscriptions:
    """The feeds of a file, or of an address. Raises InputError and DownloadError."""
    settings = configuration.load()
    if "://" in source:
        access = Access(proxy=settings.proxy)
        private = allow_private or settings.allow_private
        page = fetch_bytes(source, MAX_OPML_BYTES, allow_private=private, access=access)
        return read_subscriptions(page.data, page.content_type)
    file = check_file(source)
    if file.stat().st_size > MAX_OPML_BYTES:
        raise InputError(f"{source} has over {MAX_OPML_BYTES // 1_000_000} MB: that is no list of feeds")
    return read_subscriptions(file.read_bytes())


def follow_all(
    listed: Subscriptions,
    wanted: Mapping[str, Any],
    *,
    check: bool = True,
    allow_private: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Imported:
    """Follow the shows of a list from now on; all of them are written at once.

    wanted: the keys of `Show` that all of them have. check: read their feeds first, some at once, and leave out what is
    none.
    """
    settings = configuration.load()
    told = {key: value for key, value in wanted.items() if value not in (None, "", [])}
    followed = {feed_key(show.url) for show in settings.shows.values()}
    new = {feed_key(one.url): one for one in reversed(listed.feeds)}
    new = {key: one for key, one in reversed(new.items()) if key not in followed}
    looks = [_checked(one, told) for one in new.values()]
    if check:
        looks = _read(looks, told, settings, allow_private=allow_private, progress=progress)
    unread = [one for one in looks if isinstance(one.error, DownloadError) and one.error.transient]
    usable = [one.subscription for one in looks if one.error is None or one in unread]
    names = shows.add_all(
        [(one.title, {**told, "url": one.url}) for one in usable], allow_private=allow_private
    )
    refused = [one.line for one in looks if one.error is not None and one not in unread]
    return Imported(
        tuple(names),
        len(listed.feeds) - len(new) + len(usable) - len(names),
        tuple(one.line for one in unread),
        (*listed.problems, *refused),
    )


def _checked(one: Subscription, told: Mapping[str, Any]) -> _Look:
    """An entry by its address alone."""
    try:
        shows.checked({**told, "url": one.url})
    except InputError as error:
        return _Look(one, InputError(f"{redacted(one.url)}: {error}"))
    return _Look(one)


def _read(
    looks: Sequence[_Look],
    told: Mapping[str, Any],
    settings: Settings,
    *,
    allow_private: bool,
    progress: Callable[[int, int], None],
) -> list[_Look]:
    """The entries after their feeds were read, so many at once as polls do."""

    def read(look: _Look) -> _Look:
        if look.error is not None:
            return look
        one = look.subscription
        try:
            show = shows.checked({**told, "url": one.url})
            found = shows.feed_of(show, settings, allow_private=allow_private)
        except EpiscribeError as error:
            return _Look(one, error)
        return _Look(replace(one, url=found.url, title=found.feed.title or one.title))

    with ThreadPoolExecutor(settings.limits.feeds_at_once, thread_name_prefix="feed") as pool:
        done = list[_Look]()
        for look in pool.map(read, looks):
            done.append(look)
            progress(len(done), len(looks))
    return done


def followed_as_opml(settings: Settings, store: Store) -> bytes:
    """The shows that are followed as OPML 2.0: titles and addresses, nothing of how their servers are asked."""
    titles = {feed.show: feed.title for feed in store.feeds()}
    listed = (Subscription(show.url, titles.get(name) or name) for name, show in settings.shows.items())
    return write_subscriptions("Episcribe", listed)
