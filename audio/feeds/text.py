"""Text in feeds as plain text: HTML where it is HTML, and as it is where it only looks like it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import unescape
from html.entities import html5

from lxml import etree, html

MAX_LINE_CHARS = 10_000  # of a title, name or guid; more is an attack or a mistake
# fmt: off
_BLOCKS = frozenset((
    "address", "article", "aside", "blockquote", "caption", "dd", "details", "div", "dl", "dt", "figcaption", "figure",
    "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre",
    "section", "summary", "table", "tr", "ul",
))
_UNSEEN = frozenset(("script", "style", "head", "template"))
# Elements that people put into titles and notes. Others are meant: Vec<T>, "a browser without <blink>".
_INLINE = frozenset((
    "a", "abbr", "b", "bdi", "bdo", "big", "br", "center", "cite", "code", "del", "dfn", "em", "font", "i", "img",
    "ins", "kbd", "mark", "nobr", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "tt", "u",
    "var", "wbr",
))
_OTHERS = frozenset((
    "acronym", "area", "audio", "body", "button", "col", "colgroup", "embed", "fieldset", "html", "iframe", "input",
    "label", "legend", "link", "map", "meta", "noscript", "object", "option", "param", "picture", "ruby", "rp", "rt",
    "select", "source", "svg", "tbody", "td", "textarea", "tfoot", "th", "thead", "time", "title", "track", "video",
))
# fmt: on
_PARAGRAPH, _BLOCK = "\v", "\f"  # marks in half-made text: a blank line, a new line
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# An attribute has a value; `if a <b and c> d` has none.
_ATTRIBUTES = r"""(?:\s+[a-zA-Z_:@][\w:.-]*\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+))*\s*/?"""
_TITLE_TAG = re.compile(rf"<(/?)([a-zA-Z][a-zA-Z0-9]*)({_ATTRIBUTES})>|<!--.*?-->", re.DOTALL)
_NO_TAG = re.compile(
    rf"<(?![!?]|/?(?:[movw]|st1):\w|/?(?:{'|'.join(sorted(_INLINE | _BLOCKS | _UNSEEN | _OTHERS))})(?![\w.:@-]))",
    re.IGNORECASE,
)  # `<o:p>` is what Word writes
_UNITS = re.compile(
    r"(?:pt)?\s*(?:(\d{1,4})\s*h(?:(?:ou)?rs?)?\.?)?\s*(?:(\d{1,6})\s*m(?:in(?:ute)?s?)?\.?)?"
    r"\s*(?:(\d{1,9})\s*s(?:ec(?:ond)?s?)?\.?)?",
    re.IGNORECASE,
)
_TIME = re.compile(r"(?:(?:([0-9]{1,4}):)?([0-9]{1,4}):)?([0-9]{1,9}(?:[.,][0-9]{0,9})?)")
_REFERENCE = re.compile(
    r"&(#[0-9]{1,7};?|#[xX][0-9a-fA-F]{1,6};?|[A-Za-z][A-Za-z0-9]{0,31}(?:;|(?![A-Za-z0-9;=])))"
)
_SCRIPT = re.compile(r"<(script|style)\b[^<>]*>[^<]*</\1\s*>", re.IGNORECASE)
# Numbers that Windows has for characters where Unicode has controls.
_WINDOWS = {
    code: bytes([code]).decode("cp1252")
    for code in range(0x80, 0xA0)
    if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}


def plain_text(markup: str) -> str:
    """HTML as readable text: one line a block, no tags, no runs of blank lines.

    >>> plain_text("<p>Hello <b>you</b> &amp; me</p><ul><li>one<li>two</ul>")
    'Hello you & me\\n\\none\\ntwo'
    """
    markup = _NO_TAG.sub("&lt;", markup.translate(_WINDOWS))
    if "<" not in markup:
        return _tidy(unescaped(markup))
    try:
        # lxml takes no NUL, nor text that declares an encoding.
        tree = html.fromstring("<div>" + re.sub(r"\x00|<\?[^<>]*>", "", markup) + "</div>")
    except (etree.ParserError, ValueError):
        return _tidy(re.sub(r"<[^<>]*>", " ", markup))
    return _tidy("".join(_texts(tree)))


def _texts(tree: html.HtmlElement) -> Iterable[str]:
    """The text of a tree with line breaks where a browser has them; where no tag makes any, where the text has them."""
    unseen, kept = 0, int(not any(node.tag in _BLOCKS or node.tag == "br" for node in tree.iterdescendants()))
    for event, node in etree.iterwalk(tree, events=("start", "end", "comment", "pi")):
        if event in ("start", "end"):
            step = 1 if event == "start" else -1
            unseen += step if node.tag in _UNSEEN else 0
            kept += step if node.tag == "pre" else 0
            if node.tag == "br" and event == "start":
                yield "\n"
            elif node.tag in _BLOCKS:
                yield _PARAGRAPH if node.tag == "p" else _BLOCK
            elif node.tag in ("td", "th"):
                yield " "
        text = node.text if event == "start" else node.tail
        if text and not unseen:
            yield text if kept else " ".join(text.splitlines()) if text.strip() else " "


def _tidy(text: str) -> str:
    broken = re.sub(r"[ \f\v]+", _break, text)
    lines = [" ".join(line.split()) for line in broken.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _break(run: re.Match[str]) -> str:
    """What a run of spaces and marks comes to: a blank line, a line break, or the spaces it is."""
    if _PARAGRAPH in run[0]:
        return "\n\n"
    return "\n" if _BLOCK in run[0] else run[0]


def single_line(text: str | None) -> str:
    """Text that belongs on one line, such as a title, without control characters.

    Tags of formatting go, and so do pairs of other HTML tags; what is no HTML is text.

    >>> single_line("<b>Vec<T></b> &amp; why i<n: a <blink> of an eye")
    'Vec<T> & why i<n: a <blink> of an eye'
    """
    text = (text or "")[:MAX_LINE_CHARS].translate(_WINDOWS)
    closed = {tag[2].lower() for tag in _TITLE_TAG.finditer(text) if tag[1]}

    def kept(tag: re.Match[str]) -> str:
        name = (tag[2] or "").lower()
        if (
            name
            and name not in _INLINE
            and (name not in _BLOCKS | _OTHERS or not (tag[3].strip() or name in closed))
        ):
            return tag[0]
        return " " if name in _BLOCKS or name in ("br", "hr") else ""

    bare = _TITLE_TAG.sub(kept, _SCRIPT.sub("", text)) if "<" in text else text
    return on_one_line(unescaped(bare))


def unescaped(text: str) -> str:
    """Text without character references; a word that only begins like one is none.

    >>> unescaped("Q&amp;A &eacute; &#8217; &copy 2024: news&notes, R&D")
    'Q&A é ’ © 2024: news&notes, R&D'
    """
    return _REFERENCE.sub(_character, text)


def _character(reference: re.Match[str]) -> str:
    name = reference[1]
    return (
        unescape(reference[0])
        if name.endswith(";") or name.startswith("#") or name in html5
        else reference[0]
    )


def on_one_line(text: str) -> str:
    """Text as it is, but for control characters and runs of white space."""
    return CONTROLS.sub("", " ".join(text[:MAX_LINE_CHARS].split()))


def parse_duration(written: str | None) -> float:
    """Seconds of a duration as feeds write it, 0.0 where it can't be told.

    >>> [parse_duration(text) for text in ("1:02:03", "62:03", "3723", "1 h 2 min", "about an hour")]
    [3723.0, 3723.0, 3723.0, 3720.0, 0.0]
    """
    text = (written or "").strip()
    units = _UNITS.fullmatch(text)
    parts = [part or "0" for part in units.groups()] if units and any(units.groups()) else text.split(":")
    if len(parts) > 3 or not all(re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", part) for part in parts):
        return 0.0
    return float(sum(float(part) * 60**power for power, part in enumerate(reversed(parts))))


def parse_time(written: str | None) -> float | None:
    """Seconds of a moment as chapters have it (normal play time, RFC 2326, 3.6), None where it is none.

    >>> [parse_time(text) for text in ("00:01:02.345", "1:02", " 62 ", "62,5", "1:2:3:4", "soon")]
    [62.345, 62.0, 62.0, 62.5, None, None]
    """
    found = _TIME.fullmatch((written or "").strip())
    if found is None:
        return None
    hours, minutes, seconds = (float((part or "0").replace(",", ".")) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds
