"""The JSON that whisperX writes, with speakers, for tools that read that. https://github.com/m-bain/whisperX"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from models.record.transcript import Segment, Transcript, Word
from outputs.formats.whisper_json import plain_words
from outputs.text.characters import one_line

JOINED_WITHOUT_SPACES = ("ja", "zh")  # by whisperX's writers; all other words with one


def render(transcript: Transcript) -> str:
    """The segments with their words; times in seconds, speakers by name, none where nobody knows."""
    segments = [
        _segment(transcript, segment, words)
        for segment in transcript.segments
        if (words := plain_words(segment.words, ""))
    ]
    result = {
        "segments": segments,
        "word_segments": [word for segment in segments for word in segment["words"]],
        "language": one_line(transcript.language).strip(),
    }
    return json.dumps(result, ensure_ascii=False, indent=1) + "\n"


def _segment(transcript: Transcript, segment: Segment, words: Sequence[Word]) -> dict[str, Any]:
    name = one_line(transcript.name_of(segment.speaker)).strip()
    speaker = {"speaker": name} if name else {}
    return {
        "start": min(word.start for word in words),
        "end": max(word.end for word in words),
        "text": "".join(word.text for word in words).strip(),
        "words": [
            {
                "word": one.text.strip(),
                "start": one.start,
                "end": one.end,
                "score": one.probability,
                **speaker,
            }
            for one in (words if transcript.language in JOINED_WITHOUT_SPACES else _spaced(words))
        ],
        **speaker,
    }


def _spaced(words: Sequence[Word]) -> list[Word]:
    """The words as whisperX has them: what no space is before is part of the one before. The least sure part counts."""
    found = list[Word]()
    for word in words:
        if not found or word.text[:1] == " " or found[-1].text[-1:] == " ":
            found.append(word)
        else:
            last = found[-1]
            sure = min(last.probability, word.probability)
            end = max(last.end, word.end)
            found[-1] = replace(last, text=last.text + word.text, end=end, probability=sure)
    return found
