"""Links of podcast directories and apps: what to ask them, and how to read what they answer.

Nothing is asked here. A `Listing` says at which addresses an answer is to be had without an account, and reads it: the
lookup of the iTunes store (https://performance-partners.apple.com/search-api), and what the web pages of Pocket Casts
and the Podcast Index themselves ask.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from audio.feeds.meant import Meant
from audio.feeds.text import single_line
from audio.transfer.addresses import absolute, web_address
from models.record.errors import InputError

MAX_ANSWER_BYTES = 10_000_000
MAX_APPLE_EPISODES = 200  # of a show, the newest ones: the most that Apple lists
MAX_INDEX_EPISODES = 1000
NOTHING = Meant()
_ID = re.compile(r"id(\d{1,15})$", re.IGNORECASE)
_ITUNES = re.compile(r"/itunes/?(\d{1,15})(?:/.*)?", re.IGNORECASE)  # and the name, which need not be right
_NUMBER = re.compile(r"/(\d{1,15})/?")
_BY_ITUNES, _BY_NUMBER = ("overcast.fm", "pca.st", "castro.fm"), ("pod.link", "episodes.fm")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# Who give what they offer to their own players only, and tell of no feed.
_CLOSED = {
    "open.spotify.com": "Spotify",
    "spotify.link": "Spotify",
    "music.amazon.com": "Amazon Music",
    "audible.com": "Audible",
    "deezer.com": "Deezer",
}


@dataclass(frozen=True, slots=True)
class Directories:
    """Where directories answer."""

    apple: str = "https://itunes.apple.com/lookup"
    index: str = "https://podcastindex.org/api"
    pocket_casts: str = "https://podcast-api.pocketcasts.com/podcast/full"
    pocket_casts_feeds: str = "https://refresh.pocketcasts.com/import/export_feed_urls"


@dataclass(frozen=True, slots=True)
class Question:
    """An address to ask, with a GET, or with a POST of `data` where there is any."""

    url: str
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Listed:
    """What a directory says: the feed of a show, its web page, and the episode that a link is of, if it is of one.

    `feed` and `website` are "" where it doesn't tell, `meant` is empty for a link of a show, and for an episode of
    which the directory tells nothing; then `of_episode` says that the link is of one.
    """

    feed: str = ""
    website: str = ""
    title: str = ""
    meant: Meant = NOTHING
    of_episode: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether there is nothing more to ask for."""
        return bool(self.feed and (self.meant or not self.of_episode))


@dataclass(frozen=True, slots=True)
class Listing:
    """A link of a directory: what to ask, one after the other until `read` finds the answers whole.

    `read` takes the answers so far, b"" for one that didn't come; InputError where they say that there is no such show.
    """

    directory: str
    questions: tuple[Question, ...]
    read: Callable[[Sequence[bytes]], Listed]


def listing_of(url: str, directories: Directories) -> Listing | None:
    """What the link to a show or an episode in a directory means; None for all other addresses.

    InputError for one of those that give their audio to their own players only.
    """
    try:
        parts = urlsplit(url.strip())
        host, path = (parts.hostname or "").lower().removeprefix("www."), unquote(parts.path)
    except ValueError:
        return None
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    _refuse_closed(host)
    for find in (_at_apple, _by_apple_id, _in_index, _in_pocket_casts, _within_address):
        if found := find(host, path, query, directories):
            return found
    return None


def _refuse_closed(host: str) -> None:
    name = next(
        (name for closed, name in _CLOSED.items() if host == closed or host.endswith(f".{closed}")), ""
    )
    if name:
        raise InputError(
            f"{name} gives its audio to its own apps only, and tells of no feed: give the show's feed, "
            "its own web page, or its link at Apple Podcasts or the Podcast Index"
        )


