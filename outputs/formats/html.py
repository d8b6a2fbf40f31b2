"""The page to read and hear an episode on: one file, nothing loaded but the audio.

The audio is looked for beside the page, then at the episode's own address; else the listener picks the
file. Without scripts the page is text with the browser's own player. Links to a moment are W3C media
fragments: `transcript.html#t=123.4`.
"""

from __future__ import annotations

import base64
from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote, urlsplit

from models.record.transcript import Chapter, Transcript, Word
from outputs.formats import vtt
from outputs.pages import templates
from outputs.pages.speaking_time import SpeakingTime, speaking_times, svg_path
from outputs.text.addresses import is_web
from outputs.text.chapters import chapters_note, length_of, summary_of, summary_writer
from outputs.text.characters import one_line
from outputs.text.direction import is_right_to_left
from outputs.text.document import contents, date_of, show_of, title_of
from outputs.text.languages import foreign_tag, spoken_languages
from outputs.text.paragraphs import Passage
from outputs.text.times import clock, duration, fragment_seconds
from outputs.text.translations import translated, translations_of
from outputs.text.unclear import with_unclear
from outputs.text.unsure import is_unsure

UNDETERMINED = "und"  # the language tag of BCP 47 for a language that nobody could tell
KEPT_AUDIO = "audio"  # what audio that is kept beside the page is called, before its extension
SITE_LINK = "<!-- site -->"  # where a site puts its links
STYLES = ("tokens.css", "page.css")
SCRIPTS = ("player.js",)
_LANE, _BAR = 16, 10  # heights in the drawing of who speaks when
_MARK = 6  # and of the chapters above it
_WIDTH = 1000


@dataclass(frozen=True, slots=True)
class Lane:
    """What one speaker has in the drawing of who speaks when, and in the list of speakers."""

    talker: SpeakingTime
    path: str
    percent: int
    time: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """Who speaks when: a lane for each speaker, in a box of this width and height."""

    lanes: tuple[Lane, ...]
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A chapter as the page shows it: when it begins and ends in seconds, its clock time, how long it takes, its bar in
    the drawing of all, and a link to a page with the name of who serves that.

    `anchor` is that of its heading, "" where an earlier one has it.
    """

    anchor: str
    seconds: str
    end: str
    time: str
    length: str
    title: str
    direction: str
    bar: str
    url: str
    host: str


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence of the summary: when that was said which it tells, and the anchor of the passage in which it was."""

    text: str
    seconds: str
    time: str
    anchor: str


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word as the page shows it: the space before it, its start in seconds, whether its speaker is unsure, and
    whether somebody else speaks at the same time.

    `doubted` words follow each other in runs; the one that begins a run says so to who can't see it.
    """

    gap: str
    start: str
    text: str
    doubted: bool
    begins: bool
    overlap: bool


@dataclass(frozen=True, slots=True)
class TimedParagraph:
    """A paragraph as the page shows it: its words, whether it runs "rtl" or "ltr", and the tag of its language where
    that is not the page's.
    """

    language: str
    direction: str
    words: tuple[TimedWord, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A passage as the page shows it: its anchor ("" where an earlier one has it), times and colour."""

    anchor: str
    seconds: str
    time: str
    speaker: str
    colour: int | None
    paragraphs: tuple[TimedParagraph, ...]


def render(transcript: Transcript) -> str:
    """The page; each chapter and passage has an anchor made of its time, such as #t=75.2."""
    style, script = templates.asset(*STYLES), templates.asset(*SCRIPTS)
    parts = list(_parts(transcript))
    return templates.render_template(
        "page.html",
        policy=templates.content_security_policy(style, script, media_src=_media_policy(transcript)),
        style=style,
        script=script,
        parts=parts,
        silent=not any(isinstance(part, Section) for part in parts),
        chapters=[part for part in parts if isinstance(part, Entry)],
        chapters_note=chapters_note(transcript),
        proposed=transcript.chapters.proposed,
        summary=list(_summary(transcript, parts)),
        summary_writer=summary_writer(transcript),
        doubted=any(map(is_unsure, transcript.words)),
        overlap=any(word.overlap for word in transcript.words),
        sources=sources(transcript),
        captions=_captions(transcript),
        translations=[(code, _captions(one)) for code, one in _translations(transcript)],
        **head(transcript),
    )


def _captions(transcript: Transcript) -> str:
    """Its captions in base64, for an address that holds them itself."""
    return base64.b64encode(vtt.render(transcript).encode("utf-8", "replace")).decode()


def _translations(transcript: Transcript) -> Iterator[tuple[str, Transcript]]:
    for language, translation in translations_of(transcript).items():
        yield language, translated(transcript, translation)


