"""What a run may be told: each option once, with its type, default and help.

From `RunOptions` come the options of `episcribe run`, the parameter form of the deployment, and, by what they share
in `EpisodeOptions`, the settings of a show. To add an option, add a field and read it where it counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, field_validator

from outputs.formats.registry import CHOICES, OF_CHAPTERS

if TYPE_CHECKING:
    from models.asr.transcription import TranscriptionOptions
    from models.diarisation.diariser import DiariserOptions

DEFAULT_LIBRARY = "library"
DEFAULT_FORMATS = ("json", "srt", "vtt", "txt", "html", "rttm", *OF_CHAPTERS)
AUTO = "auto"  # model: what the quality comes to

Quality = Literal["fast", "balanced", "best"]


@dataclass(frozen=True)
class CommandLine:
    """How an option looks on the command line, where its field doesn't tell.

    name: its own. unset: what it is unless set. repeated: that it is given once for each of several values, instead of
    once with commas.
    """

    name: str = ""
    unset: str = ""
    repeated: bool = False


class EpisodeOptions(BaseModel):
    """How the episodes of a show are to be heard."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quality: Quality = Field(
        "balanced", description="fast, balanced or best: chooses Whisper's model and beam."
    )
    model: str = Field(
        AUTO, description="auto: by quality; or tiny.en, base, small, large-v3-turbo, a folder, a hub id."
    )
    language: Annotated[str | None, CommandLine(unset="detected")] = Field(
        None, description="The one that is spoken: its ISO 639-1 code, such as en."
    )
    languages: Annotated[tuple[str, ...], CommandLine(unset="all")] = Field(
        (), description="Those that may be spoken, comma-separated: en,de."
    )
    script: Annotated[Literal["hans", "hant", "latn", "cyrl"] | None, CommandLine(unset="of most words")] = (
        Field(None, description="Chinese simplified (hans) or traditional (hant), Serbian in latn or cyrl.")
    )
    vocabulary: tuple[str, ...] = Field((), description="Names and terms to spell right, comma-separated.")
    speakers: Annotated[int | None, CommandLine(unset="estimated")] = Field(
        None, ge=1, description="Exact number of speakers."
    )
    min_speakers: int | None = Field(None, ge=1, description="At least this many speakers.")
    max_speakers: int | None = Field(None, ge=1, description="At most this many speakers.")
    diariser: str = Field("auto", description="auto, offline, community-1 or none.")
    known_people: Annotated[tuple[str, ...], CommandLine(name="people")] = Field(
        (),
        validation_alias=AliasChoices("known_people", "people"),
        description="Who may speak, rightly spelt: names with commas.",
    )
    voices: Literal["known", "all", "off"] = Field(
        "known", description="Whose voices to keep: known, all or off."
    )
    published_transcript: Literal["use", "off"] = Field(
        "use", description="A transcript that the feed offers, as a witness for names and terms: use or off."
    )
    audio_track: Annotated[str | None, CommandLine(unset="the one with speech")] = Field(
        None, description="Of several audio tracks the one to hear: its number, or its language."
    )
    tracks: Literal["auto", "mix", "separate"] = Field(
        "auto",
        description="Whether the streams or channels of a file are people: auto looks; mix: none, separate: all.",
    )
    translate: tuple[str, ...] = Field(
        (),
        description="Languages to add subtitles in, comma-separated: en by Whisper, others by --translator.",
    )
    translator: Annotated[str | None, CommandLine(unset="Whisper, into English")] = Field(
        None, description="A translation model of CTranslate2: a folder or a hub id."
    )
    chapters: Literal["auto", "told", "off"] = Field(
        "auto",
        description="auto: those of feed, audio and notes, else proposed from what is said; told: none proposed; off.",
    )
    assistant: Literal["use", "off"] = Field(
        "use",
        description="The language model of the settings, if there is one, for titles and a summary: use or off.",
    )
    keep_audio: bool = Field(False, description="Keep the audio in the folder, for the page to play.")

    @field_validator("translate")
    @classmethod
    def _as_tags(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        """Languages as BCP 47 writes them: "en" for "EN", "pt-BR" for "pt_br"; what is none stays, to be refused."""
        if not languages:
            return ()
        from langcodes import standardize_tag, tag_is_valid

        return tuple(standardize_tag(one) if tag_is_valid(one) else one for one in languages)


class RunOptions(EpisodeOptions):
    """The options of `episcribe run`; unknown names are errors."""

    track: Annotated[tuple[str, ...], CommandLine(unset="none", repeated=True)] = Field(
        (),
        description="A track of one person, as NAME=FILE; once for each. SOURCE is the mix then, if given.",
    )
    out: Annotated[str | None, CommandLine(unset="in the library")] = Field(
        None, description="The episode folder itself."
    )
    library: Annotated[str, CommandLine(unset="of episcribe.toml, or library")] = Field(
        DEFAULT_LIBRARY, description="The folder, or fsspec URL, that holds all shows."
    )
    episode: str = Field("latest", description="For a feed: latest, a guid, or N, 1 being the newest.")
    device: str = Field("auto", description="auto, cpu or cuda.")
    formats: tuple[str, ...] = Field(
        DEFAULT_FORMATS,
        description=f"Comma-separated: {', '.join(CHOICES)}. episode.json always comes.",
    )
    force: bool = Field(False, description="Compute every step anew.")
    allow_private: bool = Field(False, description="Accept URLs of this machine and of private networks.")
    extractors: Literal["use", "off"] = Field(
        "use", description="yt-dlp for pages in which no audio is found otherwise: use or off."
    )

    def transcription(self) -> TranscriptionOptions:
        """The part that decides the words, with what the quality comes to here; raises as `choose` does."""
        from flows.quality import choose
        from models.asr.transcription import TranscriptionOptions

        chosen = choose(self.quality, self.device, self.model)
        return TranscriptionOptions(
            model=chosen.model,
            language=self.language,
            languages=self.languages,
            device=self.device,
            beam_size=chosen.beam_size,
        )

    def diarisation(self) -> DiariserOptions:
        """The part that decides the turns; InputError where it contradicts itself."""
        from models.diarisation.diariser import DiariserOptions

        return DiariserOptions(
            model=self.diariser,
            speakers=self.speakers,
            min_speakers=self.min_speakers,
            max_speakers=self.max_speakers,
            device=self.device,
        )
