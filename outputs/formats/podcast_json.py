"""The JSON transcript of Podcasting 2.0, one entry a segment.

https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/examples/transcripts/transcripts.md
"""

from __future__ import annotations

import json
from typing import Any

from models.record.transcript import Segment, Transcript
from outputs.text.characters import one_line
from outputs.text.times import whole_ms

VERSION = "1.0.0"


def render(transcript: Transcript) -> str:
    """The segments with name, times in seconds and text; no name where the speaker is unknown."""
    segments = [_entry(transcript, segment) for segment in transcript.segments if segment.text]
    return json.dumps({"version": VERSION, "segments": segments}, ensure_ascii=False, indent=2) + "\n"


def _entry(transcript: Transcript, segment: Segment) -> dict[str, Any]:
    name = one_line(transcript.name_of(segment.speaker)).strip()
    start = max(0.0, whole_ms(segment.start))
    return {
        **({"speaker": name} if name else {}),
        "startTime": start,
        "endTime": max(start, whole_ms(segment.end)),
        "body": one_line(segment.text).strip(),
    }
