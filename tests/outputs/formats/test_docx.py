from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import datetime

from docx import Document
from docx.document import Document as Docx
from docx.oxml.ns import qn
from hypothesis import given, settings
from lxml import etree

from models.record.transcript import (
    FROM_FEED,
    PROPOSED,
    Chapter,
    Chapters,
    Summary,
    SummarySentence,
    Transcript,
)
from outputs.formats.docx import UNSURE_NOTE, render
from outputs.formats.format import NAMES_AND_TIMES, TextStyle
from outputs.text.document import title_of
from outputs.text.paragraphs import passages
from outputs.text.translations import translated
from outputs.text.unclear import with_unclear
from tests.outputs.samples import (
    BILINGUAL,
    CONVERSATION,
    WITH_CHAPTERS,
    letters,
    said,
    talk,
    transcripts,
    unsure,
)
from tests.outputs.test_translations import bilingual

PROPERTIES = ["pStyle", "bidi"]  # of paragraphs and of runs, in the order of the schema
RUN_PROPERTIES = ["rStyle", "rtl", "lang"]


def opened(transcript: Transcript, style: TextStyle = NAMES_AND_TIMES) -> Docx:
    return Document(io.BytesIO(render(transcript, style)))


def told(document: Docx) -> list[tuple[str, str]]:
    return [(one.style.name, one.text) for one in document.paragraphs if one.style is not None]


@settings(max_examples=15)
@given(transcripts())
def test_holds_every_word_in_order(transcript: Transcript) -> None:
    document = opened(transcript)
    found = [text for style, text in told(document) if style == "Speech"]
    wanted = [part.text for one in passages(with_unclear(transcript)) for part in one.paragraphs]
    assert [letters(text) for text in found] == [letters(text) for text in wanted if letters(text)]
    assert told(document)[0] == ("Title", title_of(transcript))
    for kind, names in (("pPr", PROPERTIES), ("rPr", RUN_PROPERTIES)):
        for properties in document.element.body.iter(qn(f"w:{kind}")):
            order = [names.index(etree.QName(one).localname) for one in properties]
            assert order == sorted(set(order))


def test_styles_properties_header_and_page_numbers() -> None:
    episode = replace(CONVERSATION.episode, published="2026-01-01T06:00:00+02:00")
    chapters = Chapters(FROM_FEED, (Chapter(5.0, "End"),))
    document = opened(replace(unsure(CONVERSATION, 2), episode=episode, chapters=chapters))
    assert told(document) == [
        ("Title", "Pilot & co"),
        ("Subtitle", "The Show · 2026-01-01 · Ann, Bob"),
        ("Note", UNSURE_NOTE),
        ("Speaker", "Ann (00:00)"),
        ("Speech", "Welcome back to the show, everybody. I'm Ann."),
        ("Speaker", "Bob (00:04)"),
        ("Speech", "And I'm Bob, hello!"),
        ("Heading 1", "End"),
        ("Speaker", "Ann (00:06)"),
        ("Speech", "So what did you find out?"),
        ("Speaker", "(00:09)"),
        ("Speech", "Somebody coughs."),
    ]
    runs = [(run.text, run.style.name) for one in document.paragraphs[8:10] for run in one.runs]
    assert runs == [
        ("Ann", "Speaker Name"), (" ", "Default Paragraph Font"), ("(00:06)", "Time"),
        ("So what did you find out?", "Speaker Unsure"),
    ]  # fmt: skip
    assert document.styles["Speaker"].paragraph_format.keep_with_next
    used = {one.style.name for one in document.paragraphs if one.style is not None}
    spaced = document.styles.element.xpath(".//w:style[w:rPr/w:spacing]/w:name/@w:val")
    assert not used & set(spaced), "letters set apart tear Arabic, which joins them"
    told_of = document.core_properties
    assert (told_of.title, told_of.author, told_of.language) == ("Pilot & co", "The Show", "en")
    assert told_of.created.replace(tzinfo=None) == datetime(2026, 1, 1, 4)
    section = document.sections[0]
    assert section.header.paragraphs[0].text == "The Show · Pilot & co"
    (field,) = section.footer._element.iter(qn("w:fldSimple"))
    assert field.get(qn("w:instr")) == "PAGE"


