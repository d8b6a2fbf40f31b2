from __future__ import annotations

import random
from itertools import pairwise

from models.record.matching import comparable_words, match_words, sure_pairs

TEXT = comparable_words("one two three four five six seven eight nine ten eleven twelve")


def test_what_one_text_has_more_does_not_matter() -> None:
    ours = [*TEXT[:6], "an", "ad", "for", "mattresses", *TEXT[6:]]
    pairs = list(sure_pairs(match_words(ours, TEXT)))
    assert [TEXT[j] for _, j in pairs] == TEXT
    assert all(ours[i] == TEXT[j] for i, j in pairs)


def test_words_that_meet_by_chance_are_not_sure() -> None:
    ours, theirs = comparable_words("a the b of c to d"), comparable_words("x the y of z to w")
    assert list(sure_pairs(match_words(ours, theirs))) == []


def test_blocks_cover_both_texts_in_order() -> None:
    rng = random.Random(1)
    for _ in range(200):
        ours, theirs = ([rng.choice("abcd") for _ in range(rng.randrange(12))] for _ in range(2))
        blocks = match_words(ours, theirs)
        assert [i for b in blocks for i in range(b.start, b.end)] == list(range(len(ours)))
        assert [j for b in blocks for j in range(b.their_start, b.their_end)] == list(range(len(theirs)))
        assert all(ours[b.start : b.end] == theirs[b.their_start : b.their_end] for b in blocks if b.equal)
        assert not any(not a.equal and not b.equal for a, b in pairwise(blocks))
