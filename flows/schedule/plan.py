"""What a feed says beside what is known of it: the values that the store holds, and what is new."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from audio.feeds.items import MAX_AHEAD
from audio.transfer.http import Validators
from models.record import identity
from models.record.transcript import Episode

STEP = 0.001  # seconds between two episodes of which nothing is known but which comes first
TOO_MANY = "more new episodes in one poll than limits.new_per_poll allows"


@dataclass(frozen=True, slots=True)
class FeedState:
    """What is remembered of a feed between two polls."""

    show: str
    url: str
    moved_to: str = ""
    validators: Validators = field(default_factory=Validators)
    title: str = ""
    polled_at: float | None = None
    failures: int = 0
    next_poll_at: float = 0.0
    error: str = ""


class Place(NamedTuple):
    """What tells where in the line an episode is; `sorted_at` is when it came out, as `sort_moments` has it."""

    id: str
    state: str
    priority: float
    added_by: str
    found_at: float
    sorted_at: float


@dataclass(frozen=True, slots=True)
class ListedEpisode:
    """An episode as the store knows it.

    show: the name of the one whose feed lists it, "" where people added it that is of none that is followed.
    held: whether its run, or whoever works on it, has a lease that holds. options: its own, by the names of
    `RunOptions`. cancelling: whether whoever works on it is to stop. Moments are seconds since 1970, None for what
    hasn't come.
    """

    show: str
    episode: Episode
    state: str
    attempts: int = 0
    handed_out: int = 0
    owner: str = ""
    error: str = ""
    seconds: float = 0.0
    folder: str = ""
    warnings: str = ""
    held: bool = False
    cancelling: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    priority: float = 0.0
    added_by: str = ""
    sorted_at: float = 0.0
    found_at: float = 0.0
    started_at: float | None = None
    done_at: float | None = None

    @property
    def id(self) -> str:
        """The episode's id."""
        return self.episode.id

    @property
    def place(self) -> Place:
        """What tells where in the line it is."""
        return Place(self.id, self.state, self.priority, self.added_by, self.found_at, self.sorted_at)


def in_line(places: Iterable[Place], busy: Mapping[str, int]) -> list[Place]:
    """Episodes in the order in which they are handed out.

    Higher priority first. Of one priority, what people added goes before what feeds list, for somebody waits for it:
    of each person the earliest first, and people take turns. Then what feeds list, the newest first. busy: how many
    episodes of each person are worked on now, which are turns that were had.
    """
    turns = Counter(busy)

    def key(one: Place) -> tuple[float, bool, float, float, str]:
        if not one.added_by:
            return (-one.priority, True, -one.sorted_at, 0.0, one.id)
        turns[one.added_by] += 1
        return (-one.priority, False, turns[one.added_by], one.found_at, one.id)

    earliest = sorted(places, key=lambda one: (-one.priority, one.found_at, one.id))
    return sorted(earliest, key=key)


@dataclass(frozen=True, slots=True)
class Plan:
    """What one reading of a feed changes: episodes to add with their states, and records to bring up to date."""

    added: tuple[ListedEpisode, ...] = ()
    changed: tuple[Episode, ...] = ()
    promoted: tuple[Episode, ...] = ()

    @property
    def taken(self) -> tuple[Episode, ...]:
        """Episodes that are to be processed now and were not before, newest first."""
        waiting = [listed.episode for listed in self.added if listed.state == "waiting"]
        return tuple(sorted((*waiting, *self.promoted), key=published_at, reverse=True))


def published_at(episode: Episode) -> float:
    """Seconds since 1970; without a date, before all others."""
    moment = identity.published_at(episode)
    return -math.inf if moment is None else moment


def sort_moments(found: Sequence[Episode], now: float) -> dict[tuple[str, str], float]:
    """By guid and audio, the seconds since 1970 by which to sort a feed's episodes, given newest first.

    One without a date, or with one in the future, keeps its place: it is a little newer than the next older one.
    """
    dated = [moment for episode in found if (moment := _out_at(episode, now)) is not None]
    last = min(dated, default=now) - STEP * (len(found) + 1)
    moments = dict[tuple[str, str], float]()
    for episode in reversed(found):
        moment = _out_at(episode, now)
        last = last + STEP if moment is None else moment
        moments[episode.guid, episode.audio_url] = last
    return moments


def _out_at(episode: Episode, now: float) -> float | None:
    moment = published_at(episode)
    return moment if -math.inf < moment <= now + MAX_AHEAD else None


def is_ahead(episode: Episode, now: float) -> bool:
    """Whether an episode's date lies in the future: then it counts as out when it is first seen."""
    return published_at(episode) > now + MAX_AHEAD


def plan(
    show: str, known: Sequence[ListedEpisode], found: Sequence[Episode], *, back_fill: int, new_per_poll: int
) -> Plan:
    """What a feed's episodes (newest first) mean beside those that are known already.

    The first reading puts all into the backlog, of which the newest `back_fill` are taken. Later ones take
    what is new, at most `new_per_poll`; the rest is kept as skipped. `models.record.identity` says which are known.
    """
    pairs = identity.pair_up(found, [listed.episode for listed in known])
    ids = {listed.id for listed in known}
    seen = {found[index].id for index in pairs}
    new = []
    for index, episode in enumerate(found):
        if index not in pairs and episode.id not in seen:
            seen.add(episode.id)
            new.append(own_id(episode, ids))
    taken = new_per_poll if known else back_fill
    added = tuple(
        ListedEpisode(show, episode, "waiting")
        if number < taken
        else ListedEpisode(show, episode, "skipped", error=TOO_MANY if known else "")
        for number, episode in enumerate(new)
    )
    changed = tuple(
        replace(found[index], id=known[at].id)
        for index, at in sorted(pairs.items())
        if _outdated(known[at], found[index])
    )
    return Plan(added, changed)


def own_id(episode: Episode, taken: Set[str]) -> Episode:
    """A new episode with an id that no other has, though its host has used its guid for another one."""
    if episode.id not in taken:
        return episode
    told = f"{episode.guid} {episode.audio_url}"
    own = identity.episode_id(episode.feed_url, told)
    if own in taken:  # and the address, too
        own = identity.episode_id(episode.feed_url, f"{told} {episode.published} {episode.title}")
    return replace(episode, id=own)


def _outdated(listed: ListedEpisode, episode: Episode) -> bool:
    """Whether the record of an episode still to be done differs from what the feed says now."""
    return listed.state != "done" and replace(episode, id=listed.id) != listed.episode
