"""Reading the feeds of all shows and finding what is new; knows nothing of Prefect."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace

from audio.feeds.cleaning import MAX_FEED_BYTES
from audio.feeds.pages import with_older_pages
from audio.feeds.parse import Feed, parse_feed, with_feed_url
from audio.transfer.http import Page, RefusedError, UnavailableError, Validators, fetch_bytes
from flows.schedule.plan import FeedState, Plan
from flows.schedule.settings import Settings, Show
from flows.schedule.store import Store, feed_pause
from models.record.errors import DownloadError, EpiscribeError
from models.record.transcript import Episode

ATTEMPTS = 3  # at one feed in one poll; the next poll is not far
GONE = 410  # for good, by RFC 9110
COMPLETE_PAUSE = 86_400.0  # seconds between two looks at a feed to which no more episodes are to come


@dataclass(frozen=True, slots=True)
class FeedReading:
    """What came of one look at a show: a plan, or why there is none."""

    show: str
    plan: Plan | None = None
    unchanged: bool = False
    error: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a server said about a feed: its episodes, nothing where it was unchanged, or an error."""

    state: FeedState
    found: tuple[Episode, ...] = ()
    unchanged: bool = False
    pause: float = 0.0  # seconds for which there is nothing to be expected of the feed
    error: Exception | None = None
    warnings: tuple[str, ...] = ()


def read_feeds(
    settings: Settings,
    store: Store,
    shows: Iterable[str],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[FeedReading]:
    """Read the feeds of these shows, and have the store remember what they said, in the order of `shows`."""

    def remember(answer: _Answer, show: Show) -> Plan:
        return store.record_reading(
            answer.state,
            answer.found,
            back_fill=show.back_fill,
            new_per_poll=settings.limits.new_per_poll,
            rules=show.rules,
            pause=answer.pause,
        )

    def read(name: str) -> FeedReading:
        reading, answer = _reading(name, settings, store, remember)
        if reading.error:
            store.record_failed_reading(
                answer.state, reading.error, _pause(answer), gone=_is_gone(answer.error)
            )
        return reading

    return _each(shows, read, settings, progress)


def preview(settings: Settings, store: Store, shows: Iterable[str]) -> list[FeedReading]:
    """What `read_feeds` would find; nothing is remembered."""

    def plan(answer: _Answer, show: Show) -> Plan:
        return store.preview(
            answer.state,
            answer.found,
            back_fill=show.back_fill,
            new_per_poll=settings.limits.new_per_poll,
            rules=show.rules,
        )

    return _each(
        shows, lambda name: _reading(name, settings, store, plan)[0], settings, lambda done, total: None
    )


def shows_to_leave_alone(settings: Settings, store: Store) -> set[str]:
    """Shows not to be asked now unless somebody names them.

    Their servers have asked for peace, or have failed for long, or say that the feed is gone, or it is complete. Of
    another address none of that is known.
    """
    now = time.time()
    resting = (feed for feed in store.feeds() if feed.ended_at is not None or feed.next_poll_at > now)
    return {
        feed.show
        for feed in resting
        if feed.show in settings.shows and settings.shows[feed.show].url == feed.url
    }


def _pause(answer: _Answer) -> float:
    """Seconds to leave a feed alone that could not be had, where its server is at fault: longer and longer."""
    error = answer.error
    if not isinstance(error, DownloadError):
        return 0.0
    asked = error.retry_after if isinstance(error, UnavailableError) else None
    return max(asked or 0.0, feed_pause(answer.state.failures + 1))


def _is_gone(error: Exception | None) -> bool:
    return isinstance(error, RefusedError) and error.status == GONE


def _each(
    shows: Iterable[str],
    read: Callable[[str], FeedReading],
    settings: Settings,
    progress: Callable[[int, int], None],
) -> list[FeedReading]:
    names = list(shows)
    with ThreadPoolExecutor(settings.limits.feeds_at_once, thread_name_prefix="feed") as pool:
        tasks = [pool.submit(read, name) for name in names]
        for done, _ in enumerate(as_completed(tasks), 1):
            progress(done, len(names))
    return [task.result() for task in tasks]


def _reading(
    name: str, settings: Settings, store: Store, keep: Callable[[_Answer, Show], Plan]
) -> tuple[FeedReading, _Answer]:
    """One show's reading. Whatever is wrong with it is its own affair: other shows go on."""
    show = settings.show(name)
    answer = _Answer(FeedState(name, show.url))
    try:
        answer = _Answer(store.feed(name, show.url))
        answer = _ask(show, answer.state, settings, lambda: _ids(store, name))
        if answer.error is None:
            plan = keep(answer, show)
            return FeedReading(name, plan, unchanged=answer.unchanged, warnings=answer.warnings), answer
    except Exception as error:
        answer = replace(answer, error=error)
    assert answer.error is not None
    told = str(answer.error) if isinstance(answer.error, EpiscribeError) else f"unexpected: {answer.error!r}"
    return FeedReading(name, error=told), answer


def _ids(store: Store, show: str) -> set[str]:
    """The ids of the episodes of a show that are known."""
    return {listed.id for listed in store.episodes([show])}


def _ask(show: Show, state: FeedState, settings: Settings, known: Callable[[], set[str]]) -> _Answer:
    """Ask where the feed has moved to, or, when it can't be had there, where it was."""
    if state.moved_to:
        answer = _ask_at(state.moved_to, show, state, settings, known)
        if answer.error is None:
            return answer
        state = replace(state, moved_to="", validators=Validators())
    return _ask_at(show.url, show, state, settings, known)


def _ask_at(
    url: str, show: Show, state: FeedState, settings: Settings, known: Callable[[], set[str]]
) -> _Answer:
    try:
        page = _fetch(url, show, state.validators, settings)
        if page.unchanged:
            return _Answer(state, unchanged=True, pause=COMPLETE_PAUSE if state.is_complete else 0.0)
        feed = with_feed_url(parse_feed(page.data, page.url, page.content_type), show.url)
        if feed.next_url:
            feed = _with_unknown_pages(feed, show, settings, known())
    except EpiscribeError as error:
        return _Answer(state, error=error)
    announced = feed.new_url if feed.new_url not in ("", show.url) else state.moved_to
    state = replace(state, validators=page.validators, moved_to=page.moved_to or announced, title=feed.title)
    pause = COMPLETE_PAUSE if feed.complete else 0.0
    return _Answer(state, feed.episodes, pause=pause, warnings=feed.warnings)


def _with_unknown_pages(feed: Feed, show: Show, settings: Settings, known: set[str]) -> Feed:
    """The feed with its further pages up to the first on which there is an episode that is known."""
    return with_older_pages(
        feed,
        lambda url: _fetch(url, show, Validators(), settings),
        lambda found: not known.isdisjoint(episode.id for episode in found.episodes),
    )


def _fetch(url: str, show: Show, known: Validators, settings: Settings) -> Page:
    return fetch_bytes(
        url,
        MAX_FEED_BYTES,
        allow_private=settings.allow_private,
        known=known,
        access=show.access(settings.proxy),
        seconds=settings.limits.feed_seconds,
        attempts=ATTEMPTS,
    )
