from __future__ import annotations

import pytest

from outputs.text.characters import needs_space, one_line


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("today?", "今天", True),
        ("今天", "Today", True),
        ("今天。", "Today", False),  # the mark is blank on its right
        ("today?", "「今天」", False),
        ("今天", "明天", False),
        ("今日は", "元気", False),
        ("안녕.", "그래", True),
        ("今天", "오늘", True),
        ("ครับ", "สวัสดี", True),
        ("ครับ", "今天", True),
        ("مرحبا.", "Hello", True),
        ("है।", "क्या", True),
    ],
)
def test_sentences_are_joined_as_readers_expect(left: str, right: str, expected: bool) -> None:
    assert needs_space(left, right) is expected


def test_spaces_that_are_text_stay() -> None:
    text = "«\u00a0Ah\u202f!\u00a0» 10\u202f000\u2009€ 今日は　良い"
    assert one_line(text) == text


def test_what_turns_text_around_goes() -> None:
    assert one_line("Ann\u202e evil\u2067 x\u200f") == "Ann evil x\u200f"
