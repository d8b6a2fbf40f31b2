"""An episode's chapters: who tells which, whether they fit its audio, which are taken, and when they are proposed.

The order of trust, and why it is so, is told in docs/chapters.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audio.feeds.json_chapters import read_chapters
from audio.feeds.noted_times import chapters_in
from audio.media import chapters as in_file
from audio.transfer.access import Access
from audio.transfer.addresses import absolute, with_login_of
from flows.offered import fetched, is_own
from models.record.errors import EpiscribeError, InterruptedRun
from models.record.transcript import (
    FROM_AUDIO,
    FROM_FEED,
    FROM_FILE,
    FROM_NOTES,
    Chapter,
    Chapters,
    Episode,
    Transcript,
)
from models.topics.boundaries import SHORTEST
from outputs.library.chapter_list import SLACK
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
FEWEST = 2  # with a title: fewer divide nothing
LEAST = 1.0  # s of audio after the beginning of the last one
MAX_TITLE = 500  # characters
NEAR = 10.0  # s by which two who tell of one beginning may differ
ROUNDED = (300, 60)  # s to which durations are rounded where they are multiples of it


@dataclass(frozen=True, slots=True)
class Told:
    """The chapters in the file that a feed links to, and what to warn of."""

    chapters: Chapters = field(default_factory=Chapters)
    warnings: tuple[str, ...] = ()


def told(episode: Episode, folder: Path, options: RunOptions, access: Access | None = None) -> Told:
    """The chapters in an episode's file of chapters (podcast:chapters), which is fetched; what fails is a warning.

    folder: where ours go; a file from there is no news. access: as whom servers are asked.
    """
    if options.chapters == "off" or not episode.chapters_url or is_own(episode.chapters_url, folder):
        return Told()
    url = with_login_of(episode.chapters_url, episode.audio_url)
    try:
        chapters, _ = fetched(url, lambda data: read_chapters(data, url), options, access)
    except EpiscribeError as error:
        return Told(warnings=(f"the feed's chapters were not read: {error}",))
    return Told(Chapters(FROM_FILE, chapters))


@dataclass(frozen=True, slots=True)
class Chosen:
    """The chapters that are taken, none where nobody tells any that fit; what to warn of; whether to propose some."""

    chapters: Chapters = field(default_factory=Chapters)
    warnings: tuple[str, ...] = ()
    proposing: bool = False


def chosen(told: Told, path: str | Path, seconds: float, episode: Episode, options: RunOptions) -> Chosen:
    """The most trusted of all the chapters that are told of an episode and fit its audio.

    told: by the feed's file. path: of the audio, which may hold its own; seconds: how long it plays. What
    doesn't fit, or contradicts what is taken, is a warning.
    """
    if options.chapters == "off":
        return Chosen()
    own, warnings = Chapters(FROM_AUDIO), told.warnings
    try:
        own = replace(own, chapters=in_file.chapters(path))
    except (EpiscribeError, OSError) as error:
        warnings = (*warnings, f"chapters of the audio file were not read: {error}")
    of_feed = Chapters(FROM_FEED, episode.chapters)
    noted = Chapters(FROM_NOTES, chapters_in(episode.notes, seconds))
    found, doubts = choose((told.chapters, of_feed, own, noted), seconds, episode.duration)
    proposing = not found and options.chapters == "auto" and seconds >= FEWEST * SHORTEST
    return Chosen(found, (*warnings, *doubts), proposing)


def with_chapters(
    transcript: Transcript, chosen: Chosen, propose: Callable[[Transcript], Chapters]
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


def choose(
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
    warnings = [
        f"chapters of {CALLED[one.source]} are not shown: {misfits[one.source]}"
        for one in known
        if one not in fitting
    ]
    warnings += [
        f"{CALLED[one.source]} and {CALLED[found.source]} tell different chapters "
        f"({_listed(one)} and {_listed(found)}): those of {CALLED[found.source]} are shown"
        for one in fitting
        if not agree(one, found)
    ]
    return found, tuple(warnings)


def _listed(told: Chapters) -> int:
    return sum(chapter.listed for chapter in told.chapters)


def tidied(chapters: Sequence[Chapter], seconds: float) -> tuple[Chapter, ...]:
    """Chapters in order of time, each once: titles on one line, addresses of the web, ends only where they tell more.

    Those without a title are not listed. What begins only as the audio ends, after so many seconds, is no chapter.
    """
    found = dict[tuple[float, bool], Chapter]()
    for one in sorted(chapters, key=lambda chapter: chapter.start):
        title = one_line(one.title).strip()[:MAX_TITLE]
        url, image = (absolute("", address) for address in (one.url, one.image))
        listed = one.listed and bool(title)
        if (title or url or image) and not seconds - LEAST <= one.start <= seconds + SLACK:
            found.setdefault(
                (one.start, listed), replace(one, title=title, url=url, image=image, listed=listed)
            )
    return tuple(_with_ends(list(found.values())))


def _with_ends(chapters: Sequence[Chapter]) -> Iterator[Chapter]:
    """Chapters without the ends that say what is known: where the next one begins, or before they have begun."""
    for number, one in enumerate(chapters):
        following = (other.start for other in chapters[number + 1 :] if other.listed or not one.listed)
        latest = next(following, math.inf)
        yield replace(one, end=one.end if one.end is not None and one.start < one.end < latest else None)


def misfit(told: Chapters, seconds: float, duration: float) -> str:
    """Why chapters can't be those of audio so long, "" where they may; as `choose`.

    Ads that were put in, or parts that were cut, make all that is told of a file wrong from there on.
    """
    last = max(chapter.start for chapter in told.chapters if chapter.listed)
    end = max(chapter.end or chapter.start for chapter in told.chapters)
    if max(last, end) > seconds + SLACK:
        return f"they go on to {clock(max(last, end))}, and the audio ends at {clock(seconds)}"
    if abs(end - seconds) <= SLACK or not duration or duration <= last:
        return ""  # it is these that end with the audio; or the duration is none of audio with these chapters
    slack = next((unit for unit in ROUNDED if duration % unit == 0), SLACK)
    if abs(duration - seconds) <= slack or (told.source == FROM_AUDIO and abs(end - duration) > slack):
        return ""
    return f"they are of audio of {clock(duration)}, and this plays {clock(seconds)}"


def agree(one: Chapters, other: Chapters) -> bool:
    """Whether two tell the same beginnings, or one of them the other's and some more."""
    fewer, more = sorted(([c.start for c in told.chapters if c.listed] for told in (one, other)), key=len)
    return all(any(abs(start - found) <= NEAR for found in more) for start in fewer)
