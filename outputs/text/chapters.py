"""Chapters and summary as they are shown: on one line, in order, with ends; and what is to be said of who made them."""

from __future__ import annotations

from dataclasses import replace

from models.record.transcript import Chapter, SummarySentence, Transcript
from outputs.text.addresses import web_address
from outputs.text.characters import one_line
from outputs.text.times import milliseconds


def length_of(transcript: Transcript) -> float:
    """Seconds that its time line stands for: the audio's, or more where words go on."""
    return max([transcript.audio.seconds, *(word.end for word in transcript.words), 0.0])


def chapters_of(transcript: Transcript) -> list[Chapter]:
    """All chapters in order of time; none that begins where all is over, or that there is nothing to show of.

    Of those that begin together the first that is listed, and the first that is not, as none without a title is.
    Titles are on one line, addresses of pages and pictures those of the web or "".
    """
    length, found = milliseconds(length_of(transcript)), dict[tuple[int, bool], Chapter]()
    for told in transcript.chapters.chapters:
        start, title = max(0, milliseconds(told.start)), one_line(told.title).strip()
        url, image, listed = web_address(told.url), web_address(told.image), told.listed and bool(title)
        if start < length and (title or url or image):
            shown = replace(told, start=start / 1000, title=title, url=url, image=image, listed=listed)
            found.setdefault((start, listed), shown)
    return sorted(found.values(), key=lambda one: one.start)


def listed_chapters(transcript: Transcript) -> list[Chapter]:
    """The chapters of a table of contents, each with its end: the one it tells, at the latest where the next begins."""
    found = [one for one in chapters_of(transcript) if one.listed]
    ends = [*(one.start for one in found[1:]), length_of(transcript)]
    return [replace(one, end=_end(one, latest)) for one, latest in zip(found, ends, strict=False)]


def _end(chapter: Chapter, latest: float) -> float:
    told = chapter.end
    return told if told is not None and chapter.start < told < latest else latest


def chapters_note(transcript: Transcript) -> str:
    """What chapters that no person made have to say of themselves, in a sentence on one line; "" for others."""
    listed = listed_chapters(transcript)
    writers = ", ".join(dict.fromkeys(filter(None, (one_line(one.by).strip() for one in listed))))
    if listed and transcript.chapters.proposed:
        return f"Chapters were proposed by a computer{f', titles written by {writers}' if writers else ''}."
    return f"Titles of chapters were written by {writers}." if writers else ""


def summary_of(transcript: Transcript) -> list[SummarySentence]:
    """The sentences of its summary, each on one line."""
    if transcript.summary is None:
        return []
    found = (replace(one, text=one_line(one.text).strip()) for one in transcript.summary.sentences)
    return [one for one in found if one.text]


def summary_writer(transcript: Transcript) -> str:
    """What wrote its summary, on one line; "" where there is none."""
    if transcript.summary is None or not summary_of(transcript):
        return ""
    return one_line(transcript.summary.engine).strip() or "a computer"


def summary_note(transcript: Transcript) -> str:
    """What a summary has to say of itself, on one line; "" where there is none."""
    writer = summary_writer(transcript)
    return f"Summary written by {writer}" if writer else ""
