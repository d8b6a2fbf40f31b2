"""Where two people speak at once, and which words are said there."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from operator import attrgetter

from models.record.punctuation import ends_sentence
from models.record.spans import Span, total, within
from models.record.transcript import Turn, Word

JOIN_SECONDS = 1.0  # a voice under another goes on with what it says at most that far before or after
LONGEST_WORD = 5.0  # seconds


def mark_overlapped_words(words: Sequence[Word], turns: Sequence[Turn]) -> list[Word]:
    """The words with `overlap` set where for half of their time or more two people speak. turns: in order."""
    both = overlaps(turns)
    flagged = []
    for word in words:
        shared = total(within(both, Span(word.start, word.end)))
        flagged.append(replace(word, overlap=shared > 0 and shared >= (word.end - word.start) / 2))
    return flagged


def overlaps(turns: Sequence[Turn]) -> list[Span]:
    """Where turns of two speakers overlap, in order, none inside another. turns: in order of time.

    >>> overlaps([Turn(0, 3, "A"), Turn(2, 4, "B"), Turn(5, 6, "A")])
    [Span(start=2, end=3)]
    """
    found: list[Span] = []
    longest: dict[str, float] = {}
    for turn in turns:
        for speaker, end in longest.items():
            start = max(turn.start, found[-1].end) if found else turn.start
            if speaker != turn.speaker and min(end, turn.end) > start:
                found.append(Span(start, min(end, turn.end)))
        longest[turn.speaker] = max(turn.end, longest.get(turn.speaker, turn.end))
    return found


def with_second_voices(words: Sequence[Word], second: Sequence[Word]) -> list[Word]:
    """Both, in the order in which they read: what goes on with words of the same speaker stands beside them.

    What stands alone comes when it is said, after the sentence it falls into where that ends before it does. words: in
    order, with speakers; second: in order of time.

    >>> said = [Word(0, 1, " We", speaker="A"), Word(1, 2, " left.", speaker="A"), Word(2, 3, " Why?", speaker="B")]
    >>> late = [Word(1.5, 1.9, " But", speaker="B", overlap=True)]
    >>> "".join(word.text for word in with_second_voices(said, late))
    ' We left. But Why?'
    """
    placed = list[tuple[int, float, list[Word]]]()
    for speaker in dict.fromkeys(word.speaker for word in second):
        place = 0  # what one speaker says stays in its order
        for run in split_at_pauses([word for word in second if word.speaker == speaker], JOIN_SECONDS):
            place = max(place, _place(words, run))
            placed.append((place, run[0].start, run))
    read, done = list[Word](), 0
    for place, _, run in sorted(placed, key=lambda each: each[:2]):
        read += (*words[done:place], *run)
        done = place
    return [*read, *words[done:]]


def split_at_pauses(words: Sequence[Word], longest: float) -> Iterator[list[Word]]:
    """The words, cut where more than `longest` seconds lie between two of them."""
    run = list(words[:1])
    for before, word in pairwise(words):
        if word.start - before.end > longest:
            yield run
            run = []
        run.append(word)
    yield run


def _place(words: Sequence[Word], run: Sequence[Word]) -> int:
    """The index before which a run of a second voice reads best."""
    start, end = run[0].start, run[-1].end
    near = range(
        bisect_left(words, start - LONGEST_WORD, key=attrgetter("start")),
        bisect_right(words, end + JOIN_SECONDS, key=attrgetter("start")),
    )
    own = [i for i in near if words[i].speaker == run[0].speaker and words[i].end >= start - JOIN_SECONDS]
    before = [i for i in own if words[i].start <= start]
    if before:
        return before[-1] + 1
    if own:
        return own[0]
    at = next((i for i in near if words[i].start >= start), near.stop)
    over = (i + 1 for i in range(max(at - 1, near.start), near.stop) if ends_sentence(words[i]))
    after = next(over, at)
    return after if after <= at or words[after - 1].end <= end else at
