"""Which show and which episode something is: one notion for everything that finds an episode again.

A show is its feed's address, or its podcast:guid where it has one; never its title, which others may have too.
An episode is, in its show, the audio at an address, or else its guid, or else its title and the moment at which it
came out. Addresses are compared as they are meant, not as they are written: trackers before them, escapes,
logins, and what changes with every request do not count.

https://podcasting2.org/docs/podcast-namespace/tags/guid
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import datetime
from functools import partial
from html import unescape
from itertools import combinations
from urllib.parse import SplitResult, unquote, urlsplit
from uuid import NAMESPACE_URL, uuid5

from models.record.transcript import Episode

Key = Callable[[Episode], Hashable]
# A segment of a path that is a host of its own. "St.Paul", "my.show" and "play.cgi" are folders and programs, so
# only endings that are hosts' more often than not, and any country's behind two names.
_LABEL = r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)"
_HOST = re.compile(
    rf"{_LABEL}+(?:ai|app|at|au|audio|be|br|ca|ch|cloud|club|co|com|cz|de|dev|dk|es|eu"
    r"|example|fi|fm|fr|gg|ie|in|info|invalid|io|it|jp|link|live|me|media|net|network|news|nl|no|nz|online|org|pt"
    r"|radio|ru|se|site|space|stream|studio|tech|test|tv|uk|us|world|xyz)(?::\d+)?"
    rf"|{_LABEL}{{2,}}[a-z]{{2}}(?::\d+)?"
)
_LOCAL_HOST = re.compile(r"(?:localhost|\d{1,3}(?:\.\d{1,3}){3})(?::\d+)?")
SAME_MOMENT = 600.0  # seconds by which a date may be corrected, and an address used again can't be
_DEFAULT_PORTS = {"http": 80, "https": 443}


def episode_id(feed_url: str, guid: str) -> str:
    """The id of an episode: the same for the same guid of the same feed, for ever."""
    return str(uuid5(uuid5(NAMESPACE_URL, feed_url), guid))


def show_id(episode: Episode) -> str:
    """What names an episode's show; "" for an episode of none, such as a single file."""
    return _show_guid(episode) or feed_key(episode.feed_url)


def same_show(one: Episode, other: Episode) -> bool:
    """Whether two episodes are of one show: their podcast:guid or their feed is the same.

    Only where one of them tells neither, as records of old do, their titles have to do.
    """
    feeds = feed_key(one.feed_url), feed_key(other.feed_url)
    if not all(feeds):
        return _folded(one.show) == _folded(other.show)
    guids = {_show_guid(one), _show_guid(other)}
    return feeds[0] == feeds[1] or (len(guids) == 1 and "" not in guids)


def feed_key(url: str) -> str:
    """What of a feed's address tells it from others; "" for none.

    >>> feed_key("http://me:secret@Example.org:80/feed/?id=1#top") == feed_key("https://example.org/feed?id=1")
    True
    """
    parts = _parts(url)
    query = f"?{parts.query}" if parts.query else ""
    return f"{_host(parts)}{unquote(parts.path).rstrip('/')}{query}"


def audio_key(url: str, *, query: bool = True) -> str:
    """What of an audio's address tells it from others; without its query if that is not asked for.

    >>> audio_key("https://dts.podtrac.com/redirect.mp3/cdn.example.org/My%20Talk.mp3?x=1&amp;y=2")
    'cdn.example.org/My Talk.mp3?x=1&y=2'
    >>> audio_key("http://user@cdn.example.org/My Talk.mp3?token=abc", query=False)
    'cdn.example.org/My Talk.mp3'
    """
    parts = _parts(unescape(url))
    path = unquote(parts.path)
    address = _without_trackers(f"{_host(parts)}{path}") if path else _host(parts)
    return f"{address}?{parts.query}" if query and parts.query else address


def audio_keys(urls: Sequence[str]) -> list[str]:
    """The key of each audio of one feed: without its query, unless it takes that to tell two apart."""
    bare = [audio_key(url, query=False) for url in urls]
    full = [audio_key(url) for url in urls]
    different = {key: set[str]() for key in bare}
    for key, whole in zip(bare, full, strict=True):
        different[key].add(whole)
    return [key if len(different[key]) == 1 else whole for key, whole in zip(bare, full, strict=True)]


