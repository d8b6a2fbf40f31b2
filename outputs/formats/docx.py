"""The transcript as a Word document (Office Open XML, ECMA-376): styles to restyle it by, a header, page numbers.

The same transcript makes the same bytes. Who restyles it finds title, chapters and links in Word's own styles, and
beside them "Speaker", "Speech", "Summary" and "Note" for paragraphs, "Speaker Name", "Speaker Unsure" and "Time" for
characters.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from models.record.transcript import Chapter, Transcript, Word
from outputs.formats.format import NAMES_AND_TIMES, TextStyle
from outputs.text.chapters import chapters_note, listed_chapters, summary_note, summary_of
from outputs.text.characters import one_line
from outputs.text.direction import RIGHT_TO_LEFT, is_right_to_left
from outputs.text.document import contents, facts_of, show_of, title_of
from outputs.text.languages import foreign_tag, language_tag
from outputs.text.paragraphs import Paragraph, Passage
from outputs.text.times import clock
from outputs.text.translations import notice
from outputs.text.unsure import is_unsure

if TYPE_CHECKING:
    from docx.document import Document as Docx
    from docx.styles.style import CharacterStyle

LONG_AGO = datetime(1980, 1, 1, tzinfo=UTC)  # the first day that zip knows: of files whose day nobody knows
MAX_PROPERTY = 255  # characters of a property, as Word has it
RESTYLED = ("Title", "Subtitle", "Heading 1", "Header", "Footer")
UNSURE_NOTE = "Dotted: not sure who says it"
_EAST_ASIAN = {"ja", "ko", "wuu", "yue", "zh"}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SOFT = "595959"  # grey that can be read on white: 7 to 1
_A4 = 11906, 16838, 1304  # width, height and margins in twentieths of a point
_RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
Piece = tuple[str, str]  # text, and the id of its character style, "" for none


def render(transcript: Transcript, style: TextStyle = NAMES_AND_TIMES) -> bytes:
    """The document; a translation says so first, and so does what no person wrote."""
    from docx import Document

    document = Document()
    _set_styles(document)
    _add_styles(document, transcript)
    _set_page(document, transcript)
    _set_properties(document, transcript)
    _set_language(document, transcript.language)
    _Body(document, transcript.language).write(transcript, style)
    out = io.BytesIO()
    document.save(out)
    return _dateless(out.getvalue())


class _Body:
    """What the document says, as the elements of its body: by python-docx one run at a time ten hours take 20 s."""

    def __init__(self, document: Docx, language: str) -> None:
        self._end = document.element.body.sectPr
        self._part = document.part
        self._language = language

    def write(self, transcript: Transcript, style: TextStyle) -> None:
        self._add("Title", [(title_of(transcript), "")])
        self._add("Subtitle", [(facts_of(transcript, names=style.names), "")])
        self._add("Note", [(notice(transcript), "")])
        self._add("Summary", list(_summary(transcript)))
        self._add("Note", [(summary_note(transcript), "")])
        self._add("Note", [(chapters_note(transcript), "")])
        if style.names and any(map(is_unsure, transcript.words)):
            self._add("Note", [(UNSURE_NOTE, "SpeakerUnsure")])
        for part in contents(transcript):
            if isinstance(part, Chapter):
                self._add("Heading1", [(part.title, "")])
                self._add_link(part.url)
            else:
                self._write_passage(part, style)

    def _add_link(self, address: str) -> None:
        """A paragraph that is a link to a page; none for ""."""
        from docx.opc.constants import RELATIONSHIP_TYPE

        if address:
            self._add("Note", [(address, "Hyperlink")], right_to_left=False)
            paragraph = self._end.getprevious()
            link = _within(paragraph, "hyperlink")
            link.set(
                f"{{{_RELATIONSHIPS}}}id", self._part.relate_to(address, RELATIONSHIP_TYPE.HYPERLINK, True)
            )
            link.append(paragraph.find(_qualified("r")))

    def _write_passage(self, passage: Passage, style: TextStyle) -> None:
        first = passage.paragraphs[0]
        name = passage.speaker if style.names else ""
        time = f"({clock(passage.start)})" if style.tells_time(first=True) else ""
        heading = [(name, "SpeakerName"), (" " if name and time else "", ""), (time, "Time")]
        # A name stands on the side on which what it says begins, whatever letters it has itself.
        self._add("Speaker", heading, right_to_left=is_right_to_left(first.text, self._of(first)))
        for paragraph in passage.paragraphs:
            tag = foreign_tag(paragraph.language, self._language)
            timed = paragraph is not first and style.tells_time(first=False)
            before = [(f"({clock(paragraph.start)})", "Time"), (" ", "")] if timed else []
            pieces = [*before, *_pieces(paragraph.words, marked=style.names)]
            self._add("Speech", pieces, self._of(paragraph), tag)

    def _of(self, paragraph: Paragraph) -> str:
        return paragraph.language or self._language

    def _add(
        self,
        style: str,
        pieces: Sequence[Piece],
        language: str = "",
        tag: str = "",
        right_to_left: bool | None = None,
    ) -> None:
        """A paragraph of these pieces; none where they say nothing. `tag` where its language is not the document's."""
        text = "".join(text for text, _ in pieces)
        if not text:
            return
        turned = (
            is_right_to_left(text, language or self._language) if right_to_left is None else right_to_left
        )
        paragraph = _element("p")
        properties = _within(paragraph, "pPr")
        _within(properties, "pStyle", val=style)
        if turned:
            _within(properties, "bidi")
        for text, kind in pieces:
            if text:
                _add_run(paragraph, text, kind, tag, is_right_to_left(text, language or self._language))
        self._end.addprevious(paragraph)


