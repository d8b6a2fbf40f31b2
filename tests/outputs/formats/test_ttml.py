"""The reader is ttconv's, for the rules of IMSC 1.1 that it doesn't check there is `faults`."""

from __future__ import annotations

import io
import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from ttconv.imsc import reader
from ttconv.model import Br, ContentDocument, Text

from models.record.transcript import Episode, Transcript, Word
from outputs.captions.cues import cues
from outputs.captions.look import font_share
from outputs.captions.profiles import BBC, PODCAST, VIDEO, VTT, Profile
from outputs.captions.render_model import paced
from outputs.captions.screen import Cue
from outputs.formats.ttml import HEIGHT, PROFILE, REGIONS, WIDTH, render
from outputs.text.direction import undirected
from outputs.text.translations import translated
from tests.outputs.samples import (
    BILINGUAL,
    CONVERSATION,
    CROSSTALK,
    apart,
    letters,
    said,
    spoken,
    talk,
    transcripts,
)
from tests.outputs.test_translations import bilingual

TT, XML = "{http://www.w3.org/ns/ttml}", "{http://www.w3.org/XML/1998/namespace}"
TTM, TTP, TTS = (f"{{http://www.w3.org/ns/ttml#{part}}}" for part in ("metadata", "parameter", "styling"))
ITTS, EBUTTS = "{http://www.w3.org/ns/ttml/profile/imsc1#styling}", "{urn:ebu:tt:style}"
NOT_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")
# Of those that the Text Profile permits; what is not here is not used without being looked up.
ATTRIBUTES = {
    "tt": {f"{TTP}contentProfiles", f"{TTP}timeBase", f"{XML}space", f"{XML}lang"},
    "style": {f"{XML}id", f"{ITTS}fillLineGap", f"{EBUTTS}linePadding"}
    | {f"{TTS}{name}" for name in ("backgroundColor", "color", "fontFamily", "fontSize", "lineHeight", "textAlign")},
    "region": {f"{XML}id", "style"} | {f"{TTS}{name}" for name in ("displayAlign", "extent", "origin", "overflow")},
    "body": {"style"},
    "p": {"begin", "end", "region", f"{TTM}agent", f"{TTS}direction", f"{XML}lang"},
    "span": {"style"},
    "agent": {f"{XML}id", "type"},
    "name": {"type"},
}  # fmt: skip


def faults(text: str) -> Iterator[str]:
    """What breaks a rule of the IMSC 1.1 Text Profile, or of TTML 2."""
    root = ElementTree.fromstring(text.encode())
    if root.get(f"{TTP}contentProfiles") != PROFILE or root.get(f"{XML}lang") is None:
        yield "neither profile nor language"
    if root.get(f"{TTP}timeBase") != "media":
        yield "times of another base than media"
    if [child.tag for child in root] != [f"{TT}head", f"{TT}body"]:
        yield "not one head and one body"
    if [child.tag for child in root[0]] != [f"{TT}metadata", f"{TT}styling", f"{TT}layout"]:
        yield "parts of the head out of order"
    elements = list(root.iter())
    for one in elements:
        allowed = ATTRIBUTES.get(one.tag.rpartition("}")[2], set())
        yield from (f"{name} on {one.tag}" for name in one.attrib.keys() - allowed)
    ids = [one.attrib[f"{XML}id"] for one in elements if f"{XML}id" in one.attrib]
    yield from (f"two of {name}" for name, count in Counter(ids).items() if count > 1)
    yield from (f"no id: {name}" for name in ids if not re.fullmatch(r"[A-Za-z_][\w.-]*", name))
    for one in elements:
        for name in ("style", "region", f"{TTM}agent"):
            yield from (f"no {name} {it}" for it in one.get(name, "").split() if it not in ids)
        for name, value in one.attrib.items():
            if re.search(r"\d(px|em)\b", value) or ("Padding" not in name and re.search(r"\dc\b", value)):
                yield f"{name}={value}: a unit that is not allowed there"
    yield from _faults_of_styles(root)
    yield from _faults_of_paragraphs(root)


def _faults_of_styles(root: Any) -> Iterator[str]:
    styles = {one.get(f"{XML}id"): one for one in root.iter(f"{TT}style")}
    for region in root.iter(f"{TT}region"):
        if styles[region.get("style")].get(f"{TTS}lineHeight", "normal") == "normal":
            yield "a line height that each player has its own of"
    for one in styles.values():
        if (
            one.get(f"{TTS}color")
            and contrast(one.get(f"{TTS}color"), one.get(f"{TTS}backgroundColor")) < 4.5
        ):
            yield f"{one.get(f'{XML}id')}: can't be read"


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""

    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, bright = sorted((light(one), light(other)))
    return (bright + 0.05) / (dark + 0.05)


def _faults_of_paragraphs(root: Any) -> Iterator[str]:
    boxes = {one.get(f"{XML}id"): box(one) for one in root.iter(f"{TT}region")}
    for name, (left, top, right, bottom) in boxes.items():
        if not (0 <= left < right <= 100 and 0 <= top < bottom <= 100):
            yield f"{name} leaves the picture"
    shown = [(seconds(one.get("begin")), seconds(one.get("end")), one) for one in root.iter(f"{TT}p")]
    yield from (f"{begin} to {end}" for begin, end, _ in shown if begin >= end)
    for at in {begin for begin, *_ in shown}:
        regions = {one.get("region") for begin, end, one in shown if begin <= at < end}
        if len(regions) > 4:
            yield f"{at}: more than four regions"
        for one, other in combinations(regions, 2):
            a, b = boxes[one], boxes[other]
            if min(a[2], b[2]) > max(a[0], b[0]) and min(a[3], b[3]) > max(a[1], b[1]):
                yield f"{at}: {one} and {other} overlap"
    yield from _faults_of_painting(shown, boxes, font_of(root))


def _faults_of_painting(shown: list[Any], boxes: dict[str, Any], font: float) -> Iterator[str]:
    """IMSC Hypothetical Render Model 1.0."""
    cache, before = set[Any](), None
    for at in sorted({time for begin, end, _ in shown for time in (begin, end)}):
        there = [one for begin, end, one in shown if begin <= at < end]
        if not there:
            continue
        duration, drawn = 1 / 12, set[Any]()
        for one in there:
            left, top, right, bottom = boxes[one.get("region")]
            duration += (right - left) * (bottom - top) / 10_000 / 12
            for char in "".join(one.itertext()):
                glyph, script = (char, one[0].get("style")), script_of(char)
                if glyph in cache | drawn:
                    duration += font**2 / (
                        12 if script in ("LATIN", "GREEK", "CYRILLIC", "HEBREW", "") else 3
                    )
                else:
                    wide = script in ("CJK", "KATAKANA", "HIRAGANA", "BOPOMOFO", "HANGUL")
                    duration += font**2 / (0.6 if wide else 1.2)
                drawn.add(glyph)
        if duration > min(1.0, at - before if before is not None else 1.0) + 1e-9:
            yield f"{at}: {duration:.3f} s to paint, {before} shown before"
        if len(drawn) * font**2 > 1:
            yield f"{at}: too many letters"
        cache, before = drawn, at


def script_of(char: str) -> str:
    """The script as the names of letters begin with it; "" for what is in all."""
    return unicodedata.name(char, "").split(" ")[0].split("-")[0] if char.isalpha() else ""


def box(region: Any) -> tuple[float, float, float, float]:
    left, top = (float(part.rstrip("%")) for part in region.get(f"{TTS}origin").split())
    width, height = (float(part.rstrip("%")) for part in region.get(f"{TTS}extent").split())
    return left, top, left + width, top + height


def font_of(root: Any) -> float:
    return next(
        float(size.rstrip("%")) / 100 / 15
        for one in root.iter(f"{TT}style")
        if (size := one.get(f"{TTS}fontSize"))
    )


def seconds(time: str) -> float:
    assert re.fullmatch(r"\d\d+:[0-5]\d:[0-5]\d\.\d{3}", time)
    hours, minutes, rest = time.split(":")
    return round(int(hours) * 3600 + int(minutes) * 60 + float(rest), 3)


