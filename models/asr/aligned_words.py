"""Words with their times, from the tokens that Whisper wrote of a chunk and the frames it aligned them with.

What faster-whisper 1.2.1 does in `find_alignment` and `add_word_timestamps` for a chunk that is one segment, in a
place of its own: a GPU goes on with the next chunks meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from faster_whisper.transcribe import Word, merge_punctuations

TOKENS_PER_SECOND = 50  # frames of the alignment
USUAL_SECONDS = 0.7  # that the median word lasts at most; twice the median is long
SENTENCE_ENDS = ".。!！?？"
OPENING = "\"'“¿([{-"
CLOSING = "\"'.。,，!！?？:：”)]}、"


def aligned_words(tokenizer: Any, tokens: Sequence[int], alignment: Any) -> list[Word]:
    """The words of a chunk, in seconds from its beginning, with punctuation at the word it belongs to.

    tokens: of text alone. alignment: CTranslate2's result for them. A long word next to the end of a sentence, and the
    first, were stretched over a pause, and begin or end at twice the median.
    """
    texts, parts = tokenizer.split_to_word_tokens([*tokens, tokenizer.eot])
    if len(parts) <= 1:
        return []
    steps = np.array(alignment.alignments)  # (steps, 2): a token, and a frame it is heard in
    starts = steps[np.diff(steps[:, 0], prepend=-1) != 0, 1] / TOKENS_PER_SECOND
    edges = np.cumsum([0, *map(len, parts[:-1])])
    words: list[dict[str, Any]] = [
        {
            "word": text,
            "tokens": list(part),
            "start": starts[a],
            "end": starts[b],
            "probability": np.mean(alignment.text_token_probs[a:b]),
        }
        for text, part, (a, b) in zip(texts, parts, pairwise(edges), strict=False)
    ]
    lasting = [word["end"] - word["start"] for word in words if word["end"] != word["start"]]
    longest = 2 * min(USUAL_SECONDS, float(np.median(lasting))) if lasting else 0.0
    if lasting:
        _shorten_at_sentence_ends(words, longest)
    merge_punctuations(words, OPENING, CLOSING)
    said = [word for word in words if word["word"]]
    if said:
        _shorten_first(said, longest)
    return [
        Word(float(word["start"]), float(word["end"]), word["word"], float(word["probability"]))
        for word in said
    ]


def _shorten_at_sentence_ends(words: list[dict[str, Any]], longest: float) -> None:
    for before, word in pairwise(words):
        if word["end"] - word["start"] > longest:
            if word["word"] in SENTENCE_ENDS:
                word["end"] = word["start"] + longest
            elif before["word"] in SENTENCE_ENDS:
                word["start"] = word["end"] - longest


def _shorten_first(words: list[dict[str, Any]], longest: float) -> None:
    """The first word, and the second where the first was pushed into it, begin no earlier than it takes to say them."""
    first, second = words[0], words[1] if len(words) > 1 else None
    both = second is not None and second["end"] - first["start"] > 2 * longest
    if first["end"] - first["start"] <= longest and not both:
        return
    if second is not None and second["end"] - second["start"] > longest:
        first["end"] = second["start"] = second["end"] - longest
    first["start"] = first["end"] - longest
