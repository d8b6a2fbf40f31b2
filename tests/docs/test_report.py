from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.bench.report import DOCS, publish

PAGE = "# A page\n\n<!-- speed -->\nold\nfigures\n<!-- /speed -->\n\nMore.\n"


def test_only_what_is_between_the_marks_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(PAGE)
    for _ in range(2):
        publish("page.md", "speed", "| new \\1 |\n", tmp_path)
        assert (tmp_path / "page.md").read_text() == PAGE.replace("old\nfigures", "| new \\1 |")


@pytest.mark.parametrize("page", ["# A page\n", PAGE * 2, PAGE.replace("<!-- /speed -->", "")])
def test_a_page_without_one_place_for_it_stays_as_it_is(tmp_path: Path, page: str) -> None:
    (tmp_path / "page.md").write_text(page)
    with pytest.raises(ValueError, match=r"page\.md: no place for speed"):
        publish("page.md", "speed", "new", tmp_path)
    assert (tmp_path / "page.md").read_text() == page


def test_the_benchmarks_have_their_places() -> None:
    bench = "".join(path.read_text() for path in Path(__file__).parents[1].joinpath("bench").glob("*.py"))
    named = re.findall(r'publish\("(\w+\.md)", "(\w+)"', bench)
    assert len(named) > 4
    for page, part in named:
        assert f"<!-- {part} -->\n" in (DOCS / page).read_text(), (page, part)
