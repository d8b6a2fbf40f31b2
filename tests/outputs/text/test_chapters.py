from __future__ import annotations

from dataclasses import replace

from models.record.transcript import (
    BY_USER,
    FROM_NOTES,
    PROPOSED,
    Chapter,
    Chapters,
    Summary,
    SummarySentence,
)
from outputs.text.chapters import (
    chapters_note,
    chapters_of,
    listed_chapters,
    summary_note,
    summary_of,
)
from tests.outputs.samples import CONVERSATION, WITH_CHAPTERS


def test_are_in_order_on_one_line_and_within_the_audio() -> None:
    told = (
        Chapter(6.0, " Two\nlines\x00 ", url="javascript:alert(1)", image="http://a b/"),
        Chapter(-1.0, "Start", end=99.0),
        Chapter(6.0004, "At the same time"),
        Chapter(8.0, " ", end=9.0),
        Chapter(6.0, "", image="https://example.org/a.png"),
        Chapter(6.0, "Only while it is heard", listed=False),
        Chapter(99.0, "After the end"),
    )
    transcript = replace(CONVERSATION, chapters=Chapters(FROM_NOTES, told))
    assert chapters_of(transcript) == [
        Chapter(0.0, "Start", 99.0),
        Chapter(6.0, "Two lines"),
        Chapter(6.0, "", image="https://example.org/a.png", listed=False),
    ]
    assert listed_chapters(transcript) == [Chapter(0.0, "Start", 6.0), Chapter(6.0, "Two lines", 14.6)]
    assert [one.end for one in listed_chapters(WITH_CHAPTERS)] == [6.0, 8.5]
    assert listed_chapters(CONVERSATION) == []


def test_say_who_made_them_where_no_person_did() -> None:
    def note(source: str, *writers: str) -> str:
        chapters = tuple(Chapter(float(number), "A", by=by) for number, by in enumerate(writers))
        return chapters_note(replace(CONVERSATION, chapters=Chapters(source, chapters)))

    assert note(PROPOSED, "") == "Chapters were proposed by a computer."
    assert (
        note(PROPOSED, "", "a\nllama") == "Chapters were proposed by a computer, titles written by a llama."
    )
    assert note(BY_USER, "", "llama", "llama") == "Titles of chapters were written by llama."
    assert note(BY_USER, "") == note(PROPOSED) == ""


def test_a_summary_says_who_wrote_it() -> None:
    summary = Summary("llama\n3", (SummarySentence(" One\nthing. ", 4.0), SummarySentence("\x00", 5.0)))
    transcript = replace(CONVERSATION, summary=summary)
    assert summary_of(transcript) == [SummarySentence("One thing.", 4.0)]
    assert summary_note(transcript) == "Summary written by llama 3"
    assert summary_note(replace(CONVERSATION, summary=Summary("llama"))) == summary_note(CONVERSATION) == ""