def test_chapters_and_summary_say_what_made_them() -> None:
    summary = Summary(
        "llama3", (SummarySentence("Both say hello.", 4.9), SummarySentence("Then they ask.", 6.0))
    )
    chapters = replace(WITH_CHAPTERS.chapters, source=PROPOSED)
    document = opened(replace(WITH_CHAPTERS, chapters=chapters, summary=summary))
    assert told(document)[2:7] == [
        ("Summary", "Both say hello. (00:04) Then they ask. (00:06)"),
        ("Note", "Summary written by llama3"),
        ("Note", "Chapters were proposed by a computer."),
        ("Heading 1", "Hello & <b>"),
        ("Speaker", "Ann (00:00)"),
    ]
    (place,) = (number for number, one in enumerate(document.paragraphs) if one.hyperlinks)
    (link,) = document.paragraphs[place].hyperlinks
    assert (link.address, link.text) == ("https://example.org/found?a=1&b=2",) * 2
    assert link.runs[0].style.name == "Hyperlink"
    assert document.paragraphs[place - 1].text == "What they found"


def test_names_and_times_can_be_left_out() -> None:
    assert told(opened(unsure(CONVERSATION, 2), TextStyle(names=False, times="none")))[1:3] == [
        ("Subtitle", "The Show"),
        ("Speech", "Welcome back to the show, everybody. I'm Ann."),
    ]


def test_every_paragraph_can_tell_its_time() -> None:
    document = opened(talk(*BILINGUAL.segments[:2], SPEAKER_00="Ann"), TextStyle(times="every-paragraph"))
    assert [text for _, text in told(document)[2:]] == [
        "Ann (00:00)",
        "Welcome back to the show.",
        "(00:02) Und jetzt auf Deutsch, damit es alle verstehen können.",
    ]
    assert document.paragraphs[4].runs[0].style.name == "Time"


def test_languages_and_directions_are_told() -> None:
    german = opened(BILINGUAL).paragraphs[4].runs[0]
    assert german._r.xpath("w:rPr/w:lang/@w:val") == ["de-DE"]
    arabic = opened(talk(said("هذا حديث عن الصوت."), said("Just so."), language="ar", SPEAKER_00="Anne"))
    assert arabic.styles.element.xpath("w:docDefaults//w:lang/@w:bidi") == ["ar-EG"]
    assert [bool(one._p.xpath("w:pPr/w:bidi")) for one in arabic.paragraphs] == [False, False, True, True]
    assert [bool(one._r.xpath("w:rPr/w:rtl")) for one in arabic.paragraphs[3].runs] == [True]
    chinese = opened(talk(said("你好。"), language="zh"))
    assert chinese.styles.element.xpath("w:docDefaults//w:lang/@w:eastAsia") == ["zh-CN"]


def test_the_same_transcript_makes_the_same_bytes() -> None:
    made = render(CONVERSATION)
    assert made == render(CONVERSATION)
    with zipfile.ZipFile(io.BytesIO(made)) as package:
        assert {entry.date_time for entry in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert package.namelist()[0] == "[Content_Types].xml"
        assert not any("thumbnail" in name for name in package.namelist())


def test_what_xml_cannot_hold_is_left_out() -> None:
    episode = replace(CONVERSATION.episode, title="Pi\x00lot\ud800\uffff " + "long " * 100, show="A\x1bB")
    document = opened(replace(CONVERSATION, episode=episode))
    assert document.paragraphs[0].text.startswith("Pilot long")
    assert (document.core_properties.author, len(document.core_properties.title)) == ("AB", 255)


def test_a_translation_says_that_it_is_one() -> None:
    transcript = bilingual("a model")
    assert ("Note", "Machine translation by a model") in told(
        opened(translated(transcript, transcript.translations[0]))
    )
