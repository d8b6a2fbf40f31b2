"""The plain text of an episode, as show notes print it: "Name (mm:ss)" above each paragraph."""

from __future__ import annotations

from models.record.transcript import Transcript
from outputs.formats.format import NAMES_AND_TIMES, TextStyle
from outputs.text.paragraphs import Passage, passages
from outputs.text.times import clock
from outputs.text.translations import notice


def render(transcript: Transcript, style: TextStyle = NAMES_AND_TIMES) -> str:
    """The passages with a blank line between paragraphs; "" where nobody speaks. A translation says so first."""
    blocks = [_block(passage, style) for passage in passages(transcript)]
    return "\n".join([f"{said}\n", *blocks] if (said := notice(transcript)) else blocks)


def _block(passage: Passage, style: TextStyle) -> str:
    name = passage.speaker if style.names else ""
    time = f"({clock(passage.start)})" if style.tells_time(first=True) else ""
    heading = f"{name} {time}".strip()
    first, *others = passage.paragraphs
    later = [f"({clock(one.start)})\n" if style.tells_time(first=False) else "" for one in others]
    text = "\n\n".join([first.text, *(f"{time}{one.text}" for time, one in zip(later, others, strict=True))])
    return f"{heading}\n{text}\n" if heading else f"{text}\n"
