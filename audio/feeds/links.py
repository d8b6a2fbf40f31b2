"""What a web page tells of feeds and audio, for people who give its address instead of theirs.

Read are what feed readers and players read: links to alternates (https://www.rssboard.org/rss-autodiscovery), Open
Graph (https://ogp.me), Twitter's cards, JSON-LD in the terms of https://schema.org, the elements of HTML for media,
and as the last resort plain links.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from lxml import etree

from audio.feeds.cleaning import NO_CHARACTERS
from audio.feeds.dates import parse_date
from audio.feeds.encoding import decoded
from audio.feeds.meant import Meant, page_key
from audio.feeds.text import on_one_line, single_line
from audio.media.extensions import AUDIO_EXTENSIONS, VIDEO_EXTENSIONS
from audio.transfer.addresses import absolute, web_address, without_login
from audio.transfer.sniff import extension, media_type
from models.record.errors import InputError
from models.record.identity import audio_key

MAX_PAGE_BYTES = 10_000_000
MAX_TOLD = 200  # feeds, recordings or other things of one page
MAX_ADDRESS = 8192  # characters; more is an attack or a mistake
MAX_ELEMENTS = 20_000  # of one kind
MAX_LABEL = 500
MAX_PLAYERS = 1000  # that are told apart
MAX_NODES = 20_000  # of JSON-LD
_HEAD_BYTES = 4096
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)
_FEED_TYPES = frozenset(
    ("application/rss+xml", "application/atom+xml", "application/x-rss+xml", "application/x-atom+xml")
)
_PERHAPS_FEED_TYPES = frozenset(("application/rdf+xml", "application/xml", "text/xml", ""))
_FEED_ADDRESS = re.compile(
    r"^(feed|itpc|pcast|podcast):|\.(rss|atom)$|\b(rss|feeds?|podcast)\b[^?]*\.xml$|/(rss2?|feed|atom)/?$|[?&]feed=",
    re.IGNORECASE,
)
_FEED_LABEL = re.compile(r"\brss\b|\bpodcast[ -]?feed\b", re.IGNORECASE)
_OF_COMMENTS = re.compile(
    r"\bcomments?\b|kommentar|comment(ai|a)r|comentario|reacties|コメント|评论", re.IGNORECASE
)
_OF_PODCAST = re.compile(r"podcast|\bmp3\b|\bm4a\b|\baac\b|\baudio\b|episode", re.IGNORECASE)
_NO_MEDIA = frozenset(
    ".asx .gif .htm .html .jpeg .jpg .json .m3u .m3u8 .mpd .pdf .pls .png .srt .swf .txt .vtt .webp .xspf".split()  # noqa: SIM905
)
_APPLE = re.compile(
    r"https?://(?:podcasts|itunes|embed\.podcasts)\.apple\.com/\S*?/id(\d{1,15})", re.IGNORECASE
)
_WRAPPINGS = (
    ("<!--", "-->"),
    ("//<![CDATA[", "//]]>"),
    ("/*<![CDATA[*/", "/*]]>*/"),
    ("<![CDATA[", "]]>"),
)
_EPISODES = frozenset(("podcastepisode", "radioepisode", "episode"))
_SOUNDS = frozenset(("audioobject", "musicrecording", "audiobook"))
_REFRESH = re.compile(r"""\s*\d{0,4}\s*[;,]\s*url\s*=\s*['"]?([^'"]+)""", re.IGNORECASE)
_ISO_DURATION = re.compile(
    r"P(?:\d+D)?T(?:(\d{1,3})H)?(?:(\d{1,4})M)?(?:(\d{1,6})(?:\.\d+)?S)?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class FeedLink:
    """A feed that a page tells of."""

    url: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class PageLinks:
    """What a page tells.

    `url` is where it was found, `pages` are all addresses that it has. `feeds` come with the likeliest first. `audio`
    is where the one recording that it plays may be had, the likeliest place first; `recordings` are those of a page
    that plays several. `apple` is its show's link to Apple Podcasts, `moved_to` where it sends its readers.
    Unknown is "" or 0.
    """

    url: str
    pages: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    show: str = ""
    published: str = ""
    duration: float = 0.0
    feeds: tuple[FeedLink, ...] = ()
    audio: tuple[str, ...] = ()
    recordings: tuple[str, ...] = ()
    apple: str = ""
    moved_to: str = ""

    @property
    def title(self) -> str:
        """What the page is called."""
        return next(iter(self.titles), "")

    @property
    def meant(self) -> Meant:
        """By what its episode is found in a feed."""
        return Meant(audio=self.audio, pages=self.pages, titles=self.titles, published=self.published)


def page_links(data: bytes, url: str, content_type: str = "") -> PageLinks:
    """What the page in `data` tells, which came from `url` with this Content-Type. InputError where it is too big."""
    if len(data) > MAX_PAGE_BYTES:
        raise InputError(f"the page has over {MAX_PAGE_BYTES // 1_000_000} MB")
    root = _tree(data, content_type)
    if root is None:
        return PageLinks(without_login(url))
    page = _Page(root, url)
    audio, recordings = page.audio()
    return PageLinks(
        without_login(url),
        page.addresses(),
        page.titles(),
        page.show(),
        page.published(),
        page.duration(),
        page.feeds(),
        audio,
        recordings,
        page.apple(),
        page.moved_to(),
    )


def _tree(data: bytes, content_type: str) -> Any:
    """The root of a page; None where there is no tag in it."""
    if "charset" not in content_type.lower() and (told := _CHARSET.search(data[:_HEAD_BYTES])):
        content_type = f"{content_type};charset={told[1].decode('ascii', 'replace')}"
    text = NO_CHARACTERS.sub("", decoded(data, content_type))
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    try:
        return etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


class _Page:
    """A page's tree, its elements sorted by what they tell."""

    def __init__(self, root: Any, url: str) -> None:
        self._by_tag: dict[str, list[Any]] = {}
        for node in root.iter():
            if isinstance(node.tag, str):
                self._by_tag.setdefault(node.tag.lower(), []).append(node)
        self._url = url
        self._base = next(
            (base for node in self._all("base") if (base := absolute(url, node.get("href")))), url
        )
        self._metas = list(self._named_metas())
        self._nodes = list(_linked_data(node.text or "" for node in self._all("script") if _is_json_ld(node)))
        self._episode = self._own_episode()

    def _all(self, *tags: str) -> list[Any]:
        return [node for tag in tags for node in self._by_tag.get(tag, ())][:MAX_ELEMENTS]

    def _absolute(self, href: object) -> str:
        return absolute(self._base, href) if isinstance(href, str) and len(href) <= MAX_ADDRESS else ""

    def _named_metas(self) -> Iterator[tuple[str, str]]:
        for node in self._all("meta"):
            name = (node.get("property") or node.get("name") or "").strip().lower()
            if name:
                yield name, node.get("content") or ""

    def _meta(self, *names: str) -> Iterator[str]:
        for name in names:
            yield from (content for told, content in self._metas if told == name and content.strip())

    def _own_episode(self) -> dict[str, Any]:
        """What JSON-LD says of the page's own episode: the only one, or the one at its address."""
        episodes = [node for node in self._nodes if _types(node) & _EPISODES]
        if len(episodes) > 1:
            own = set(map(page_key, self.addresses()))
            told = [(self._absolute(node.get("url") or node.get("@id")), node) for node in episodes]
            episodes = [node for address, node in told if address and page_key(address) in own]
        return episodes[0] if len(episodes) == 1 else {}

    def addresses(self) -> tuple[str, ...]:
        canonical = [node.get("href") for node in self._all("link") if "canonical" in _relations(node)]
        told = (self._absolute(href) for href in (*canonical, *self._meta("og:url")))
        return tuple(dict.fromkeys((without_login(self._url), *filter(None, map(without_login, told)))))

    def titles(self) -> tuple[str, ...]:
        told = [
            _text(self._episode.get("name")),
            _text(self._episode.get("headline")),
            *self._meta("og:title", "twitter:title"),
            *("".join(node.itertext()) for node in self._all("h1")[:1]),
            *(node.text or "" for node in self._all("title")[:1]),
        ]
        return tuple(dict.fromkeys(filter(None, map(single_line, told))))

    def show(self) -> str:
        series = self._episode.get("partOfSeries") or self._episode.get("partOfSeason")
        named = [_text(one.get("name")) for one in _listed(series) if isinstance(one, dict)]
        return next(filter(None, map(single_line, (*named, *self._meta("og:site_name")))), "")

    def published(self) -> str:
        told = (
            _text(self._episode.get("datePublished")),
            *self._meta("article:published_time", "og:article:published_time", "datepublished"),
        )
        dates = (parse_date(text) for text in told)
        return next((when.isoformat(timespec="seconds") for when in dates if when), "")

    def duration(self) -> float:
        media = (one for one in _media_of(self._episode) if isinstance(one, dict))
        told = (_text(one.get("duration") or one.get("timeRequired")) for one in (self._episode, *media))
        found = (_ISO_DURATION.fullmatch(text.strip()) for text in told)
        return next((_seconds(one) for one in found if one), 0.0)

    def feeds(self) -> tuple[FeedLink, ...]:
        """Those that the page declares, or else those that it links to."""
        declared = [FeedLink(url, single_line(node.get("title"))) for node, url in self._alternates()]
        declared += [FeedLink(url) for node in self._nodes if (url := self._absolute(node.get("webFeed")))]
        links = declared or [
            FeedLink(url, on_one_line("".join(node.itertext()))) for node, url in self._links_to_feeds()
        ]
        found = dict[str, FeedLink]()
        for link in links:
            found.setdefault(link.url, link)
        return tuple(sorted(found.values(), key=_feed_rank))[:MAX_TOLD]

    def _alternates(self) -> Iterator[tuple[Any, str]]:
        for node in self._all("link", "a"):
            href, kind = _href(node), media_type(node.get("type") or "")
            named = kind in _FEED_TYPES or (kind in _PERHAPS_FEED_TYPES and _FEED_ADDRESS.search(href))
            if named and _relations(node) & {"alternate", "feed"} and (url := self._feed_address(href)):
                yield node, url

    def _links_to_feeds(self) -> Iterator[tuple[Any, str]]:
        for node in self._all("a", "area"):
            href, kind = _href(node), media_type(node.get("type") or "")
            named = kind in _FEED_TYPES or _FEED_ADDRESS.search(href) or _FEED_LABEL.search(_label(node))
            if named and (url := self._feed_address(href)):
                yield node, url

    def _feed_address(self, href: str) -> str:
        return self._absolute(web_address(href))

    def audio(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The places of the one recording of the page; or else its recordings, where there are several."""
        told = [*self._of_linked_data(), *self._of_metas()]
        for tag in ("audio", "video"):
            players = [places for node in self._all(tag)[:MAX_PLAYERS] if (places := self._places(node))]
            told, several = _joined(told, players)
            if several:
                return (), several
        if not told:
            told, several = _joined([], [[url] for url in self._links_to_audio()])
            if several:
                return (), several
        return tuple(dict.fromkeys(told))[:MAX_TOLD], ()

    def _of_linked_data(self) -> Iterator[str]:
        """What JSON-LD says of sound: that of the page's episode, or, where there are none, of the page."""
        if any(_types(node) & _EPISODES for node in self._nodes):
            sounds = [
                one for one in _media_of(self._episode) if not isinstance(one, dict) or not _is_video(one)
            ]
        else:
            sounds = [node for node in self._nodes if _types(node) & _SOUNDS]
            sounds = sounds if len({_text(one.get("contentUrl")) for one in sounds}) == 1 else []
        for one in sounds:
            told = one.get("contentUrl") or one.get("url") if isinstance(one, dict) else one
            if _is_media(url := self._absolute(told)):
                yield url

    def _of_metas(self) -> Iterator[str]:
        for names, kind in (
            (("og:audio:secure_url", "og:audio", "og:audio:url"), "og:audio:type"),
            (("twitter:player:stream",), "twitter:player:stream:content_type"),
            (("og:video:secure_url", "og:video", "og:video:url"), "og:video:type"),
        ):
            types = {media_type(told) for told in self._meta(kind)}
            if types and not any(told.startswith(("audio/", "video/")) for told in types):
                continue
            for told in self._meta(*names):
                url = self._absolute(told)
                sure = bool(types) or not names[0].startswith("og:video") or _has_sound(url)
                if sure and _is_media(url):
                    yield url

    def _places(self, node: Any) -> list[str]:
        """Where a player finds what it plays."""
        told = [node.get("src"), *(one.get("src") for one in node.iter("source"))]
        return [url for url in map(self._absolute, told) if _is_media(url)]

    def _links_to_audio(self) -> Iterator[str]:
        hrefs = dict.fromkeys(node.get("href") for node in self._all("a"))
        found = (
            url for href in hrefs if (url := self._absolute(href)) and extension(url) in AUDIO_EXTENSIONS
        )
        yield from islice(found, MAX_PLAYERS)

    def apple(self) -> str:
        """The link to the show at Apple Podcasts, where the page has one, and no other such."""
        told = [_href(node) for node in self._all("a", "link")]
        told += [one for node in self._nodes for one in _listed(node.get("sameAs")) if isinstance(one, str)]
        found = {match[1]: match[0] for href in reversed(told) if (match := _APPLE.match(href))}
        return next(iter(found.values())) if len(found) == 1 else ""

    def moved_to(self) -> str:
        told = (
            _REFRESH.match(node.get("content") or "")
            for node in self._all("meta")
            if (node.get("http-equiv") or "").strip().lower() == "refresh"
        )
        found = (self._absolute(match[1]) for match in told if match)
        return next((url for url in found if url and page_key(url) != page_key(self._url)), "")


def _joined(told: list[str], players: list[list[str]]) -> tuple[list[str], tuple[str, ...]]:
    """The places told with those of the page's one player; or those of its players, which play different things."""
    first = {audio_key(places[0], query=False): places[0] for places in reversed(players)}
    if len(first) == 1 and (
        not told or audio_key(players[0][0], query=False) == audio_key(told[0], query=False)
    ):
        return [*told, *players[0]], ()
    if told or not first:
        return told, ()
    return [], tuple(list(first.values())[::-1][:MAX_TOLD])


def _feed_rank(link: FeedLink) -> tuple[bool, bool]:
    """Feeds of comments come last, those that are called podcasts first; else as the page has them."""
    text = f"{link.title} {link.url}"
    return bool(_OF_COMMENTS.search(text)), not _OF_PODCAST.search(text)


def _has_sound(url: str) -> bool:
    return extension(url) in AUDIO_EXTENSIONS | VIDEO_EXTENSIONS


def _is_media(url: str) -> bool:
    """Whether an address that is said to be media may be, by how it ends."""
    return bool(url) and extension(url) not in _NO_MEDIA


def _href(node: Any) -> str:
    href = (node.get("href") or "").strip()
    return href if len(href) <= MAX_ADDRESS else ""


def _label(node: Any) -> str:
    """What a link says of itself, in text, in a picture, or by its class."""
    told = [node.get(name) or "" for name in ("title", "aria-label", "class")]
    pictures = [one.get(name) or "" for one in node.iter("img") for name in ("alt", "src")]
    return " ".join(["".join(node.itertext())[:MAX_LABEL], *told, *pictures])[:MAX_LABEL]


def _relations(node: Any) -> set[str]:
    return set((node.get("rel") or "").lower().split())


def _is_json_ld(node: Any) -> bool:
    return media_type(node.get("type") or "") == "application/ld+json"


def _linked_data(scripts: Iterable[str]) -> Iterator[dict[str, Any]]:
    """All objects of JSON-LD, at whatever depth, in order."""
    count = 0
    for script in scripts:
        try:
            waiting: list[Any] = [json.loads(_bare(script), strict=False)]
        except (ValueError, RecursionError):
            continue
        while waiting and count < MAX_NODES:
            node = waiting.pop()
            count += 1
            if isinstance(node, dict):
                yield node
                waiting += reversed(list(islice(node.values(), MAX_NODES)))
            elif isinstance(node, list):
                waiting += reversed(node[:MAX_NODES])


def _bare(script: str) -> str:
    """JSON without the comment or CDATA section that some wrap it in."""
    text = script.strip()
    for begin, end in _WRAPPINGS:
        if text.startswith(begin):
            text = text.removeprefix(begin).removesuffix(end).strip()
    return text


def _types(node: dict[str, Any]) -> set[str]:
    return {one.rpartition("/")[2].lower() for one in _listed(node.get("@type")) if isinstance(one, str)}


def _is_video(node: dict[str, Any]) -> bool:
    return "videoobject" in _types(node)


def _media_of(episode: dict[str, Any]) -> list[Any]:
    """The media objects, or addresses, of an episode of JSON-LD."""
    names = ("associatedMedia", "audio", "encoding", "encodings", "contentUrl")
    return [one for name in names for one in _listed(episode.get(name)) if isinstance(one, dict | str)]


def _listed(value: Any) -> list[Any]:
    return value[:MAX_TOLD] if isinstance(value, list) else [] if value is None else [value]


def _text(value: Any) -> str:
    """A text of JSON-LD, which may have a language beside it, or be one of several."""
    one = next(iter(_listed(value)), "")
    one = one.get("@value", "") if isinstance(one, dict) else one
    return one if isinstance(one, str) else ""


def _seconds(found: re.Match[str]) -> float:
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds
