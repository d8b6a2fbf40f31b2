"""Where an item's media lies: enclosures, media:content and podcast:alternateEnclosure, in the order to try them.

https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/tags/alternate-enclosure.md
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from audio.feeds.tree import CORE, Node, base_of, extras, is_live, name_of, text_of
from audio.media.extensions import AUDIO_EXTENSIONS, VIDEO_EXTENSIONS
from audio.transfer import integrity
from audio.transfer.addresses import absolute, is_fetchable
from audio.transfer.sniff import extension, media_type
from models.record.transcript import Enclosure

MAX_OFFERS = 100  # of the media of one item
LOW_BITRATE = 32_000  # bit/s; below it words are lost
_NEVER_MEDIA = frozenset(
    ".gif .jpeg .jpg .json .pdf .png .srt .torrent .txt .vtt .webp .zip".split()  # noqa: SIM905
)
_PAGES = frozenset((".htm", ".html"))
# Types that tell of no media; of all others some media has been served.
_NO_MEDIA_TYPE = re.compile(
    r"(image|text|font|model|message|multipart)/.*"
    r"|application/(.*\+(xml|json|zip)|xml|json|javascript|pdf|zip|gzip|x-gzip|msword|rtf|x-shockwave-flash|vnd\..*"
    r"|x-bittorrent)"
)
_PLAYLIST_EXTENSIONS = frozenset(".asx .m3u .m3u8 .mpd .pls .ram .wpl .xspf".split())  # noqa: SIM905
_PLAYLIST_TYPE = re.compile(
    r"(application|audio|video)/(dash\+xml|(vnd\.apple\.|x-)?mpegurl|pls\+xml|(x-)?scpls|xspf\+xml|x-ms-asf)"
)
_AUDIO, _VIDEO, _PERHAPS, _PLAYLIST, _NO_MEDIA = range(5)


class _Offer(NamedTuple):
    """A place of media as an element tells it; `rank` sorts alternates of one kind."""

    element: Node
    href: str
    type: str
    length: str
    sri: str = ""
    alternate: bool = False
    rank: tuple[float, ...] = ()


def enclosures_of(item: Node, url: str, language: str = "") -> tuple[Enclosure, ...]:
    """An item's media, at absolute addresses, in the order to try them.

    What surely is media goes before what may be, and that before playlists. Of each kind the item's own enclosures
    come first, then alternates: they may be cut otherwise. Audio goes before video, a small video before a large one,
    for only its sound is wanted. language: the show's; alternates in others are left out.
    """
    found = dict[str, tuple[tuple[float, ...], Enclosure]]()
    for offer in (*_own(item), *_alternates(item, language)):
        address = absolute(base_of(offer.element, url), offer.href)
        if not address or (offer.alternate and not is_fetchable(address)):
            continue
        length = int(offer.length) if re.fullmatch(r"[0-9]{1,15}", offer.length) else 0
        enclosure = Enclosure(address, offer.type, length, offer.sri)
        if (kind := _media_kind(enclosure)) < _NO_MEDIA:
            likely = 0 if kind < _PERHAPS else kind
            found.setdefault(address, ((likely, offer.alternate, kind, *offer.rank), enclosure))
    return tuple(enclosure for _, enclosure in sorted(found.values(), key=lambda one: one[0]))


def _own(item: Node) -> Iterator[_Offer]:
    """What the item itself offers. Deep inside, too: end tags may be missing."""
    found: dict[str, list[_Offer]] = {"enclosure": [], "content": []}
    for one in item.iter():
        prefix, local = name_of(one)
        length = (one.get("length") or one.get("fileSize") or "").strip()
        if local == "enclosure" and prefix in CORE:
            place = one.get("url") or one.get("href") or text_of(one)
            offer = _Offer(one, place, one.get("type") or "", length)
        elif local == "link" and (one.get("rel") or "").strip().lower() == "enclosure":
            offer = _Offer(one, one.get("href") or "", one.get("type") or "", length)
        elif (prefix, local) == ("media", "content"):
            kind = one.get("type") or (f"{one.get('medium')}/" if one.get("medium") else "")
            offer = _Offer(one, one.get("url") or "", kind, length)
        else:
            continue
        if not is_live(one, item):
            found["content" if local == "content" else "enclosure"].append(offer)
    for offers in found.values():
        yield from offers[:MAX_OFFERS]


def _alternates(item: Node, language: str) -> list[_Offer]:
    """The sources of the item's podcast:alternateEnclosure in the language of the show."""
    found = list[_Offer]()
    for alternate in item.iter():
        if name_of(alternate) != ("podcast", "alternateenclosure") or is_live(alternate, item):
            continue
        if _differs(alternate.get("lang") or "", language) or len(found) >= MAX_OFFERS:
            continue
        kind, length = alternate.get("type") or "", (alternate.get("length") or "").strip()
        rank, sri = _rank(alternate), _sri(alternate)
        if place := alternate.get("url"):  # as the tag was proposed at first
            found.append(_Offer(alternate, place, kind, length, sri, True, rank))
        for source in extras(alternate, "podcast", "source"):
            own = source.get("contentType") or kind
            found.append(_Offer(source, source.get("uri") or "", own, length, sri, True, rank))
    return found[:MAX_OFFERS]


def _differs(language: str, shows: str) -> bool:
    """Whether two languages are told and are not one, dialects aside."""
    one, other = (re.split("[-_]", told.strip().lower())[0] for told in (language, shows))
    return bool(one and other) and one != other


def _rank(alternate: Node) -> tuple[float, ...]:
    """What is said to be the enclosure's own goes first, what has lost much last, and large pictures late."""
    bitrate = _number(alternate, "bitrate")
    poor = 0 < (bitrate * 1000 if bitrate < 1000 else bitrate) < LOW_BITRATE  # some write kbit/s
    own = (alternate.get("default") or "").strip().lower() == "true"
    return (not own, poor, _number(alternate, "height"))


def _number(element: Node, name: str) -> float:
    told = (element.get(name) or "").strip()
    return float(told) if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,9})?", told) else 0.0


def _sri(alternate: Node) -> str:
    """The checksums of podcast:integrity that can be checked; a signature by PGP can't."""
    for told in extras(alternate, "podcast", "integrity"):
        if (told.get("type") or "sri").strip().lower() == "sri":
            return integrity.usable(told.get("value") or "")
    return ""


def _media_kind(enclosure: Enclosure) -> int:
    """What is likely at an address: by extension where type and extension disagree."""
    ending, named = extension(enclosure.url), media_type(enclosure.type)
    if ending in _NEVER_MEDIA:
        return _NO_MEDIA
    if ending in _PLAYLIST_EXTENSIONS or (_PLAYLIST_TYPE.fullmatch(named) and ending not in AUDIO_EXTENSIONS):
        return _PLAYLIST
    if ending in _PAGES:
        return _PERHAPS if named.startswith(("audio/", "video/")) else _NO_MEDIA
    if ending in AUDIO_EXTENSIONS or named.startswith("audio/"):
        return _AUDIO
    if ending in VIDEO_EXTENSIONS or named.startswith("video/"):
        return _VIDEO
    return _NO_MEDIA if _NO_MEDIA_TYPE.fullmatch(named) else _PERHAPS
