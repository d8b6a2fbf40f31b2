"""Whether an Ogg file was finished: its length is told by its last page, so that one which was cut tells no other."""

from __future__ import annotations

import os
from pathlib import Path

PAGE = b"OggS"
FLAGS_AT = 5  # bytes into the header of a page
END_OF_STREAM = 0x04
LOOKED_AT = 2 * 65_307  # bytes: two pages of the greatest size


def is_finished(path: str | os.PathLike[str]) -> bool:
    """Whether one of the last pages is the last of its stream."""
    with Path(path).open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - LOOKED_AT))
        tail = file.read()
    at = tail.find(PAGE)
    while at >= 0:
        if tail[at + FLAGS_AT : at + FLAGS_AT + 1] and tail[at + FLAGS_AT] & END_OF_STREAM:
            return True
        at = tail.find(PAGE, at + 1)
    return False
