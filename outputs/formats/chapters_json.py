"""The JSON chapters of Podcasting 2.0, version 1.2.0.

https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/examples/chapters/jsonChapters.md
"""

from __future__ import annotations

import json
from typing import Any

from models.record.transcript import Chapter, Transcript
from outputs.text.chapters import chapters_of
from outputs.text.characters import one_line
from outputs.text.times import whole_ms

VERSION = "1.2.0"


def render(transcript: Transcript) -> str:
    """All chapters, those too that are in no table of contents; "" where there are none.

    What is ours are members that readers of the format pass over: `proposed` and `engine` of chapters that no person
    made, `titleBy` of a title that a language model wrote.
    """
    chapters = chapters_of(transcript)
    if not chapters:
        return ""
    episode, engine = transcript.episode, one_line(transcript.chapters.engine).strip()
    about = {"title": one_line(episode.title).strip(), "podcastName": one_line(episode.show).strip()}
    told = {
        "version": VERSION,
        **{name: text for name, text in about.items() if text},
        **({"proposed": True, "engine": engine} if transcript.chapters.proposed else {}),
        "chapters": [_entry(chapter) for chapter in chapters],
    }
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n"


def _entry(chapter: Chapter) -> dict[str, Any]:
    told = {
        "title": chapter.title,
        "url": chapter.url,
        "img": chapter.image,
        "titleBy": one_line(chapter.by).strip(),
    }
    return {
        "startTime": chapter.start,
        **(
            {"endTime": whole_ms(chapter.end)}
            if chapter.end is not None and chapter.end > chapter.start
            else {}
        ),
        **{name: text for name, text in told.items() if text},
        **({} if chapter.listed else {"toc": False}),
    }
