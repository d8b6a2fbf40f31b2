"""Two texts of the same speech, matched word by word, whatever one has and the other hasn't, such as ads."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SURE_RUN = 3  # equal words in a row; fewer come together by chance, too
RELATED = 0.3  # share of the shorter text's words that are in the other if both are of one speech
# Scripts without spaces between words are compared letter by letter.
_SPACELESS = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_TOKEN = re.compile(rf"[{_SPACELESS}]|(?:(?![{_SPACELESS}])[^\W_])+")
_APOSTROPHES = str.maketrans("", "", "'’ʼ")


@dataclass(frozen=True, slots=True)
class Block:
    """Words [start, end) of our text and [their_start, their_end) of theirs: equal, or one in place of the other."""

    equal: bool
    start: int
    end: int
    their_start: int
    their_end: int

    @property
    def sure(self) -> bool:
        """Whether so many words are equal that they are the same words of the same speech."""
        return self.equal and self.end - self.start >= SURE_RUN


def comparable_words(text: str) -> list[str]:
    """The words of a text as they are compared: without case and punctuation.

    >>> comparable_words("Don’t — it’s a follow-up!"), comparable_words("東京 です")
    (['dont', 'its', 'a', 'follow', 'up'], ['東', '京', 'で', 'す'])
    """
    return _TOKEN.findall(unicodedata.normalize("NFC", text.casefold().translate(_APOSTROPHES)))


def is_spaceless(word: str) -> bool:
    """Whether a comparable word is a letter of a script without spaces."""
    return re.fullmatch(f"[{_SPACELESS}]", word) is not None


def end_of_words(text: str, count: int) -> int:
    """Where in a text without apostrophes its first `count` comparable words end; 0 where it has none.

    >>> end_of_words("です。", 1), end_of_words("12月に", 2)
    (1, 3)
    """
    ends = [0, *(found.end() for found in _TOKEN.finditer(text))]
    return ends[min(count, len(ends) - 1)]


def match_words(ours: Sequence[str], theirs: Sequence[str]) -> list[Block]:
    """All words of both texts as blocks, in order, with the fewest changes (Levenshtein).

    Takes time in proportion to the product of the lengths: three hours of talk 0.3 s, a day of it half a minute.

    >>> [(b.equal, ours[b.start : b.end]) for ours in ["a b x c".split()] for b in match_words(ours, "a b c".split())]
    [(True, ['a', 'b']), (False, ['x']), (True, ['c'])]
    """
    from rapidfuzz.distance import Levenshtein

    blocks: list[Block] = []
    for code in Levenshtein.opcodes(ours, theirs):
        block = Block(code.tag == "equal", code.src_start, code.src_end, code.dest_start, code.dest_end)
        if blocks and not blocks[-1].equal and not block.equal:
            before = blocks.pop()
            block = Block(False, before.start, block.end, before.their_start, block.their_end)
        blocks.append(block)
    return blocks


def sure_pairs(blocks: Sequence[Block]) -> Iterator[tuple[int, int]]:
    """The indexes of words that are the same word of the same speech in both texts."""
    for block in blocks:
        if block.sure:
            yield from zip(
                range(block.start, block.end), range(block.their_start, block.their_end), strict=True
            )


def are_related(blocks: Sequence[Block]) -> bool:
    """Whether two texts are of one speech: so much of the shorter one is in the other."""
    if not blocks:
        return False
    shorter = min(blocks[-1].end, blocks[-1].their_end)
    return shorter > 0 and sum(block.end - block.start for block in blocks if block.sure) >= RELATED * shorter
