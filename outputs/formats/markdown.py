"""The transcript as Markdown: a heading, then "**Name** (mm:ss)" above each passage. https://spec.commonmark.org/0.31.2/

Nothing that is said becomes markup; what GitHub and Pandoc add to that of CommonMark is escaped, too.
"""

from __future__ import annotations

import re

from models.record.transcript import Chapter, Transcript
from outputs.formats.format import NAMES_AND_TIMES, TextStyle
from outputs.text.chapters import chapters_note, summary_note, summary_of
from outputs.text.document import contents, facts_of, title_of
from outputs.text.paragraphs import Paragraph, Passage
from outputs.text.times import clock
from outputs.text.translations import notice

# Emphasis, code, links, tags, headings; beyond CommonMark struck text, mathematics, footnotes, attributes, addresses.
_MARKUP = re.compile(r"[\\`*_\[\]<>#~$^|{}=@]")
_REFERENCE = re.compile(r"&(?=#|\w+;)")
_ADDRESS = re.compile(r":(?=//)|(?<=\bwww)\.", re.IGNORECASE)
_BEGINNING = re.compile(
    r"^(\d{1,9}(?=[.)])|)(?=[-+.):%])"
)  # of a line that would be an item of a list, or metadata


def render(transcript: Transcript, style: TextStyle = NAMES_AND_TIMES) -> str:
    """The document; a translation says so first, and so does what no person wrote."""
    names = style.names
    blocks = [f"# {escaped(title_of(transcript))}", escaped(facts_of(transcript, names=names))]
    if said := notice(transcript):
        blocks.append(f"*{escaped(said)}*")
    if summary := summary_of(transcript):
        sentences = (f"{one.text} ({clock(one.start)})" for one in summary)
        blocks += [escaped(" ".join(sentences)), f"*{escaped(summary_note(transcript))}*"]
    if said := chapters_note(transcript):
        blocks.append(f"*{escaped(said)}*")
    for part in contents(transcript):
        blocks += _heading(part) if isinstance(part, Chapter) else _passage(part, style)
    return "\n\n".join(filter(None, blocks)) + "\n"


def escaped(text: str) -> str:
    """A line of text that reads the same once it is rendered.

    >>> print(escaped("1. *No*, 3 < 4 & C# is at https://example.org"))
    1\\. \\*No\\*, 3 \\< 4 & C\\# is at https\\://example.org
    """
    text = _REFERENCE.sub(r"\\&", _MARKUP.sub(r"\\\g<0>", text))
    return _BEGINNING.sub(r"\1\\", _ADDRESS.sub(r"\\\g<0>", text))


def _heading(chapter: Chapter) -> list[str]:
    return [f"## {escaped(chapter.title)}", f"<{chapter.url}>" if chapter.url else ""]


def _passage(passage: Passage, style: TextStyle) -> list[str]:
    name = f"**{escaped(passage.speaker)}**" if style.names and passage.speaker else ""
    time = f"({clock(passage.start)})" if style.tells_time(first=True) else ""
    heading = " ".join(filter(None, (name, time)))
    first, *others = passage.paragraphs
    return [heading, escaped(first.text), *(_later(one, style) for one in others)]


def _later(paragraph: Paragraph, style: TextStyle) -> str:
    time = f"({clock(paragraph.start)}) " if style.tells_time(first=False) else ""
    return f"{time}{escaped(paragraph.text)}"
