"""Where it is not sure who speaks, for who reads or corrects the transcript."""

from __future__ import annotations

from models.record.transcript import Segment, Word

UNSURE = 0.6  # below this about every second speaker is wrong: worth a look, and a mark for the reader


def is_unsure(said: Word | Segment) -> bool:
    """Whether the speaker may well be another one; not where nothing tells how sure it is.

    >>> is_unsure(Word(0, 1, " yes", speaker_probability=0.5)), is_unsure(Word(0, 1, " yes"))
    (True, False)
    """
    return said.speaker_probability is not None and said.speaker_probability < UNSURE
