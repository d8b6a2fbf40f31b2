"""The transcript and the chapters of the Podlove Web Player and Publisher.

https://docs.podlove.org/podlove-web-player/v5/configuration
"""

from __future__ import annotations

import json
from typing import Any

from models.record.transcript import Chapter, Segment, Transcript
from outputs.text.chapters import listed_chapters
from outputs.text.characters import one_line
from outputs.text.times import milliseconds, vtt_time


def render(transcript: Transcript) -> str:
    """The segments: `voice` is a name, `speaker` the label by which a player's contributors may be told apart."""
    entries = [
        _entry(transcript, segment, text)
        for segment in transcript.segments
        if (text := one_line(segment.text).strip())
    ]
    return json.dumps(entries, ensure_ascii=False, indent=1) + "\n"


def render_chapters(transcript: Transcript) -> str:
    """The chapters of the table of contents, as Podlove Simple Chapters are in JSON."""
    entries = [_chapter(one) for one in listed_chapters(transcript)]
    return json.dumps(entries, ensure_ascii=False, indent=1) + "\n"


def _chapter(chapter: Chapter) -> dict[str, str]:
    links = {"href": chapter.url, "image": chapter.image}
    return {
        "start": vtt_time(chapter.start),
        "title": chapter.title,
        **{name: url for name, url in links.items() if url},
    }


def _entry(transcript: Transcript, segment: Segment, text: str) -> dict[str, Any]:
    start = max(0, milliseconds(segment.start))
    end = max(start, milliseconds(segment.end))
    return {
        "start": vtt_time(start / 1000),
        "start_ms": start,
        "end": vtt_time(end / 1000),
        "end_ms": end,
        "speaker": one_line(segment.speaker or "").strip(),
        "voice": one_line(transcript.name_of(segment.speaker)).strip(),
        "text": text,
    }
