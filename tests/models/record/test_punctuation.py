from __future__ import annotations

import pytest

from models.record.punctuation import CLAUSE_END, SENTENCE_END, ends_sentence, finality
from models.record.transcript import Word


@pytest.mark.parametrize(
    "text",
    [
        "no.",
        "no?!",
        'no." ',
        "no…)",
        "不。",
        "不！」",
        "نہیں۔",
        "نہیں؟",
        "नहीं।",
        "Նա։",
        "ነው።",
        "ဘူး။",
        "ទេ។",
        "„Nein.“",
    ],
)
def test_a_sentence_ends_in_any_script_and_before_closing_quotes(text: str) -> None:
    assert finality(text) == SENTENCE_END
    assert ends_sentence(Word(0, 1, f" {text}"))


@pytest.mark.parametrize("text", ["well,", "well –", "well:”", "嗯，", "嗯、", "نعم،", "እና፣"])
def test_a_clause_ends_with_less_than_a_sentence(text: str) -> None:
    assert finality(text) == CLAUSE_END
    assert not ends_sentence(Word(0, 1, f" {text}"))


@pytest.mark.parametrize("text", ["", " ", "”", "and", "3.5", "...and"])
def test_a_mark_inside_or_none_ends_nothing(text: str) -> None:
    assert finality(text) == 0
