"""TTML captions: the Text Profile of IMSC 1.1, as broadcasters and streaming services exchange them.

Each speaker has a colour and is a ttm:agent. Cues at once are in regions one above the other; who is shown stays where
it is. https://www.w3.org/TR/ttml-imsc1.1/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from models.record.transcript import Transcript
from outputs.captions.cues import cues
from outputs.captions.look import COLOURS, colours_of, font_share
from outputs.captions.profiles import VIDEO, Profile
from outputs.captions.render_model import paced
from outputs.captions.screen import Cue
from outputs.text.characters import one_line
from outputs.text.direction import is_right_to_left, marked
from outputs.text.languages import foreign_tag, language_tag
from outputs.text.times import vtt_time
from outputs.text.translations import notice

PROFILE = "http://www.w3.org/ns/ttml/profile/imsc1.1/text"
REGIONS = 4  # as many as the profile allows to be shown at once
LEFT, WIDTH, BOTTOM, HEIGHT = (
    5,
    90,
    95,
    16,
)  # of a region, per cent of the picture; they touch and don't overlap
CELL = 1 / 15  # of the picture's height: what sizes of letters are relative to
LINE_HEIGHT = 125  # per cent of the letters'
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, "Characters"
_ROOT = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttm="http://www.w3.org/ns/ttml#metadata"
 xmlns:ttp="http://www.w3.org/ns/ttml#parameter" xmlns:tts="http://www.w3.org/ns/ttml#styling"
 xmlns:itts="http://www.w3.org/ns/ttml/profile/imsc1#styling" xmlns:ebutts="urn:ebu:tt:style"
 ttp:contentProfiles="{PROFILE}" ttp:timeBase="media" xml:space="preserve" xml:lang="""


def render(transcript: Transcript, profile: Profile = VIDEO) -> str:
    """The captions as TTML; none where nobody speaks."""
    main = language_tag(transcript.language)
    font = font_share(profile)
    shown = paced(cues(transcript, profile), WIDTH * HEIGHT / 10_000, font)
    agents = {name: f"agent{number}" for number, name in enumerate(_speakers(shown), start=1)}
    colours = colours_of(shown)
    paragraphs = [
        _paragraph(cue, row, agents.get(cue.speaker), colours[cue.speaker], main)
        for cue, row in zip(shown, _rows(shown), strict=True)
    ]
    parts = [
        f"{_ROOT}{quoteattr(main)}>",
        "<head>",
        *_metadata(transcript, agents),
        *_styling(font),
        "<layout>",
        *map(_region, range(REGIONS)),
        "</layout>",
        "</head>",
        '<body style="captions">',
        "<div>",
        *paragraphs,
        "</div>",
        "</body>",
        "</tt>",
    ]
    return "\n".join(parts) + "\n"


def _speakers(shown: Iterable[Cue]) -> Iterable[str]:
    return dict.fromkeys(cue.speaker for cue in shown if cue.speaker)


def _metadata(transcript: Transcript, agents: dict[str, str]) -> Iterator[str]:
    yield "<metadata>"
    if title := one_line(transcript.episode.title).strip():
        yield f"<ttm:title>{_text(title)}</ttm:title>"
    if said := notice(transcript):
        yield f"<ttm:desc>{_text(said)}</ttm:desc>"
    for name, agent in agents.items():
        yield f'<ttm:agent xml:id="{agent}" type="person"><ttm:name type="full">{_text(name)}</ttm:name></ttm:agent>'
    yield "</metadata>"


def _styling(font: float) -> Iterator[str]:
    yield "<styling>"
    size = f'tts:fontSize="{100 * font / CELL:.4g}%" tts:lineHeight="{LINE_HEIGHT}%"'
    yield f'<style xml:id="letters" tts:fontFamily="proportionalSansSerif" {size}/>'
    yield '<style xml:id="captions" tts:textAlign="center" itts:fillLineGap="true" ebutts:linePadding="0.5c"/>'
    for name, colour in COLOURS.items():
        yield f'<style xml:id="{name}" tts:color="#{colour}" tts:backgroundColor="#000000"/>'
    yield "</styling>"


def _region(row: int) -> str:
    top = BOTTOM - (row + 1) * HEIGHT
    place = f'tts:origin="{LEFT}% {top}%" tts:extent="{WIDTH}% {HEIGHT}%"'
    return (
        f'<region xml:id="row{row}" style="letters" {place} tts:displayAlign="after" tts:overflow="visible"/>'
    )


def _rows(shown: Sequence[Cue]) -> Iterator[int]:
    """The region of each cue, from 0 at the bottom: the first that is free, the last one where none is."""
    free = [0.0] * REGIONS
    for cue in shown:
        row = next((row for row, end in enumerate(free) if end <= cue.start), REGIONS - 1)
        free[row] = max(free[row], cue.end)
        yield row


def _paragraph(cue: Cue, row: int, agent: str | None, colour: str, main: str) -> str:
    told = f'region="row{row}" begin="{vtt_time(cue.start)}" end="{vtt_time(cue.end)}"'
    if agent:
        told += f' ttm:agent="{agent}"'
    if tag := foreign_tag(cue.language, main):
        told += f" xml:lang={quoteattr(tag)}"
    if is_right_to_left("".join(cue.lines), cue.language):
        told += ' tts:direction="rtl"'
    lines = "<br/>".join(map(_text, marked(cue.lines, cue.language)))
    return f'<p {told}><span style="{colour}">{lines}</span></p>'


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("", text))
