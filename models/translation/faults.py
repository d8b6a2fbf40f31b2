"""What gives away that a model didn't translate what it was given, however it was given it."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from models.asr.engine import LOOP_COMPRESSION_RATIO, Hypothesis
from models.asr.repair import bare_word, without_repeats
from models.record.spans import Span
from models.record.transcript import Word

SAME = (
    0.5  # share of the words, in order, that are the source's: then it was written down, not translated ...
)
LEAST_WORDS = 3  # ... if they are so many: "Okay, Anna." is the same in many languages


def is_loop(words: Sequence[Word], source: Sequence[Word]) -> bool:
    """Whether a text repeats itself as its source doesn't.

    >>> loop = [Word(0, 1, text) for text in (" and", " so", " on,") * 5]
    >>> is_loop(loop, [Word(0, 1, " usw.")]), is_loop(loop, loop), is_loop(loop[:6], loop[:3])
    (True, False, False)
    """
    return _repeats(words) and not _repeats(source)


def _repeats(words: Sequence[Word]) -> bool:
    compressed = Hypothesis(Span(0.0, 0.0), tuple(words)).compression_ratio
    return compressed > LOOP_COMPRESSION_RATIO or len(without_repeats(words)) < len(words)


def is_copy(words: Sequence[Word], source: Sequence[Word]) -> bool:
    """Whether a text is its source written once more.

    >>> said = [Word(0, 1, text) for text in (" Das", " ist", " gut,", " Anna.")]
    >>> english = [Word(0, 1, text) for text in (" This", " is", " good,", " Anna.")]
    >>> is_copy(said, said), is_copy(english, said)
    (True, False)
    """
    written, said = ([bare_word(word.text) for word in each] for each in (words, source))
    matching = SequenceMatcher(None, written, said, autojunk=False).get_matching_blocks()
    same = sum(block.size for block in matching)
    return len(written) >= LEAST_WORDS and same >= SAME * len(written)
