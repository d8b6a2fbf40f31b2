"""A feed's bytes before they are parsed: unpacked, as text, from its first tag on."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from audio.feeds.encoding import decoded
from audio.transfer.sniff import FEED_ROOTS, HEAD_BYTES, content_kind
from models.record.errors import InputError

MAX_FEED_BYTES = 50_000_000
MAX_MEMBERS = 100  # of a .gz file, one after the other
_GZIP = b"\x1f\x8b"
_SPACES = str.maketrans("\x0b\x0c", "  ")
# What XML 1.0 has no place for. Half characters can't come out of a decoder.
NO_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ROOT = re.compile(rf"<(?:[\w.-]+:)?(?:{FEED_ROOTS})(?=[\s/>])", re.IGNORECASE)
_PAGE = re.compile(r"<(?:!doctype\s+)?html[\s>]", re.IGNORECASE)
_ENTITY = re.compile(r"<!ENTITY", re.IGNORECASE)


def feed_text(data: bytes, content_type: str = "") -> str:
    """The feed in `data` as text, from its root on: without what stands before it, and so without a DTD.

    content_type: the header that it came with. Raises InputError where there is no feed.
    """
    data = _unpacked(data)
    if not data.strip():
        raise InputError("the feed is empty (0 bytes)")
    if content_kind("", data[:HEAD_BYTES]) == "audio":
        raise NotAFeedError("this is not a podcast feed (neither RSS nor Atom)")
    text = NO_CHARACTERS.sub("", decoded(data, content_type).translate(_SPACES))
    begin = _root(text)
    prolog = _without_comments(text[:begin]) if begin is not None else ""
    if begin is None or _PAGE.search(prolog):
        raise NotAFeedError("this is not a podcast feed (neither RSS nor Atom)")
    if _ENTITY.search(prolog):
        raise InputError("the feed declares XML entities, which podcast feeds have no use for: refused")
    return text[begin:]


class NotAFeedError(InputError):
    """Something else than a feed."""


def _unpacked(data: bytes) -> bytes:
    """A feed that is kept as a .gz file, as long as it is not too big inside."""
    check_size(data)
    if not data.startswith(_GZIP):
        return data
    inside, rest = bytearray(), data
    for _ in range(MAX_MEMBERS):
        if not rest.startswith(_GZIP):
            break
        unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            inside += unpacking.decompress(rest, MAX_FEED_BYTES + 1 - len(inside))
        except zlib.error as error:
            raise InputError(f"this is not a podcast feed: damaged gzip ({error})") from None
        check_size(inside)
        rest = unpacking.unused_data
    return bytes(inside)


def check_size(data: bytes | bytearray) -> None:
    """InputError for more bytes than a podcast feed has."""
    if len(data) > MAX_FEED_BYTES:
        raise InputError(f"the feed has over {MAX_FEED_BYTES // 1_000_000} MB: that is no podcast feed")


def _root(text: str) -> int | None:
    """Where the feed's first tag begins: not one that a comment before it names."""
    comments = _comments(text)
    comment = next(comments, None)
    for found in _ROOT.finditer(text):
        while comment and comment[1] <= found.start():
            comment = next(comments, None)
        if comment is None or found.start() < comment[0]:
            return found.start()
    return None


def _without_comments(text: str) -> str:
    kept, at = list[str](), 0
    for begin, end in _comments(text):
        kept.append(text[at:begin])
        at = end
    return "".join((*kept, text[at:]))


def _comments(text: str) -> Iterator[tuple[int, int]]:
    """Where comments begin and end, in order."""
    end = 0
    while (begin := text.find("<!--", end)) >= 0 and (end := text.find("-->", begin)) >= 0:
        yield begin, end
