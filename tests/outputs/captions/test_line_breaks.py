from __future__ import annotations

import pytest

from outputs.captions.line_breaks import break_badness


@pytest.mark.parametrize(
    ("language", "left", "better", "worse"),
    [
        ("en", "we met at the station", "we met", "we met at"),
        ("en", "it was Ada Lovelace who", "it was Ada Lovelace", "it was Ada"),
        ("en", "about 5 million people", "about 5 million", "about 5"),
        ("en", "yes, the house", "yes,", "yes, the"),
        ("en", "ask Dr. Smith about it", "ask Dr. Smith", "ask Dr."),
        ("en", "it has been in there", "it has been", "it has"),
        ("de", "wir gehen in die Schule", "wir gehen", "wir gehen in"),
        ("es", "vamos a la playa", "vamos", "vamos a la"),
        ("fr", "nous allons à la plage", "nous allons", "nous allons à"),
        ("pt", "vamos para a praia", "vamos", "vamos para"),
        ("xx", "foo bar. baz", "foo bar.", "foo"),
    ],
)
def test_which_of_two_breaks_is_better(language: str, left: str, better: str, worse: str) -> None:
    def badness(part: str) -> float:
        before, after = part.split(), left[len(part) :].split()
        return break_badness(before[-1], after[0], language)

    assert badness(better) < badness(worse)


def test_a_sentence_end_is_the_best_break() -> None:
    assert break_badness("that.", "The", "en") == 0
    assert break_badness("that?”", "The", "xx") == 0