def _add_run(paragraph: Any, text: str, style: str, tag: str, turned: bool) -> None:
    run = _within(paragraph, "r")
    if style or tag or turned:
        properties = _within(run, "rPr")  # its parts in the order of the schema
        if style:
            _within(properties, "rStyle", val=style)
        if turned:
            _within(properties, "rtl")
        if tag:
            _within(properties, "lang", **_languages(tag))
    written = _within(run, "t")
    written.text = _clean(text)
    written.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")


def _summary(transcript: Transcript) -> Iterator[Piece]:
    for number, one in enumerate(summary_of(transcript)):
        yield f"{' ' if number else ''}{one.text} ", ""
        yield f"({clock(one.start)})", "Time"


def _pieces(words: Sequence[Word], *, marked: bool) -> Iterator[Piece]:
    """The running text of a paragraph on one line, cut where it begins or ceases to be sure who speaks."""
    made = list[Piece]()
    for unsure, group in groupby(words, key=lambda word: marked and is_unsure(word)):
        text = one_line("".join(word.text for word in group))
        text = text.lstrip() if not made else text.lstrip(" ") if made[-1][0].endswith(" ") else text
        if text:
            made.append((text, "SpeakerUnsure" if unsure else ""))
    while made and not made[-1][0].strip():
        made.pop()
    if made:
        made[-1] = made[-1][0].rstrip(), made[-1][1]
    yield from made


def _set_styles(document: Docx) -> None:
    from docx.enum.style import WD_STYLE_TYPE as KIND
    from docx.enum.text import WD_UNDERLINE
    from docx.shared import Pt

    styles = document.styles
    normal = styles["Normal"].paragraph_format
    normal.space_after, normal.line_spacing, normal.widow_control = Pt(6), 1.15, True
    title, subtitle = styles["Title"], styles["Subtitle"]
    for name in RESTYLED:
        for one in styles[name].element.xpath("w:link | w:pPr/w:pBdr | w:pPr/w:numPr | w:rPr/w:spacing"):
            one.getparent().remove(one)
        styles[f"{name} Char"].delete()  # which would look as it did
        _colour(styles[name], "1F1F1F" if name in ("Title", "Heading 1") else _SOFT)
    title.font.size, subtitle.font.size, subtitle.font.italic, subtitle.font.cs_italic = (
        Pt(24),
        Pt(12),
        False,
        False,
    )
    title.paragraph_format.space_after = Pt(4)
    speech, speaker, note = (styles.add_style(name, KIND.PARAGRAPH) for name in ("Speech", "Speaker", "Note"))
    for one in (speech, speaker, note):
        one.base_style, one.quick_style = styles["Normal"], True
    speaker.next_paragraph_style = speech
    speaker.paragraph_format.keep_with_next = True
    speaker.paragraph_format.space_before, speaker.paragraph_format.space_after = Pt(10), Pt(0)
    name, time, unsure = (
        styles.add_style(name, KIND.CHARACTER) for name in ("Speaker Name", "Time", "Speaker Unsure")
    )
    name.font.bold = name.font.cs_bold = True
    unsure.font.underline = WD_UNDERLINE.DOTTED
    for one in (time, note):
        _colour(one, _SOFT)