def document(text: str) -> ContentDocument:
    """As ttconv reads it; it logs what it doesn't like."""
    found = reader.to_model(ElementTree.ElementTree(ElementTree.fromstring(text.encode())))
    assert found is not None
    return found


def read(text: str) -> list[tuple[float, float, str, list[str], str]]:
    """Begin, end, region, lines, language of each p, in ttconv's model."""
    found = []
    body = document(text).get_body()
    assert body is not None
    for paragraph in [paragraph for div in body for paragraph in div]:
        lines = [""]
        for span in paragraph:
            for piece in span:
                if isinstance(piece, Br):
                    lines.append("")
                for one in piece if not isinstance(piece, Text | Br) else [piece]:
                    lines[-1] += one.get_text() if isinstance(one, Text) else ""
        begin, end, region = paragraph.get_begin(), paragraph.get_end(), paragraph.get_region()
        found.append(
            (
                float(begin or 0),
                float(end),
                region.get_id(),
                list(map(undirected, lines)),
                paragraph.get_lang(),
            )
        )
    return found


def shown(transcript: Transcript, profile: Profile = VIDEO) -> list[Cue]:
    return paced(cues(transcript, profile), WIDTH * HEIGHT / 10_000, font_share(profile))


@settings(max_examples=30)
@given(transcripts() | transcripts().map(apart))
def test_another_reader_finds_the_same_words_and_times_and_the_profile_is_kept(
    transcript: Transcript,
) -> None:
    text = render(transcript)
    assert list(faults(text)) == []
    found = read(text)
    words = letters("".join(line for *_, lines, _ in found for line in lines))
    lines = "".join(undirected(line) for cue in shown(transcript) for line in cue.lines)
    assert words == NOT_XML.sub("", letters(lines))
    assert transcript.tracks or words == NOT_XML.sub("", spoken(transcript))


def test_a_conversation(caplog: pytest.LogCaptureFixture) -> None:
    text = render(CONVERSATION)
    with caplog.at_level(logging.DEBUG, "ttconv"):
        found = document(text)
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []
    assert found.get_lang() == "en"
    assert found.get_content_profiles() == {PROFILE}
    assert read(text)[1] == (4.0, 5.2, "row0", ["And I'm Bob, hello!"], "en")
    root = ElementTree.fromstring(text)
    names = {one.get(f"{XML}id"): one[0].text for one in root.iter(f"{TTM}agent")}
    assert names == {"agent1": "Ann", "agent2": "Bob"}
    assert [one.get(f"{TTM}agent") for one in root.iter(f"{TT}p")] == ["agent1", "agent2", "agent1", None]
    assert [one.get("style") for one in root.iter(f"{TT}span")] == ["white", "yellow", "white", "white"]
    assert next(root.iter(f"{TTM}title")).text == "Pilot & co"


def test_two_at_once_are_one_above_the_other_and_stay_where_they_are() -> None:
    assert [(begin, end, region) for begin, end, region, *_ in read(render(CROSSTALK))] == [
        (0.5, 6.0, "row0"),
        (2.6, 3.434, "row1"),
        (6.0, 9.3, "row0"),
        (7.2, 10.2, "row1"),
        (11.0, 11.834, "row0"),
    ]


def test_six_at_once_have_four_places() -> None:
    names = {f"S{number}": f"Speaker {number}" for number in range(6)}
    parts = [
        said("We all talk at once, and for a while, too.", 1 + i * 0.1, speaker=f"S{i}") for i in range(6)
    ]
    text = render(apart(talk(*parts, **names)))
    assert list(faults(text)) == []
    assert Counter(region for _, _, region, *_ in read(text)) == {"row0": 1, "row1": 1, "row2": 1, "row3": 3}
    colours = [one.get("style") for one in ElementTree.fromstring(text).iter(f"{TT}span")]
    assert colours == ["white", "yellow", "cyan", "green", "white", "yellow"]
    assert REGIONS == 4


