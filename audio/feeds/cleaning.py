"""A feed's bytes before they are parsed: unpacked, without what could harm or mislead a parser."""

from __future__ import annotations

import re
import zlib
from xml.parsers import expat

from audio.transfer.sniff import HEAD_BYTES, content_kind
from models.record.errors import InputError

MAX_FEED_BYTES = 50_000_000
MAX_BROKEN_BYTES = 5_000_000  # broken XML takes time that grows with the square of its length
PROLOG_BYTES = 65_536  # what comes before the first item
_REFERENCE = re.compile(rb"&#(?:[xX]([0-9a-fA-F]{1,8})|(\d{1,10}));")
_GZIP = b"\x1f\x8b"
_DOCTYPE = re.compile(rb"<!DOCTYPE\s+[^\[>]*(\[[^\]]*\]\s*)?>", re.IGNORECASE)
_STRAY_AMPERSAND = re.compile(rb"&(?!#\d+;|#[xX][0-9a-fA-F]+;|\w+;)")


def cleaned_xml(data: bytes) -> bytes:
    """`data` as bytes that both parsers can read, without what could harm or mislead them."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", errors="replace")
        data = re.sub(r"^\s*<\?xml[^>]*\?>", "", text).encode()
    if data.startswith(_GZIP):
        data = _unpacked(data)
    begin = data[:HEAD_BYTES].find(b"<")
    if not data.strip():
        raise InputError("the feed is empty (0 bytes)")
    if begin < 0 or content_kind("", data[:HEAD_BYTES]) == "audio":
        raise InputError("this is not a podcast feed (neither RSS nor Atom)")
    data = _without_live_items(_without_doctype(data[begin:]))
    data = _without_noncharacters(_escape_ampersands(data))
    if len(data) > MAX_BROKEN_BYTES and not _well_formed(data):
        raise InputError(f"the feed is broken XML of over {MAX_BROKEN_BYTES // 1_000_000} MB")
    return data


def _unpacked(data: bytes) -> bytes:
    """A feed that is kept as a .gz file, as long as it is not too big inside."""
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        inside = unpacking.decompress(data, MAX_FEED_BYTES + 1)
    except zlib.error as error:
        raise InputError(f"this is not a podcast feed: damaged gzip ({error})") from None
    check_size(inside)
    return inside


def check_size(data: bytes) -> None:
    """InputError for more bytes than a podcast feed has."""
    if len(data) > MAX_FEED_BYTES:
        raise InputError(f"the feed has over {MAX_FEED_BYTES // 1_000_000} MB: that is no podcast feed")


def _without_doctype(data: bytes) -> bytes:
    """Without its document type, and so without entity declarations, which can grow without bound."""
    prolog, rest = data[:PROLOG_BYTES], data[PROLOG_BYTES:]
    prolog = _DOCTYPE.sub(b"", prolog, count=1)
    if b"<!ENTITY" in prolog.partition(b"<item")[0]:
        raise InputError("the feed declares XML entities, which podcast feeds have no use for: refused")
    return prolog + rest


def _without_live_items(data: bytes) -> bytes:
    """Without announcements of live shows: feedparser takes their title and link for the show's."""
    first, *rest = data.split(b"<podcast:liveItem")
    closing = b"</podcast:liveItem>"
    return first + b"".join(part.partition(closing)[2] if closing in part else part for part in rest)


def _escape_ampersands(data: bytes) -> bytes:
    """With every & that begins no reference written as &amp;, but for those inside CDATA."""
    first, *rest = data.split(b"<![CDATA[")
    parts = [_STRAY_AMPERSAND.sub(b"&amp;", first)]
    for part in rest:
        inside, closing, outside = part.partition(b"]]>")
        parts.append(inside + closing + _STRAY_AMPERSAND.sub(b"&amp;", outside))
    return b"<![CDATA[".join(parts)


def _without_noncharacters(data: bytes) -> bytes:
    """With references to what is no character, such as half a surrogate pair, as the mark for those."""

    def checked(reference: re.Match[bytes]) -> bytes:
        code = int(reference[1], 16) if reference[1] else int(reference[2])
        return b"&#xFFFD;" if 0xD800 <= code < 0xE000 or code > 0x10FFFF else reference[0]

    return _REFERENCE.sub(checked, data)


def _well_formed(data: bytes) -> bool:
    try:
        expat.ParserCreate(namespace_separator=" ").Parse(data, True)
    except expat.ExpatError:
        return False
    return True
