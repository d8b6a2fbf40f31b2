from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outputs.text.slug import slug
from tests.outputs.samples import texts

anything = (
    texts | st.text() | st.sampled_from(["..", ".", "/", "C:\\", "con", "LPT1", "COM¹", "~", "-rf", "\ud800"])
)


@given(anything, st.integers(16, 120))
def test_is_one_safe_path_part(text: str, length: int) -> None:
    part = slug(text, length)
    assert 0 < len(part.encode()) <= length
    assert PurePosixPath(part).parts == PureWindowsPath(part).parts == (part,)
    assert not part.startswith((".", "-"))
    assert not part.endswith((".", "-", " "))
    assert "." not in part
    assert "--" not in part
    assert not PureWindowsPath(part).is_reserved()
    assert all(char == "-" or unicodedata.category(char)[0] in "LNM" for char in part)


@given(anything)
def test_same_text_gives_same_slug_and_a_slug_stays(text: str) -> None:
    assert slug(text) == slug(text)
    assert slug(slug(text)) == slug(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Épisode 12 : L’été à Besançon", "episode-12-lete-a-besancon"),
        ("«\u00a0Ah\u202f!\u00a0» à 10\u202f000\u00a0€", "ah-a-10-000"),
        ("¿Qué? ¡No!", "que-no"),
        ("Straße & Łódź — Smørrebrød", "strasse-lodz-smorrebrod"),
        ("ＡＢＣ ① ½", "abc-1-1-2"),
        ("Подкаст №5", "подкаст-no5"),
        ("ガンダム", "ガンダム"),
        ("한국어", "한국어"),
        ("हिन्दी", "हिन्दी"),
        ("ශ්\u200dරී ලංකා", "ශ්රී-ලංකා"),
        ("../../etc/passwd", "etc-passwd"),
        ("a\x00b\nc", "a-b-c"),
        ("  .hidden.  ", "hidden"),
    ],
)
def test_known(text: str, expected: str) -> None:
    assert slug(text) == expected


@pytest.mark.parametrize("text", ["", "...", "🎙️🔥", "\x00"])
def test_never_empty(text: str) -> None:
    assert slug(text).isalnum()


def test_texts_without_letters_differ() -> None:
    assert slug("🎙️") != slug("🔥")


def test_long_titles_are_cut_at_a_word() -> None:
    assert slug("alpha beta gamma delta epsilon", 20) == "alpha-beta-gamma"


@pytest.mark.parametrize("letter", ["ที่", "क्षि", "က္က", "ខ្ញុំ"])
def test_titles_without_spaces_are_cut_between_letters(letter: str) -> None:
    for length in range(16, 40):
        part = slug(letter * 20, length)
        assert part.replace(letter, "") == ""
        assert len((part + letter).encode()) > length


def test_too_short_a_limit_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least 16"):
        slug("x", 5)
