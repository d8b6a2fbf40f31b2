"""An episode's chapters: who tells which, whether they fit its audio, which are taken, and when they are proposed.

The order of trust, and why it is so, is told in docs/chapters.md.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audio.feeds.json_chapters import read_chapters
from audio.feeds.noted_times import chapters_in
from audio.media import chapters as in_file
from audio.media.chapters import FEWEST
from audio.transfer.access import Access
from audio.transfer.addresses import absolute, with_login_of, without_login, without_query
from flows.offered import fetched, is_own
from models.record.errors import EpiscribeError, InterruptedRun
from models.record.transcript import (
    FROM_AUDIO,
    FROM_FEED,
    FROM_FILE,
    FROM_NOTES,
    MAX_CHAPTERS,
    Chapter,
    Chapters,
    Episode,
    Transcript,
)
from models.topics.boundaries import SHORTEST
from outputs.library.chapter_list import MAX_TITLE, SLACK
from outputs.text.characters import one_line
from outputs.text.times import clock

if TYPE_CHECKING:
    from flows.options import RunOptions

TRUST = (FROM_FILE, FROM_FEED, FROM_AUDIO, FROM_NOTES)  # the first is taken, of those that fit
CALLED = {
    FROM_FILE: "podcast:chapters",
    FROM_FEED: "the feed's Podlove Simple Chapters",
    FROM_AUDIO: "the audio file",
    FROM_NOTES: "the notes",
}
LEAST = 1.0  # s of audio after the beginning of the last one
NEAR = 10.0  # s by which two who tell of one beginning may differ
ROUNDED = (300, 60)  # s to which durations are rounded where they are multiples of it


@dataclass(frozen=True, slots=True)
class LinkedFile:
    """The chapters in the file that a feed links to, and what to warn of."""

    chapters: Chapters = field(default_factory=Chapters)
    warnings: tuple[str, ...] = ()


def read_linked(
    episode: Episode, folder: Path, options: RunOptions, access: Access | None = None
) -> LinkedFile:
    """The chapters in an episode's file of chapters (podcast:chapters), which is fetched; what fails is a warning.

    folder: where ours go; a file from there is no news. access: as whom servers are asked.
    """
    url = episode.chapters_url
    if options.chapters == "off" or not url or is_own(url, folder):
        return LinkedFile()
    try:
        base = without_query(url)  # links in it start from there, and need no secret of ours
        at = with_login_of(url, episode.audio_url)
        chapters, _ = fetched(at, lambda data: read_chapters(data, base), options, access)
    except EpiscribeError as error:
        return LinkedFile(warnings=(f"the feed's chapters were not read: {error}",))
    return LinkedFile(Chapters(FROM_FILE, chapters))


@dataclass(frozen=True, slots=True)
class Selection:
    """The chapters that are taken, none where nobody tells any that fit; what to warn of; whether to propose some."""

    chapters: Chapters = field(default_factory=Chapters)
    warnings: tuple[str, ...] = ()
    proposing: bool = False


def chosen(
    linked: LinkedFile, path: str | Path, seconds: float, episode: Episode, options: RunOptions
) -> Selection:
    """The most trusted of all the chapters that are told of an episode and fit its audio.

    path: of the audio, which may hold its own; seconds: how long it plays. What doesn't fit, or contradicts what
    is taken, is a warning.
    """
    if options.chapters == "off":
        return Selection()
    own, warnings = Chapters(FROM_AUDIO), linked.warnings
    try:
        own = replace(own, chapters=in_file.chapters(path))
    except (EpiscribeError, OSError) as error:
        warnings = (*warnings, f"chapters of the audio file were not read: {error}")
    of_feed = Chapters(FROM_FEED, episode.chapters)
    noted = Chapters(FROM_NOTES, chapters_in(episode.notes, seconds))
    found, doubts = most_trusted((linked.chapters, of_feed, own, noted), seconds, episode.duration)
    proposing = not found and options.chapters == "auto" and seconds >= FEWEST * SHORTEST
    return Selection(found, (*warnings, *doubts), proposing)


def with_chapters(
    transcript: Transcript, chosen: Selection, propose: Callable[[Transcript], Chapters]
) -> Transcript:
    """The transcript with the chosen chapters, or those that `propose` finds, which may fail: that is a warning."""
    chapters, warnings = chosen.chapters, chosen.warnings
    if chosen.proposing:
        try:
            chapters = propose(transcript)
        except InterruptedRun:
            raise
        except Exception as error:  # whatever it is, the transcript is worth having
            reason = str(error) if isinstance(error, EpiscribeError) else f"{type(error).__name__}: {error}"
            warnings = (*warnings, one_line(f"no chapters were proposed: {reason}"))
    return replace(transcript, chapters=chapters, warnings=(*transcript.warnings, *warnings))


def heeded(transcript: Transcript) -> dict[str, Any]:
    """What of a transcript decides which chapters are proposed; names of people, and the rest of the show, which grows,
    change none.
    """
    said = [
        [segment.start, segment.end, segment.speaker, segment.language, segment.text]
        for segment in transcript.segments
    ]
    return {"language": transcript.language, "segments": said}


def load() -> object:
    """The model by which topics are told, loaded; once."""
    from models.topics.embedding import load_embedder

    return load_embedder()


def propose(transcript: Transcript, folder: Path) -> Chapters:
    """Chapters by topic, for an episode whose files go to `folder`, in its show; see `models.topics.proposal`."""
    from models.topics import proposal
    from models.topics.embedding import load_embedder
    from outputs.library.background import background

    return proposal.propose(transcript, load_embedder(), background(folder.absolute()))


def read(kept: Mapping[str, Any]) -> Chapters:
    """What `dataclasses.asdict` has made of chapters."""
    return Chapters(**{**kept, "chapters": tuple(Chapter(**one) for one in kept["chapters"])})


def most_trusted(
    told: Sequence[Chapters], seconds: float, duration: float = 0.0
) -> tuple[Chapters, tuple[str, ...]]:
    """The chapters to show, none where nobody tells any that fit, and what to warn of.

    seconds: how long the audio is; duration: how long the feed says that it is, 0 where it doesn't.
    """
    tidy = [replace(one, chapters=tidied(one.chapters, seconds)) for one in told]
    known = [one for one in tidy if _listed(one) >= FEWEST]
    known.sort(key=lambda one: TRUST.index(one.source))
    misfits = {one.source: why for one in known if (why := misfit(one, seconds, duration))}
    fitting = [one for one in known if one.source not in misfits]
    if own := next((one for one in fitting if one.source == FROM_AUDIO), None):
        # The file's own fit it, and so do those that agree: then it is the duration that is wrong.
        fitting = [one for one in known if one in fitting or agree(one, own)]
    found = next(iter(fitting), Chapters())
    alike = [one for one in fitting if agree(one, found)]
    warnings = [
        f"chapters of {CALLED[one.source]} are not shown: {misfits[one.source]}"
        for one in known
        if one not in fitting
    ]
    if why := _doubt(alike, seconds, duration):
        warnings.append(f"chapters of {CALLED[found.source]} may be early or late: {why}")
    warnings += [
        f"{CALLED[one.source]} and {CALLED[found.source]} tell different chapters "
        f"({_listed(one)} and {_listed(found)}): those of {CALLED[found.source]} are shown"
        for one in fitting
        if one not in alike
    ]
    return found, tuple(warnings)


def _listed(told: Chapters) -> int:
    return sum(chapter.listed for chapter in told.chapters)


def tidied(chapters: Sequence[Chapter], seconds: float) -> tuple[Chapter, ...]:
    """Chapters in order of time, each once: titles on one line, addresses of the web, ends only where they tell more.

    Those without a title are not listed. What begins only as the audio ends, after so many seconds, is no chapter.
    What nobody reads, beyond MAX_CHAPTERS, is left out.
    """
    found = dict[tuple[float, bool], Chapter]()
    for told in sorted(chapters, key=lambda chapter: chapter.start):
        if len(found) == MAX_CHAPTERS:
            break
        one = without_logins(told)
        title = one_line(one.title).strip()[:MAX_TITLE]
        listed = one.listed and bool(title)
        if (title or one.url or one.image) and not seconds - LEAST <= one.start <= seconds + SLACK:
            found.setdefault((one.start, listed), replace(one, title=title, listed=listed))
    return tuple(reversed(list(_with_ends(list(found.values())))))


def without_logins(chapter: Chapter) -> Chapter:
    """A chapter with links to the web only, and without a login in them, which would be shown to everybody."""
    url, image = (without_login(absolute("", address)) for address in (chapter.url, chapter.image))
    return replace(chapter, url=url, image=image)


def _with_ends(chapters: Sequence[Chapter]) -> Iterator[Chapter]:
    """Chapters from the last to the first, without the ends that say what is known: where the next one begins, or
    before they have begun."""
    following = next_listed = math.inf
    for one in reversed(chapters):
        latest = next_listed if one.listed else following
        yield replace(one, end=one.end if one.end is not None and one.start < one.end < latest else None)
        following = one.start
        next_listed = one.start if one.listed else next_listed


def misfit(told: Chapters, seconds: float, duration: float) -> str:
    """Why chapters can't be those of audio so long, "" where they may; as `most_trusted`.

    Ads that were put in, or parts that were cut, make all that is told of a file wrong from there on.
    """
    last, (end, is_told) = _last(told), _end(told)
    if max(last, end) > seconds + SLACK:
        return f"they go on to {clock(max(last, end))}, and the audio ends at {clock(seconds)}"
    if abs(end - seconds) <= SLACK or not duration or duration <= last:
        return ""  # it is these that end with the audio; or the duration is none of audio with these chapters
    slack = next((unit for unit in ROUNDED if duration % unit == 0), SLACK)
    both = is_told and abs(end - duration) <= SLACK < abs(duration - seconds)  # tell of other audio
    if not both and (told.source == FROM_AUDIO or abs(duration - seconds) <= slack):
        return ""
    return f"they are of audio of {clock(duration)}, and this plays {clock(seconds)}"


def _doubt(alike: Sequence[Chapters], seconds: float, duration: float) -> str:
    """What tells that chapters, told by several alike, are of longer or shorter audio, "" where nothing does."""
    ends = [_end(one) for one in alike]
    if any(abs(end - seconds) <= SLACK for end, _ in ends):
        return ""
    if end := max((end for end, is_told in ends if is_told), default=0.0):
        return f"they end at {clock(end)}, and the audio at {clock(seconds)}"
    if alike and duration > max(map(_last, alike)) and abs(duration - seconds) > SLACK:
        return f"the feed tells of {clock(duration)}, and this plays {clock(seconds)}"
    return ""


def _last(told: Chapters) -> float:
    """When the last chapter of a list begins."""
    return max(chapter.start for chapter in told.chapters if chapter.listed)


def _end(told: Chapters) -> tuple[float, bool]:
    """The latest time that is told, and whether it is an end."""
    return max((chapter.end or chapter.start, chapter.end is not None) for chapter in told.chapters)


def agree(one: Chapters, other: Chapters) -> bool:
    """Whether two tell the same beginnings, or one of them the other's and some more."""
    fewer, more = sorted(([c.start for c in told.chapters if c.listed] for told in (one, other)), key=len)
    nearest = (bisect_left(more, start - NEAR) for start in fewer)
    return all(at < len(more) and more[at] <= start + NEAR for at, start in zip(nearest, fewer, strict=True))
