"""What a run may be told, as one checked value that also is a deployment's parameter form."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from models.asr.transcription import TranscriptionOptions
from models.diarisation.diariser import DiariserOptions

DEFAULT_LIBRARY = "library"
DEFAULT_FORMATS = ("json", "srt", "vtt", "txt", "html", "rttm")


class RunOptions(BaseModel):
    """The options of `episcribe run`; see its help. Unknown names are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    out: str | None = Field(None, description="episode folder; default: a folder of the library")
    library: str = Field(DEFAULT_LIBRARY, description="folder that holds all shows")
    episode: str = Field("latest", description="for a feed: latest, a guid, or N counted from the newest")
    model: str = "auto"
    language: str | None = None
    vocabulary: tuple[str, ...] = Field(
        (), description="names and terms of the show, spelled as they should be"
    )
    speakers: int | None = None
    min_speakers: int | None = None
    max_speakers: int | None = None
    diariser: str = "auto"
    device: str = "auto"
    formats: tuple[str, ...] = DEFAULT_FORMATS
    known_people: tuple[str, ...] = Field((), description="who may speak in the show, rightly spelt")
    voices: Literal["known", "all", "off"] = Field(
        "known",
        description="whose voices the show keeps: known people's, everybody's named for sure, nobody's",
    )
    keep_audio: bool = Field(False, description="keep the audio in the episode's folder, for its page")
    force: bool = Field(False, description="compute every step anew")
    allow_private: bool = Field(False, description="accept URLs of this machine and of private networks")

    def transcription(self) -> TranscriptionOptions:
        """The part that decides the words."""
        return TranscriptionOptions(model=self.model, language=self.language, device=self.device)

    def diarisation(self) -> DiariserOptions:
        """The part that decides the turns; InputError where it contradicts itself."""
        return DiariserOptions(
            model=self.diariser,
            speakers=self.speakers,
            min_speakers=self.min_speakers,
            max_speakers=self.max_speakers,
            device=self.device,
        )
