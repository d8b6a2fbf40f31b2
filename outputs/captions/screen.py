"""When each cue appears and goes.

Cues are in lanes, in each of which they follow each other: mostly in one, in several where people talk at once.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from outputs.captions.profiles import Profile
from outputs.text.times import milliseconds

BRIDGED_MS = 500  # a shorter time with nothing on screen flickers
MIN_SHOWN_MS = 300  # a cue stays at least this long when the next one starts too soon (people overlap)
MIN_FLASH_MS = 100  # but only this long where the next one would else come more than MAX_LAG_MS late
MAX_LAG_MS = 1000


@dataclass(frozen=True, slots=True)
class Cue:
    """What is on screen from `start` to `end`, seconds in whole ms.

    `speaker` is a name, "" if unknown, and `language` the ISO 639-1 code of the words, "" if unknown.
    """

    start: float
    end: float
    speaker: str
    lines: tuple[str, ...]
    language: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A cue whose times are still those of its words, in ms.

    `speech` is the number of the speech that it is part of, `first` that of its first piece therein, `language` as of
    the cue.
    """

    start: int
    end: int
    speaker: str
    lines: tuple[str, ...]
    speech: int
    first: int
    language: str


def timed(lanes: Sequence[Sequence[Draft]], profile: Profile, audio_end: int) -> list[tuple[Cue, Draft]]:
    """The drafts with their cues, in order of starts; in a lane none starts before the last one ends.

    That holds whatever the times of the words are. audio_end: in ms.
    """
    appearing = _starts(lanes, milliseconds(profile.gap))
    shown: list[tuple[Cue, Draft]] = []
    for lane, starts in zip(lanes, appearing, strict=True):
        others = sorted(_beginnings(lanes, appearing, lane))
        for draft, start, following in zip(lane, starts, [*starts, None][1:], strict=True):
            readable = _readable(draft, start, profile, others)
            if following is None and audio_end > start:
                readable = min(readable, audio_end)
            end = _end(start, max(draft.end, readable), following, profile)
            cue = Cue(start / 1000, end / 1000, draft.speaker, draft.lines, draft.language)
            shown.append((cue, draft))
    return _one_by_speaker(sorted(shown, key=lambda each: each[0].start))


def _one_by_speaker(shown: Sequence[tuple[Cue, Draft]]) -> list[tuple[Cue, Draft]]:
    """The cues, in order of starts, those gone in time that a speaker's next one in another lane follows."""
    following: dict[str, float] = {}
    result = []
    for cue, draft in reversed(shown):
        start = following.get(cue.speaker, math.inf)
        result.append((replace(cue, end=min(cue.end, start)) if start > cue.start else cue, draft))
        following[cue.speaker] = cue.start
    return result[::-1]


def _starts(lanes: Sequence[Sequence[Draft]], gap: int) -> list[list[int]]:
    """When each cue of each lane appears, ms: after the speaker's last one, too, if that is in another lane."""
    starts = [list[int]() for _ in lanes]
    earliest = dict[str, int]()
    waiting = [(lane[0].start, number) for number, lane in enumerate(lanes) if lane]
    heapq.heapify(waiting)
    while waiting:
        start, number = heapq.heappop(waiting)
        lane, speaker = lanes[number], lanes[number][len(starts[number])].speaker
        if start < earliest.get(speaker, start):
            heapq.heappush(waiting, (earliest[speaker], number))
            continue
        starts[number].append(start)
        earliest[speaker] = start + MIN_FLASH_MS + gap
        if len(starts[number]) < len(lane):
            following = _following_start(start, lane[len(starts[number])].start, gap)
            heapq.heappush(waiting, (following, number))
    return starts


def _following_start(last: int, wanted: int, gap: int) -> int:
    """When a cue appears, ms: with its first word, or a little later if the last cue is that new."""
    patient = min(last + MIN_SHOWN_MS + gap, wanted + MAX_LAG_MS)
    return max(last + MIN_FLASH_MS + gap, wanted, patient)


def _beginnings(
    lanes: Sequence[Sequence[Draft]], appearing: Sequence[Sequence[int]], own: Sequence[Draft]
) -> Iterator[int]:
    """When somebody begins to speak in another lane, ms."""
    for lane, starts in zip(lanes, appearing, strict=True):
        if lane is not own:
            yield from (start for draft, start in zip(lane, starts, strict=True) if draft.first == 0)


def _readable(draft: Draft, start: int, profile: Profile, others: Sequence[int]) -> int:
    """Until when a cue should stay to be read, ms: not beside who begins after its words, if it was seen till then."""
    shortest = start + math.ceil(profile.min_duration * 1000)
    readable = max(shortest, start + profile.reading_ms(draft.lines))
    after = bisect_left(others, draft.end)
    return min(readable, max(shortest, others[after])) if after < len(others) else readable


def _end(start: int, wanted: int, following: int | None, profile: Profile) -> int:
    """When a cue goes, ms: as wanted, but never so that what is left before the next one flickers."""
    latest = profile.latest_end_ms(start, following)
    if following is not None and following - wanted < max(BRIDGED_MS, milliseconds(profile.free_gap)):
        return latest
    return min(wanted, latest)
