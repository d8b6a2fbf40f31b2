"""Markdown as far as our pages use it: fenced code, code spans, links, headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^([ \t]*)```(\S*)[^\n]*\n(.*?)^[ \t]*```[ \t]*$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?)\s*$", re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block of code: what language it names, and where it begins."""

    language: str
    code: str
    line: int


@dataclass(frozen=True)
class Page:
    """A Markdown file."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        """Its path from the root of the repository; of a page that is elsewhere its own name."""
        return str(self.path.relative_to(ROOT)) if self.path.is_relative_to(ROOT) else self.path.name

    def blocks(self, *languages: str) -> Iterator[Block]:
        """The blocks of these languages; without any, all."""
        for match in _FENCE.finditer(self.text):
            indent, language, code = match.groups()
            if not languages or language in languages:
                lines = [line.removeprefix(indent) for line in code.splitlines(keepends=True)]
                yield Block(language, "".join(lines), self.text.count("\n", 0, match.start()) + 1)

    def spans(self) -> list[str]:
        """Code within sentences and tables."""
        return [span.replace("\\|", "|") for span in _SPAN.findall(self._prose())]

    def links(self) -> list[str]:
        """Where links and pictures lead."""
        return _LINK.findall(_SPAN.sub("", self._prose()))

    def anchors(self) -> set[str]:
        """The anchors of its headings, as GitHub and the site make them."""
        return {_slug(heading) for heading in _HEADING.findall(self._prose())}

    def _prose(self) -> str:
        return _COMMENT.sub("", _FENCE.sub("", self.text))


def _slug(heading: str) -> str:
    """An anchor from a heading.

    >>> _slug("An episode's folder, `episode.json`")
    'an-episodes-folder-episodejson'
    """
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def page(path: Path) -> Page:
    """The page in a file."""
    return Page(path, path.read_text(encoding="utf-8"))


def all_pages() -> list[Page]:
    """Every page that we publish."""
    return [page(path) for path in (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")))]
