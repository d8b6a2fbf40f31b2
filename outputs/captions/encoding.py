"""From the bytes of a caption file to its cues: which encoding, and which format."""

from __future__ import annotations

import re
from dataclasses import replace

from models.record.errors import InputError
from outputs.captions import subrip, webvtt
from outputs.captions.caption import Fault, Reading

UTF16 = "UTF-16"
MARKED = "utf-16"  # Python's codec for text that starts with a byte order mark
SAMPLE_BYTES = 200
SUFFIXES = {"vtt": (".vtt", ".webvtt"), "srt": (".srt",)}


def read_captions(data: bytes, suffix: str) -> Reading:
    """The cues and faults of a file; its name's suffix says what it should be.

    Raises InputError where it holds no captions of any format.
    """
    wide = _wide(data)
    text = data.decode(wide, errors="replace") if wide else data.decode(errors="replace")
    bad_line = 0 if wide else _first_bad_line(data)
    is_vtt = webvtt.looks_like(text) or suffix.lower() in SUFFIXES["vtt"]
    reading = _webvtt(text, wide, bad_line) if is_vtt else _subrip(data, text, wide, bad_line)
    return _with_faults(reading, _misnamed("vtt" if is_vtt else "srt", suffix.lower()))


def _webvtt(text: str, wide: str, bad_line: int) -> Reading:
    """What browsers show, which take for UTF-8 what has no mark that says otherwise."""
    reading = webvtt.read(text)
    if wide == MARKED:
        return _with_faults(
            reading, Fault(1, "encoding", f"{UTF16}, not UTF-8: Chromium takes it, other readers may not")
        )
    if wide:
        fault = Fault(1, "encoding", f"{UTF16}, not UTF-8: browsers show nothing of the file")
        return replace(_with_faults(reading, fault), captions=())
    if bad_line:
        return _with_faults(reading, Fault(bad_line, "encoding", "not UTF-8: browsers show � for letters"))
    return reading


def _subrip(data: bytes, text: str, wide: str, bad_line: int) -> Reading:
    western = bool(bad_line) and not _is_mostly_utf8(text)
    try:
        reading = subrip.read(_windows_1252(data) if western else text)
    except InputError as error:
        if bad_line:
            raise InputError("not UTF-8 text; give an .srt or .vtt file") from error
        raise
    if wide:
        return _with_faults(reading, Fault(1, "encoding", f"{UTF16}, not UTF-8"))
    if bad_line:
        taken = "it was read as Windows-1252" if western else "bytes that are none are shown as �"
        return _with_faults(reading, Fault(bad_line, "encoding", f"not UTF-8: {taken}"))
    return reading


def _with_faults(reading: Reading, *faults: Fault | None) -> Reading:
    """A reading with what was wrong before it began; in order of lines."""
    found = [*filter(None, faults), *reading.faults]
    return replace(reading, faults=tuple(sorted(found, key=lambda fault: fault.line)))


def _misnamed(fmt: str, suffix: str) -> Fault | None:
    other = "srt" if fmt == "vtt" else "vtt"
    names = {"vtt": "WebVTT", "srt": "SubRip"}
    if suffix in SUFFIXES[other]:
        return Fault(1, "suffix", f"{names[fmt]} in a file called {suffix}: players go by the name")
    return None


def _wide(data: bytes) -> str:
    """The codec of UTF-16 text, "" for other text; without a mark its ASCII tells, which is half zeros."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return MARKED
    sample = data[:SAMPLE_BYTES]
    for offset, codec in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros = sample[offset::2].count(0)
        if zeros > len(sample) / 4 and not sample[1 - offset :: 2].count(0):
            return codec
    return ""


def _first_bad_line(data: bytes) -> int:
    """The first line, from 1, that is not UTF-8; 0 if all are."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return 1 + len(re.findall(rb"\r\n|\r|\n", data[: error.start]))
    return 0


def _is_mostly_utf8(text: str) -> bool:
    """Whether most of the bytes beyond ASCII made letters."""
    bad = text.count("\ufffd")
    return sum(not char.isascii() for char in text) - bad > bad


def _windows_1252(data: bytes) -> str:
    """The five bytes that Windows-1252 has no letter for become �."""
    return data.decode("cp1252", errors="replace")
