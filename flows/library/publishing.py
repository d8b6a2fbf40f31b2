"""A show's feed and a library brought together, for `episcribe publish`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from models.record.errors import EpiscribeError, InputError
from models.record.transcript import Episode
from outputs.formats.registry import FORMATS
from outputs.library import read
from outputs.library.folders import library_episodes
from outputs.publishing.feed import FeedEntry, PublishedFeed, feed_entry, link_transcripts

if TYPE_CHECKING:
    from audio.transfer.access import Access


def locate_feed(show: str) -> tuple[str, Access | None]:
    """Where a show's feed is, and how its server is to be asked.

    SHOW is its name in episcribe.toml, an address, or a file. InputError where it is none of these.
    """
    from audio.transfer.addresses import web_address
    from flows.schedule import settings as configuration

    settings = configuration.load()
    show = web_address(show)
    if show in settings.shows:
        return settings.shows[show].url, settings.shows[show].access(settings.proxy)
    if "://" in show or Path(show).is_file():
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
    data: bytes, library: Path, base_url: str, source: str
) -> tuple[PublishedFeed, dict[str, str]]:
    """A feed with links to the transcripts of a library, and for folders that can't be read the reason.

    See `outputs.publishing.feed.link_transcripts`.
    """
    if not library.is_dir():
        raise InputError(f"{library}: no such folder; give the library, the folder that holds all shows")
    episodes, skipped = dict[str, Episode](), dict[str, str]()
    for folder in library_episodes(library):
        name = folder.relative_to(library).as_posix()
        try:
            episodes[name] = read.load_episode(folder)
        except EpiscribeError as error:
            skipped[name] = str(error)

    def describe(name: str) -> FeedEntry:
        there = [form for form, entry in FORMATS.items() if (library / name / entry.file_name).is_file()]
        try:
            return feed_entry(read.load(library / name), name, there)
        except EpiscribeError as error:
            skipped[name] = str(error)
            return FeedEntry(episodes[name], name, "", ())

    return link_transcripts(data, episodes, describe, base_url, source), skipped
