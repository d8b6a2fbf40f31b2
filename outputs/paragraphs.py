"""The transcript as people read it: who speaks from when on, in paragraphs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from models.transcript import Segment, Transcript
from outputs.characters import SENTENCE_END, finality, needs_space, one_line, spaceless

PARAGRAPH_CHARS = 600  # a paragraph ends with the sentence that makes it this long


@dataclass(frozen=True, slots=True)
class Passage:
    """All that one speaker says before somebody else does. `start` in seconds, `speaker` a name or ""."""

    start: float
    speaker: str
    paragraphs: tuple[str, ...]


def passages(transcript: Transcript) -> list[Passage]:
    """The passages of a transcript in order."""
    spoken = [segment for segment in transcript.segments if one_line(segment.text).strip()]
    result = []
    for label, group in groupby(unbroken(spoken), key=lambda segment: segment.speaker):
        segments = tuple(group)
        name = one_line(transcript.name_of(label)).strip()
        result.append(Passage(segments[0].start, name, tuple(_paragraphs(_sentences(segments)))))
    return result


def unbroken(segments: Iterable[Segment]) -> list[Segment]:
    """The segments in the order in which they read: what was thrown into a sentence comes after it."""
    ordered: list[Segment] = []
    for segment in segments:
        if segment.continues and len(ordered) > 1 and ordered[-2].speaker == segment.speaker:
            ordered.insert(-1, segment)
        else:
            ordered.append(segment)
    return ordered


def _paragraphs(sentences: Iterable[str]) -> Iterator[str]:
    paragraph = ""
    for sentence in sentences:
        paragraph += sentence
        if len(paragraph) >= PARAGRAPH_CHARS:
            yield one_line(paragraph).strip()
            paragraph = ""
    if paragraph.strip():
        yield one_line(paragraph).strip()


def _sentences(segments: Iterable[Segment]) -> Iterator[str]:
    """Running text, sentence by sentence, each with the white space that precedes it."""
    sentence = last = ""
    for segment in segments:
        if needs_space(last, segment.words[0].text):
            sentence = " "
        for word in segment.words:
            starts_anew = word.text[:1].isspace() or spaceless(last[-1:] or "a")
            if finality(last) == SENTENCE_END and starts_anew and sentence.strip():
                yield sentence
                sentence = ""
            sentence += word.text
            last = word.text or last
        yield sentence
        sentence = ""