def _without_trackers(address: str) -> str:
    """An address without the services before it, which are handed the rest as part of their path."""
    rest = re.split(r"/https?:/+", address, flags=re.IGNORECASE)[-1]
    segments = rest.split("/")
    inner = [
        i for i, part in enumerate(segments[:-1]) if _HOST.fullmatch(part) or _LOCAL_HOST.fullmatch(part)
    ]
    start = inner[-1] if inner else 0
    return "/".join([segments[start].lower(), *segments[start + 1 :]])


def _host(parts: SplitResult) -> str:
    try:
        port = parts.port
    except ValueError:
        port = None
    host = (parts.hostname or "").lower()
    return host if port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f"{host}:{port}"


def _parts(url: str) -> SplitResult:
    try:
        return urlsplit(url.strip())
    except ValueError:
        return SplitResult("", "", url, "", "")


def published_at(episode: Episode) -> float | None:
    """The moment at which an episode came out, seconds since 1970; None where nobody says."""
    return datetime.fromisoformat(episode.published).timestamp() if episode.published else None


def of_show(episode: Episode, known: Sequence[Episode]) -> list[int]:
    """The indexes of those of `known` that are of an episode's show.

    Where a podcast:guid tells that a show lived at another address, too, all from there are its own.
    """
    told = {(feed_key(other.feed_url), _show_guid(other)) for other in known}
    feeds, guids = {feed_key(episode.feed_url)}, {_show_guid(episode)} - {""}
    while more := {(feed, guid) for feed, guid in told if feed and (feed in feeds or guid in guids)}:
        told -= more
        feeds |= {feed for feed, _ in more}
        guids |= {guid for _, guid in more} - {""}
    feeds.discard("")
    return [
        i for i, other in enumerate(known) if feed_key(other.feed_url) in feeds or same_show(episode, other)
    ]


def _show_guid(episode: Episode) -> str:
    return episode.show_guid.strip().lower()


def pair_up(found: Sequence[Episode], known: Sequence[Episode]) -> dict[int, int]:
    """Which of `known` each of `found` is, by index; both are of one show, and each is paired once at most.

    Same audio goes before same guid, since a transcript is of an audio; both together before either, then title
    with moment, and title alone where nobody dates anything. What contradicts this keeps two apart: an address or
    a guid that is used again for the next episode does not make them one.
    """
    constant = _at_one_address([*found, *known])
    pairs = _paired(found, known, _guid_and_audio, {})
    pairs = _paired(found, known, _audio, pairs, unless=partial(_other_at_address, constant=constant))
    pairs = _paired(found, known, _own_guid, pairs, unless=_other_of_guid)
    pairs = _paired(found, known, _title_and_moment, pairs)
    return _paired(found, known, _undated_title, pairs, unless=_other_guids)


def pair_across_shows(found: Sequence[Episode], known: Sequence[Episode]) -> dict[int, int]:
    """As `pair_up` where nobody can tell of which shows the episodes are.

    A guid such as "1" proves nothing then, nor does a title: three of guid, title, moment and audio have to be the
    same, or the whole address of the audio.
    """
    pairs = _paired(found, known, _address, {}, unless=partial(_other_at_address, constant=False))
    for three in _THREE:
        pairs = _paired(found, known, three, pairs)
    return pairs


def _paired(
    found: Sequence[Episode],
    known: Sequence[Episode],
    key: Key,
    pairs: dict[int, int],
    unless: Callable[[Episode, Episode], bool] = lambda one, other: False,
) -> dict[int, int]:
    """`pairs` and those that have a key to themselves among all that are left, unless something else tells."""
    left = [i for i in range(len(found)) if i not in pairs]
    taken = set(pairs.values())
    free = [i for i in range(len(known)) if i not in taken]
    ours, theirs = _unique(found, left, key), _unique(known, free, key)
    same = ((ours[value], theirs[value]) for value in ours.keys() & theirs.keys())
    return pairs | {i: j for i, j in same if not unless(found[i], known[j])}