def test_languages_and_directions() -> None:
    assert [language for *_, language in read(render(BILINGUAL))] == ["en", "de", "en", "de"]
    arabic = replace(said("مرحبا Anne بالعالم.", 0), language="ar")
    mixed = talk(arabic, said("Hello: there, מה.", 4, language="en"), language="ar", SPEAKER_00="آن")
    text = render(mixed, PODCAST)
    first, second = ElementTree.fromstring(text).iter(f"{TT}p")
    assert (first.get(f"{TTS}direction"), second.get(f"{TTS}direction")) == ("rtl", None)
    assert "".join(first.itertext()).startswith("آن:\u200f مرحبا")
    assert "\u202b" not in text
    assert list(faults(text)) == []
    hebrew = ElementTree.fromstring(render(talk(said("שלום לכולם.", 0), language='he"><x')))
    assert hebrew.get(f"{XML}lang") == ""


@pytest.mark.parametrize("profile", [PODCAST, VTT, BBC])
def test_other_profiles(profile: Profile) -> None:
    text = render(CROSSTALK, profile)
    assert list(faults(text)) == []
    assert [lines for *_, lines, _ in read(text)] == [list(cue.lines) for cue in shown(CROSSTALK, profile)]
    assert len({region for _, _, region, *_ in read(text)}) == 1 + profile.simultaneous


def test_the_worst_of_names_and_words() -> None:
    text = render(
        replace(
            talk(
                said('<b>&amp;</b> "]]> \x00\x0b\ufffe\ud800 end.', 36000.0),
                SPEAKER_00="A <&\"'>\n\x01B\udc80",
            ),
            episode=Episode("id", title="</tt>\uffff & co"),
        )
    )
    assert list(faults(text)) == []
    assert read(text)[0][0] == 36000.0
    assert read(text)[0][3] == ['<b>&amp;</b> "]]>  end.']
    root = ElementTree.parse(io.BytesIO(text.encode())).getroot()
    assert next(root.iter(f"{TTM}name")).text == "A <&\"'> B"


def test_silence_and_translations() -> None:
    assert read(render(talk())) == []
    assert list(faults(render(talk(language="")))) == []
    transcript = bilingual()
    text = render(translated(transcript, transcript.translations[0]))
    assert "<ttm:desc>Machine translation by Whisper base</ttm:desc>" in text
    assert 'xml:lang="en"' in text


def test_the_rules_find_what_breaks_them() -> None:
    good = render(CROSSTALK)
    for old, new in (
        ("imsc1.1/text", "imsc1.1/image"),
        ('timeBase="media"', 'timeBase="smpte"'),
        ('tts:extent="90% 16%"', 'tts:extent="90% 26%"'),
        ('linePadding="0.5c"', 'linePadding="9px"'),
        ('ttm:agent="agent1"', 'ttm:agent="nobody"'),
        ('xml:id="agent2"', 'xml:id="2"'),
        ('color="#FFFF00"', 'color="#333300"'),
        ('begin="00:00:06.000"', 'begin="00:00:10.000"'),
        ('begin="00:00:02.600"', 'begin="00:00:00.501"'),
        ('lineHeight="125%"', 'lineHeight="normal"'),
        ("<span ", '<span tts:zIndex="1" '),
    ):  # fmt: skip
        assert old in good
        assert list(faults(good.replace(old, new))), new


def test_quick_words_are_shown_as_soon_as_they_can_be_painted() -> None:
    words = [Word(i * 0.1, i * 0.1 + 0.1, f" {i}{'字' * 20}.", speaker=f"S{i % 3}") for i in range(9)]
    parts = [replace(said("x", i * 0.1, speaker=f"S{i % 3}"), words=(word,)) for i, word in enumerate(words)]
    transcript = apart(talk(*parts, S0="A", S1="B", S2="C"))
    assert list(faults(render(transcript))) == []
    moved = shown(transcript)
    assert moved != cues(transcript, VIDEO)
    assert [cue.lines for cue in moved] == [cue.lines for cue in cues(transcript, VIDEO)]
    assert all(cue.end - cue.start >= 0.1 for cue in moved)
    assert shown(CROSSTALK) == cues(CROSSTALK, VIDEO)
