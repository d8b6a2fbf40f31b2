"""When words are said that a person wrote, told by those that they replace: without listening again.

Words that are still there keep their times, also with other punctuation. Words in place of as many take theirs, one for
one. Others are laid along the letters of what they replace, so that a word cut in two or made of two is right and
pauses stay. Words put in fill the silence there, or share the time of a word beside them. All is reckoned in whole
milliseconds.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import accumulate, pairwise

from models.record.transcript import Word
from outputs.text.times import milliseconds

Times = tuple[int, int]  # of a word, in milliseconds

MIN_WORD = 80  # ms of silence that a word put in needs
LEAST_WORD = 20  # ms that a word gets at least, where there is room
WORD, LETTER = 100, 60  # ms that words put in take, where there is silence enough
_NOT_LETTERS = re.compile(r"[\W_]+")


def letters(text: str) -> str:
    """What is compared of a word: its letters and digits; its marks where it has nothing else.

    >>> letters(" It’s,"), letters(" -")
    ('its', '-')
    """
    return _NOT_LETTERS.sub("", text.casefold()) or text.strip()


def retimed(old: Sequence[Word], new: Sequence[str], since: float, until: float) -> list[Word]:
    """Words that read `new` in place of `old`, at least one, in order, none of no length where there is room.

    since, until: seconds between which nobody else speaks in the text, before and after `old`.
    """
    spans = _in_order(old)
    first, end = min(milliseconds(since), spans[0][0]), max(milliseconds(until), spans[-1][1])
    words, times = list[Word](), list[Times]()
    for a, b, c, d in _changes(old, new, spans[0][0] - first):
        free = times[-1][1] if times else first, spans[b][0] if b < len(old) else end
        if list(map(_key, old[a:b])) == list(map(letters, new[c:d])):
            times += spans[a:b]
            words += map(_rewritten, old[a:b], new[c:d])
        elif a < b:
            times += _replaced(old[a:b], spans[a:b], new[c:d], free)
            words += _like(old[a:b], new[c:d])
        else:
            times += _put_in(new[c:d], free, times, words)
            words += _like(old[max(0, a - 1) :][:1], new[c:d])
    return [
        replace(word, start=start / 1000, end=end / 1000)
        for word, (start, end) in zip(words, times, strict=True)
    ]


def _key(word: Word) -> str:
    return letters(word.text)


def _in_order(words: Sequence[Word]) -> list[Times]:
    """The times of words, made to follow each other."""
    spans, last = list[Times](), 0
    for word in words:
        start = max(milliseconds(word.start), last)
        last = max(milliseconds(word.end), start)
        spans.append((start, last))
    return spans


def _changes(old: Sequence[Word], new: Sequence[str], silence: int) -> list[tuple[int, int, int, int]]:
    """Which old words (a to b) become which new ones (c to d), in order. silence: ms of it in front of all."""
    matcher = SequenceMatcher(None, list(map(_key, old)), list(map(letters, new)), autojunk=False)
    found = [tuple(places) for tag, *places in matcher.get_opcodes() if tag != "delete"]
    if found and found[0][1] == 0 and silence < MIN_WORD * found[0][3]:
        (_, _, _, put_in), (_, b, _, d), *rest = found  # the first word that was there shares its time
        found = [(0, 1, 0, put_in + 1), *([(1, b, put_in + 1, d)] if b > 1 else []), *rest]
    return [(a, b, c, d) for a, b, c, d in found]


def _rewritten(word: Word, text: str) -> Word:
    """The word with what a person wrote for it."""
    return word if word.text == text else replace(word, text=text, probability=1.0)


def _like(old: Sequence[Word], new: Sequence[str]) -> list[Word]:
    """New words that are in all else like those whose place they take."""
    nearest = (old[min(len(old) - 1, index * len(old) // len(new))] for index in range(len(new)))
    return [replace(word, text=text, probability=1.0) for word, text in zip(nearest, new, strict=True)]


def _replaced(old: Sequence[Word], spans: Sequence[Times], new: Sequence[str], free: Times) -> list[Times]:
    """Times of words in place of others, said in `spans`. free: the time that there is for them."""
    sizes = [[max(1, len(key)) for key in keys] for keys in (map(_key, old), map(letters, new))]
    found = list(spans) if len(old) == len(new) else _along(spans, *sizes)
    if all(end - start >= LEAST_WORD for start, end in found):
        return found
    room, start, end = LEAST_WORD * len(new), spans[0][0], spans[-1][1]
    end = min(free[1], max(end, start + room))
    return _shared(new, max(free[0], min(start, end - room)), end)


def _along(spans: Sequence[Times], old: Sequence[int], new: Sequence[int]) -> list[Times]:
    """The times of words of so many letters (new) laid along others (old)."""
    # In parts of a letter that make both as long, so that all is whole.
    theirs = [edge * sum(new) for edge in (0, *accumulate(old))]
    ours = [edge * sum(old) for edge in (0, *accumulate(new))]

    def at(edge: int, place: int) -> int:
        start, end = spans[place]
        left, right = theirs[place : place + 2]
        return round(start + (end - start) * (edge - left) / (right - left))

    return [
        (at(left, bisect_right(theirs, left) - 1), at(right, bisect_left(theirs, right) - 1))
        for left, right in pairwise(ours)
    ]


def _put_in(new: Sequence[str], free: Times, times: list[Times], words: list[Word]) -> list[Times]:
    """Times of words that replace nothing, said within `free`; takes time from the last of `times` if it must."""
    start, end = free
    wished = sum(WORD + LETTER * len(text.strip()) for text in new)
    if not times:
        return _shared(new, max(start, end - wished), end)
    if end - start >= MIN_WORD * len(new):
        return _shared(new, start, min(end, start + wished))
    start, before = times.pop()
    end = max(before, min(end, start + LEAST_WORD * (len(new) + 1)))
    own, *rest = _shared([words[-1].text, *new], start, end)
    times.append(own)
    return rest


def _shared(texts: Sequence[str], start: int, end: int) -> list[Times]:
    """A span of time divided by letters, a millisecond at least for each where it has so many."""
    sizes = [max(1, len(text.strip())) for text in texts]
    least = min(1.0, (end - start) / len(texts))
    spare = (end - start - least * len(texts)) / sum(sizes)
    passed = (0, *accumulate(sizes))
    return list(pairwise(round(start + least * count + spare * done) for count, done in enumerate(passed)))
