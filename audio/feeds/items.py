"""Items of a feed to episodes: which is the audio, when it came out, how long it is, which comes first."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from audio.feeds.dates import parse_date
from audio.feeds.enclosures import enclosures_of
from audio.feeds.podcast_tags import (
    Credits,
    chapters_of,
    chapters_url_of,
    credits_of,
    people_of,
    transcripts_of,
)
from audio.feeds.text import on_one_line, parse_duration, plain_text, single_line
from audio.feeds.tree import Node, base_of, children, extras, is_live, markup_of, text_of
from audio.transfer.addresses import absolute, name_in, without_login, without_query
from models.record.identity import audio_key, audio_keys, episode_id, published_at
from models.record.transcript import Enclosure, Episode

MAX_AHEAD = 86_400  # seconds that a date may lie in the future and still be one: clocks and zones differ
MAX_WARNINGS = 100
EPISODE_TYPES = ("full", "trailer", "bonus")


@dataclass(frozen=True, slots=True)
class FeedItem:
    """An episode as its feed has it.

    `positions` are those of its items among all items of the feed, in the order of the document, from 0 on: the
    first is the one it was read from, the others say the same again. `link` is the address of its web page, "" for
    none.
    """

    episode: Episode
    positions: tuple[int, ...] = ()
    link: str = ""

    @property
    def position(self) -> int:
        """Where in the feed the item stands, among all its items, 0 for the first; -1 for one of a further page."""
        return self.positions[0] if self.positions else -1


@dataclass(frozen=True, slots=True)
class _Found:
    """An item with audio, before it is known which guid it goes by."""

    position: int
    node: Node
    guid: str
    title: str
    published: str
    enclosures: tuple[Enclosure, ...]

    @property
    def audio_url(self) -> str:
        return self.enclosures[0].url


def feed_items(
    nodes: Iterable[Node], channel: Node, common: Episode
) -> tuple[tuple[FeedItem, ...], tuple[str, ...]]:
    """The items that have audio, newest first, and a line about each that is left out.

    What belongs to a podcast:liveItem is none: it becomes an item once it is over. common: an episode with what all
    of the show share.
    """
    found, warnings = list[_Found](), list[str]()
    for position, node in enumerate(nodes):
        if is_live(node):
            continue
        if enclosures := enclosures_of(node, common.feed_url, common.language):
            found.append(_Found(position, node, _guid(node), _title(node), _published(node), enclosures))
        else:
            warnings.append(f"{_called(position, node)} has no audio: left out")
    firsts, again = dict[tuple[str, ...], int](), dict[int, list[int]]()
    for one in found:
        keys = same_item(one.guid, one.audio_url, one.title, one.published)
        first = next((firsts[key] for key in keys if key in firsts), one.position)
        firsts |= {key: first for key in keys if key not in firsts}
        again.setdefault(first, []).append(one.position)
        if first != one.position:
            warnings.append(f"{_called(one.position, one.node)} is item {first + 1} again: left out")
    kept = [one for one in found if one.position in again]
    episodes = _episodes(kept, credits_of(channel), common)
    items = [
        FeedItem(episode, tuple(again[one.position]), _page_of(one.node, common.feed_url))
        for one, episode in zip(kept, episodes, strict=True)
    ]
    if len(warnings) > MAX_WARNINGS:
        warnings[MAX_WARNINGS:] = [f"{len(warnings) - MAX_WARNINGS} more items are left out"]
    return in_order(items), tuple(warnings)


def same_item(guid: str, audio_url: str, title: str, published: str) -> list[tuple[str, ...]]:
    """What only an item that stands in a feed twice has in common with another one.

    That is guid and audio; or all but the query of its address, which may be made for each request.
    """
    keys: list[tuple[str, ...]] = [(guid, audio_key(audio_url))]
    if title and (guid or published):
        keys.append((guid, audio_key(audio_url, query=False), title, published))
    return keys


def _called(position: int, node: Node) -> str:
    title = _title(node)
    return f"item {position + 1} ({title!r})" if title else f"item {position + 1}"


def _episodes(found: Sequence[_Found], show: Credits, common: Episode) -> Iterator[Episode]:
    times_used = Counter(one.guid for one in found)
    stand_ins = Counter(without_query(one.audio_url) for one in found)
    keys = audio_keys([one.audio_url for one in found])
    for one, key in zip(found, keys, strict=True):
        # Some feeds give every item the same guid: then the address tells episodes apart. What follows its
        # question mark may change with every request, so it counts only where nothing else tells.
        own, audio = one.guid, one.audio_url
        bare = without_query(audio)
        guid = own if own and times_used[own] == 1 else bare if stand_ins[bare] == 1 else without_login(audio)
        if guid != own and times_used[guid]:  # another item has this very address as its guid
            guid = f"{own or 'no guid'} {without_login(audio)}"
        yield replace(
            _episode(one.node, show, common),
            id=episode_id(common.feed_url, guid),
            guid=guid,
            audio_url=audio,
            audio_key=key,
            enclosures=one.enclosures,
            title=one.title or name_in(audio),
            published=one.published,
        )


def _episode(node: Node, show: Credits, common: Episode) -> Episode:
    """What an item says of itself but for its identity."""
    url = common.feed_url
    return replace(
        common,
        notes=_notes(node),
        people=people_of(node, show),
        duration=next((parse_duration(text_of(told)) for told in extras(node, "itunes", "duration")), 0.0),
        transcripts=transcripts_of(node, url),
        chapters=chapters_of(node, url),
        chapters_url=chapters_url_of(node, url),
        type=_type(node),
    )


def _type(node: Node) -> str:
    """Apple's type of an episode."""
    told = (text_of(one).strip().lower() for one in extras(node, "itunes", "episodetype"))
    return next((kind for kind in told if kind in EPISODE_TYPES), "")


