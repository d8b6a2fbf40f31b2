"""Edges of words next to a pause, moved to where the segmentation hears speech begin and end.

Whisper stretches words over pauses and cuts them short before them; the segmentation network knows better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from models.record.punctuation import finality
from models.record.spans import Span, touching
from models.record.transcript import Word

MAX_STRETCH = 0.25  # seconds by which a word may grow to where speech begins or ends
SYLLABLE = 0.15  # seconds
SHORTEST = 0.05  # seconds that a word keeps when its edges are pulled in


def snap_to_speech(words: Sequence[Word], speech: Sequence[Span]) -> list[Word]:
    """The words with the edges that lie next to a pause at the edges of speech.

    A word that reaches into a pause shrinks to the speech that it touches; one that falls a little
    short of its beginning or end grows, but never into another word. speech: in order, apart.

    >>> words = [Word(0.0, 1.0, " Well"), Word(1.0, 3.0, " yes")]
    >>> [(w.start, w.end) for w in snap_to_speech(words, [Span(0.4, 1.2), Span(2.5, 3.1)])]
    [(0.4, 1.0), (2.5, 3.1)]
    """
    snapped: list[Word] = []
    for i, word in enumerate(words):
        earliest = snapped[-1].end if snapped else 0.0
        latest = words[i + 1].start if i + 1 < len(words) else word.end + MAX_STRETCH
        touched = touching(speech, Span(word.start, word.end))
        snapped.append(_pulled(word, touched, earliest, latest) if touched else word)
    return snapped


def _pulled(word: Word, touched: Sequence[Span], earliest: float, latest: float) -> Word:
    """A word with its edges at those of the speech it was said in, within its neighbours.

    Of several that is the last it lies in for a syllable: what stretches a word is mostly before it. A mark that
    ends a clause stretches its word to where that is thought to be, so such a word is in the first of them.
    """
    whole = Span(word.start, word.end)
    later = -1 if finality(word.text) else 1
    span = max(touched, key=lambda span: (min(whole.shared(span), SYLLABLE), later * span.start))
    start, end = word.start, word.end
    if start < span.start or (earliest <= span.start and start - span.start <= MAX_STRETCH):
        start = max(span.start, min(earliest, word.start))
    if end > span.end or (latest >= span.end and span.end - end <= MAX_STRETCH):
        end = min(span.end, max(latest, word.end))
    if end - start < min(SHORTEST, whole.duration):
        return word
    return replace(word, start=start, end=end)