def head(transcript: Transcript) -> dict[str, object]:
    """The values of a template that say what the episode is and draw who speaks when."""
    return {
        "icon": templates.ICON,
        "language": one_line(transcript.language).strip() or UNDETERMINED,
        "title": title_of(transcript),
        "show": show_of(transcript),
        "published": date_of(transcript),
        "seconds": fragment_seconds(length_of(transcript)),
        "length": clock(length_of(transcript)),
        "warnings": [one_line(warning).strip() for warning in transcript.warnings],
        "drawing": drawing(transcript),
        "languages": spoken_languages(transcript),
    }


def drawing(transcript: Transcript) -> Drawing:
    """Who speaks when, to be drawn."""
    found, seconds = speaking_times(transcript), length_of(transcript)
    lanes = [
        Lane(
            talker=one,
            path=svg_path(one, seconds, number * _LANE + (_LANE - _BAR) // 2, _BAR, _WIDTH),
            percent=round(one.share * 100),
            time=clock(one.seconds),
        )
        for number, one in enumerate(found)
    ]
    return Drawing(tuple(lanes), _WIDTH, max(1, len(lanes)) * _LANE)


def sources(transcript: Transcript) -> list[str]:
    """Addresses of the audio, the best first: beside the page, then where it was published."""
    address = transcript.episode.audio_url
    name = PurePosixPath(transcript.audio.path.replace("\\", "/")).name
    found = []
    if name and (PurePosixPath(name).stem == KEPT_AUDIO or not is_web(address)):
        found.append(quote(name.encode("utf-8", "surrogateescape")))
    if is_web(address):
        found.append(address)
    return found


def _media_policy(transcript: Transcript) -> str:
    """What may be played: a file beside the page or picked by the listener; from the web if published there.

    Podcast audio is led through redirects to other hosts, so its own host alone would not do.
    """
    web = {urlsplit(source).scheme for source in sources(transcript) if is_web(source)}
    return " ".join(
        ["'self'", "blob:", "data:", *(f"{scheme}:" for scheme in sorted(web | {"https"} if web else web))]
    )


def _parts(transcript: Transcript) -> Iterator[Entry | Section]:
    """Passages, and chapters before what is said in them."""
    colours = {talker.name: talker.colour for talker in speaking_times(with_unclear(transcript))}
    total, used = length_of(transcript), set[str]()
    for part in contents(transcript):
        seconds = fragment_seconds(part.start)
        anchor = "" if seconds in used else f"t={seconds}"
        used.add(seconds)
        if isinstance(part, Chapter):
            yield _entry(part, anchor, total, transcript.language)
        else:
            yield _section(part, anchor, colours.get(part.speaker), transcript.language)


def _entry(chapter: Chapter, anchor: str, total: float, language: str) -> Entry:
    end = total if chapter.end is None else chapter.end
    seconds, scale = end - chapter.start, _WIDTH / max(total, 0.001)
    return Entry(
        anchor=anchor,
        seconds=fragment_seconds(chapter.start),
        end=fragment_seconds(end),
        time=clock(chapter.start),
        length=duration(seconds if seconds < 60 else round(seconds / 60) * 60),
        title=chapter.title,
        direction=_direction(chapter.title, language),
        bar=f"M{chapter.start * scale:.1f} 0h{seconds * scale:.1f}v{_MARK}h-{seconds * scale:.1f}z",
        url=chapter.url,
        host=(urlsplit(chapter.url).hostname or "").removeprefix("www."),
    )


def _section(passage: Passage, anchor: str, colour: int | None, language: str) -> Section:
    return Section(
        anchor=anchor,
        seconds=fragment_seconds(passage.start),
        time=clock(passage.start),
        speaker=passage.speaker,
        colour=colour,
        paragraphs=tuple(
            TimedParagraph(
                foreign_tag(one.language, language),
                _direction(one.text, one.language),
                tuple(_timed_words(one.words)),
            )
            for one in passage.paragraphs
        ),
    )


def _direction(text: str, language: str) -> str:
    return "rtl" if is_right_to_left(text, language) else "ltr"


def _summary(transcript: Transcript, parts: Sequence[Entry | Section]) -> Iterator[Remark]:
    """Its sentences. Without scripts a link leads to the last anchor before what it tells."""
    anchors = sorted((float(part.seconds), part.anchor) for part in parts if part.anchor)
    for one in summary_of(transcript):
        before = bisect([start for start, _ in anchors], one.start)
        anchor = anchors[max(0, before - 1)][1] if anchors else "transcript"
        yield Remark(one.text, fragment_seconds(one.start), clock(one.start), anchor)


def _timed_words(words: Sequence[Word]) -> Iterator[TimedWord]:
    """The words of a paragraph."""
    before = False
    for word in words:
        text, doubted = one_line(word.text), is_unsure(word)
        bare = text.lstrip(" ")
        gap, begins = " " if bare != text else "", doubted and not before
        yield TimedWord(gap, fragment_seconds(word.start), bare, doubted, begins, word.overlap)
        before = doubted
