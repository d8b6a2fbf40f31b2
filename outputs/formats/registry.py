"""The formats we write, by the name that users give on the command line.

No file has a name that one of a translation could have: those are transcript.<language>.<extension>.
"""

from __future__ import annotations

from outputs.formats.format import Format

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
EPISODE = Format("episode", "episode.json", "application/json", "outputs.formats.episode_json:render")

FORMATS: dict[str, Format] = {
    entry.name: entry
    for entry in (
        EPISODE,
        Format("json", "transcript.json", "application/json", "outputs.formats.podcast_json:render"),
        Format("srt", "transcript.srt", "application/x-subrip", "outputs.formats.srt:render", "captions"),
        Format("vtt", "transcript.vtt", "text/vtt", "outputs.formats.vtt:render", "captions"),
        Format("txt", "transcript.txt", "text/plain", "outputs.formats.plain_text:render", "text"),
        Format("md", "transcript.md", "text/markdown", "outputs.formats.markdown:render", "text"),
        Format("docx", "transcript.docx", DOCX, "outputs.formats.docx:render", "text", charset=""),
        Format("html", "transcript.html", "text/html", "outputs.formats.html:render"),
        Format("rttm", "diarization.rttm", "text/plain", "outputs.formats.rttm:render"),
    )
}
TRANSLATED = tuple(entry for entry in FORMATS.values() if entry.translated)
CHOICES = tuple(
    name for name in FORMATS if name != EPISODE.name
)  # what `--formats` takes: the record always comes


def format_of(name: str) -> tuple[Format, str] | None:
    """The format of a file of ours by its name, and the language of a translation, "" for none; None for others."""
    for entry in FORMATS.values():
        if entry.file_name == name:
            return entry, ""
    stem, *language, extension = name.split(".")
    if len(language) == 1:
        for entry in TRANSLATED:
            if entry.file_name == f"{stem}.{extension}":
                return entry, language[0]
    return None


def is_our_file(name: str) -> bool:
    """Whether files of ours are called so, translations among them."""
    return format_of(name) is not None
