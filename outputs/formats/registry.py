"""The formats we write, by the name that users give on the command line."""

from __future__ import annotations

from outputs.formats import episode_json, html, plain_text, podcast_json, rttm, srt, vtt
from outputs.formats.format import Format

TRANSLATED = ("srt", "vtt", "txt")  # the formats in which translations are written, too
EPISODE = Format("episode", "episode.json", "application/json", episode_json.render)

FORMATS: dict[str, Format] = {
    entry.name: entry
    for entry in (
        EPISODE,
        Format("json", "transcript.json", "application/json", podcast_json.render),
        Format("srt", "transcript.srt", "application/x-subrip", srt.render),
        Format("vtt", "transcript.vtt", "text/vtt", vtt.render),
        Format("txt", "transcript.txt", "text/plain", plain_text.render),
        Format("html", "transcript.html", "text/html", html.render),
        Format("rttm", "diarization.rttm", "text/plain", rttm.render),
    )
}


def is_our_file(name: str) -> bool:
    """Whether files of ours are called so, translations among them."""
    parts = name.split(".")
    plain = name if len(parts) != 3 else f"{parts[0]}.{parts[2]}"
    among = FORMATS if plain == name else TRANSLATED
    return any(FORMATS[entry].file_name == plain for entry in among)
