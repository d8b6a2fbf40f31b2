"""Passages: what is said in half a minute or so, in whole sentences, by one or by several.

Search by meaning finds them: long enough to tell what is talked about, short enough to be about one thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from models.record.transcript import Transcript, Word
from outputs.text.chapters import listed_chapters
from outputs.text.characters import needs_space, one_line
from outputs.text.paragraphs import sentences, unbroken

LEAST_SECONDS = 30.0  # of a passage, unless a chapter or a long pause ends it
MOST_SECONDS = 60.0
LONG_PAUSE = 4.0  # seconds, after which another passage begins
SENTENCE_SECONDS = 20.0  # what is longer, as where nobody writes full stops, is cut at its longest pause


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence, or what there is of one: its times in seconds, the label of who says it, its words.

    Each word has the white space that precedes it in running text, but the first.
    """

    start: float
    end: float
    speaker: str | None
    words: tuple[str, ...]

    @property
    def text(self) -> str:
        """The words on one line."""
        return "".join(self.words)


@dataclass(frozen=True, slots=True)
class Passage:
    """Consecutive sentences, one or more."""

    sentences: tuple[Said, ...]

    @property
    def text(self) -> str:
        """The words of all."""
        return joined(said.text for said in self.sentences)


def joined(texts: Iterable[str]) -> str:
    """Sentences as running text.

    >>> joined(["Who is it?", "Ann."]), joined(["你好。", "再见。"])
    ('Who is it? Ann.', '你好。再见。')
    """
    whole = ""
    for text in texts:
        whole += f" {text}" if needs_space(whole, text) else text
    return whole


def passages_of(transcript: Transcript) -> tuple[Passage, ...]:
    """All that is said in passages, in the order in which it reads."""
    chapters = [chapter.start for chapter in listed_chapters(transcript)]
    found, gathered = list[Passage](), list[Said]()
    for said in _all_said(transcript):
        if gathered and _ends(gathered, said, chapters):
            found.append(Passage(tuple(gathered)))
            gathered = []
        gathered.append(said)
    if gathered:
        found.append(Passage(tuple(gathered)))
    return tuple(found)


def _ends(gathered: Sequence[Said], said: Said, chapters: Sequence[float]) -> bool:
    """Whether a passage ends before a sentence."""
    first, last = gathered[0], gathered[-1]
    if said.start - last.end >= LONG_PAUSE or any(first.start < start <= said.start for start in chapters):
        return True
    return last.end - first.start >= LEAST_SECONDS or said.end - first.start > MOST_SECONDS


def _all_said(transcript: Transcript) -> Iterator[Said]:
    segments = [segment for segment in transcript.segments if segment.words]
    for sentence in sentences(unbroken(segments), transcript.language):
        for words in _bounded(sentence.words):
            texts = [one_line(word.text) for word in words]
            while texts and not texts[0].strip():
                del texts[0]
            if texts:
                texts[0] = texts[0].lstrip()
                yield Said(words[0].start, words[-1].end, sentence.part.segment.speaker, tuple(texts))


def _bounded(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    """The words, in parts of at most SENTENCE_SECONDS."""
    if len(words) < 2 or words[-1].end - words[0].start <= SENTENCE_SECONDS:
        yield words
        return
    quarter = len(words) // 4
    within = range(max(1, quarter), len(words) - quarter)
    cut = max(within, key=lambda i: (words[i].start - words[i - 1].end, -abs(2 * i - len(words))))
    yield from _bounded(words[:cut])
    yield from _bounded(words[cut:])