def _add_styles(document: Docx, transcript: Transcript) -> None:
    """Those of a summary, and of links, where there are any."""
    from docx.enum.style import WD_STYLE_TYPE as KIND

    styles = document.styles
    if summary_of(transcript):
        summary = styles.add_style("Summary", KIND.PARAGRAPH)
        summary.base_style, summary.quick_style = styles["Normal"], True
    if any(one.url for one in listed_chapters(transcript)):
        styles.add_style("Hyperlink", KIND.CHARACTER, builtin=True).font.underline = True


def _colour(style: CharacterStyle, colour: str) -> None:
    from docx.shared import RGBColor

    style.font.color.rgb = RGBColor.from_string(colour)


def _set_page(document: Docx, transcript: Transcript) -> None:
    """A4, show and title at the head of each page, its number at the foot."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Twips

    section = document.sections[0]
    width, height, margin = map(Twips, _A4)
    section.page_width, section.page_height = width, height
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = margin
    head = " · ".join(filter(None, (show_of(transcript), title_of(transcript))))
    header, footer = section.header.paragraphs[0], section.footer.paragraphs[0]
    if is_right_to_left(head, transcript.language):
        _within(header._p.get_or_add_pPr(), "bidi")
    _add_run(header._p, head, "", "", is_right_to_left(head, transcript.language))
    footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _add_run(_within(footer._p, "fldSimple", instr="PAGE"), "1", "", "", False)


def _set_properties(document: Docx, transcript: Transcript) -> None:
    told, made = document.core_properties, _made_at(transcript)
    told.title, told.author = _property(title_of(transcript)), _property(show_of(transcript))
    told.comments, told.language = _property(notice(transcript)), language_tag(transcript.language)
    told.last_modified_by, told.revision = "", 1
    told.created = told.modified = made
    package = document.part.package
    for number in [number for number, one in package.rels.items() if one.reltype.endswith("/thumbnail")]:
        del package.rels[number]  # a picture of the library's own empty document


def _made_at(transcript: Transcript) -> datetime:
    """When the episode was published, in UTC without an offset, as properties have it."""
    found = LONG_AGO
    with suppress(ValueError, OverflowError):
        told = datetime.fromisoformat(transcript.episode.published)
        found = told.astimezone(UTC) if told.tzinfo else told.replace(tzinfo=UTC)
    return max(found, LONG_AGO).replace(tzinfo=None, microsecond=0)


def _property(text: str) -> str:
    return _clean(text)[:MAX_PROPERTY]


def _set_language(document: Docx, language: str) -> None:
    """Have spelling checked and fonts chosen for the language of the episode; as Word does where none is known."""
    if tag := language_tag(language):
        places = document.styles.element.xpath("w:docDefaults//w:lang")
        for place in places + document.settings.element.xpath("w:themeFontLang"):
            for name, value in _languages(tag).items():
                place.set(_qualified(name), value)


@lru_cache(maxsize=64)
def _languages(tag: str) -> Mapping[str, str]:
    """A language as Word has it: with a country, and told apart by how it is written."""
    import langcodes

    full = langcodes.get(tag).maximize()
    named = f"{full.language}-{full.territory}" if full.territory else tag
    kind = "bidi" if full.language in RIGHT_TO_LEFT else "eastAsia" if full.language in _EAST_ASIAN else "val"
    return {kind: named}


def _dateless(document: bytes) -> bytes:
    """The same package, its files of one date."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(document)) as made, zipfile.ZipFile(out, "w") as written:
        for name in made.namelist():
            entry = zipfile.ZipInfo(name, LONG_AGO.timetuple()[:6])
            entry.create_system = 0  # the same on all systems
            written.writestr(entry, made.read(name), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _clean(text: str) -> str:
    """Without what XML can't hold."""
    return _NOT_XML.sub("", text)


def _qualified(name: str) -> str:
    return f"{{http://schemas.openxmlformats.org/wordprocessingml/2006/main}}{name}"


def _element(name: str) -> Any:
    from docx.oxml.parser import OxmlElement

    return OxmlElement(f"w:{name}")


def _within(parent: Any, name: str, **attributes: str) -> Any:
    """A new last child."""
    made = parent.makeelement(_qualified(name), {_qualified(key): value for key, value in attributes.items()})
    parent.append(made)
    return made
