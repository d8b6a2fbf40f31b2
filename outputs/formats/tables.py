"""Tables of segments and of words, for spreadsheets and statistics: CSV (RFC 4180) and TSV (IANA's).

CSV begins with a byte order mark: without it Excel takes the file for one of the machine's old code page. TSV, which
programs read more than people, has none, and no quotes: a `"` is one, also at the beginning of a cell.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from models.record.transcript import Transcript
from outputs.text.characters import one_line
from outputs.text.times import milliseconds

BOM = "\ufeff"
SEGMENTS = ("segment", "start", "end", "speaker", "language", "text")
WORDS = ("segment", "start", "end", "speaker", "language", "word", "probability")
# What spreadsheets take for a formula, and run (OWASP, "CSV Injection"); the wide ones are those of Japanese keyboards.
_FORMULA = re.compile("'*[=+\\-@＝＋－＠]")


def segments_csv(transcript: Transcript) -> str:
    """A row for each segment."""
    return _csv(SEGMENTS, _segments(transcript))


def segments_tsv(transcript: Transcript) -> str:
    """The same with tabs."""
    return _tsv(SEGMENTS, _segments(transcript))


def words_csv(transcript: Transcript) -> str:
    """A row for each word."""
    return _csv(WORDS, _words(transcript))


def words_tsv(transcript: Transcript) -> str:
    """The same with tabs."""
    return _tsv(WORDS, _words(transcript))


def _segments(transcript: Transcript) -> Iterator[tuple[str, ...]]:
    """Their numbers from 1 on, times in seconds, texts as cells have them."""
    number = 0
    for segment in transcript.segments:
        if text := _cell(segment.text):
            number += 1
            who, language = _cell(transcript.name_of(segment.speaker)), _cell(transcript.language_of(segment))
            yield str(number), *_span(segment.start, segment.end), who, language, text


def _words(transcript: Transcript) -> Iterator[tuple[str, ...]]:
    """The words of these segments, with their numbers."""
    number = 0
    for segment in transcript.segments:
        if not _cell(segment.text):
            continue
        number += 1
        who = _cell(transcript.name_of(segment.speaker))
        for word in segment.words:
            if text := _cell(word.text):
                language = _cell(word.language or transcript.language_of(segment))
                times = _span(word.start, word.end)
                yield str(number), *times, who, language, text, f"{word.probability:.3f}"


def _span(start: float, end: float) -> tuple[str, str]:
    first = max(0, milliseconds(start))
    return f"{first / 1000:.3f}", f"{max(first, milliseconds(end)) / 1000:.3f}"


def _cell(text: str) -> str:
    """A text on one line, with an apostrophe before what spreadsheets would take for a formula.

    To get the text back, take one apostrophe from cells that match `_FORMULA` and begin with one.

    >>> _cell("- Yes."), _cell(" =1+1"), _cell("'-"), _cell("'tis")
    ("'- Yes.", "'=1+1", "''-", "'tis")
    """
    plain = one_line(text).strip()
    return f"'{plain}" if _FORMULA.match(plain) else plain


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return BOM + table.getvalue()


def _tsv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "".join("\t".join(row) + "\n" for row in (header, *rows))
