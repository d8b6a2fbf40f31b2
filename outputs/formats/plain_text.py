"""The plain text of an episode, as show notes print it: "Name (mm:ss)" above each paragraph."""

from __future__ import annotations

from models.record.transcript import Transcript
from outputs.text.paragraphs import Passage, passages
from outputs.text.times import clock
from outputs.text.translations import notice


def render(transcript: Transcript) -> str:
    """The passages with a blank line between paragraphs; "" where nobody speaks. A translation says so first."""
    blocks = [_block(passage) for passage in passages(transcript)]
    return "\n".join([f"{said}\n", *blocks] if (said := notice(transcript)) else blocks)


def _block(passage: Passage) -> str:
    heading = f"{passage.speaker} ({clock(passage.start)})".lstrip()
    return f"{heading}\n" + "\n\n".join(one.text for one in passage.paragraphs) + "\n"
