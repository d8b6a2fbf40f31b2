from __future__ import annotations

import pytest

from models.alignment.changes import change_log_odds
from models.record.transcript import Turn, Word
from tests.models.alignment.samples import A, B, said


@pytest.mark.parametrize(
    ("likelier", "less", "language"),
    [
        ("that is it. And", "that is it, and", "en"),
        ("that is good, and", "that is good and", "en"),
        ("a house fell", "a the fell", "en"),
        ("we went yeah", "we went home", "en"),
        ("wir gehen genau", "wir gehen heim", "de"),
        ("nous allons voilà", "nous allons partir", "fr"),
        ("I saw Dr. Smith. He", "I saw him with Dr. Smith", "en"),
    ],
)
def test_where_the_speaker_changes_by_what_is_said(likelier: str, less: str, language: str) -> None:
    one, other = (change_log_odds(said(text), [], language)[-1] for text in (likelier, less))
    assert one > other


def test_a_pause_makes_a_change_likelier() -> None:
    words = [*said("we went"), *said("home then", start=1.5)]
    _, _, pause, none = change_log_odds(words, [], "en")
    assert pause > none


def test_a_border_of_turns_calls_for_one_change_near_it() -> None:
    words = said("one two three four five six", pace=0.2)
    none = change_log_odds(words, [], "xx")
    at = change_log_odds(words, [Turn(0, 0.62, A), Turn(0.62, 1.2, B)], "xx") - none
    assert at.argmax() == 3
    assert at[3] > 4 * at[2] > 0


def test_a_turn_without_words_calls_for_none() -> None:
    words = [Word(0, 1, " yes"), Word(1.5, 2, " sir")]
    exclusive = [Turn(0, 1.1, A), Turn(1.1, 1.4, B), Turn(1.4, 2, A)]
    assert (change_log_odds(words, exclusive, "en") == change_log_odds(words, [], "en")).all()


def test_words_are_judged_by_their_own_language() -> None:
    text = "wir gehen genau"
    german = change_log_odds(said(text, language="de"), [], "en")
    assert (german == change_log_odds(said(text), [], "de")).all()
    assert german[-1] > change_log_odds(said(text), [], "en")[-1]
