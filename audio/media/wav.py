"""How long a WAV file says it is: ffmpeg goes by the bytes that are there, and so does not notice when some are not."""

from __future__ import annotations

import os
import struct
from pathlib import Path

MAX_CHUNKS = 100  # before the samples; more is an attack or a mistake
UNKNOWN_BYTES = 0x7FFF_FF00  # programs that write to a pipe put something from here on


def declared_seconds(path: str | os.PathLike[str]) -> float | None:
    """The length that the header of a WAV file declares; None where it doesn't, or the file is something else."""
    with Path(path).open("rb") as file:
        form, _, kind = struct.unpack("<4sI4s", file.read(12).ljust(12, b"\0"))
        if (form, kind) != (b"RIFF", b"WAVE"):
            return None
        rate = 0  # bytes a second
        for _ in range(MAX_CHUNKS):
            name, size = struct.unpack("<4sI", file.read(8).ljust(8, b"\0"))
            if name == b"data":
                return size / rate if rate and 0 < size < UNKNOWN_BYTES else None
            begin = file.tell()
            if name == b"fmt ":
                rate = struct.unpack("<8xI", file.read(12).ljust(12, b"\0"))[0]
            file.seek(begin + size + size % 2)
    return None
