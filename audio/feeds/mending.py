"""Broken XML made whole, so that one strict parser can read every feed.

The text is cut into tags, comments, CDATA sections and what is between them, and each piece is written so that
it is well-formed: markup stays markup, and text stays text. What is left open is closed, by what feeds are made
of: items stand beside one another, and a title holds no enclosure. Takes time in proportion to the length.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from html.entities import html5
from typing import NamedTuple
from xml.sax.saxutils import escape

from audio.feeds.cleaning import NO_CHARACTERS

MAX_DEPTH = 64  # of elements in one another; feeds have five or so
MAX_TEXT_CHARS = 2_000_000  # in one piece; the parser takes 10 million bytes
MAX_NAME_CHARS = 100
MAX_ATTRIBUTES = 100  # of one tag
_NAME = r"[A-Za-z_][A-Za-z0-9_.-]*(?::[A-Za-z_][A-Za-z0-9_.-]*)?"
_TAG = re.compile(rf"""<(/?)({_NAME})((?:[^<>"']|"[^<"]*"|'[^<']*')*+)>""")
_CARELESS_TAG = re.compile(rf"<(/?)({_NAME})([^<>]*)>")  # quotes that don't match
_CUT_TAG = re.compile(rf"<(/?)({_NAME})([^<>]*)(?=<)")  # its end is missing
_ATTRIBUTE = re.compile(rf"""({_NAME})\s*=\s*("[^"]*"|'[^']*'|[^\s"']+)""")
# For a tag whose quotes don't match: a value ends where the next name begins.
_CARELESS_ATTRIBUTE = re.compile(rf"({_NAME})\s*=\s*([^\s<>][^<>]*?)(?=\s+{_NAME}\s*=|\s*/?\s*$)")
_MAX_CARELESS_CHARS = 10_000
_QUOTES = "\"'\u2018\u2019\u201c\u201d"
_REFERENCE = re.compile(r"&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_STRAY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)")
_ITEMS = frozenset(("item", "entry"))
_BESIDE_ITEMS = _ITEMS | {"liveitem"}
_FIELDS = frozenset(("enclosure", "guid", "pubdate"))  # of an item, never of anything in it
# What holds text alone, and what may hold a host's HTML, too.
_LEAVES = frozenset(("author", "category", "comments", "copyright", "duration", "guid", "language", "link", "pubdate",
                     "published", "subtitle", "title", "updated"))  # fmt: skip
_TEXTS = _LEAVES | {"content", "description", "encoded", "summary"}
_IN_HTML_TOO = frozenset(("category", "comments", "content", "description", "link", "summary"))
# What holds nothing where an attribute tells all.
_HOLLOW = frozenset(
    ("enclosure", "image", "thumbnail", "player", "transcript", "chapters", "images", "chapter", "link")
)
_ADDRESS = re.compile(r"""(?:^|\s)(?:href|url|src|start)=""", re.IGNORECASE)
_OURS = _ITEMS | _TEXTS | _FIELDS | {"channel"}
# Prefixes that no HTML has.
_PREFIXES = frozenset(
    ("atom", "content", "dc", "googleplay", "itunes", "media", "podcast", "psc", "rawvoice")
)
CDATA = "<![CDATA["
# Where one item ends and the next one begins; an example of a feed in a text rarely has that.
_ITEM_END = re.compile(r"</(?:atom:)?(item|entry)\s*>\s*<(?:atom:)?\1[\s>]", re.IGNORECASE)
_OPENING = {"<!--": "-->", CDATA: "]]>", "<?": "?>", "<!": ">"}


class _Piece(NamedTuple):
    """A piece of a feed: "text", "data" (CDATA), or a tag: "start", "empty" (both in one) or "end"."""

    kind: str
    text: str
    attributes: str = ""


@dataclass(slots=True)
class _Mended:
    """What is written so far, and which elements are open."""

    parts: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    too_deep: int = 0
    items: int = 0


def mended(text: str) -> tuple[str, int]:
    """`text`, which begins with its root's tag, as well-formed XML but for prefixes that nobody declares.

    Returns the number of its items, too.
    """
    made = _Mended()
    for piece in _pieces(text):
        if piece.kind in ("start", "empty"):
            _start(made, piece)
        elif piece.kind == "end":
            _end(made, piece.text)
        elif made.opened:
            told = _referenced(piece.text) if piece.kind == "text" else escape(piece.text)
            made.parts.append(told)
    while made.opened:
        _close(made)
    return "".join(made.parts), made.items


def _pieces(text: str) -> Iterator[_Piece]:
    at, sections = 0, _Sections(text)
    while (begin := text.find("<", at)) >= 0:
        yield from _long_text(text[at:begin], "text")
        opening = next((mark for mark in _OPENING if text.startswith(mark, begin)), "")
        if opening:
            at = begin + len(opening)
            end = sections.end(opening, at)
            if end is not None:
                if opening == CDATA:
                    yield from _long_text(text[at:end], "data")
                at = end + len(_OPENING[opening])
        elif (tag := _tag(text, begin)) is None:
            yield _Piece("text", "<")
            at = begin + 1
        else:
            yield _Piece("end", tag[2]) if tag[1] else _start_piece(tag)
            at = tag.end()
    yield from _long_text(text[at:], "text")


class _Sections:
    """Finds the ends of comments, CDATA sections and the like."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._ends = dict[str, int]()  # looked for once, since there may be many without an end

    def end(self, opening: str, start: int) -> int | None:
        """Where the section ends that has its content from `start` on; None where its end is missing."""
        end = self._ends.get(opening, 0)
        if 0 <= end < start:
            end = self._ends[opening] = self._text.find(_OPENING[opening], start)
        if end < 0 or (opening != "<!" and _swallows(self._text, opening, start, end)):
            return None
        return end


def _swallows(text: str, opening: str, start: int, end: int) -> bool:
    """Whether the end of a section is that of another one, in an item after it."""
    other = text.find(opening, start, end)
    return other >= 0 and _ITEM_END.search(text, start, other) is not None


def swallows_items(text: str) -> bool:
    """Whether a CDATA section without its end hides the items up to the end of the next one."""
    sections, at = _Sections(text), 0
    while (begin := text.find(CDATA, at)) >= 0:
        end = sections.end(CDATA, begin + len(CDATA))
        if end is None:
            return True
        at = end
    return False


def _tag(text: str, begin: int) -> re.Match[str] | None:
    """The tag that begins here; None where this `<` is a part of the text."""
    tag = _TAG.match(text, begin) or _CARELESS_TAG.match(text, begin)
    if tag is None:
        tag = _CUT_TAG.match(text, begin)
        if tag and _local(tag[2]) not in _OURS:
            return None
    return tag if tag and len(tag[2]) <= MAX_NAME_CHARS else None


def _start_piece(tag: re.Match[str]) -> _Piece:
    inside = tag[3].rstrip()
    empty = inside.endswith("/") or (_local(tag[2]) in _HOLLOW and _ADDRESS.search(inside) is not None)
    if tag.re is _TAG:
        attributes = _attributes(inside, _ATTRIBUTE)
    else:
        attributes = _attributes(inside[:_MAX_CARELESS_CHARS], _CARELESS_ATTRIBUTE)
    return _Piece("empty" if empty else "start", tag[2], attributes)


def _long_text(text: str, kind: str) -> Iterator[_Piece]:
    if text:
        yield _Piece(kind, text[:MAX_TEXT_CHARS])


def _start(made: _Mended, piece: _Piece) -> None:
    name, local = piece.text, _local(piece.text)
    _make_room(made, name, local)
    made.items += is_item(name)
    if len(made.opened) >= MAX_DEPTH:
        made.too_deep += piece.kind == "start"
        return
    made.parts.append(f"<{name}{piece.attributes}>")
    made.opened.append(name)
    if piece.kind == "empty" and len(made.opened) > 1:  # the root ends with the text
        _close(made)


def _make_room(made: _Mended, name: str, local: str) -> None:
    """Close what can't hold the element that comes now."""
    if not made.opened or (":" not in name and local not in _OURS):
        return
    if is_item(name):
        ended = [_is_text(outer) or _local(outer) in _BESIDE_ITEMS for outer in made.opened]
        ended[0] = False
    else:
        inside = _inside_item(made)
        ended = [
            number >= inside
            and (name.lower() in _FIELDS or (_is_text(outer) and _ends_text(outer, name, local)))
            for number, outer in enumerate(made.opened)
        ]
    if True in ended:
        made.too_deep = 0
        while len(made.opened) > ended.index(True):
            _close(made)


def _inside_item(made: _Mended) -> int:
    """The number of the outermost open element that is inside the item, or else inside the channel."""
    places = (number for number in range(len(made.opened) - 1, -1, -1) if _holds_fields(made.opened[number]))
    return next(places, 0) + 1


def _holds_fields(name: str) -> bool:
    return _local(name) in _BESIDE_ITEMS | {"channel", "feed"}


def _is_text(name: str) -> bool:
    return _local(name) in _TEXTS and not name.lower().startswith("media:")  # media:content is no text


def _ends_text(outer: str, name: str, local: str) -> bool:
    """Whether an element can't be a part of the text that is open, so that the end of that one is missing."""
    if name.partition(":")[0].lower() in _PREFIXES and ":" in name:
        return True
    if local in _IN_HTML_TOO:
        return _local(outer) in _LEAVES
    return local in _LEAVES


def _end(made: _Mended, name: str) -> None:
    """Close the element and what is open in it; an end without a start is left out. The root ends with the text."""
    if made.too_deep:
        made.too_deep -= 1
        return
    folded = name.lower()
    for number in range(len(made.opened) - 1, 0, -1):
        if made.opened[number].lower() == folded:
            while len(made.opened) > number:
                _close(made)
            return
        if _local(made.opened[number]) in _ITEMS and folded not in ("channel",):
            return


def _close(made: _Mended) -> None:
    made.parts.append(f"</{made.opened.pop()}>")


def is_item(name: str) -> bool:
    """Whether this is the name of an item or entry."""
    return name.lower() in ("item", "entry", "atom:entry", "rss:item")


def _local(name: str) -> str:
    return name.rpartition(":")[2].lower()


def _attributes(written: str, pattern: re.Pattern[str]) -> str:
    """Attributes as XML has them: each once, quoted, with a space before."""
    found = dict[str, str]()
    for match in itertools.islice(pattern.finditer(written), MAX_ATTRIBUTES):
        value = match[2].removesuffix("/") if match.end() == len(written) else match[2]
        found.setdefault(match[1], value.strip().strip(_QUOTES)[:MAX_TEXT_CHARS])
    return "".join(
        f' {name}="{_referenced(value).replace(chr(34), "&quot;")}"' for name, value in found.items()
    )


def _referenced(text: str) -> str:
    """Text in which every & begins a reference that XML knows, and no < is left."""
    if "&" in text:
        text = _STRAY.sub("&amp;", _REFERENCE.sub(_known, text))
    return text.replace("<", "&lt;").replace("]]>", "]]&gt;")


def _known(reference: re.Match[str]) -> str:
    """A reference as XML has it: the character itself for the names of HTML, and for numbers what they are worth."""
    name = reference[1]
    if name.startswith("#"):
        return escape(NO_CHARACTERS.sub("", unescape(reference[0])))
    if name in ("amp", "lt", "gt", "quot", "apos"):
        return reference[0]
    sign = html5.get(f"{name};", "")
    return escape(sign) if sign else f"&amp;{name};"
