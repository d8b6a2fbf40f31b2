"""What `make docs` needs beside the pages of this folder.

The README is the site's first page, and CONTRIBUTING, CHANGELOG and LICENSE are part of it: each is written once, where
GitHub shows it, and its links are turned here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import griffe
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "CONTRIBUTING.md", "CHANGELOG.md": "CHANGELOG.md"}
LICENCE = "LICENSE"
_DOCTEST = re.compile(r"^>>> .*(?:\n(?!\n).*)*", re.MULTILINE)


def on_files(files: Files, *, config: Any) -> Files:
    """Add the files above this folder that are pages of the site."""
    for name, page in PAGES.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=re.sub(r"\]\(docs/", "](", text)))
    files.append(File.generated(config, LICENCE, abs_src_path=str(ROOT / LICENCE)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Let links to files above this folder lead to their pages."""
    return re.sub(r"\]\(\.\./(?=[A-Z]+\.md\b)", "](", markdown)


class FencedDoctests(griffe.Extension):
    """Doctests of docstrings as code: Markdown would take their `>>>` for quotations."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Put a fence around each doctest."""
        if obj.docstring:
            obj.docstring.value = _DOCTEST.sub(r"```pycon\n\g<0>\n```", obj.docstring.value)
