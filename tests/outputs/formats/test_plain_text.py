from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given

from models.record.transcript import Segment, Transcript, Word
from outputs.formats.format import TextStyle
from outputs.formats.plain_text import render
from outputs.text.paragraphs import PARAGRAPH_CHARS, passages, unbroken
from tests.outputs.samples import BILINGUAL, CONVERSATION, letters, said, spoken, talk, transcripts


@given(transcripts())
def test_holds_every_word_in_order(transcript: Transcript) -> None:
    paragraphs = [one.text for passage in passages(transcript) for one in passage.paragraphs]
    assert letters("".join(paragraphs)) == spoken(transcript)
    assert all(text in render(transcript) for text in paragraphs)


@given(transcripts())
def test_only_blank_lines_part_blocks(transcript: Transcript) -> None:
    text = render(transcript)
    assert "\n\n\n" not in text
    assert text == "" or text.endswith("\n")
    headings = [block.split("\n")[0] for block in text.split("\n\n") if "\n" in block.rstrip("\n")]
    assert all(re.search(r"\(\d\d:\d\d\)$", heading) for heading in headings)


def test_conversation() -> None:
    assert render(CONVERSATION) == (
        "Ann (00:00)\nWelcome back to the show, everybody. I'm Ann.\n\n"
        "Bob (00:04)\nAnd I'm Bob, hello!\n\n"
        "Ann (00:06)\nSo what did you find out?\n\n"
        "(00:09)\nSomebody coughs.\n"
    )


def test_segments_of_one_speaker_make_one_paragraph() -> None:
    transcript = talk(said("One."), said("Two.", 1), SPEAKER_00="Ann")
    assert render(transcript) == "Ann (00:00)\nOne. Two.\n"


def test_sentences_without_a_space_between_them_get_one() -> None:
    bare = [Segment(i, i + 1, "A", (Word(i, i + 1, text),)) for i, text in enumerate(["One.", "Two."])]
    assert "One. Two." in render(talk(*bare))
    wide = [Segment(i, i + 1, "A", (Word(i, i + 1, text),)) for i, text in enumerate(["你好。", "再见。"])]
    assert "你好。再见。" in render(talk(*wide))


def test_a_word_thrown_in_does_not_break_the_sentence() -> None:
    begun, aside = said("It was late"), said("Yeah.", 0.9, speaker="SPEAKER_01")
    rest = replace(said("and we went home.", 1.2), continues=True)
    transcript = talk(begun, aside, rest, SPEAKER_00="Ann", SPEAKER_01="Bob")
    assert render(transcript) == "Ann (00:00)\nIt was late and we went home.\n\nBob (00:00)\nYeah.\n"
    assert [segment.text for segment in unbroken([replace(rest, continues=True)])] == ["and we went home."]


def test_words_that_two_throw_in_do_not_break_the_sentence() -> None:
    parts = [
        said("It was late"),
        said("Yeah.", 0.9, speaker="SPEAKER_01"),
        said("Mhm.", 1.0, speaker="SPEAKER_02"),
        replace(said("and we went home.", 1.2), continues=True),
    ]
    assert [segment.text for segment in unbroken(parts)] == [
        "It was late",
        "and we went home.",
        "Yeah.",
        "Mhm.",
    ]


def test_a_question_in_the_middle_of_a_sentence_stays_there() -> None:
    question = said("But where were you all that time?", 0.9, speaker="SPEAKER_01")
    parts = [said("It was late"), question, replace(said("and we went home.", 3.2), continues=True)]
    assert unbroken(parts) == parts


def test_long_speech_is_broken_at_sentence_ends() -> None:
    sentence = "This sentence costs 3.5 dollars and goes on for a little while longer."
    segment = said(" ".join([sentence] * 30))
    (passage,) = passages(talk(segment))
    assert len(passage.paragraphs) > 2
    for paragraph in (one.text for one in passage.paragraphs):
        assert paragraph.startswith("This")
        assert paragraph.endswith("longer.")
        assert len(paragraph) < PARAGRAPH_CHARS + len(sentence) + 1


def test_names_and_times_can_be_chosen() -> None:
    ann = talk(*BILINGUAL.segments[:2], SPEAKER_00="Ann")
    one, two = "Welcome back to the show.", "Und jetzt auf Deutsch, damit es alle verstehen können."
    assert render(ann, TextStyle(times="every-paragraph")) == f"Ann (00:00)\n{one}\n\n(00:02)\n{two}\n"
    assert render(ann, TextStyle(times="none")) == f"Ann\n{one}\n\n{two}\n"
    assert render(ann, TextStyle(names=False)) == f"(00:00)\n{one}\n\n{two}\n"
    assert render(ann, TextStyle(names=False, times="none")) == f"{one}\n\n{two}\n"


def test_silence() -> None:
    assert render(talk()) == ""


def test_a_paragraph_is_in_one_language() -> None:
    assert render(talk(*BILINGUAL.segments[:2], SPEAKER_00="Ann")) == (
        "Ann (00:00)\nWelcome back to the show.\n\nUnd jetzt auf Deutsch, damit es alle verstehen können.\n"
    )
