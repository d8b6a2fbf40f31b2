"""What the stages hand to each other: plain frozen values, all times in seconds as float.

Nothing heavy is imported here, so every folder may import this module. Values compare by content
and hold tuples, never lists, so a finished transcript can't be changed behind somebody's back.
Times are rounded once, to milliseconds, by the writers in `outputs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

SCHEMA_VERSION = 1
ASIDE_WORDS = 3  # what a listener throws in without taking the floor ...
ASIDE_SECONDS = 1.5  # ... are at most so many words, in that time
SEPARATE, MIX = "separate", "mix"  # how an episode's tracks are heard
FROM_FILE, FROM_FEED, FROM_AUDIO, FROM_NOTES = "file", "feed", "audio", "notes"  # who tells chapters ...
PROPOSED, BY_USER = "proposed", "user"  # ... or makes them
MAX_CHAPTERS = 1000  # of an episode
ADDED: Mapping[str, bool] = {"added": True}  # marks fields that older records of this schema don't have


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody a feed credits. `role` is the podcast namespace's, lower case: "host", "guest", ..."""

    name: str
    role: str = "host"


@dataclass(frozen=True, slots=True)
class TranscriptLink:
    """A transcript that a feed offers (podcast:transcript). `rel` is "captions" for time-coded ones."""

    url: str
    type: str
    language: str = ""
    rel: str = ""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of an episode with a title, from `start` to `end` seconds; None: to the next one, or to the end.

    `url` is a page about it, `image` the address of a picture, `listed` whether it is to be in a table of contents
    (Podcasting 2.0's `toc`): other chapters only show a picture or a link while they are heard.
    `by` names the language model that wrote the title; "" where nobody did but those whom `Chapters.source` tells.
    """

    start: float
    title: str
    end: float | None = field(default=None, metadata=ADDED)
    url: str = field(default="", metadata=ADDED)
    image: str = field(default="", metadata=ADDED)
    listed: bool = field(default=True, metadata=ADDED)
    by: str = field(default="", metadata=ADDED)


@dataclass(frozen=True, slots=True)
class Chapters:
    """The chapters of an episode, in order of time, and who says so; false where there are none.

    `source` is FROM_FILE (podcast:chapters), FROM_FEED (Podlove Simple Chapters), FROM_AUDIO (ID3, MP4, Matroska),
    FROM_NOTES, PROPOSED (by us, from what is said; `engine` is the model), or BY_USER.
    """

    source: str = ""
    chapters: tuple[Chapter, ...] = ()
    engine: str = ""

    def __bool__(self) -> bool:
        return bool(self.chapters)

    @property
    def proposed(self) -> bool:
        """Whether no person made them."""
        return self.source == PROPOSED


@dataclass(frozen=True, slots=True)
class SummarySentence:
    """A sentence of a summary, and when that was said on which it rests, in seconds."""

    text: str
    start: float


@dataclass(frozen=True, slots=True)
class Summary:
    """What an episode is about, as the language model `engine` writes it."""

    engine: str
    sentences: tuple[SummarySentence, ...] = ()


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A place where a feed says that an episode's media lies; `length` in bytes, 0 where it doesn't say.

    `sri` are checksums that the bytes must have, as Subresource Integrity writes them, "" for none.
    """

    url: str
    type: str = ""
    length: int = 0
    sri: str = field(default="", metadata=ADDED)


@dataclass(frozen=True, slots=True)
class Episode:
    """One item of a feed, or a bare file or URL dressed as one.

    `published` is an ISO 8601 date-time with offset, `notes` plain text. Unknown text is "". `duration` is
    what the feed claims, in seconds, 0 where it doesn't. `language` is as the feed writes it ("en-us"),
    `transcripts` are those that it offers already, `chapters` those it tells itself (Podlove Simple Chapters),
    `chapters_url` where JSON chapters are (podcast:chapters).
    `feed_url` is where the show lives, the same for all its episodes, without a login, and
    `show_guid` its podcast:guid. `audio_key` tells the audio from all others of the feed, whatever is written
    around its address; see `models.record.identity`. `enclosures` are all places of its media, `audio_url` first
    and the others in the order in which they are to be tried; a published record has none of them. `type` is Apple's:
    "full", "trailer" or "bonus", "" where the feed doesn't say.
    """

    id: str
    show: str = ""
    guid: str = ""
    title: str = ""
    published: str = ""
    audio_url: str = ""
    notes: str = ""
    people: tuple[Person, ...] = ()
    feed_url: str = field(default="", metadata=ADDED)
    duration: float = field(default=0.0, metadata=ADDED)
    language: str = field(default="", metadata=ADDED)
    transcripts: tuple[TranscriptLink, ...] = field(default=(), metadata=ADDED)
    chapters: tuple[Chapter, ...] = field(default=(), metadata=ADDED)
    chapters_url: str = field(default="", metadata=ADDED)
    show_guid: str = field(default="", metadata=ADDED)
    audio_key: str = field(default="", metadata=ADDED)
    enclosures: tuple[Enclosure, ...] = field(default=(), metadata=ADDED)
    type: str = field(default="", metadata=ADDED)


@dataclass(frozen=True, slots=True)
class AudioFile:
    """Audio bytes on disk: where they are on this machine, what they are, how long they play.

    `track` is the stream of the file that was heard, counted from 0 over all its streams; None where that isn't known.
    """

    path: str
    sha256: str
    seconds: float
    track: int | None = field(default=None, metadata=ADDED)


@dataclass(frozen=True, slots=True)
class Word:
    """A word as the recogniser wrote it, with the white space that precedes it in running text.

    >>> "".join(w.text for w in (Word(0, 0.4, " Hello"), Word(0.4, 0.8, " there.")))
    ' Hello there.'

    `overlap` tells that somebody else speaks at the same time: text and speaker are less sure there.
    `speaker_probability` is how sure the speaker is, None where nobody tells. `language` is the ISO 639-1 code of what
    it was heard as, "" where that is the transcript's.
    """

    start: float
    end: float
    text: str
    probability: float = 1.0
    speaker: str | None = None
    overlap: bool = field(default=False, metadata=ADDED)
    speaker_probability: float | None = field(default=None, metadata=ADDED)
    language: str = field(default="", metadata=ADDED)


@dataclass(frozen=True, slots=True, order=True)
class Turn:
    """A stretch of time in which `speaker` (a label such as "SPEAKER_00") speaks.

    `probability` is how sure it is that the voice is the speaker's.
    """

    start: float
    end: float
    speaker: str
    probability: float = field(default=1.0, metadata=ADDED)

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Voice:
    """How one speaker sounds: the mean embedding over `seconds` of clean speech.

    `model` names the embedding network; embeddings of different models never compare.
    """

    speaker: str
    embedding: tuple[float, ...]
    seconds: float
    model: str


@dataclass(frozen=True, slots=True)
class Diarisation:
    """Who speaks when.

    `turns` may overlap where people talk at once; in `exclusive` at most one speaks at a time,
    which is what words are matched with. Both are in order of time. `voices` has one entry a label.
    `warnings` say what may be doubted, and how much.
    """

    turns: tuple[Turn, ...] = ()
    exclusive: tuple[Turn, ...] = ()
    voices: tuple[Voice, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Repair:
    """A stretch that was decoded again, or whose words were removed, and what it said before and after.

    `reason` is "lost" (speech without words, which were found), "loop" (a phrase over and over), "wordless" (words
    where nobody speaks), "unsure", "language" (another is spoken there), "vocabulary" (a name spelled right), "twice"
    (words that two decodings in a row heard), or "unheard" (somebody speaks and no words were found).
    """

    start: float
    end: float
    reason: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """Consecutive words of one speaker that read as a sentence (or what there is of one).

    `continues` tells that it goes on with the sentence this speaker had begun when another threw in a word or cut in.
    `language` is that of its words, which are all of one; "" where that is the transcript's. `paragraph` tells whether
    a person wants it to begin a paragraph (true) or to go on with the one before (false); None: its length decides.
    """

    start: float
    end: float
    speaker: str | None
    words: tuple[Word, ...]
    continues: bool = field(default=False, metadata=ADDED)
    language: str = field(default="", metadata=ADDED)
    paragraph: bool | None = field(default=None, metadata=ADDED)

    @property
    def text(self) -> str:
        """The words as running text, without white space around it."""
        return "".join(word.text for word in self.words).strip()

    def with_words(self, words: tuple[Word, ...]) -> Segment:
        """The same segment of other words, one or more in order: it begins and ends with them."""
        return replace(self, start=words[0].start, end=max(word.end for word in words), words=words)

    @property
    def brief(self) -> bool:
        """Whether it is no more than what a listener throws in: "mhm", "yes, of course"."""
        return len(self.words) <= ASIDE_WORDS and self.end - self.start <= ASIDE_SECONDS

    @property
    def speaker_probability(self) -> float | None:
        """How sure the speaker is: the mean of what the words tell, None where none does."""
        told = [word.speaker_probability for word in self.words if word.speaker_probability is not None]
        return sum(told) / len(told) if told else None


@dataclass(frozen=True, slots=True)
class Speaker:
    """What a label is called, how we know (`source`) and how sure we are (0 to 1)."""

    label: str
    name: str
    source: str = "order"
    confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """A hint that a label is somebody (`weight` above 0) or is not (below 0), in log-odds.

    `kind` is what sort of hint, `start` when it was said (None for what nobody said), `words` what was
    said or found.
    """

    label: str
    name: str
    kind: str
    weight: float
    start: float | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class TrackPiece:
    """A stretch of a track that is in the episode from `start` to `end`, in seconds of the episode.

    What is heard at the time t of the episode is in the track at `offset` + t * (1 + `drift_ppm` * 1e-6) seconds.
    """

    start: float
    end: float
    offset: float
    drift_ppm: float = 0.0


@dataclass(frozen=True, slots=True)
class Track:
    """A recording of one person, or of a few at one microphone, beside those of the others.

    `name` is what it calls who speaks ("" where it doesn't), `given` whether the user said so, `file` its name on disk
    without folders, `labels` those whose speech it holds, and `pieces` where it lies in the episode, in order of time.
    """

    name: str
    file: str
    labels: tuple[str, ...] = ()
    pieces: tuple[TrackPiece, ...] = ()
    given: bool = False


@dataclass(frozen=True, slots=True)
class TrackDecision:
    """How an episode's tracks were heard: `mode` is "separate" or "mix", `why` one sentence."""

    mode: str
    why: str
    tracks: tuple[Track, ...] = ()


@dataclass(frozen=True, slots=True)
class LanguageShare:
    """A language that is spoken in an episode (ISO 639-1 code), and its share of the time of all words, 0 to 1."""

    language: str
    share: float


@dataclass(frozen=True, slots=True)
class Translation:
    """What was said, in another language (ISO 639-1 code), by the model `engine`.

    Its segments have the speakers of those that they translate, and times of the speech.
    """

    language: str
    engine: str
    segments: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True)
class Review:
    """How many words, speakers and names were doubtful (`doubts`), and how many of them people have looked at."""

    doubts: int
    reviewed: int


@dataclass(frozen=True, slots=True)
class Transcript:
    """The full record of one processed episode; every output file is rendered from it alone.

    `language` is the ISO 639-1 code of the main language ("" where there is no speech to tell by), `languages` are all
    with their shares, the largest first, `translations` what was asked for. `turns` and `exclusive`
    are as in `Diarisation`, `engine` says with which models and versions it was made, `warnings` what
    the reader should know, `repairs` where the recogniser's first answer was not taken, `evidence` why
    speakers are called what they are called, `tracks` how people's own tracks were heard; None where there are none.
    `chapters` are those that are shown (`Episode.chapters` only what its feed tells), `summary` is there where a
    language model was asked for one.
    `review` tells how far people have come with what was doubtful; None where nobody has corrected anything.
    """

    episode: Episode
    audio: AudioFile
    language: str
    segments: tuple[Segment, ...] = ()
    speakers: tuple[Speaker, ...] = ()
    turns: tuple[Turn, ...] = ()
    exclusive: tuple[Turn, ...] = ()
    engine: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    repairs: tuple[Repair, ...] = field(default=(), metadata=ADDED)
    evidence: tuple[Evidence, ...] = field(default=(), metadata=ADDED)
    tracks: TrackDecision | None = field(default=None, metadata=ADDED)
    languages: tuple[LanguageShare, ...] = field(default=(), metadata=ADDED)
    translations: tuple[Translation, ...] = field(default=(), metadata=ADDED)
    chapters: Chapters = field(default=Chapters(), metadata=ADDED)
    summary: Summary | None = field(default=None, metadata=ADDED)
    review: Review | None = field(default=None, metadata=ADDED)
    schema: int = SCHEMA_VERSION

    @property
    def words(self) -> tuple[Word, ...]:
        """All words in the order in which they read: of time, but where two talk at once."""
        return tuple(word for segment in self.segments for word in segment.words)

    def language_of(self, said: Word | Segment) -> str:
        """The ISO 639-1 code of what a word or segment of it is in."""
        return said.language or self.language

    def name_of(self, label: str | None) -> str:
        """The name to print for a label: "" for no label, the label itself where nobody named it."""
        if label is None:
            return ""
        return next((s.name for s in self.speakers if s.label == label), label)

    def renamed(self, label: str, name: str) -> Transcript:
        """The same transcript in which the user calls `label` `name`."""
        speakers = tuple(
            Speaker(label, name, source="user", confidence=1.0) if s.label == label else s
            for s in self.speakers
        )
        return replace(self, speakers=speakers)
