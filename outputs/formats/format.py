"""What a format is; see `outputs.formats` for how to add one."""

from __future__ import annotations

from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from models.record.transcript import Transcript
    from outputs.captions.profiles import Profile

Kind = Literal["captions", "text", "data"]
Times = Literal["every-turn", "every-paragraph", "none"]


@dataclass(frozen=True, slots=True)
class TextStyle:
    """What a text to be read says beside the words: the names of those who speak, and when they begin."""

    names: bool = True
    times: Times = "every-turn"

    def tells_time(self, *, first: bool) -> bool:
        """Whether a paragraph tells when it begins: the first of what somebody says, or a later one."""
        return self.times == "every-paragraph" or (first and self.times == "every-turn")


NAMES_AND_TIMES = TextStyle()


@dataclass(frozen=True, slots=True)
class Format:
    """A file that we publish: what users call it, its name on disk, its media type, its writer.

    `writer` is the function that renders it, as entry points name one ("outputs.formats.srt:render"); it is imported
    when it is first called. It takes the transcript and returns the file's text, or bytes. `kind` tells what else it
    takes by keyword: "captions" a `profile` to cut cues by, "text" a `style`, "data" nothing. Captions and text are
    written of translations, too. `charset` is that of the file, "" where it is no text. `needs` is what an episode may
    lack, in a word, without which there is no file: its writer returns nothing then.
    """

    name: str
    file_name: str
    media_type: str
    writer: str
    kind: Kind = "data"
    charset: str = "utf-8"
    needs: str = ""

    def render(
        self, transcript: Transcript, *, profile: Profile | None = None, style: TextStyle | None = None
    ) -> bytes:
        """The content of its file, b"" where there is to be none; None for a choice is what the format does by itself.

        Raises InputError for a choice that it doesn't have.
        """
        self.check(profile=profile, style=style)
        given = {"profile": profile, "style": style}
        made = resolve_name(self.writer)(
            transcript, **{key: one for key, one in given.items() if one is not None}
        )
        # A file name that is not UTF-8 reaches us with lone surrogates; JSON reads their escapes back.
        return made if isinstance(made, bytes) else made.encode("utf-8", "backslashreplace")

    def check(self, *, profile: Profile | None = None, style: TextStyle | None = None) -> None:
        """InputError for a choice that it doesn't have."""
        from models.record.errors import InputError

        if profile is not None and self.kind != "captions":
            raise InputError(f"{self.name} has no cues that a profile could cut")
        if style is not None and self.kind != "text":
            raise InputError(f"{self.name} has names and times of its own: they can't be chosen")

    @property
    def translated(self) -> bool:
        """Whether it is written of translations, too."""
        return self.kind != "data"

    def translated_name(self, language: str) -> str:
        """The name on disk of a translation: "transcript.en.vtt"."""
        stem, _, extension = self.file_name.rpartition(".")
        return f"{stem}.{language}.{extension}"

    @property
    def content_type(self) -> str:
        """Its media type as HTTP headers tell it."""
        return f"{self.media_type}; charset={self.charset}" if self.charset else self.media_type