def _at_one_address(episodes: Sequence[Episode]) -> bool:
    """Whether all audio of a show is at one address, which then tells nothing."""
    return len({_audio(episode) for episode in episodes}) == 1


def _other_at_address(one: Episode, other: Episode, *, constant: bool) -> bool:
    """Whether two episodes at one address are two, which their moments tell together with title or guid.

    constant: as `_at_one_address` tells of their show.
    """
    dated, moved, renamed = _dated(one, other), _moved(one, other), _renamed(one, other)
    others = _other_guids(one, other)
    if constant:
        return moved if dated else renamed or others
    return moved and (renamed or others) if dated else renamed and _address(one) != _address(other)


def _other_of_guid(one: Episode, other: Episode) -> bool:
    """Whether two episodes have nothing in common but their guid, which has been used again."""
    return _moved(one, other) and _renamed(one, other) and _audio(one) != _audio(other)


def _dated(one: Episode, other: Episode) -> bool:
    return None not in (published_at(one), published_at(other))


def _moved(one: Episode, other: Episode) -> bool:
    """Whether they came out at other moments, by more than a correction of the clock."""
    moments = published_at(one), published_at(other)
    return moments[0] is not None and moments[1] is not None and abs(moments[0] - moments[1]) > SAME_MOMENT


def _renamed(one: Episode, other: Episode) -> bool:
    """Whether both have titles, and not the same."""
    titles = _title(one), _title(other)
    return None not in titles and titles[0] != titles[1]


def _other_guids(one: Episode, other: Episode) -> bool:
    guids = _own_guid(one), _own_guid(other)
    return None not in guids and guids[0] != guids[1]


def find(episode: Episode, known: Sequence[Episode]) -> int | None:
    """The index of the one of `known`, episodes of all shows, that an episode is; None where it is none of them."""
    same = of_show(episode, known) if episode.feed_url else []
    shown = [known[i] for i in same]
    constant = _at_one_address([episode, *shown])
    stands_in = _own_guid(episode) is None  # the id is then but that of an address, which may be used again
    for i, other in enumerate(known):
        if other.id == episode.id and not (
            stands_in and _other_at_address(episode, other, constant=constant)
        ):
            return i
    paired = pair_up([episode], shown)
    if not paired:
        return None
    other = shown[paired[0]]
    # Alone, without the other items of its feed, a title and a day may be those of several.
    return None if _other_guids(episode, other) and _audio(episode) != _audio(other) else same[paired[0]]


def _unique(episodes: Sequence[Episode], among: Iterable[int], key: Key) -> dict[Hashable, int]:
    """The indexes of episodes by a key that just one of them has; those without the key are left out."""
    keyed = [(key(episodes[i]), i) for i in among]
    times = Counter(value for value, _ in keyed)
    return {value: i for value, i in keyed if value is not None and times[value] == 1}


def _audio(episode: Episode) -> Hashable:
    return episode.audio_key or _address(episode)


def _address(episode: Episode) -> Hashable:
    return audio_key(episode.audio_url) if episode.audio_url else None


def _bare_address(episode: Episode) -> Hashable:
    return audio_key(episode.audio_url, query=False) if episode.audio_url else None


def _own_guid(episode: Episode) -> Hashable:
    """The guid that an episode has from its host; not one that is but the address of its audio."""
    only_address = "/" in episode.guid and audio_key(episode.guid, query=False) == _bare_address(episode)
    return None if only_address else episode.guid or None


def _title(episode: Episode) -> Hashable:
    return _folded(episode.title) or None


def _together(*keys: Key) -> Key:
    """A key of several; an episode that lacks one of them has none."""

    def key(episode: Episode) -> Hashable:
        values = tuple(key(episode) for key in keys)
        return None if None in values else values

    return key


def _undated_title(episode: Episode) -> Hashable:
    return _title(episode) if published_at(episode) is None else None


_guid_and_audio = _together(_own_guid, _audio)
_title_and_moment = _together(_title, published_at)
_THREE = [_together(*keys) for keys in combinations((published_at, _own_guid, _bare_address, _title), 3)]


def _folded(title: str) -> str:
    """A title as it is meant: without case, escapes and runs of spaces."""
    return " ".join(unescape(unescape(title)).casefold().split())
