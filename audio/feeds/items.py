"""Items of a feed to episodes: which is the audio, when it came out, how long it is."""

from __future__ import annotations

import calendar
import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from audio.feeds.podcast_tags import ItemTags
from audio.feeds.text import parse_duration, plain_text, single_line
from audio.transfer.addresses import absolute, name_in, without_login, without_query
from audio.transfer.sniff import AUDIO_EXTENSIONS, VIDEO_EXTENSIONS, extension, media_type
from models.record.transcript import Episode

_NEVER_MEDIA = frozenset(
    ".gif .htm .html .jpeg .jpg .json .pdf .png .srt .txt .vtt .webp .zip".split()  # noqa: SIM905
)
_NO_MEDIA = 3


def episode_id(feed_url: str, guid: str) -> str:
    """The id of an episode: the same for the same guid of the same feed, for ever."""
    return str(uuid5(uuid5(NAMESPACE_URL, feed_url), guid))


def playable_episodes(
    entries: Sequence[Mapping[str, Any]], tags: Sequence[ItemTags], common: Episode
) -> tuple[Episode, ...]:
    """The entries that have audio, newest first; those without a date last, in the feed's order.

    common: an episode with what all of the show share.
    """
    url = common.feed_url
    found = [(entry, _enclosure(entry, url), extra) for entry, extra in zip(entries, tags, strict=True)]
    playable = {
        (single_line(entry.get("id")), audio): (entry, extra)
        for entry, audio, extra in reversed(found)
        if audio
    }
    times_used = Counter(guid for guid, _ in playable)
    stand_ins = Counter(without_query(audio) for _, audio in playable)
    episodes = []
    for (own, audio), (entry, extra) in reversed(playable.items()):
        # Some feeds give every item the same guid: then the address tells episodes apart. What follows its
        # question mark may change with every request, so it counts only where nothing else tells.
        bare = without_query(audio)
        guid = own if own and times_used[own] == 1 else bare if stand_ins[bare] == 1 else without_login(audio)
        if guid != own and times_used[guid]:  # another item has this very address as its guid
            guid = f"{own or 'no guid'} {without_login(audio)}"
        episodes.append(
            replace(
                common,
                id=episode_id(url, guid),
                guid=guid,
                title=single_line(entry.get("title")) or name_in(audio),
                published=_published(entry),
                audio_url=audio,
                notes=_notes(entry),
                people=extra.people,
                duration=parse_duration(entry.get("itunes_duration")),
                transcripts=extra.transcripts,
                chapters=extra.chapters,
                chapters_url=extra.chapters_url,
            )
        )
    return tuple(sorted(episodes, key=_age))


def _age(episode: Episode) -> float:
    """Sort key: the newest first, without a date last."""
    return -datetime.fromisoformat(episode.published).timestamp() if episode.published else math.inf


def _enclosure(entry: Mapping[str, Any], url: str) -> str:
    """The absolute address of an entry's audio: audio before video, the first of each; "" for none."""
    offers = [(item.get("href"), item.get("type")) for item in entry.get("enclosures", ())]
    offers += [(item.get("url"), item.get("type")) for item in entry.get("media_content", ())]
    ranked = [
        (_media_rank(address, content_type or ""), address)
        for address, content_type in ((absolute(url, href), content_type) for href, content_type in offers)
        if address
    ]
    rank, address = min(ranked, key=lambda offer: offer[0], default=(_NO_MEDIA, ""))
    return address if rank < _NO_MEDIA else ""


def _media_rank(address: str, content_type: str) -> int:
    """0 audio, 1 video, 2 perhaps, 3 no media, by extension where type and extension disagree."""
    ending, named = extension(address), media_type(content_type)
    if ending in _NEVER_MEDIA:
        return _NO_MEDIA
    if ending in AUDIO_EXTENSIONS or named.startswith("audio/"):
        return 0
    if ending in VIDEO_EXTENSIONS or named.startswith("video/"):
        return 1
    return 2 if named in ("", "application/octet-stream", "binary/octet-stream") else _NO_MEDIA


def _published(entry: Mapping[str, Any]) -> str:
    """When an entry came out, ISO 8601 with the offset it was written with, or "" if it doesn't say."""
    entry = dict(entry)  # feedparser's own kind warns of "updated" where there is none
    for tag in ("published", "updated"):
        written = str(entry.get(tag, "")).strip()
        for read in (parsedate_to_datetime, datetime.fromisoformat):
            try:
                when = read(written)
                # Without an offset, or with one by a name that isn't known: UTC.
                return when.replace(tzinfo=when.tzinfo or UTC).isoformat(timespec="seconds")
            except (ValueError, TypeError, IndexError, OverflowError):
                continue
        if parsed := entry.get(f"{tag}_parsed"):
            return _from_utc(parsed)
    return ""


def _from_utc(parsed: time.struct_time) -> str:
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return ""


def _notes(entry: Mapping[str, Any]) -> str:
    """The longest of an entry's descriptions as plain text; the full content wins a tie."""
    written = [content.get("value") for content in entry.get("content", ())]
    written += [entry.get("summary"), entry.get("description")]
    return max((plain_text(text) for text in dict.fromkeys(written) if text), key=len, default="")
