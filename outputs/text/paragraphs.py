"""The transcript as people read it: who speaks from when on, in paragraphs."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from models.record.punctuation import SENTENCE_END, finality
from models.record.transcript import Segment, Transcript, Word
from outputs.text.characters import is_spaceless, needs_space, one_line

PARAGRAPH_CHARS = 600  # a paragraph ends with the sentence that makes it this long, or with its language


@dataclass(frozen=True, slots=True)
class Part:
    """The words of a segment from index `first` up to `last`."""

    segment: Segment
    first: int
    last: int

    @property
    def words(self) -> tuple[Word, ...]:
        """Its words as the segment has them."""
        return self.segment.words[self.first : self.last]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Words of one speaker in one language (ISO 639-1 code, "" for an unknown one).

    `words` have the white space that precedes them in running text; `parts` are the same words in their segments.
    """

    language: str
    words: tuple[Word, ...]
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The words as running text, on one line."""
        return _text(self.words)

    @property
    def start(self) -> float:
        """When its first word is said, in seconds."""
        return self.words[0].start

    @property
    def speaker(self) -> str | None:
        """The label of who says it."""
        return self.parts[0].segment.speaker

    @property
    def seconds(self) -> float:
        """How long its segments take."""
        spans = ((part.words[0].start, part.words[-1].end) for part in self.parts)
        return sum(max(0.0, end - start) for start, end in spans)


@dataclass(frozen=True, slots=True)
class Passage:
    """All that one speaker says before somebody else does. `start` in seconds, `speaker` a name or "".

    `label` is the diarisation's for the speaker.
    """

    start: float
    label: str | None
    speaker: str
    paragraphs: tuple[Paragraph, ...]


def passages(transcript: Transcript, chapters: Sequence[float] = ()) -> list[Passage]:
    """The passages of a transcript in order. chapters: as of `paragraphs`."""
    result = []
    for segments in by_speaker(transcript.segments):
        label = segments[0].speaker
        name = one_line(transcript.name_of(label)).strip()
        result.append(
            Passage(segments[0].start, label, name, paragraphs(segments, transcript.language, chapters))
        )
    return result


def by_speaker(segments: Iterable[Segment]) -> list[tuple[Segment, ...]]:
    """The segments that say something, in the order in which they read, those of each passage together."""
    groups = groupby(unbroken(filter(_says_something, segments)), key=lambda segment: segment.speaker)
    return [tuple(group) for _, group in groups]


def _says_something(segment: Segment) -> bool:
    return any(_is_visible(word.text) for word in segment.words)


def _is_visible(text: str) -> bool:
    bare = text.strip()
    return bool(bare) and (bare.isprintable() or bool(one_line(bare).strip()))


def unbroken(segments: Iterable[Segment]) -> list[Segment]:
    """The segments in the order in which they read: what was thrown into a sentence comes after it.

    A sentence into which somebody cut with more than a word or two stays in two parts.
    """
    ordered: list[Segment] = []
    for segment in segments:
        ordered.insert(_end_of_sentence(ordered, segment) if segment.continues else len(ordered), segment)
    return ordered


def _end_of_sentence(ordered: Sequence[Segment], segment: Segment) -> int:
    """The index after the part of a sentence with which a segment goes on; the last where more came between."""
    place = len(ordered)
    while place and ordered[place - 1].speaker != segment.speaker and ordered[place - 1].brief:
        place -= 1
    return place if place and ordered[place - 1].speaker == segment.speaker else len(ordered)


def _text(words: Iterable[Word]) -> str:
    return one_line("".join(word.text for word in words)).strip()


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, or the part of one that a segment has; `begins`: whether a person has it begin a paragraph or not.

    `words` have the white space that precedes them in running text.
    """

    language: str
    words: list[Word]
    part: Part
    begins: bool | None

    @property
    def middle(self) -> float:
        """When half of its time is over, in seconds."""
        return (self.words[0].start + self.words[-1].end) / 2


def paragraphs(
    passage: Iterable[Segment], language: str, chapters: Sequence[float] = ()
) -> tuple[Paragraph, ...]:
    """The paragraphs of consecutive segments of one speaker. language: that of segments that don't tell theirs.

    A person's word decides where one begins, else its language, its length, and `chapters`, the seconds at which some
    begin, in order: at the first sentence of which most is said after that. The length counts anew after each.
    """
    made, gathered, length, begun = list[Paragraph](), list[Sentence](), 0, 0
    for sentence in sentences(passage, language):
        before, begun = begun, bisect_right(chapters, sentence.middle, begun)
        due = length >= PARAGRAPH_CHARS or begun > before
        if gathered and (
            sentence.begins or (due and sentence.begins is None) or sentence.language != gathered[0].language
        ):
            made += _paragraph(gathered)
            gathered, length = [], 0
        if sentence.begins is not None:
            length = 0
        gathered.append(sentence)
        length += sum(len(word.text) for word in sentence.words)
    return (*made, *_paragraph(gathered))


def _paragraph(gathered: Sequence[Sentence]) -> Iterator[Paragraph]:
    """The paragraph of these sentences; nothing where there is nothing to read in them."""
    words = tuple(word for sentence in gathered for word in sentence.words)
    if _text(words):
        yield Paragraph(gathered[0].language, words, tuple(_joined(one.part for one in gathered)))


def _joined(parts: Iterable[Part]) -> Iterator[Part]:
    """The parts, those that follow each other in one segment as one."""
    for _, group in groupby(parts, key=lambda part: id(part.segment)):
        together = tuple(group)
        yield Part(together[0].segment, together[0].first, together[-1].last)


def sentences(segments: Iterable[Segment], language: str) -> Iterator[Sentence]:
    """The words sentence by sentence, each with the white space before it in running text."""
    last = ""
    for segment in segments:
        tongue, begins, first = segment.language or language, segment.paragraph, 0
        sentence, space = list[Word](), needs_space(last, segment.words[0].text)
        for index, word in enumerate(segment.words):
            starts_anew = word.text[:1].isspace() or is_spaceless(last[-1:] or "a")
            if finality(last) == SENTENCE_END and starts_anew and any(w.text.strip() for w in sentence):
                yield Sentence(tongue, sentence, Part(segment, first, index), begins)
                sentence, begins, first = [], None, index
            sentence.append(replace(word, text=f" {word.text}") if space else word)
            last, space = word.text or last, False
        yield Sentence(tongue, sentence, Part(segment, first, len(segment.words)), begins)
