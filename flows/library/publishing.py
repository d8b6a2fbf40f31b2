"""A show's feed and a library brought together, for `episcribe publish`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from models.record.errors import EpiscribeError, InputError, OutputError
from models.record.identity import of_show, pair_across_shows, pair_up
from models.record.transcript import Episode
from outputs.library import read
from outputs.library.folders import library_episodes
from outputs.library.migration import migrate
from outputs.publishing.changes import Changes
from outputs.publishing.feed import FeedEntry, PublishedFeed, feed_entry, link_transcripts

if TYPE_CHECKING:
    from audio.feeds.items import FeedItem
    from audio.transfer.access import Access

NOWHERE = "https://unknown.invalid/"  # RFC 2606; the address of a feed that doesn't tell it


def locate_feed(show: str, *, allow_private: bool = False) -> tuple[str, Access | None]:
    """Where a show's feed is, and how its server is to be asked.

    SHOW is its name in episcribe.toml, an address, also of a page or a link that leads to the feed, or a file.
    InputError where it is none of these.
    """
    from audio.transfer.addresses import web_address
    from flows import finding
    from flows.library.audio import downloads_folder
    from flows.schedule import settings as configuration

    settings = configuration.load()
    show = web_address(show)
    if show in settings.shows:
        return settings.shows[show].url, settings.shows[show].access(settings.proxy)
    if "://" in show:
        return finding.feed_address(show, finding.Reach(downloads_folder(), allow_private)), None
    if Path(show).is_file():
        return show, None
    raise InputError(
        f"{show}: neither a show in {configuration.config_path()} nor the address of a feed nor a file"
    )


def read_feed(feed: str, access: Access | None = None, *, allow_private: bool = False) -> bytes:
    """A feed as its host serves it. Raises InputError and DownloadError."""
    from audio.feeds.cleaning import MAX_FEED_BYTES
    from audio.media.ffmpeg import check_file

    if "://" in feed:
        from audio.transfer.http import fetch_bytes

        return fetch_bytes(feed, MAX_FEED_BYTES, allow_private=allow_private, access=access).data
    path = check_file(feed)
    if path.stat().st_size > MAX_FEED_BYTES:
        raise InputError(f"{feed} has over {MAX_FEED_BYTES // 1_000_000} MB: that is no podcast feed")
    return path.read_bytes()


def publish_feed(
    data: bytes,
    library: Path,
    base_url: str,
    source: str,
    feed_url: str = "",
    *,
    proposed_chapters: bool = False,
) -> tuple[PublishedFeed, dict[str, str]]:
    """A feed with links to the transcripts of a library, and for folders that can't be read the reason.

    source: what errors call it. feed_url: its address, "" where it is a file. proposed_chapters: whether chapters are
    linked to that no person made. See `outputs.publishing.feed.link_transcripts`.
    """
    if not library.is_dir():
        raise InputError(f"{library}: no such folder; give the library, the folder that holds all shows")
    with suppress(OutputError):  # may be one that can only be read: links go to where folders are now
        migrate(library)
    episodes, skipped = dict[str, Episode](), dict[str, str]()
    for folder in library_episodes(library):
        name = folder.relative_to(library).as_posix()
        try:
            episodes[name] = read.load_episode(folder)
        except EpiscribeError as error:
            skipped[name] = str(error)
    entries = dict[int, FeedEntry]()
    for item, name in match_items(_items(data, feed_url), episodes):
        there = [file.name for file in (library / name).iterdir() if file.is_file()]
        try:
            entry = feed_entry(read.load(library / name), name, there, proposed_chapters=proposed_chapters)
        except EpiscribeError as error:
            skipped[name] = str(error)
        else:
            entries |= dict.fromkeys(item.positions, entry)
    return link_transcripts(data, entries, base_url, source), skipped


def _items(data: bytes, feed_url: str) -> Sequence[FeedItem]:
    """The items of a feed that have audio; none where it can't be read."""
    from audio.feeds.parse import parse_feed

    try:
        if feed_url:
            return parse_feed(data, feed_url).items
        feed = parse_feed(data, NOWHERE)
        return parse_feed(data, feed.self_url).items if feed.self_url else feed.items
    except InputError:  # `link_transcripts`, which is less tolerant, says what is wrong
        return ()


@dataclass(frozen=True, slots=True)
class LinkedItem:
    """An item of a feed, by its title, and what it links to as its transcripts and chapters."""

    title: str
    links: tuple[str, ...]


def feed_changes(before: bytes, after: bytes, feed_url: str = "") -> tuple[Changes, list[LinkedItem]]:
    """What a feed that is published says otherwise than the one before: items by title; and all that have links.

    before: b"" where none was published. An item counts where it has transcripts.
    """
    old, new = (_linked(data, feed_url) for data in (before, after))
    same = [guid for guid in new if guid in old and new[guid] == old[guid]]
    changes = Changes(
        added=tuple(new[guid].title for guid in new if guid not in old),
        changed=tuple(new[guid].title for guid in new if guid in old and new[guid] != old[guid]),
        removed=tuple(old[guid].title for guid in old if guid not in new),
        unchanged=len(same),
    )
    return changes, list(new.values())


def _linked(data: bytes, feed_url: str) -> dict[str, LinkedItem]:
    episodes = [item.episode for item in _items(data, feed_url)] if data else []
    return {
        one.id: LinkedItem(
            one.title, tuple(filter(None, (*(link.url for link in one.transcripts), one.chapters_url)))
        )
        for one in episodes
        if one.transcripts
    }


def match_items(items: Sequence[FeedItem], episodes: Mapping[str, Episode]) -> list[tuple[FeedItem, str]]:
    """The items of one feed that a library has episodes of, each with its folder; `episodes` by their folders.

    What is known of the show decides; only for the rest of the items the whole library is asked.
    """
    found = [item.episode for item in items]
    titles = {episode.title for episode in found}
    # Of two folders of one episode, which earlier versions made when its title was corrected, that with today's.
    folders = {
        episodes[name].id: name for name in sorted(episodes, key=lambda name: episodes[name].title in titles)
    }
    names = [name for name in episodes if folders[episodes[name].id] == name]
    ours = [names[i] for i in of_show(found[0], [episodes[name] for name in names])] if found else []
    matched = {i: ours[k] for i, k in pair_up(found, [episodes[name] for name in ours]).items()}
    taken = set(matched.values())
    left = [i for i in range(len(items)) if i not in matched]
    others = [name for name in names if name not in taken]
    across = pair_across_shows([found[i] for i in left], [episodes[name] for name in others])
    matched |= {left[i]: others[k] for i, k in across.items()}
    return [(items[i], name) for i, name in sorted(matched.items())]
