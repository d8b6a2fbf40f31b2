from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from markdown_it import MarkdownIt
from markdown_it.token import Token

from models.record.transcript import FROM_FEED, Chapter, Chapters, Transcript
from outputs.formats.format import TextStyle
from outputs.formats.markdown import render
from outputs.text.chapters import chapters_note, summary_note, summary_of
from outputs.text.document import contents, facts_of, title_of
from outputs.text.times import clock
from tests.outputs.samples import BILINGUAL, CONVERSATION, said, talk, transcripts

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def rendered(text: str) -> list[tuple[str, str, list[str]]]:
    """The blocks of a Markdown text: tag, text, and the kinds of markup in it."""
    tokens = READER.parse(text)
    inner = [(before.tag, token.children or []) for before, token in pairwise(tokens)]
    return [
        (tag, written(parts), [one.type for one in parts if one.nesting == 1])
        for tag, parts in inner
        if parts
    ]


def written(parts: list[Token]) -> str:
    assert {one.type for one in parts} <= {"text", "strong_open", "strong_close", "em_open", "em_close"}
    return "".join(one.content for one in parts)


@given(transcripts())
def test_nothing_that_is_said_becomes_markup(transcript: Transcript) -> None:
    facts = facts_of(transcript)
    wanted: list[tuple[str, str, list[str]]] = [
        ("h1", title_of(transcript), []),
        *([("p", facts, [])] if facts else []),
    ]
    if summary := summary_of(transcript):
        text = " ".join(f"{one.text} ({clock(one.start)})" for one in summary)
        wanted += [("p", text, []), ("p", summary_note(transcript), ["em_open"])]
    if said := chapters_note(transcript):
        wanted.append(("p", said, ["em_open"]))
    for one in contents(transcript):
        if isinstance(one, Chapter):
            wanted.append(("h2", one.title, []))
            continue
        name = f"{one.speaker} " if one.speaker else ""
        wanted.append(("p", f"{name}({clock(one.start)})", ["strong_open"] if name else []))
        wanted += [("p", part.text, []) for part in one.paragraphs]
    assert rendered(render(transcript)) == wanted


def test_conversation() -> None:
    assert render(CONVERSATION) == (
        "# Pilot & co\n\nThe Show · Ann, Bob\n\n"
        "**Ann** (00:00)\n\nWelcome back to the show, everybody. I'm Ann.\n\n"
        "**Bob** (00:04)\n\nAnd I'm Bob, hello!\n\n"
        "**Ann** (00:06)\n\nSo what did you find out?\n\n"
        "(00:09)\n\nSomebody coughs.\n"
    )


def test_names_and_times_can_be_chosen() -> None:
    ann = talk(*BILINGUAL.segments[:2], SPEAKER_00="Ann")
    head = "# Pilot & co\n\nThe Show"
    one, two = "Welcome back to the show.", "Und jetzt auf Deutsch, damit es alle verstehen können."
    every, none = TextStyle(times="every-paragraph"), TextStyle(names=False, times="none")
    assert render(ann, every) == f"{head} · Ann\n\n**Ann** (00:00)\n\n{one}\n\n(00:02) {two}\n"
    assert render(ann, none) == f"{head}\n\n{one}\n\n{two}\n"


def test_addresses_lists_and_headings_stay_words() -> None:
    nasty = (
        "1. First", "- dash", "+ plus", "# no heading", "#hashtag", "===", "---", "a | b", "~~struck~~", "`code`",
        "<https://example.org>", "&copy;", "![x](y)", "[x]: y", "*a* __b__", "> quote", "    indented", "\\*",
    )  # fmt: skip
    for text in nasty:
        block = rendered(render(talk(said(text), SPEAKER_00="Ann")))[-1]
        assert block == ("p", text.strip(), [])
    assert "https\\://www\\.example.org" in render(talk(said("https://www.example.org")))


def test_a_chapter_begins_a_paragraph_and_links_to_its_page() -> None:
    one = [said(f"Number {number} is said.", number * 2.0) for number in range(3)]
    page = "https://example.org/found?a=1&b=2"
    chapters = (Chapter(0.0, "Zero"), Chapter(2.1, "One", url=page), Chapter(3.9, "Two", url="https://x y/"))
    found = render(replace(talk(*one, SPEAKER_00="Ann"), chapters=Chapters(FROM_FEED, chapters)))
    assert found.partition("Ann\n\n")[2] == (
        "## Zero\n\n**Ann** (00:00)\n\nNumber 0 is said.\n\n"
        f"## One\n\n<{page}>\n\n**Ann** (00:02)\n\nNumber 1 is said.\n\n"
        "## Two\n\n**Ann** (00:04)\n\nNumber 2 is said.\n"
    )


def test_chapters_are_headings_also_within_a_passage() -> None:
    chapters = (
        Chapter(6.0, "Answers <b>"),
        Chapter(0.0, "Start"),
        Chapter(2.4, "Auf Deutsch"),
        Chapter(9.0, "End"),
        Chapter(99.0, "After the end"),
    )
    transcript = replace(BILINGUAL, chapters=Chapters(FROM_FEED, chapters))
    assert [text for tag, text, _ in rendered(render(transcript))[2:]] == [
        "Start", "Ann (00:00)", "Welcome back to the show.",
        "Auf Deutsch", "Ann (00:02)", "Und jetzt auf Deutsch, damit es alle verstehen können.",
        "Answers <b>", "Bob (00:06)", "I understood that.", "Ann (00:08)", "Sehr schön.", "End",
    ]  # fmt: skip
    assert [text for tag, text, _ in rendered(render(transcript)) if tag == "h2"] == [
        "Start", "Auf Deutsch", "Answers <b>", "End",
    ]  # fmt: skip
