"""What a format is; see `outputs.formats` for how to add one."""

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

    def translated_name(self, language: str) -> str:
        """The name on disk of a translation: "transcript.en.vtt"."""
        stem, _, extension = self.file_name.rpartition(".")
        return f"{stem}.{language}.{extension}"
