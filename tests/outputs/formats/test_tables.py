from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given, settings

from models.record.transcript import Transcript
from outputs.formats import tables
from outputs.formats.registry import FORMATS
from outputs.text.characters import one_line
from tests.outputs.samples import BILINGUAL, CONVERSATION, letters, said, talk, transcripts


def read(name: str, transcript: Transcript) -> list[dict[str, str]]:
    data = FORMATS[name].render(transcript)
    if name.startswith("csv"):
        return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    table = io.StringIO(data.decode(), newline="")
    return list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))


def meant(cell: str) -> str:
    """What a cell says, by the rule that the documentation gives."""
    return re.sub(r"^'(?='*[=+\-@＝＋－＠])", "", cell)


@settings(max_examples=30)
@given(transcripts())
def test_other_readers_find_all_that_is_said(transcript: Transcript) -> None:
    segments = read("csv", transcript)
    assert segments == read("tsv", transcript)
    texts = [one_line(segment.text).strip() for segment in transcript.segments]
    assert [meant(row["text"]) for row in segments] == [text for text in texts if text]
    assert [int(row["segment"]) for row in segments] == list(range(1, len(segments) + 1))
    words = read("csv-words", transcript)
    assert words == read("tsv-words", transcript)
    for row in segments:
        own = [meant(one["word"]) for one in words if one["segment"] == row["segment"]]
        assert letters("".join(own)) == letters(meant(row["text"]))
    for row in (*segments, *words):
        assert 0 <= float(row["start"]) <= float(row["end"])
        for cell in row.values():
            assert not cell.startswith(tuple("=+-@＝＋－＠\t\r"))
            assert not re.search(r"[\x00-\x1f]", cell)


def test_rows() -> None:
    assert read("csv", CONVERSATION)[3] == {
        "segment": "4", "start": "9.000", "end": "9.600", "speaker": "", "language": "en", "text": "Somebody coughs.",
    }  # fmt: skip
    assert read("tsv-words", BILINGUAL)[5] == {
        "segment": "2", "start": "2.500", "end": "2.800", "speaker": "Ann", "language": "de", "word": "Und",
        "probability": "1.000",
    }  # fmt: skip


def test_as_excel_and_rfc_4180_have_it() -> None:
    text = FORMATS["csv"].render(talk(said('She said "no", I think.', 36000), SPEAKER_00='A "B"\nC, D'))
    first, second, rest = text.split(b"\r\n")
    assert first == b"\xef\xbb\xbfsegment,start,end,speaker,language,text"
    assert second == b'1,36000.000,36001.500,"A ""B"" C, D",en,"She said ""no"", I think."'
    assert rest == b""
    quoted = talk(said('"No."'), said('Yes, "', 4))
    assert [row["text"] for row in read("tsv", quoted)] == ['"No."', 'Yes, "']
    assert FORMATS["tsv"].render(talk()) == b"segment\tstart\tend\tspeaker\tlanguage\ttext\n"


@pytest.mark.parametrize(
    "text", ["=cmd|' /C calc'!A0", "- Yes.", "\t+1", "@here", "'=1", "''-", "＝1", "\r-2"]
)
def test_no_cell_is_a_formula_and_texts_can_be_told_again(text: str) -> None:
    (row,) = read("csv", talk(said(text), SPEAKER_00=text))
    for cell in (row["text"], row["speaker"]):
        assert cell.startswith("'")
        assert meant(cell) == one_line(text).strip()
    assert tables.segments_tsv(talk(said("'tis -1 so."))).endswith("\t'tis -1 so.\n")
