"""Puts what was measured into the pages of docs/."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def publish(page: str, part: str, measured: str, docs: Path = DOCS) -> None:
    """Put `measured`, Markdown, between the marks of `part` in a page of `docs`: <!-- part --> and <!-- /part -->.

    Raises ValueError where the page hasn't both of them, once each and in this order.
    """
    path = docs / page
    begin, end = f"<!-- {part} -->\n", f"<!-- /{part} -->\n"
    halves = re.split(f"{re.escape(begin)}(?s:.*?){re.escape(end)}", path.read_text(encoding="utf-8"))
    if len(halves) != 2:
        raise ValueError(f"{path}: no place for {part}")
    path.write_text(f"{measured.rstrip()}\n".join((halves[0] + begin, end + halves[1])), encoding="utf-8")
