"""The transcript as a document that people read on: what stands at its head, then its chapters and passages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from models.record.transcript import Chapter, Transcript
from outputs.text.chapters import listed_chapters
from outputs.text.characters import one_line
from outputs.text.direction import is_right_to_left
from outputs.text.paragraphs import Paragraph, Passage, passages
from outputs.text.unclear import with_unclear

_LRM = "\N{LEFT-TO-RIGHT MARK}"


def title_of(transcript: Transcript) -> str:
    """The episode's title on one line."""
    return one_line(transcript.episode.title).strip() or "Transcript"


def show_of(transcript: Transcript) -> str:
    """The show on one line, "" where none is known."""
    return one_line(transcript.episode.show).strip()


def date_of(transcript: Transcript) -> str:
    """The day on which the episode was published, as ISO 8601 has it; "" where none is known."""
    return one_line(transcript.episode.published).strip()[:10].strip()


def facts_of(transcript: Transcript, *, names: bool = True) -> str:
    """Show, day, and who speaks, in the order in which they do; without words of any language between them."""
    labels = (
        dict.fromkeys(segment.speaker for segment in transcript.segments if segment.text) if names else ()
    )
    speakers = dict.fromkeys(one_line(transcript.name_of(label)).strip() for label in labels)
    show, date, people = show_of(transcript), date_of(transcript), ", ".join(filter(None, speakers))
    if date and is_right_to_left(f"{show} {people}", transcript.language):
        date = f"{_LRM}{date}"  # else its numbers would be in the other order
    return " · ".join(filter(None, (show, date, people)))


def contents(transcript: Transcript) -> Iterator[Chapter | Passage]:
    """The passages, each chapter before the first paragraph of which most is said after its time, also within one.

    Chapters are those in the table of contents. They begin a paragraph, unless a person joined it to the one before.
    Marks stand where somebody speaks and no words were found.
    """
    chapters = listed_chapters(transcript)
    for passage in passages(with_unclear(transcript), [one.start for one in chapters]):
        gathered = list[Paragraph]()
        for paragraph in passage.paragraphs:
            middle = (paragraph.words[0].start + paragraph.words[-1].end) / 2
            while chapters and chapters[0].start <= middle:
                yield from _passage(passage, gathered)
                gathered = []
                yield chapters.pop(0)
            gathered.append(paragraph)
        yield from _passage(passage, gathered)
    yield from chapters


def _passage(passage: Passage, paragraphs: Iterable[Paragraph]) -> Iterator[Passage]:
    """What a passage has of these paragraphs of it; nothing where there are none."""
    if own := tuple(paragraphs):
        start = passage.start if own[0] is passage.paragraphs[0] else own[0].start
        yield replace(passage, start=start, paragraphs=own)