def in_order(items: Sequence[FeedItem]) -> tuple[FeedItem, ...]:
    """Items, given in the order of the document, newest first.

    Those without a date keep their place beside their neighbours. So do those whose date lies in the future, for
    which we are too early or their host too careless; none of them is newer than what is out.
    """
    now = time.time() + MAX_AHEAD
    told = [published_at(item.episode) for item in items]
    ahead = [moment is not None and moment > now for moment in told]
    if all(ahead):
        ahead = [False] * len(items)
    known = [None if early else moment for moment, early in zip(told, ahead, strict=True)]
    dated = [moment for moment in known if moment is not None]
    rising = sum(one < other for one, other in pairwise(dated))
    falling = sum(one > other for one, other in pairwise(dated))
    step = -1 if rising > falling else 1  # the document's order read from its newest end
    ranks = range(len(items))[::step]
    moments = _filled([known[rank] for rank in ranks])
    keyed = sorted(zip(moments, ranks, strict=True), key=lambda pair: (-pair[0], ahead[pair[1]]))
    return tuple(items[rank] for _, rank in keyed)


def _filled(moments: Sequence[float | None]) -> list[float]:
    """Moments from the newest to the oldest, with that of the next older one in place of None."""
    filled = list[float]()
    last = next((moment for moment in reversed(moments) if moment is not None), 0.0)
    for moment in reversed(moments):
        last = last if moment is None else moment
        filled.append(last)
    return filled[::-1]


def _title(node: Node) -> str:
    """An item's title: its own, or the one that it has for apps."""
    told = [*children(node, "", "title"), *extras(node, "itunes", "title"), *extras(node, "media", "title")]
    return next((title for one in told if (title := single_line(text_of(one)))), "")


def _guid(node: Node) -> str:
    """An item's guid, "" where it has none."""
    told = (_identifier(one) for one in children(node, "", "guid", "id"))
    about = node.get("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about") or ""
    return next(filter(None, told), on_one_line(about))


def _page_of(node: Node, url: str) -> str:
    """The address of an item's web page, "" where it tells none."""
    pages = (
        absolute(base_of(one, url), one.get("href") or text_of(one))
        for one in children(node, "", "link")
        if (one.get("rel") or "alternate").strip().lower() == "alternate"
    )
    return next(filter(None, pages), "")


def _identifier(node: Node) -> str:
    """A guid; one that is said to be an address, relative to an xml:base, as the whole address."""
    written = on_one_line(text_of(node))
    base = base_of(node, "") if node.get("isPermaLink") == "true" else ""
    return absolute(base, written) if base and not re.match(r"[a-z]+:", written) else written


def _published(node: Node) -> str:
    """When an item came out, ISO 8601 with the offset it was written with, or "" if it can't be told."""
    told = (
        *children(node, "", "pubdate", "published", "issued", "created"),
        *(one for name in ("date", "issued", "created") for one in extras(node, "dc", name)),
        *children(node, "", "updated", "modified", "date"),
    )
    dates = (parse_date(text_of(one)) for one in told)
    return next((when.isoformat(timespec="seconds") for when in dates if when), "")


def _notes(node: Node) -> str:
    """The longest of an item's descriptions as plain text; the full content wins a tie."""
    told = [*extras(node, "content", "encoded"), *children(node, "", "content", "description", "summary")]
    told += [*extras(node, "itunes", "summary"), *extras(node, "media", "description")]
    written = dict.fromkeys(markup_of(one) for one in told)
    return max((plain_text(text) for text in written if text), key=len, default="")
