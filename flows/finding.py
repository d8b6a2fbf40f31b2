"""What somebody means by an address, of audio, a feed, a page or a directory, and by what it is known again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import NAMESPACE_URL, uuid5

from audio.feeds.cleaning import MAX_FEED_BYTES
from audio.feeds.directories import (
    MAX_ANSWER_BYTES,
    NOTHING,
    Directories,
    Listed,
    Listing,
    Question,
    listing_of,
)
from audio.feeds.links import MAX_PAGE_BYTES, PageLinks, page_links
from audio.feeds.meant import Meant, episode_meant, without_tracking
from audio.feeds.pages import with_older_pages
from audio.feeds.parse import Feed, holds_episode, parse_feed, pick_episode, with_feed_url
from audio.transfer import extraction
from audio.transfer.access import Access
from audio.transfer.addresses import name_in, redacted, web_address, with_login_of, without_login
from audio.transfer.download import Limits, RemoteSource
from audio.transfer.http import Page, RefusedError, fetch_bytes
from audio.transfer.post import post
from models.record.errors import DownloadError, EpiscribeError, InputError, NotAudioError
from models.record.transcript import Enclosure, Episode, Person

MAX_HOPS = 5  # from page to page
MAX_FEEDS = 4  # of a page that are read
PAGE_SECONDS = 60.0  # for a page, or what a directory answers
EXTRACTED = "page:"  # of an Episode's audio_url, before the address of a page whose audio yt-dlp finds
FORBIDDEN = 403  # what pages answer to programs that they don't know
DIRECTORIES = Directories()


def _public(feed: str) -> Access:
    return Access()


@dataclass(frozen=True)
class Reach:
    """How addresses that people gave are asked.

    folder: where downloads go. access_of: as whom the feed at an address is asked. extract: whether yt-dlp is asked for
    what we don't find ourselves, which is for its user to decide.
    """

    folder: Path
    allow_private: bool = False
    limits: Limits = field(default_factory=Limits)
    access_of: Callable[[str], Access] = _public
    extract: bool = False

    def open(self, url: str) -> RemoteSource:
        """An address, opened to see what is there."""
        return RemoteSource(
            url,
            self.folder,
            limits=self.limits,
            allow_private=self.allow_private,
            access=self.access_of(url),
        )

    def fetch(self, url: str, max_bytes: int = MAX_FEED_BYTES, access: Access | None = None) -> Page:
        """A small file, such as a feed."""
        return fetch_bytes(
            url,
            max_bytes,
            allow_private=self.allow_private,
            access=access or self.access_of(url),
            seconds=min(PAGE_SECONDS, self.limits.seconds),
            attempts=self.limits.attempts,
        )


@dataclass(frozen=True)
class Found:
    """The episode that is meant, and what to tell: of the way to it, and of what is wrong with the feed that lists it.

    `audio` is the opened address where that is the audio itself, to be saved from.
    """

    episode: Episode
    warnings: tuple[str, ...] = ()
    audio: RemoteSource | None = None


@dataclass(frozen=True)
class FoundFeed:
    """The feed that is meant: where it is, as its host served it, what it holds, and what to tell of the way to it."""

    url: str
    page: Page
    feed: Feed
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Lead:
    """What an address led to, and what is known of it: audio that is open, or feeds, or places of audio.

    `is_episode` tells that the address is that of an episode, rather than of a show.
    """

    url: str
    opened: RemoteSource | None = None
    feeds: tuple[str, ...] = ()
    meant: Meant = NOTHING
    is_episode: bool = False
    page: PageLinks | None = None
    show: str = ""
    nothing: str = ""
    warnings: tuple[str, ...] = ()


@contextmanager
def found_at(source: str, which: str, reach: Reach) -> Iterator[Found]:
    """The episode at an address: the audio itself, that of a page or a link, or of a feed the one that `which` chooses.

    which: as `audio.feeds.parse.pick_episode` has it. Raises InputError and DownloadError.
    """
    with _followed(source, reach) as lead:
        if lead.opened is not None and lead.opened.kind == "audio":
            address = without_login(lead.url)
            episode = Episode(id=identity_of(address), title=name_in(address), audio_url=address)
            yield Found(episode, audio=lead.opened)
        elif lead.opened is not None:
            yield _in_feed(_read(lead.opened), which, reach)
        else:
            yield _episode_of(lead, which, reach)


def feed_at(source: str, reach: Reach) -> FoundFeed:
    """The feed at an address, or of the show that a page or a link is of. InputError where it leads to none."""
    with _followed_to_feed(source, reach) as lead:
        if lead.opened is not None and lead.opened.kind == "audio":
            raise InputError(f"{redacted(lead.url)} is audio, not a feed: episcribe run transcribes it")
        return _read(lead.opened) if lead.opened is not None else _feed_of(lead, reach)


def feed_address(source: str, reach: Reach) -> str:
    """Where the feed of `feed_at` is; the address itself where that is no page and no link. Raises as that does."""
    with _followed_to_feed(source, reach) as lead:
        return lead.url if lead.opened is not None else _feed_of(lead, reach).url


@contextmanager
def _followed_to_feed(source: str, reach: Reach) -> Iterator[_Lead]:
    """As `_followed`, in a folder of its own: nothing is saved, so nobody waits for others who ask the same."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(TemporaryDirectory(prefix="episcribe-")))
        yield stack.enter_context(_followed(source, replace(reach, folder=place, extract=False)))


