"""Transcripts by whomever, as feeds link to them, read as who says what: JSON, WebVTT, SubRip, HTML.

What a file is, is told by its content: servers and feeds name the wrong type. Text comes from strangers.
https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/examples/transcripts/transcripts.md
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from models.languages.registry import languages
from models.record.errors import InputError
from models.record.utterances import Utterance
from outputs.captions.caption import Caption
from outputs.captions.encoding import read_captions
from outputs.text.characters import one_line

MAX_UTTERANCES = 500_000  # more than a day of words, one by one
MAX_NAME = 100  # characters
MAX_SECONDS = 1e6

_WORD = r"(?:[^\W\d_][\w.'’-]*)"
_NAME = rf"{_WORD}(?:[ ](?:{_WORD}|\d{{1,3}}|&)){{0,4}}"
# "Anne Currie: " before what she says, or on a line of its own; ">> ANNE: " is television's.
_PREFIX = re.compile(rf"(?:>>+|[-–—])?\s*({_NAME})(?:\s*[(\[][^)\]:]{{1,40}}[)\]])?\s*:(?:\s+|$)")


def read_transcript(data: bytes) -> tuple[Utterance, ...]:
    """What is said in a published transcript, and by whom. InputError where it is none that we know."""
    head = data[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith((b"{", b"[")):
        found = list(_of_json(data))
    elif head.startswith(b"<"):
        found = list(_of_html(data))
    else:
        found = _of_captions(read_captions(data, "").captions)
    if not any(one.speaker for one in found):
        found = list(_by_prefix(found))
    clean = [
        Utterance(one.start, _clean(one.speaker)[:MAX_NAME], _clean(one.text))
        for one in found[:MAX_UTTERANCES]
    ]
    if not any(one.text for one in clean):
        raise InputError(
            "no transcript in it: JSON of the podcast namespace, WebVTT, SubRip and HTML are read"
        )
    return tuple(one for one in clean if one.text)


def _clean(text: str) -> str:
    return one_line(text).strip()


def _of_json(data: bytes) -> Iterator[Utterance]:
    """`segments` with `speaker`, `startTime` and `body`, of which some files have one a word."""
    try:
        record = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(f"broken JSON: {error}") from None
    segments = record.get("segments") if isinstance(record, dict) else None
    for segment in segments if isinstance(segments, list) else ():
        if isinstance(segment, dict):
            yield Utterance(
                _seconds(segment.get("startTime")),
                str(segment.get("speaker") or ""),
                str(segment.get("body") or ""),
            )


def _seconds(value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return 0.0
    return seconds if 0.0 <= seconds <= MAX_SECONDS else 0.0


def _of_html(data: bytes) -> Iterator[Utterance]:
    """<cite> is who speaks, <time> from when on, <p> what is said. A page of another kind has no <cite>."""
    from lxml import html

    try:
        root = html.document_fromstring(
            data, parser=html.HTMLParser(encoding="utf-8", huge_tree=False, no_network=True)
        )
    except (ValueError, html.etree.LxmlError):
        return
    speaker, start = "", 0.0
    for node in root.iter("cite", "time", "p"):
        text = " ".join(node.text_content().split())
        if node.tag == "cite":
            speaker = text.rstrip(": ")
        elif node.tag == "time":
            start = _clock(text)
        elif speaker:
            yield Utterance(start, speaker, text)


def _clock(text: str) -> float:
    """Seconds of a time such as 1:02:03.

    >>> _clock("1:02:03"), _clock("0:07"), _clock("soon")
    (3723.0, 7.0, 0.0)
    """
    if not re.fullmatch(r"(?:\d{1,4}:){1,2}\d{1,2}", text):
        return 0.0
    seconds = 0
    for part in text.split(":"):
        seconds = 60 * seconds + int(part)
    return float(seconds)


def _of_captions(captions: Iterable[Caption]) -> list[Utterance]:
    """Cues, each by its voice; where several speak in one, a line each."""
    found = list[Utterance]()
    for cue in captions:
        start, voices = max(0, cue.start) / 1000, cue.voices
        if len(voices) == len(cue.lines) > 1:
            pairs = zip(voices, cue.lines, strict=True)
            found += [Utterance(start, voice, line) for voice, line in pairs]
        else:
            # Lines stay apart: each may begin with a name.
            found.append(Utterance(start, voices[0] if len(set(voices)) == 1 else "", "\n".join(cue.lines)))
    return found


def _by_prefix(utterances: Sequence[Utterance]) -> Iterator[Utterance]:
    """Who speaks as told in the text itself, "Anne: " before it or on a line of its own; until the next such name."""
    lines = [(one.start, line) for one in utterances for line in one.text.split("\n")]
    names = _names(line for _, line in lines)
    speaker = ""
    for start, line in lines:
        match = _PREFIX.match(line)
        named = match is not None and match[1] in names
        speaker = match[1] if match and named else speaker
        yield Utterance(start, speaker, line[match.end() :] if match and named else line)


def _names(lines: Iterable[str]) -> set[str]:
    """What stands before a colon and is a name rather than the beginning of a sentence ("Remember: ...").

    A name comes again, stands alone on its line, or is of several words.
    """
    found, alone = Counter[str](), set[str]()
    for line in lines:
        match = _PREFIX.match(line)
        if match and all(not word[0].islower() or word in _particles() for word in match[1].split()):
            found[match[1]] += 1
            if match.end() == len(line):
                alone.add(match[1])
    return {name for name, times in found.items() if times > 1 or name in alone or " " in name}


@cache
def _particles() -> frozenset[str]:
    """Small words inside names."""
    return frozenset().union(*(each.names.particles for each in languages().values()))
