"""Transcripts to test the writers with: a plain one, and strategies for nasty ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from models.record.languages import language_shares
from models.record.transcript import (
    FROM_FILE,
    SEPARATE,
    AudioFile,
    Chapter,
    Chapters,
    Episode,
    Evidence,
    LanguageShare,
    Person,
    Repair,
    Review,
    Segment,
    Speaker,
    Summary,
    SummarySentence,
    Track,
    TrackDecision,
    TrackPiece,
    Transcript,
    Translation,
    Turn,
    Word,
)
from outputs.library.corrections import Correction, changes, written
from outputs.text.characters import one_line

NASTY_TEXTS = [
    "A & B <c>",
    "-->",
    "--",
    ">",
    "00:00:01,000 --> 00:00:02,000",
    "1",
    "<v Bob>",
    "{\\an8}",
    "🎙️",
    "👩‍👩‍👧‍👦👍🏽",
    "two\nlines",
    "carriage\r\nreturn",
    "line\u2028separator\x85next\x0bvertical",
    "\x00nul\x1b",
    "مرحبا بالعالم",
    "\u200fעברית\u200f",
    "字幕字幕字幕字幕字幕字幕字幕字幕字幕字幕字幕字幕字幕字幕字幕字幕字幕",
    "こんにちは。",
    "สวัสดีครับ",
    "한국어",
    "nai\u0308ve",
    "no\u00a0break",
    "\u00a0",
    "\u3000",
    "",
    " ",
    "?",
    "Pneumonoultramicroscopicsilicovolcanoconiosis-and-then-some-more-of-it-still-going",
    "\\",
    '"quoted"',
    "&amp;",
    "WEBVTT",
    "NOTE",
    "[brackets]",
]
LABELS = ["SPEAKER_00", "SPEAKER_01", "SPEAKER_02"]

texts = st.sampled_from(NASTY_TEXTS) | st.text(max_size=12)
languages = st.sampled_from(["", "", "en", "ja", "he", "-->", '<"&\n-', "de-"])
times = st.floats(0, 60, allow_nan=False)
whole_times = st.integers(0, 7_200_000).map(lambda ms: ms / 1000)


def words(seconds: st.SearchStrategy[float] = times) -> st.SearchStrategy[Word]:
    """Words with nasty text, in no order of time, some that end before they start."""
    spaced = st.tuples(st.sampled_from(["", " ", " ", " "]), texts).map("".join)
    speakers = st.none() | st.sampled_from(LABELS)
    return st.builds(
        Word, seconds, seconds, spaced, st.floats(0, 1), speakers, st.booleans(), language=languages
    )


def segments(seconds: st.SearchStrategy[float] = times) -> st.SearchStrategy[Segment]:
    """Segments that may be empty or overlap, and whose words may be in other languages than they say."""
    speakers = st.none() | st.sampled_from(LABELS)
    said = st.lists(words(seconds), max_size=12).map(tuple)
    begins = st.sampled_from([None, None, True, False])
    return st.builds(Segment, seconds, seconds, speakers, said, language=languages, paragraph=begins)


def transcripts(
    seconds: st.SearchStrategy[float] = times, names: st.SearchStrategy[str] = texts
) -> st.SearchStrategy[Transcript]:
    """Whole transcripts in which everything is nasty at once."""
    people = st.builds(Person, texts, texts)
    return st.builds(
        Transcript,
        st.builds(
            Episode, texts, texts, texts, texts, texts, texts, texts, st.lists(people, max_size=2).map(tuple)
        ),
        st.builds(AudioFile, texts, texts, seconds),
        languages,
        st.lists(segments(seconds), max_size=6).map(tuple),
        st.tuples(*(st.builds(Speaker, st.just(label), names, st.just("feed")) for label in LABELS)),
        st.lists(st.builds(Turn, seconds, seconds, texts), max_size=4).map(tuple),
        st.lists(st.builds(Turn, seconds, seconds, texts), max_size=4).map(tuple),
        st.dictionaries(texts, st.integers() | texts | st.lists(texts, max_size=2), max_size=3),
        st.lists(texts, max_size=2).map(tuple),
        st.lists(st.builds(Repair, seconds, seconds, texts, texts, texts), max_size=2).map(tuple),
        st.lists(st.builds(Evidence, texts, texts, texts, seconds), max_size=2).map(tuple),
        st.none() | st.builds(TrackDecision, texts, texts, st.lists(_tracks(seconds), max_size=2).map(tuple)),
        st.lists(st.builds(LanguageShare, languages, st.floats(0, 1)), max_size=3).map(tuple),
        st.lists(_translations(seconds), max_size=1).map(tuple),
        told_chapters(seconds),
        st.none() | _summaries(seconds),
        st.none() | st.builds(Review, st.integers(0, 9), st.integers(0, 9)),
    )


def told_chapters(seconds: st.SearchStrategy[float] = times) -> st.SearchStrategy[Chapters]:
    """Chapters in no order, some that end before they begin."""
    chapters = st.builds(Chapter, seconds, texts, st.none() | seconds, texts, texts, st.booleans(), texts)
    return st.builds(Chapters, texts, st.lists(chapters, max_size=3).map(tuple), texts)


def _summaries(seconds: st.SearchStrategy[float]) -> st.SearchStrategy[Summary]:
    return st.builds(
        Summary, texts, st.lists(st.builds(SummarySentence, texts, seconds), max_size=2).map(tuple)
    )


def _translations(seconds: st.SearchStrategy[float]) -> st.SearchStrategy[Translation]:
    return st.builds(Translation, languages, texts, st.lists(segments(seconds), max_size=2).map(tuple))


def _tracks(seconds: st.SearchStrategy[float]) -> st.SearchStrategy[Track]:
    pieces = st.builds(TrackPiece, seconds, seconds, seconds, seconds)
    labels = st.lists(texts, max_size=2).map(tuple)
    return st.builds(Track, texts, texts, labels, st.lists(pieces, max_size=2).map(tuple), st.booleans())


def letters(text: str) -> str:
    """The text without white space and control characters: what no writer may lose or reorder.

    SubRip has an arrow for "-->", which it can't hold.
    """
    return re.sub(r"\s", "", one_line(text)).replace("-->", "→")


def spoken(transcript: Transcript) -> str:
    """The letters of all words in order."""
    return letters("".join(word.text for word in transcript.words))


def said(
    text: str,
    start: float = 0.0,
    each: float = 0.3,
    speaker: str | None = "SPEAKER_00",
    language: str = "",
) -> Segment:
    """A segment whose words follow each other at an even pace."""
    found = tuple(
        Word(round(start + i * each, 3), round(start + (i + 1) * each, 3), f" {word}", language=language)
        for i, word in enumerate(text.split(" "))
    )
    return Segment(found[0].start, found[-1].end, speaker, found, language=language)


def talk(*parts: Segment, language: str = "en", **names: str) -> Transcript:
    """An episode of these segments; `SPEAKER_00="Ann"` names a speaker."""
    end = max((segment.end for segment in parts), default=0.0)
    return Transcript(
        Episode("0b5e", "The Show", "guid-1", "Pilot & co", people=(Person("Ann"),)),
        AudioFile("/audio/pilot.mp3", "ab" * 32, end + 5),
        language,
        parts,
        tuple(Speaker(label, name, "feed", 0.9) for label, name in names.items()),
        tuple(Turn(segment.start, segment.end, segment.speaker or "?") for segment in parts),
        engine={"whisper": "base"},
        languages=language_shares((word for segment in parts for word in segment.words), language),
    )


def apart(transcript: Transcript) -> Transcript:
    """The same transcript as one of people who had tracks of their own."""
    return replace(transcript, tracks=TrackDecision(SEPARATE, "Each has one."))


def unsure(transcript: Transcript, at: int, probability: float = 0.5) -> Transcript:
    """The same transcript with a segment whose speaker is as unsure as that."""
    return _with_words(transcript, at, speaker_probability=probability)


def spoken_over(transcript: Transcript, at: int) -> Transcript:
    """The same transcript with a segment during which somebody else speaks."""
    return _with_words(transcript, at, overlap=True)


def _with_words(transcript: Transcript, at: int, **changes: Any) -> Transcript:
    segments = list(transcript.segments)
    words = tuple(replace(word, **changes) for word in segments[at].words)
    segments[at] = replace(segments[at], words=words)
    return replace(transcript, segments=tuple(segments))


def word_changes(words: Sequence[Word], text: str, edit: int = 0) -> list[Correction]:
    """The corrections that make consecutive words read `text`."""
    found = (written(words[change.first : change.last], change.now) for change in changes(words, text))
    return [replace(one, edit=edit) for one in found]


CONVERSATION = talk(
    said("Welcome back to the show, everybody. I'm Ann.", 0.5),
    said("And I'm Bob, hello!", 4.0, speaker="SPEAKER_01"),
    said("So what did you find out?", 6.0),
    said("Somebody coughs.", 9.0, speaker=None),
    SPEAKER_00="Ann",
    SPEAKER_01="Bob",
)

# A show's own chapters: one with a page and its end, one that only shows a picture.
WITH_CHAPTERS = replace(
    CONVERSATION,
    chapters=Chapters(
        FROM_FILE,
        (
            Chapter(0.0, "Hello & <b>", image="https://example.org/hello.png"),
            Chapter(4.0, "", image="https://example.org/bob.png", listed=False),
            Chapter(6.0, "What they found", end=8.5, url="https://example.org/found?a=1&b=2"),
        ),
    ),
)

# Bob throws a word into a long sentence of Ann's, then both talk for some seconds.
CROSSTALK = apart(
    talk(
        said("When we came to the old house by the river there was nobody, so we waited for hours.", 0.5),
        said("Mhm.", 2.6, speaker="SPEAKER_01"),
        said("And then it began to rain, I remember that quite well.", 6.0),
        said("No, the rain had started long before we came there.", 7.2, speaker="SPEAKER_01"),
        said("Had it?", 11.0),
        SPEAKER_00="Ann",
        SPEAKER_01="Bob",
    )
)

# Ann speaks English and German, Bob English.
BILINGUAL = talk(
    said("Welcome back to the show.", 0.5, language="en"),
    said("Und jetzt auf Deutsch, damit es alle verstehen können.", 2.5, language="de"),
    said("I understood that.", 6.0, speaker="SPEAKER_01", language="en"),
    said("Sehr schön.", 8.0, language="de"),
    SPEAKER_00="Ann",
    SPEAKER_01="Bob",
)
