"""The words of people who each have a track of their own, read as one conversation.

Each track's words are in order and complete, also while others speak. So sentences are found in what one person says,
whoever speaks meanwhile, and read in the order in which they begin. One that is long and into which somebody cuts is
cut itself, where it reads best; what a listener throws in only comes between where its speaker pauses.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from operator import attrgetter

from models.alignment.align import split_segments
from models.alignment.attribution import voice_probability
from models.alignment.overlap import mark_overlapped_words
from models.alignment.speech_edges import snap_to_speech
from models.record.punctuation import finality
from models.record.spans import speech_of
from models.record.transcript import Segment, Turn, Word

HELD_SECONDS = 4.0  # for which a sentence goes on after somebody cut into it, to be read in two parts
TOGETHER_SECONDS = 1.0  # those who cut in within that cut in together
BREATH = 0.3  # seconds of a pause in which a listener's word stands alone
CLAUSE_WORTH = 1.0  # seconds for which a sentence may go on to the end of a clause ...
PAUSE_WORTH = 1.0  # ... and to a pause of a second or more


def merge_tracks(
    spoken: Sequence[Sequence[Word]], turns: Sequence[Turn], language: str
) -> tuple[Segment, ...]:
    """Sentence segments of one speaker each in the order in which they begin. No word is dropped or changes its place.

    spoken: the words of each track in order of time, with their speakers. turns: of all people, which may overlap: they
    tell which words are said while two speak, and how sure the voices are. language: ISO 639-1 code of words that have
    none of their own.
    """
    sentences = [list(split_segments(words, language)) for words in _by_speaker(spoken, sorted(turns))]
    everybody = sorted((one for own in sentences for one in own), key=attrgetter("start"))
    streams = [[part for one in own for part in _parts(one, _within(one, everybody))] for own in sentences]
    return tuple(_joined(heapq.merge(*streams, key=attrgetter("start", "continues"))))


def _by_speaker(spoken: Sequence[Sequence[Word]], turns: Sequence[Turn]) -> Iterator[list[Word]]:
    """What each speaker says, in order, with edges, overlap and probability as the turns have them."""
    tracks = [mark_overlapped_words(_snapped(words, turns), turns) for words in spoken]
    for speaker in dict.fromkeys(word.speaker for words in tracks for word in words):
        own = [[word for word in words if word.speaker == speaker] for words in tracks]
        said = list(heapq.merge(*own, key=attrgetter("start")))
        yield _as_sure_as(said, [turn for turn in turns if turn.speaker == speaker])


def _snapped(words: Sequence[Word], turns: Sequence[Turn]) -> list[Word]:
    speakers = {word.speaker for word in words}
    return snap_to_speech(words, speech_of([turn for turn in turns if turn.speaker in speakers]))


def _as_sure_as(words: Sequence[Word], turns: Sequence[Turn]) -> list[Word]:
    """The words of one speaker; those of which nobody told how sure that is are as sure as the turns."""
    if not turns:
        return list(words)
    return [
        word if word.speaker_probability is not None else replace(word, speaker_probability=round(sure, 3))
        for word, sure in zip(words, voice_probability(words, turns).tolist(), strict=True)
    ]


def _within(sentence: Segment, everybody: Sequence[Segment]) -> list[Segment]:
    """What others begin to say in the course of a sentence. everybody: in order of their beginnings."""
    first = bisect_right(everybody, sentence.start, key=attrgetter("start"))
    last = bisect_left(everybody, sentence.end, lo=first, key=attrgetter("start"))
    return [other for other in everybody[first:last] if other.speaker != sentence.speaker]


def _parts(sentence: Segment, others: Sequence[Segment]) -> Iterator[Segment]:
    """A sentence, cut where others come between. others: what they begin to say meanwhile, in order."""
    cuts = [0]
    cut_in = float("-inf")  # when somebody last did
    for other in others:
        place = _pause_for(other, sentence) if other.brief else _place_for(other, sentence)
        if place is None or place <= cuts[-1]:
            continue
        if not other.brief:
            if other.start - cut_in <= TOGETHER_SECONDS:
                cuts.pop()
            elif other.start - cut_in < HELD_SECONDS:
                continue
            cut_in = other.start
        cuts.append(place)
    for first, last in zip(cuts, [*cuts[1:], len(sentence.words)], strict=True):
        yield replace(sentence.with_words(sentence.words[first:last]), continues=first > 0)


def _pause_for(aside: Segment, sentence: Segment) -> int | None:
    """The index of the word before which the speaker pauses while an aside is said; None if nowhere."""
    words, middle = sentence.words, (aside.start + aside.end) / 2
    place = bisect_right(words, middle, key=attrgetter("start"))
    if not 0 < place < len(words):
        return None
    before, after = words[place - 1].end, words[place].start
    return place if before <= middle and after - before >= BREATH else None


def _place_for(other: Segment, sentence: Segment) -> int | None:
    """The index of the word before which it reads best what cuts into a sentence; None if that is soon over."""
    if sentence.end - other.end < HELD_SECONDS:
        return None
    words = sentence.words
    places = range(bisect_left(words, other.start, key=attrgetter("start")), len(words))
    return min(places, key=lambda place: _lateness(words, place, other.start), default=None)


def _lateness(words: Sequence[Word], place: int, start: float) -> float:
    """For how many seconds a sentence would go on after `start`, less what it is worth to be cut there."""
    before = words[place - 1]
    pause = max(0.0, words[place].start - before.end)
    worth = CLAUSE_WORTH * (finality(before.text) > 0) + PAUSE_WORTH * min(1.0, pause)
    return max(0.0, before.end - start) - worth


def _joined(parts: Iterator[Segment]) -> Iterator[Segment]:
    """The segments; parts of a sentence between which nobody came after all are one again."""
    last: Segment | None = None
    for part in parts:
        if last is not None and part.continues and part.speaker == last.speaker:
            last = replace(last, end=max(last.end, part.end), words=(*last.words, *part.words))
            continue
        if last is not None:
            yield last
        last = part
    if last is not None:
        yield last
