"""Words and turns joined: who said each word, cut into sentences.

No word is dropped or added, and they keep their order. Word times and turn times are each off by some
tenths of a second, so neither is taken at its word: edges of words next to a pause go to where the
segmentation hears speech begin and end, and a change of speaker goes to where a sentence, a clause or
a pause says it is, as far as that costs less than the times it contradicts.
"""

from __future__ import annotations

from models.record.transcript import Word

SENTENCE_END = (".", "?", "!", "…", "。", "？", "！")
CLAUSE_END = (",", ";", ":", "—", "–", "、", "，", "；", "：")
CLOSING = "\"'”’»)]"


def ends_sentence(word: Word) -> bool:
    """Whether the word carries the mark that ends a sentence."""
    return word.text.rstrip().rstrip(CLOSING).endswith(SENTENCE_END)
