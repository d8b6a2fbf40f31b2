"""Words and turns joined: who said each word, cut into sentences.

Nothing is dropped, added or moved: the words of the segments are the recogniser's words, in order.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise

from models.transcript import Segment, Turn, Word

MAX_PAUSE = 2.0  # seconds of silence after which a sentence is not expected to go on
MAX_SHIFT_WORDS = 2  # how far a change of speaker may be off, by the times of words and of turns
MAX_SHIFT_SECONDS = 1.0
SENTENCE_END = (".", "?", "!", "…", "。", "？", "！")
CLOSING = "\"'”’»)]"


def align(words: Sequence[Word], turns: Sequence[Turn], language: str) -> tuple[Segment, ...]:
    """Sentence segments of one speaker each.

    words: in order of time. turns: exclusive (no two overlap), in order of time; where there are
    none, nobody is named. language: ISO 639-1 code, for sentence boundaries.
    """
    spoken = repair_boundaries(label_words(words, turns))
    return tuple(
        Segment(sentence[0].start, max(word.end for word in sentence), speaker, tuple(sentence))
        for speaker, run in groupby(spoken, key=lambda word: word.speaker)
        for stretch in _split_at_pauses(list(run))
        for sentence in split_sentences(stretch, language)
    )


def label_words(words: Sequence[Word], turns: Sequence[Turn]) -> list[Word]:
    """The words with the speaker whose turn covers most of each, else of the nearest turn.

    >>> turns = [Turn(0.0, 1.0, "A"), Turn(1.2, 2.0, "B")]
    >>> [w.speaker for w in label_words([Word(0.7, 1.1, " hi"), Word(1.9, 2.6, " you")], turns)]
    ['A', 'B']
    """
    if not turns:
        return list(words)
    ends = [turn.end for turn in turns]
    return [replace(word, speaker=_speaker_of(word, turns, ends)) for word in words]


def _speaker_of(word: Word, turns: Sequence[Turn], ends: Sequence[float]) -> str:
    first = max(0, bisect_left(ends, word.start) - 1)
    near = [turns[first]]
    for turn in turns[first + 1 :]:
        near.append(turn)
        if turn.start >= word.end:
            break
    return max(near, key=lambda turn: _closeness(word, turn)).speaker


def _closeness(word: Word, turn: Turn) -> tuple[float, float]:
    """Seconds of overlap, then nearness of the word's middle: the larger, the better the match."""
    overlap = min(word.end, turn.end) - max(word.start, turn.start)
    middle = (word.start + word.end) / 2
    distance = max(turn.start - middle, middle - turn.end, 0.0)
    return max(overlap, 0.0), -distance


def repair_boundaries(words: Sequence[Word]) -> list[Word]:
    """Changes of speaker moved by a word or two to where a sentence ends, when there is such a place.

    Word and turn times are each off by some tenths of a second; people rarely swap places between
    the first and the second word of a sentence. A change that is at a sentence end already, or whose
    words are too few to give any away, stays.

    >>> words = [Word(0, 1, " Yes.", speaker="A"), Word(1, 2, " And", speaker="A"),
    ...          Word(2, 3, " you", speaker="B"), Word(3, 4, " too?", speaker="B")]
    >>> [word.speaker for word in repair_boundaries(words)]
    ['A', 'B', 'B', 'B']
    """
    repaired = list(words)
    changes = [i for i in range(1, len(words)) if words[i - 1].speaker != words[i].speaker]
    before = 0
    for change, after in pairwise([*changes, len(words)]):
        target = _sentence_end_near(words, before, change, after)
        before = target
        for i in range(target, change):
            repaired[i] = replace(words[i], speaker=words[change].speaker)
        for i in range(change, target):
            repaired[i] = replace(words[i], speaker=words[change - 1].speaker)
    return repaired


def _sentence_end_near(words: Sequence[Word], before: int, change: int, after: int) -> int:
    """The index to which the change of speaker at `change` moves: the nearest sentence end, or itself.

    before, after: where the runs of words on both sides of the change begin and end.
    """
    for distance in range(MAX_SHIFT_WORDS + 1):
        for target in (change - distance, change + distance):
            given = words[target:change] or words[change:target]
            if given and given[-1].end - given[0].start > MAX_SHIFT_SECONDS:
                continue
            if before < target < after and ends_sentence(words[target - 1]):
                return target
    return change


def ends_sentence(word: Word) -> bool:
    """Whether the word carries the mark that ends a sentence."""
    return word.text.rstrip().rstrip(CLOSING).endswith(SENTENCE_END)


def _split_at_pauses(words: list[Word]) -> Iterator[list[Word]]:
    stretch = words[:1]
    for before, word in pairwise(words):
        if word.start - before.end > MAX_PAUSE:
            yield stretch
            stretch = []
        stretch.append(word)
    yield stretch


def split_sentences(words: Sequence[Word], language: str) -> Iterator[list[Word]]:
    """The words, cut after each that ends a sentence (found by sentencex, which knows abbreviations)."""
    from sentencex import segment

    boundaries = []
    length = 0
    for sentence in segment(language or "en", "".join(word.text for word in words)):
        length += len(sentence.rstrip())
        boundaries.append(length)
        length += len(sentence) - len(sentence.rstrip())
    position, boundary, sentence_words = 0, 0, list[Word]()
    for word in words:
        sentence_words.append(word)
        position += len(word.text)
        if boundary < len(boundaries) and position >= boundaries[boundary]:
            yield sentence_words
            sentence_words = []
            while boundary < len(boundaries) and boundaries[boundary] <= position:
                boundary += 1
    if sentence_words:
        yield sentence_words
