from __future__ import annotations

import pytest

from models.languages.notation import after_name, before_name, without_name


@pytest.mark.parametrize(
    ("phrase", "text", "before"),
    [
        ("my name is NAME", "So my name is Anne", "Anne"),
        ("my name is NAME", "my  name is Anne", "Anne"),
        ("welcome [back|aboard] NAME", "Welcome aboard Anne", "Anne"),
        ("welcome [back|aboard] NAME", "Welcome Anne", "Anne"),
        ("welcome [to ...], NAME", "welcome to a new day, Anne", "Anne"),
        ("thanks..., NAME", "Thanks, Anne", "Anne"),
        ("joined [today|here]* by NAME", "joined here today by Anne", "Anne"),
        ("[yo] [ya] soy NAME", "Ya soy Anne", "Anne"),
        ("[yo] [ya] soy NAME", "Soy Anne", "Anne"),
        ("your [co[-]]host NAME", "your cohost Anne", "Anne"),
        ("your [co[-]]host NAME", "your host Anne", "Anne"),
        ("bienvenid(o|a)[s] NAME", "bienvenidas Anne", "Anne"),
        ("my guest[ is|,] NAME", "my guest is Anne", "Anne"),
        ("by my WORD NAME", "by my co-pilot Anne", "Anne"),
        ("c'est NAME", "c’est Anne", "Anne"),
        ("PAUSE this is NAME", "Hello, this is Anne", "Anne"),
        ("PAUSE this is NAME", "This is Anne", "Anne"),
        ("a|& NAME", "Bob & Anne", "Anne"),
    ],
)
def test_a_phrase_ends_where_the_name_begins(phrase: str, text: str, before: str) -> None:
    match = before_name([phrase]).search(text)
    assert match is not None
    assert text[match.end() :] == before


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("am NAME", "Adam Anne"),
        ("welcome [back] NAME", "He welcomes Anne"),
        ("welcome [to ...], NAME", "welcome to it. Well, Anne"),
        ("START this is NAME", "Hello, this is Anne"),
        ("PAUSE this is NAME", "in this is Anne"),
        ("your [co[-]]host NAME", "your co-Anne"),
    ],
)
def test_what_no_phrase_says(phrase: str, text: str) -> None:
    assert before_name([phrase]).search(text) is None


def test_a_phrase_after_a_name_ends_with_a_word() -> None:
    assert after_name(["NAME, (who|l')"]).match(", who is")
    assert after_name(["NAME, (who|l')"]).match(", l'ami")
    assert not after_name(["NAME, who"]).match(", whole")


def test_a_phrase_without_a_name_is_of_whole_words() -> None:
    assert without_name(["my guest"]).search("Today my guest is here.")
    assert not without_name(["my guest"]).search("Today my guests are here.")


def test_no_phrases_match_nothing() -> None:
    assert before_name([]).search("") is None


@pytest.mark.parametrize(
    ("phrase", "fault"),
    [
        ("my name is", "“my name is” must end with NAME"),
        ("NAME and NAME", "must end with NAME"),
        ("welcome [back NAME", "lacks a ]"),
        ("welcome (to|on NAME", "lacks a )"),
        ("welcome back] NAME", "has a ] too many"),
        ("welcome [back|] NAME", "has nothing where words should be"),
        ("welcome () NAME", "has nothing where words should be"),
        ("welcome* NAME", "can't have * there"),
        ("WELCOME NAME", "can't have WELCOME there"),
    ],
)
def test_a_phrase_that_breaks_the_rules(phrase: str, fault: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011  (the words are compared)
        before_name([phrase])
    assert fault in str(raised.value)
