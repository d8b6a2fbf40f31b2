"""What a format is.

To add one: write a module with `render(transcript) -> str` that takes everything from the transcript
and touches no file, and name it in `outputs/formats/registry.py`. Its test goes to `tests/outputs/`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from models.record.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Format:
    """A file that we publish: what users call it, its name on disk, its media type, its writer."""

    name: str
    file_name: str
    media_type: str
    render: Callable[[Transcript], str]
