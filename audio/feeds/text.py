"""HTML in feeds as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import unescape

from lxml import etree, html

MAX_LINE_CHARS = 10_000  # of a title, name or guid; more is an attack or a mistake
# fmt: off
_BLOCKS = frozenset((
    "address", "blockquote", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
    "li", "ol", "p", "pre", "section", "table", "tr", "ul",
))
# fmt: on
_UNSEEN = frozenset(("script", "style", "head", "template"))
_PARAGRAPH, _BLOCK = "\v", "\f"  # marks in half-made text: a blank line, a new line
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def plain_text(markup: str) -> str:
    """HTML as readable text: one line a block, no tags, no runs of blank lines.

    >>> plain_text("<p>Hello <b>you</b> &amp; me</p><ul><li>one<li>two</ul>")
    'Hello you & me\\n\\none\\ntwo'
    """
    if not re.search(r"<[a-zA-Z/!]", markup):
        return _tidy(unescape(markup))
    try:
        # lxml takes no NUL, nor text that declares an encoding.
        tree = html.fromstring("<div>" + re.sub(r"\x00|<\?[^<>]*>", "", markup) + "</div>")
    except (etree.ParserError, ValueError):
        return _tidy(re.sub(r"<[^<>]*>", " ", markup))
    return _tidy("".join(_texts(tree)))


def _texts(tree: html.HtmlElement) -> Iterable[str]:
    """The text of a tree with line breaks where a browser has them."""
    unseen = 0
    for event, node in etree.iterwalk(tree, events=("start", "end", "comment", "pi")):
        if event in ("start", "end"):
            step = 1 if event == "start" else -1
            unseen += step if node.tag in _UNSEEN else 0
            if node.tag == "br" and event == "start":
                yield "\n"
            elif node.tag in _BLOCKS:
                yield _PARAGRAPH if node.tag == "p" else _BLOCK
        text = node.text if event == "start" else node.tail
        if text and not unseen:
            yield " ".join(text.splitlines()) if text.strip() else " "


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
    """Text that belongs on one line, such as a title, without control characters."""
    words = plain_text((text or "")[:MAX_LINE_CHARS]).split()
    return CONTROLS.sub("", " ".join(words))


def parse_duration(written: str | None) -> float:
    """Seconds of a duration as feeds write it, 0.0 where it can't be told.

    >>> [parse_duration(text) for text in ("1:02:03", "62:03", "3723", "about an hour")]
    [3723.0, 3723.0, 3723.0, 0.0]
    """
    parts = (written or "").strip().split(":")
    if len(parts) > 3 or not all(re.fullmatch(r"\d{1,9}(\.\d{1,9})?", part) for part in parts):
        return 0.0
    return float(sum(float(part) * 60**power for power, part in enumerate(reversed(parts))))