def _at_apple(host: str, path: str, query: dict[str, str], to: Directories) -> Listing | None:
    if host not in (
        "podcasts.apple.com",
        "itunes.apple.com",
        "embed.podcasts.apple.com",
        "geo.itunes.apple.com",
    ):
        return None
    segments = [part for part in path.split("/") if part]
    show = next((found[1] for part in segments if (found := _ID.match(part))), "")
    show = show or (query.get("id", "") if "podcast" in path.lower() else "")
    if not show.isdecimal():
        return None
    store = segments[0].lower() if re.fullmatch(r"[A-Za-z]{2}", segments[0]) else ""
    number = query.get("i", "")
    slug = next((one for one, after in pairwise(segments) if _ID.match(after)), "")
    return _apple(
        to, show, number if number.isdecimal() else "", store, slug.lower() if slug != "podcast" else ""
    )


def _by_apple_id(host: str, path: str, query: dict[str, str], to: Directories) -> Listing | None:
    """Apps that call a show by the number that it has at Apple."""
    pattern = _ITUNES if host in _BY_ITUNES else _NUMBER
    if host in (*_BY_ITUNES, *_BY_NUMBER) and (found := pattern.fullmatch(path)):
        return _apple(to, found[1])
    return None


def _apple(to: Directories, show: str, episode: str = "", store: str = "", slug: str = "") -> Listing:
    common = {"country": store} if store else {}
    asked = [{"id": show, "media": "podcast", "entity": "podcast", **common}]
    if episode:
        asked = [
            {
                "id": show,
                "media": "podcast",
                "entity": "podcastEpisode",
                "limit": str(MAX_APPLE_EPISODES),
                **common,
            },
            {"id": episode, "media": "podcast", "entity": "podcastEpisode", **common},
        ]
    questions = tuple(Question(f"{to.apple}?{urlencode(one)}") for one in asked)
    return Listing("Apple Podcasts", questions, partial(_read_apple, show, episode, slug))


def _read_apple(show: str, episode: str, slug: str, answers: Sequence[bytes]) -> Listed:
    found = [one for answer in answers for one in _dicts(_json(answer), "results")]
    feed = next((url for one in found if (url := _address(one, "feedUrl"))), "")
    title = next((_string(one, "collectionName") for one in found), "")
    if not found and answers[-1]:
        raise InputError(f"Apple Podcasts has no show {show}, or not in this country")
    if found and not feed:
        raise InputError(
            f"Apple Podcasts tells of no feed of {title or show}: it is heard in its own app only"
        )
    if not episode:
        return Listed(feed, title=title)
    own = next(
        (one for one in found if str(one.get("trackId")) == episode and one.get("kind") != "podcast"), {}
    )
    meant = _meant(own, guid="episodeGuid", audio="episodeUrl", title="trackName", published="releaseDate")
    if not meant and len(answers) > 1:  # it is older than those that Apple lists
        meant = Meant(slug=slug)
    return Listed(feed, title=title, meant=meant, of_episode=True)


def _in_index(host: str, path: str, query: dict[str, str], to: Directories) -> Listing | None:
    found = re.match(r"/podcast/(\d{1,12})(/|$)", path) if host == "podcastindex.org" else None
    if not found:
        return None
    episode = query.get("episode", "")
    questions = [Question(f"{to.index}/podcasts/byfeedid?id={found[1]}")]
    if episode.isdecimal():
        questions.append(Question(f"{to.index}/episodes/byfeedid?id={found[1]}&max={MAX_INDEX_EPISODES}"))
    return Listing("the Podcast Index", tuple(questions), partial(_read_index, found[1], episode))


def _read_index(show: str, episode: str, answers: Sequence[bytes]) -> Listed:
    told = _json(answers[0]).get("feed")
    about = told if isinstance(told, dict) else {}
    feed = _address(about, "url")
    if not feed and answers[0]:
        raise InputError(f"the Podcast Index has no show {show}")
    items = [one for answer in answers[1:] for one in _dicts(_json(answer), "items")]
    own = next((one for one in items if str(one.get("id")) == episode), {})
    meant = _meant(own, guid="guid", audio="enclosureUrl", title="title", page="link")
    of_episode = episode.isdecimal()
    return Listed(feed, _address(about, "link"), _string(about, "title"), meant, of_episode)


def _in_pocket_casts(host: str, path: str, query: dict[str, str], to: Directories) -> Listing | None:
    """Web pages of shows and episodes; short links lead to them."""
    if host not in ("pca.st", "play.pocketcasts.com", "pocketcasts.com"):
        return None
    ids = [part.lower() for part in path.split("/") if _UUID.fullmatch(part)]
    if not ids or path.startswith("/episode/"):
        return None
    show, episode = ids[0], ids[1] if len(ids) > 1 else ""
    questions = (
        Question(to.pocket_casts_feeds, json.dumps({"uuids": [show]}).encode()),
        Question(f"{to.pocket_casts}/{quote(show)}"),
    )
    return Listing("Pocket Casts", questions, partial(_read_pocket_casts, show, episode))


def _read_pocket_casts(show: str, episode: str, answers: Sequence[bytes]) -> Listed:
    feeds = _json(answers[0]).get("result")
    feed = _address(feeds, show) if isinstance(feeds, dict) else ""
    told = _json(answers[1]).get("podcast") if len(answers) > 1 else None
    about = told if isinstance(told, dict) else {}
    own = next((one for one in _dicts(about, "episodes") if str(one.get("uuid")).lower() == episode), {})
    meant = _meant(own, audio="url", title="title", published="published")
    return Listed(feed, _address(about, "url"), _string(about, "title"), meant, bool(episode))


def _within_address(host: str, path: str, query: dict[str, str], to: Directories) -> Listing | None:
    """Links that hold the address of the feed, or of the audio, in themselves."""
    feed, meant = "", Meant()
    if host == "antennapod.org" and path.startswith(("/deeplink/subscribe", "/p/")):
        feed = query.get("url", "")
    elif host == "subscribeonandroid.com":
        feed = f"http:/{path}" if path.strip("/") else ""
    elif host == "podcasts.google.com":
        words = path.strip("/").split("/")
        feed = _unpacked(words[1] if words[0] == "feed" and len(words) > 1 else query.get("feed", ""))
        meant = Meant(guid=_unpacked(words[3]) if len(words) > 3 and words[2] == "episode" else "")
    elif host == "podcastaddict.com" and path.startswith("/episode/"):
        audio = re.sub(r"&podcastId=\d+$", "", unquote(path.removeprefix("/episode/")))
        meant = Meant(audio=tuple(filter(None, [_url(audio)])))
    feed = _url(unquote(feed) if feed.lower().startswith("http%3a") or "%3A" in feed[:9] else feed)
    if not feed and not meant:
        return None
    return Listing(host, (), lambda _: Listed(feed, meant=meant, of_episode=bool(meant)))


def _unpacked(written: str) -> str:
    """The text in base64, with or without its padding, in either alphabet."""
    plain = written.replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4)).decode()
    except ValueError:
        return ""


def _meant(
    own: dict[str, Any],
    *,
    guid: str = "",
    audio: str = "",
    title: str = "",
    published: str = "",
    page: str = "",
) -> Meant:
    """What is told of an episode by these names."""
    return Meant(
        guid=_string(own, guid),
        audio=tuple(filter(None, [_address(own, audio)])),
        pages=tuple(filter(None, [_address(own, page)])),
        titles=tuple(filter(None, [single_line(_string(own, title))])),
        published=_string(own, published),
    )


def _json(data: bytes) -> dict[str, Any]:
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _dicts(told: dict[str, Any], name: str) -> list[dict[str, Any]]:
    listed = told.get(name)
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _string(told: dict[str, Any], name: str) -> str:
    value = told.get(name)
    return value if isinstance(value, str) else ""


def _address(told: dict[str, Any], name: str) -> str:
    return _url(_string(told, name))


def _url(written: str) -> str:
    return absolute("", web_address(written))