def _feed_of(lead: _Lead, reach: Reach) -> FoundFeed:
    found, failures = _first_feed(lead, reach)
    if found is not None:
        return found
    if failures:
        raise failures[0]
    raise NotAudioError(f"{lead.nothing}, and it tells of no feed: give the address of the feed")


@contextmanager
def _followed(source: str, reach: Reach) -> Iterator[_Lead]:
    """Where an address leads, by directories, redirects and pages that send their readers on."""
    address = web_address(source.strip())
    asked = set[str]()
    while True:
        if address in asked or len(asked) >= MAX_HOPS:
            raise DownloadError(f"{redacted(source)} leads from page to page, and nowhere")
        asked.add(address)
        if listing := listing_of(address, DIRECTORIES):
            listed = _ask(listing, reach)
            if listed.feed or listed.meant.audio or not listed.website:
                yield _of_listing(address, listing, listed)
                return
            address = listed.website
            continue
        with _opened(address, reach) as opened:
            if opened is None or opened.kind != "page":
                yield _Lead(address, opened, nothing=f"{redacted(address)} can't be read")
                return
            nothing = no_media(opened)
            page = _page(opened)
        if page is None:
            yield _Lead(address, nothing=nothing)
            return
        if listing_of(page.url, DIRECTORIES) or page.moved_to:
            address = page.moved_to or page.url
            continue
        yield _of_page(address, page, nothing, reach)
        return


@contextmanager
def _opened(address: str, reach: Reach) -> Iterator[RemoteSource | None]:
    """An address, opened; None where its server turns programs away that it doesn't know, and yt-dlp may be known."""
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(reach.open(address))
        except RefusedError as error:
            if error.status != FORBIDDEN or not reach.extract or not extraction.is_available():
                raise
            opened = None
        yield opened


def _page(opened: RemoteSource) -> PageLinks | None:
    """What a page tells; None for what is no page of HTML."""
    if not opened.looks_like.endswith(("HTML", "XML")) and "html" not in opened.content_type.lower():
        return None
    page = opened.read(MAX_PAGE_BYTES)
    return page_links(page.data, page.url, page.content_type)


def _ask(listing: Listing, reach: Reach) -> Listed:
    """What a directory says, asked until it has told all; answers that don't come are left out while others do."""
    answers, failure = list[bytes](), None
    listed = listing.read([]) if not listing.questions else Listed()
    for question in listing.questions:
        try:
            answers.append(_answer(question, reach))
        except DownloadError as error:
            failure = error
            answers.append(b"")
        listed = listing.read(answers)
        if listed.is_whole:
            return listed
    if failure and not (listed.feed or listed.website or listed.meant):
        raise DownloadError(
            f"{listing.directory} doesn't answer: {failure}", transient=failure.transient
        ) from failure
    return listed


def _answer(question: Question, reach: Reach) -> bytes:
    access = Access(proxy=reach.access_of(question.url).proxy)
    if not question.data:
        return reach.fetch(question.url, MAX_ANSWER_BYTES, access).data
    headers = {"Content-Type": "application/json"}
    answer = post(question.url, question.data, headers, allow_private=reach.allow_private, proxy=access.proxy)
    if answer.status != 200:
        raise DownloadError(f"{redacted(question.url)} answered {answer.status}")
    return answer.data


def _of_listing(address: str, listing: Listing, listed: Listed) -> _Lead:
    return _Lead(
        address,
        feeds=(listed.feed,) if listed.feed else (),
        meant=listed.meant,
        is_episode=listed.of_episode,
        show=listed.title,
        nothing=f"{listing.directory} tells of no audio at {redacted(address)}",
    )


def _of_page(address: str, page: PageLinks, nothing: str, reach: Reach) -> _Lead:
    """What a page tells; where that is no feed, the one of the show that it links to at Apple Podcasts."""
    feeds = tuple(with_login_of(link.url, address) for link in page.feeds)
    warnings = tuple[str, ...]()
    listing = listing_of(page.apple, DIRECTORIES) if page.apple and not feeds else None
    if listing is not None:
        with suppress(EpiscribeError):
            feeds = (_ask(listing, reach).feed,)
            warnings = (
                f"{redacted(address)} tells of no feed; that of its link to Apple Podcasts was taken",
            )
    return _Lead(
        address,
        feeds=tuple(filter(None, feeds)),
        meant=page.meant,
        page=page,
        show=page.show,
        nothing=nothing,
        warnings=warnings,
    )


def _episode_of(lead: _Lead, which: str, reach: Reach) -> Found:
    """The episode that a page, or a directory's link, is of."""
    latest = which.strip().lower() == "latest"
    if latest and lead.meant and (found := _in_feeds(lead, reach)):
        return found
    if latest and lead.meant.audio:
        return Found(_alone(lead))
    if latest and lead.is_episode:
        told = f": the show's feed is {redacted(lead.feeds[0])}" if lead.feeds else ""
        raise InputError(
            f"{redacted(lead.url)} is of an episode that can't be found in the show's feed{told}"
        )
    feed, failures = _first_feed(lead, reach)
    if feed is not None:
        found = _in_feed(feed, which, reach)
        return replace(found, warnings=(*_guessed(lead, latest), *found.warnings))
    if reach.extract and latest:
        return Found(_extracted(lead, reach))
    raise failures[0] if failures else NotAudioError(f"{lead.nothing}{_advice(lead, reach)}")


def _guessed(lead: _Lead, latest: bool) -> tuple[str, ...]:
    """A page without audio may be the show's, or one that its feed doesn't tell of."""
    if lead.page is None or not latest:
        return ()
    return (f"{redacted(lead.url)} is of no episode of its feed: the newest one was taken",)


def _advice(lead: _Lead, reach: Reach) -> str:
    if lead.page is not None and lead.page.recordings:
        several = lead.page.recordings
        return f", which plays {len(several)} recordings: give the address of one, such as {redacted(several[0])}"
    return ": give the address of the feed or of the audio file"


def _in_feeds(lead: _Lead, reach: Reach) -> Found | None:
    """The episode that is meant, from the first of the feeds that lists it."""
    for url in lead.feeds[:MAX_FEEDS]:
        try:
            found = _parsed(reach.fetch(url), url)
        except EpiscribeError:
            continue
        feed = _with_older(found.feed, url, reach, lambda feed: episode_meant(feed, lead.meant) is not None)
        if episode := episode_meant(feed, lead.meant):
            return Found(episode, (*lead.warnings, *_summary(feed)))
    return None


def _first_feed(lead: _Lead, reach: Reach) -> tuple[FoundFeed | None, list[EpiscribeError]]:
    """The first of the feeds that has an episode; and why those before it can't be used."""
    failures = list[EpiscribeError]()
    for url in lead.feeds[:MAX_FEEDS]:
        try:
            found = _parsed(reach.fetch(url), url)
        except EpiscribeError as error:
            failures.append(error)
            continue
        others = [redacted(other) for other in lead.feeds if other != url]
        told = f"{redacted(lead.url)} tells of {len(others) + 1} feeds; {redacted(url)} was taken"
        warnings = (f"{told}, not {', '.join(others[:3])}",) if others else ()
        return replace(found, warnings=(*lead.warnings, *warnings)), failures
    return None, failures


def _read(opened: RemoteSource) -> FoundFeed:
    return _parsed(opened.read(MAX_FEED_BYTES), opened.url)


def _parsed(page: Page, url: str) -> FoundFeed:
    feed = with_feed_url(parse_feed(page.data, page.url, page.content_type), url)
    return FoundFeed(url, page, feed)


def _in_feed(found: FoundFeed, which: str, reach: Reach) -> Found:
    feed = _with_older(found.feed, found.url, reach, lambda feed: holds_episode(feed, which))
    return Found(pick_episode(feed, which), (*found.warnings, *_summary(feed)))


def _with_older(feed: Feed, url: str, reach: Reach, enough: Callable[[Feed], bool]) -> Feed:
    access = reach.access_of(url)
    return with_older_pages(feed, lambda older: reach.fetch(with_login_of(older, url), access=access), enough)


def _alone(lead: _Lead) -> Episode:
    """The episode of a page whose audio no feed lists; all of its places may be tried."""
    page = lead.page or PageLinks(without_login(lead.url))
    address = without_tracking(page.url)
    places = tuple(Enclosure(with_login_of(url, lead.url)) for url in lead.meant.audio)
    return Episode(
        id=identity_of(address),
        show=lead.show,
        guid=address,
        title=next(iter(lead.meant.titles), "") or name_in(places[0].url),
        published=lead.meant.published if lead.page else "",
        audio_url=places[0].url,
        duration=page.duration,
        enclosures=places,
    )


def _extracted(lead: _Lead, reach: Reach) -> Episode:
    """The episode of a page whose audio yt-dlp finds."""
    nothing = f"{lead.nothing}{_advice(lead, reach)}"
    if not extraction.is_available():
        raise NotAudioError(f"{nothing}; {extraction.MISSING}")
    access = Access(proxy=reach.access_of(lead.url).proxy)
    try:
        return of_extracted(extraction.look(lead.url, allow_private=reach.allow_private, access=access))
    except NotAudioError as error:
        raise NotAudioError(f"{nothing} ({error})") from error


def of_extracted(found: extraction.Extracted) -> Episode:
    """What yt-dlp knows as an episode."""
    page = without_tracking(found.page)
    return Episode(
        id=identity_of(page),
        show=found.show,
        guid=page,
        title=found.title or name_in(page),
        published=found.published,
        audio_url=f"{EXTRACTED}{found.page}",
        notes=found.notes,
        people=tuple(Person(name, "author") for name in found.people),
        duration=found.duration,
    )


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
