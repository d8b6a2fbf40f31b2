"""What a feed says beside what is known of it: the values that the store holds, and what is new."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple

from audio.feeds.items import MAX_AHEAD
from audio.transfer.http import Validators
from flows.schedule.rules import ALL, PASSED_OVER, EpisodeRules, length_key
from models.record import identity
from models.record.transcript import Episode

STEP = 0.001  # seconds between two episodes of which nothing is known but which comes first
TOO_MANY = "more new episodes in one poll than limits.new_per_poll allows"
NOT_FOLLOWED = "its show is not followed any more"


@dataclass(frozen=True, slots=True)
class FeedState:
    """What is remembered of a feed between two polls.

    ended_at: when its server first said that it is gone for good (410), in seconds since 1970; None where it isn't.
    """

    show: str
    url: str
    moved_to: str = ""
    validators: Validators = field(default_factory=Validators)
    title: str = ""
    polled_at: float | None = None
    failures: int = 0
    next_poll_at: float = 0.0
    error: str = ""
    ended_at: float | None = None

    @property
    def is_complete(self) -> bool:
        """Whether it said that no more episodes are to come: it was read, and is left alone all the same."""
        return self.next_poll_at > 0 and not self.failures


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
    def waits(self) -> bool:
        """Whether nobody works on it yet, or any more, though somebody is to."""
        return self.state in ("waiting", "queued") or (self.state == "running" and not self.held)

    @property
    def is_passed_over(self) -> bool:
        """Whether the rules of its show don't take it."""
        return self.state == "skipped" and self.error.startswith(PASSED_OVER)

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
    """What one reading of a feed changes.

    added: new episodes with their states. changed: records to bring up to date. judged: known episodes that wait
    from now on, or are skipped, with the reason, since the rules of the show or `back_fill` were changed.
    """

    added: tuple[ListedEpisode, ...] = ()
    changed: tuple[Episode, ...] = ()
    judged: tuple[ListedEpisode, ...] = ()

    @property
    def taken(self) -> tuple[Episode, ...]:
        """Episodes that are to be processed now and were not before, newest first."""
        waiting = (one.episode for one in (*self.added, *self.judged) if one.state == "waiting")
        return tuple(sorted(waiting, key=published_at, reverse=True))

    @property
    def passed_over(self) -> tuple[ListedEpisode, ...]:
        """Episodes that the rules of the show don't take and that were not passed over before, newest first."""
        found = [one for one in (*self.added, *self.judged) if one.is_passed_over]
        return tuple(sorted(found, key=lambda one: published_at(one.episode), reverse=True))


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
    show: str,
    known: Sequence[ListedEpisode],
    found: Sequence[Episode],
    *,
    back_fill: int,
    new_per_poll: int,
    rules: EpisodeRules = ALL,
    backlog: Set[str] = frozenset(),
    lengths: Mapping[tuple[str, str], float] = MappingProxyType({}),
) -> Plan:
    """What a feed's episodes (newest first) mean beside those that are known already, newest first too.

    The first reading puts all into the backlog, of which the newest `back_fill` are taken. Later ones take
    what is new, at most `new_per_poll`; the rest is kept as skipped. `models.record.identity` says which are known.
    What the rules pass over is skipped and counts as neither; see `_judged` for those that are known. backlog: ids of
    those of the first reading. lengths: seconds that the audio of some was found to have, by `length_key`.
    """
    pairs = identity.pair_up(found, [listed.episode for listed in known])
    ids = {listed.id for listed in known}
    seen = {found[index].id for index in pairs}
    new = []
    for index, episode in enumerate(found):
        if index not in pairs and episode.id not in seen:
            seen.add(episode.id)
            new.append(own_id(episode, ids))
    room = new_per_poll if known else back_fill
    added = list[ListedEpisode]()
    for episode in new:
        reason = rules.reason_against(episode)
        if not reason and room:
            added.append(ListedEpisode(show, episode, "waiting"))
            room -= 1
        else:
            added.append(ListedEpisode(show, episode, "skipped", error=reason or (TOO_MANY if known else "")))
    changed = tuple(
        replace(found[index], id=known[at].id)
        for index, at in sorted(pairs.items())
        if _outdated(known[at], found[index])
    )
    records = {episode.id: episode for episode in changed}
    current = [replace(one, episode=records.get(one.id, one.episode)) for one in known]
    judged = _judged(
        current,
        rules=rules,
        backlog=backlog,
        lengths=lengths,
        back_fill=back_fill,
        room=room if known else 0,
    )
    return Plan(tuple(added), changed, tuple(judged))


def _judged(
    known: Sequence[ListedEpisode],
    *,
    rules: EpisodeRules,
    backlog: Set[str],
    lengths: Mapping[tuple[str, str], float],
    back_fill: int,
    room: int,
) -> Iterator[ListedEpisode]:
    """The episodes of a show, given newest first, whose state or reason is another by its rules as they are now.

    What people added, or try again, is theirs to decide. Of the backlog the newest `back_fill` that the rules let
    through are taken. Others that were passed over are taken as if they were new, `room` of them.
    """
    for one in known:
        reason = rules.reason_against(one.episode, lengths.get(length_key(one.episode), 0.0))
        state, error = one.state, one.error
        if one.id in backlog and not reason:
            back_fill -= 1
        if one.added_by:
            continue
        if one.waits:
            if reason:
                state, error = "skipped", reason
        elif one.state == "skipped" and one.error != TOO_MANY:
            if reason:
                state, error = "skipped", reason
            elif one.error == NOT_FOLLOWED or (one.id in backlog and back_fill >= 0):
                state, error = "waiting", ""
            elif one.id in backlog:
                error = ""
            elif one.is_passed_over:
                state, error = ("waiting", "") if room > 0 else ("skipped", TOO_MANY)
                room -= 1
        if (state, error) != (one.state, one.error):
            yield replace(one, state=state, error=error)


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
