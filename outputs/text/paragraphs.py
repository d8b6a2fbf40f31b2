"""The transcript as people read it: who speaks from when on, in paragraphs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter

from models.record.punctuation import SENTENCE_END, finality
from models.record.transcript import Segment, Transcript, Word
from outputs.text.characters import is_spaceless, needs_space, one_line

PARAGRAPH_CHARS = 600  # a paragraph ends with the sentence that makes it this long, or with its language


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Words of one speaker in one language (ISO 639-1 code, "" for an unknown one)."""

    language: str
    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """The words as running text, on one line."""
        return _text(self.words)


@dataclass(frozen=True, slots=True)
class Passage:
    """All that one speaker says before somebody else does. `start` in seconds, `speaker` a name or "".

    `label` is the diarisation's for the speaker.
    """

    start: float
    label: str | None
    speaker: str
    paragraphs: tuple[Paragraph, ...]


def passages(transcript: Transcript) -> list[Passage]:
    """The passages of a transcript in order."""
    spoken = [
        replace(segment, language=transcript.language_of(segment))
        for segment in transcript.segments
        if one_line(segment.text).strip()
    ]
    result = []
    for label, group in groupby(unbroken(spoken), key=lambda segment: segment.speaker):
        segments = tuple(group)
        name = one_line(transcript.name_of(label)).strip()
        paragraphs = tuple(_paragraphs(_sentences(segments)))
        result.append(Passage(segments[0].start, label, name, paragraphs))
    return result


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


def _paragraphs(sentences: Iterable[tuple[str, list[Word]]]) -> Iterator[Paragraph]:
    """Paragraphs of sentences with their languages."""
    for language, group in groupby(sentences, key=itemgetter(0)):
        paragraph, length = list[Word](), 0
        for _, sentence in group:
            paragraph += sentence
            length += sum(len(word.text) for word in sentence)
            if length >= PARAGRAPH_CHARS:
                yield Paragraph(language, tuple(paragraph))
                paragraph, length = [], 0
        if _text(paragraph):
            yield Paragraph(language, tuple(paragraph))


def _sentences(segments: Iterable[Segment]) -> Iterator[tuple[str, list[Word]]]:
    """The words with their languages, sentence by sentence, each with the white space before it in running text."""
    last = ""
    for segment in segments:
        sentence, space = list[Word](), needs_space(last, segment.words[0].text)
        for word in segment.words:
            starts_anew = word.text[:1].isspace() or is_spaceless(last[-1:] or "a")
            if finality(last) == SENTENCE_END and starts_anew and any(w.text.strip() for w in sentence):
                yield segment.language, sentence
                sentence = []
            sentence.append(replace(word, text=f" {word.text}") if space else word)
            last, space = word.text or last, False
        yield segment.language, sentence
