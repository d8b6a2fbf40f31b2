"""Chapters of finished episodes: what people make of them, lists from files, and proposals for older episodes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from audio.feeds.json_chapters import read_chapters
from audio.feeds.podcast_tags import simple_chapters
from audio.feeds.text import parse_time
from audio.feeds.tree import children, feed_tree, name_of
from flows import chapters
from models.record.errors import InputError
from models.record.transcript import Chapter, Chapters
from outputs.captions import webvtt
from outputs.captions.timings import ARROW
from outputs.formats.registry import OF_CHAPTERS
from outputs.library import chapter_list, corrections, read
from outputs.library.editing import EditingSession
from outputs.library.folders import present_formats
from outputs.library.rerendering import publish_again
from outputs.library.write import publish
from outputs.text.times import clock, fragment_seconds, milliseconds

MAX_BYTES = 1 << 20  # of a list
# Its time has a colon: a bare number may as well be that of a list, or a beginning and an end.
_LINE = re.compile(r"[\s*•·–—-]*[\[(]?(?P<start>\d+:[\d:.,]*+)[\])]?[\s;|–—-]+(?P<rest>.*)")
_LINK = re.compile(r"https?://[^\s<>]+")


def edit(folder: Path, do: Mapping[str, Any]) -> None:
    """Do an edit, as `outputs.library.editing` knows them, and write the episode's files again if it changed anything.

    Raises as `EditingSession.edit` does.
    """
    session = EditingSession(folder)
    before = session.revision
    session.edit(uuid4().hex, "", do)
    if session.revision != before:
        publish_again(session.folder)


def set_list(folder: Path, listed: Sequence[Chapter]) -> None:
    """Have an episode have these chapters and no others. Raises as `edit`."""
    edit(folder, {"do": "chapters", "chapters": chapter_list.encoded(listed)})


def change(folder: Path, start: float, to: float | None, title: str | None) -> None:
    """Have the chapter of a second begin at another time, or have another title. InputError where there is none."""
    was = chapter_at(read.load(folder).chapters, start)
    now = {"start": was["start"] if to is None else to, "title": was["title"] if title is None else title}
    edit(folder, {"do": "chapter", "was": was, "now": now})


def remove(folder: Path, start: float) -> None:
    """Take the chapter of a second out. InputError where there is none."""
    edit(folder, {"do": "chapter", "was": chapter_at(read.load(folder).chapters, start)})


def chapter_at(shown: Chapters, start: float) -> dict[str, Any]:
    """The chapter that begins at a time, or else in its second, as edits name it. InputError where there is none."""
    listed = [one for one in shown.chapters if one.listed]
    exact = [one for one in listed if milliseconds(one.start) == milliseconds(start)]
    found = exact or [one for one in listed if int(one.start) == int(start)]
    if not exact and len(found) > 1:
        told = " or ".join(fragment_seconds(one.start) for one in found)
        raise InputError(f"{len(found)} chapters begin at {clock(start)}: tell by the second which, {told}")
    if not found:
        there = ", ".join(clock(one.start) for one in listed) or "no chapters"
        raise InputError(f"no chapter begins at {clock(start)}: there are {there}")
    return {"start": found[0].start, "title": found[0].title}


def propose(folder: Path) -> Chapters:
    """Propose chapters for a finished episode, and write them into its record and files; what was proposed.

    A person's own stay those that are shown. InputError where others tell some. Raises as `read.load`.
    """
    transcript = read.load(folder)
    record = read.load_record(folder)
    if record.chapters and not record.chapters.proposed:
        told = chapters.CALLED.get(record.chapters.source, record.chapters.source)
        raise InputError(f"{folder}: it has chapters of {told}")
    folder = read.folder_of(folder)
    found = chapters.propose(transcript, folder)
    with corrections.locked(folder):
        record = replace(read.load_record(folder), chapters=found)
        publish(record, folder, (*present_formats(folder), *OF_CHAPTERS))
    return found


def listed_in(data: bytes) -> tuple[Chapter, ...]:
    """The chapters in a file: JSON chapters 1.2, Podlove Simple Chapters, WebVTT, or lines such as "12:30 Title".

    InputError where it is none of these, has none, or has some that can't be taken: none is left out.
    """
    if len(data) > MAX_BYTES:
        raise InputError(f"a list of chapters has at most {MAX_BYTES >> 20} MB")
    text = _text(data)
    if text[:1] in ("{", "["):
        found, count = _json(text)
    elif text.startswith("<"):
        found, count = _podlove(text)
    elif text.startswith(webvtt.SIGNATURE):
        found, count = _webvtt(text)
    else:
        lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        found, count = tuple(_line(number, line) for number, line in lines), len(lines)
    if not count:
        raise InputError("there are no chapters in it; to have none: `episcribe chapters clear`")
    if len(found) < count:
        raise InputError(f"of {count} chapters in it only {len(found)} can be read")
    return chapter_list.checked(found)


def _text(data: bytes) -> str:
    with suppress(UnicodeDecodeError):
        text = data.decode("utf-8-sig").strip()
        if "\0" not in text:
            return text
    raise InputError("not UTF-8 text")


def _json(text: str) -> tuple[tuple[Chapter, ...], int]:
    """What can be read, and how many chapters there are."""
    found = read_chapters(text.encode(), "")
    told = json.loads(text)
    return found, len(told["chapters"] if isinstance(told, dict) else told)


def _podlove(text: str) -> tuple[tuple[Chapter, ...], int]:
    root, _ = feed_tree(text)
    if name_of(root) != ("psc", "chapters"):
        return (), 0
    return simple_chapters(root, ""), len(children(root, "psc", "chapter"))


def _webvtt(text: str) -> tuple[tuple[Chapter, ...], int]:
    cues = webvtt.read(text).captions
    found = (Chapter(one.start / 1000, " ".join(one.lines), one.end / 1000) for one in cues)
    return tuple(found), sum(ARROW in line for line in text.splitlines())


def _line(number: int, line: str) -> Chapter:
    found = _LINE.fullmatch(line)
    start = parse_time(found["start"].rstrip(".,:")) if found else None
    title, url = _linked(found["rest"].strip()) if found else ("", "")
    if start is None or not title:
        raise InputError(f"line {number} of the chapters is not like 12:30 Title: {line.strip()[:60]!r}")
    return Chapter(start, title, url=url)


def _linked(title: str) -> tuple[str, str]:
    """A title and the link at its end, "" where there is none."""
    before, _, last = title.rpartition(" <")
    is_link = last.endswith(">") and _LINK.fullmatch(last[:-1])
    return (before.rstrip(), last[:-1]) if is_link else (title, "")
