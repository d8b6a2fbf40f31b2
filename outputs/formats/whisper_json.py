"""The JSON that openai/whisper writes, for tools that read that. https://github.com/openai/whisper

Its readers, and those of OpenAI's "verbose_json", insist on fields that tell how Whisper decoded. What we don't know of
these is made of what we do: see `_segment`.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Any

from models.record.transcript import Transcript, Word
from outputs.text.characters import needs_space, one_line
from outputs.text.times import whole_ms

UNLIKELIEST = -10.0  # the least log probability that is told: JSON has no -inf


def render(transcript: Transcript) -> str:
    """The segments with their words; times in seconds. It has no place for speakers, nor for two who talk at once.

    Readers take it that times never run backwards, so there the words of the second have the time of the first's last.
    """
    said, last = list[list[Word]](), ""
    for segment in transcript.segments:
        if words := plain_words(segment.words, last):
            said.append(words)
            last = words[-1].text
    segments = [_segment(number, words) for number, words in enumerate(_in_order(said))]
    result = {
        "text": "".join(segment["text"] for segment in segments),
        "segments": segments,
        "language": one_line(transcript.language).strip(),
    }
    return json.dumps(result, ensure_ascii=False, indent=1) + "\n"


def plain_words(words: Sequence[Word], last: str) -> list[Word]:
    """The words that say something, on one line and with times in whole ms, none of which is negative.

    last: the word before them, from which a space keeps the first apart.
    """
    found = list[Word]()
    for word in words:
        text, start = one_line(word.text), max(0.0, whole_ms(word.start))
        if text.strip():
            space = " " if not found and needs_space(last, text) else ""
            found.append(replace(word, start=start, end=max(start, whole_ms(word.end)), text=space + text))
    return found


def _in_order(said: Sequence[Sequence[Word]]) -> Iterator[list[Word]]:
    """The same words, none of which begins before the one before it does, or ends after the next one begins."""
    starts = [*accumulate((word.start for words in said for word in words), max), math.inf]
    spans = iter(pairwise(starts))
    for words in said:
        yield [
            replace(word, start=start, end=min(max(start, word.end), following))
            for word, (start, following) in zip(words, spans, strict=False)
        ]


def _segment(number: int, words: Sequence[Word]) -> dict[str, Any]:
    """A segment as Whisper tells one.

    seek, where the stretch of sound begins that it was heard in, is where the segment does; tokens are none, and the
    temperature and the probability that nobody speaks are 0; avg_logprob is the mean over words instead of tokens.
    compression_ratio is that of this text.
    """
    text = "".join(word.text for word in words)
    data = text.encode("utf-8", "backslashreplace")
    start = min(word.start for word in words)
    return {
        "id": number,
        "seek": round(start * 100),  # frames of 10 ms
        "start": start,
        "end": max(word.end for word in words),
        "text": text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": sum(map(_log, words)) / len(words),
        "compression_ratio": len(data) / len(zlib.compress(data)),
        "no_speech_prob": 0.0,
        "words": [
            {"word": word.text, "start": word.start, "end": word.end, "probability": word.probability}
            for word in words
        ],
    }


def _log(word: Word) -> float:
    return max(UNLIKELIEST, math.log(word.probability)) if word.probability > 0 else UNLIKELIEST
