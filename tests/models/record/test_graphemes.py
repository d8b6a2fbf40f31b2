from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.record.graphemes import graphemes, whole_letters
from models.record.transcript import Word

WHOLE = {
    "Thai": ("ที่นี่น้ำกำ", ["ที่", "นี่", "น้ำ", "กำ"]),
    "Lao": ("ຂ້ອຍກຳ", ["ຂ້", "ອ", "ຍ", "ກຳ"]),
    "Burmese": ("ကျွန်တော်", ["ကျွ", "န်", "တော်"]),
    "Burmese, stacked": ("ကမ္ဘာ", ["က", "မ္ဘာ"]),
    "Khmer": ("ខ្ញុំស្រឡាញ់", ["ខ្ញុំ", "ស្រ", "ឡា", "ញ់"]),
    "Hindi": ("क्षत्रियहिन्दी", ["क्ष", "त्रि", "य", "हि", "न्दी"]),
    "Tamil": ("தமிழ்", ["த", "மி", "ழ்"]),
    "Bengali": ("বাংলাক্ষমা", ["বাং", "লা", "ক্ষ", "মা"]),
    "Sinhala": ("ශ්\u200dරීලංකා", ["ශ්\u200dරී", "ලං", "කා"]),
    "Malayalam": ("നമ്മൾ", ["ന", "മ്മ", "ൾ"]),
    "Malayalam, a joiner at the end of a word": ("അവന്\u200d വന്നു", ["അ", "വ", "ന്\u200d", " ", "വ", "ന്നു"]),
    "Korean jamo": (unicodedata.normalize("NFD", "한국"), [unicodedata.normalize("NFD", c) for c in "한국"]),
    "emoji, joined": ("👩\u200d👩\u200d👧👍🏽", ["👩\u200d👩\u200d👧", "👍🏽"]),
    "flags": ("🇳🇱🇩🇪🇫🇷", ["🇳🇱", "🇩🇪", "🇫🇷"]),
    "keycap": ("1\ufe0f\u20e32", ["1\ufe0f\u20e3", "2"]),
    "Latin with accents": ("ne\u0301e\u0323\u0302", ["n", "e\u0301", "e\u0323\u0302"]),
    "Japanese": ("か\u3099っこ", ["か\u3099", "っ", "こ"]),
}


@pytest.mark.parametrize(("text", "letters"), WHOLE.values(), ids=WHOLE)
def test_words_cut_at_every_code_point_are_whole_letters_again(text: str, letters: list[str]) -> None:
    words = [Word(i, i + 1, char) for i, char in enumerate(text)]
    whole = whole_letters(words)
    assert [word.text for word in whole] == letters == graphemes(text)
    assert [whole[0].start, *(word.end for word in whole)] == [
        sum(map(len, letters[:count])) for count in range(len(letters) + 1)
    ]


def test_a_word_is_as_sure_as_its_least_sure_piece() -> None:
    assert whole_letters([Word(0, 1, " ท", 0.9), Word(1, 2, "ี", 0.3), Word(2, 2, "่", 0.8)]) == [
        Word(0, 2, " ที่", 0.3)
    ]


def test_words_that_are_whole_stay_as_they_are() -> None:
    words = [Word(0, 1, " Don"), Word(1, 2, "'t"), Word(2, 3, " go,"), Word(3, 4, "東"), Word(4, 5, "京")]
    assert whole_letters(words) == words


@given(st.text(), st.text())
def test_letters_are_all_of_a_text_and_no_mark_begins_one(text: str, more: str) -> None:
    letters = graphemes(text)
    assert "".join(letters) == text
    assert not any(unicodedata.category(letter[0]).startswith("M") for letter in letters[1:])
