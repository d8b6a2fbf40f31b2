"""Whether an MP3 file says how long it is: ffmpeg guesses by its first frames where it doesn't, and tells neither."""

from __future__ import annotations

import os
from pathlib import Path

from audio.media.id3 import syncsafe

TAG_HEADER = 10  # bytes
LOOKED_AT = 4 * 1024  # bytes after the tags in which the first frame must begin
COUNTS = (
    b"Xing",
    b"Info",
    b"VBRI",
)  # what encoders write into an empty first frame, with the number of frames


def counts_frames(path: str | os.PathLike[str]) -> bool:
    """Whether the first frame of an MP3 file holds a count of its frames, as Xing's or Fraunhofer's header does."""
    with Path(path).open("rb") as file:
        while (head := file.read(TAG_HEADER))[:3] == b"ID3" and len(head) == TAG_HEADER:
            file.seek(syncsafe(head[6:]), os.SEEK_CUR)
        file.seek(-len(head), os.SEEK_CUR)
        found = file.read(LOOKED_AT)
    return any(name in found for name in COUNTS)
