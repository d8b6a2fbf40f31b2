"""The formats we write, by the name that users give on the command line.

No file has a name that one of a translation could have: those are transcript.<language>.<extension>.
"""

from __future__ import annotations

from outputs.formats.format import Format

CHAPTERS = "application/json+chapters"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
EPISODE = Format("episode", "episode.json", "application/json", "outputs.formats.episode_json:render")

FORMATS: dict[str, Format] = {
    entry.name: entry
    for entry in (
        EPISODE,
        Format("json", "transcript.json", "application/json", "outputs.formats.podcast_json:render"),
        Format("srt", "transcript.srt", "application/x-subrip", "outputs.formats.srt:render", "captions"),
        Format("vtt", "transcript.vtt", "text/vtt", "outputs.formats.vtt:render", "captions"),
        Format("ttml", "transcript.ttml", "application/ttml+xml", "outputs.formats.ttml:render", "captions"),
        Format("ass", "transcript.ass", "text/x-ssa", "outputs.formats.ass:render", "captions"),
        Format("txt", "transcript.txt", "text/plain", "outputs.formats.plain_text:render", "text"),
        Format("md", "transcript.md", "text/markdown", "outputs.formats.markdown:render", "text"),
        Format("docx", "transcript.docx", DOCX, "outputs.formats.docx:render", "text", charset=""),
        Format("html", "transcript.html", "text/html", "outputs.formats.html:render"),
        Format("rttm", "diarization.rttm", "text/plain", "outputs.formats.rttm:render"),
        Format("csv", "transcript.csv", "text/csv", "outputs.formats.tables:segments_csv"),
        Format("tsv", "transcript.tsv", "text/tab-separated-values", "outputs.formats.tables:segments_tsv"),
        Format("csv-words", "words.csv", "text/csv", "outputs.formats.tables:words_csv"),
        Format("tsv-words", "words.tsv", "text/tab-separated-values", "outputs.formats.tables:words_tsv"),
        Format("whisper", "whisper.json", "application/json", "outputs.formats.whisper_json:render"),
        Format("whisperx", "whisperx.json", "application/json", "outputs.formats.whisperx_json:render"),
        Format("podlove", "podlove.json", "application/json", "outputs.formats.podlove_json:render"),
        Format(
            "chapters", "chapters.json", CHAPTERS, "outputs.formats.chapters_json:render", needs="chapters"
        ),
        Format(
            "chapters-vtt",
            "chapters.vtt",
            "text/vtt",
            "outputs.formats.chapters_vtt:render",
            needs="chapters",
        ),
        Format(
            "podlove-chapters",
            "podlove-chapters.json",
            "application/json",
            "outputs.formats.podlove_json:render_chapters",
        ),
    )
}
TRANSLATED = tuple(entry for entry in FORMATS.values() if entry.translated)
OF_CHAPTERS = ("chapters", "chapters-vtt")  # which are written wherever there are chapters
# What `--formats` takes: the record always comes.
CHOICES = tuple(name for name in FORMATS if name != EPISODE.name)


def format_of(name: str) -> tuple[Format, str] | None:
    """The format of a file of ours by its name, and the language of a translation, "" for none; None for others."""
    for entry in FORMATS.values():
        if entry.file_name == name:
            return entry, ""
    stem, _, rest = name.partition(".")
    language, _, extension = rest.partition(".")
    for entry in TRANSLATED:
        if entry.file_name == f"{stem}.{extension}":
            return entry, language
    return None


def is_our_file(name: str) -> bool:
    """Whether files of ours are called so, translations among them."""
    return format_of(name) is not None
