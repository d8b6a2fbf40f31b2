from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.naming.person_names import fold, is_doubtful, read_name, same_person, spelled


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Diane and New Jersey.", "Diane"),
        ("Jean-Luc Moreau, bonjour", "Jean-Luc Moreau"),
        ("María José de la Cruz y yo", "María José de la Cruz"),
        ("Prof. Dr. Maja Göpel", "Maja Göpel"),
        ("Mr. Smith", "Smith"),
        ("Sinéad O'Connor sings", "Sinéad O'Connor"),
        ("Michael J. Fox was", "Michael J. Fox"),
        ("Wolfgang von der Heide", "Wolfgang von der Heide"),
        ("Anna und Berta", "Anna"),
        ("Anne Currie, Gaël Duez", "Anne Currie"),
    ],
)
def test_a_name_is_read_to_its_end(text: str, name: str) -> None:
    found = read_name(text)
    assert found is not None
    assert found[0] == name
    assert text[: found[1]].endswith(name.split()[-1])


@pytest.mark.parametrize(
    "text",
    [
        "", "sorry", "the host", "Irish", "Everyone", "NASA", "AI", "Anne's brother", "I", "Liebe Hörer",
        "Zusammen", "Français", "Español", "Todos", "Monday", "42 Anne", "Doctor", "'Anne", "Gott",
    ],
)  # fmt: skip
def test_what_is_no_name(text: str) -> None:
    assert read_name(text) is None


@given(st.text(max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    found = read_name(text)
    assert found is None or 0 < found[1] <= len(text)


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("Gael", "Gaël Duez"), ("Diane", "Dianne"), ("Shelia", "Sheila"), ("Eric", "Erik Satie"),
        ("Jon", "John Smith"), ("Stefan", "Stephan Müller"), ("Anne Curry", "Anne Currie"),
        ("Duez", "Gaël Duez"), ("Sara", "Sarah Wagenknecht"), ("Catherine", "Katherine Ryan"),
        ("Jurgen", "Jürgen Müller"), ("Dr. Maja Göpel", "Maja Göpel"), ("Inez", "Inés García"),
        ("Chand", "Chandra Pratap"), ("Chris Lattner", "Christopher Lattner"),
    ],
)  # fmt: skip
def test_spellings_of_one_name(heard: str, written: str) -> None:
    assert same_person(heard, written)
    assert same_person(written, heard)


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("Anne Miller", "Anne Currie"), ("Maria", "Mario Rossi"), ("Julia", "Julie Delpy"), ("Joan", "John Smith"),
        ("Daniel", "Daniela Katz"), ("Martin", "Martina Hill"), ("Ann", "Dan"), ("Tim", "Kim"), ("", "Anne"),
        ("Michael", "Michaela"), ("Peter", "Petra"), ("Paul", "Pauline Kael"), ("Joh", "Johanna"),
        ("Duez", "Roth Duezman"),
    ],
)  # fmt: skip
def test_names_of_two_people(heard: str, written: str) -> None:
    assert not same_person(heard, written)


def test_spelling_comes_from_the_one_name_that_fits() -> None:
    assert spelled("Gael", ["Anne Currie", "Gaël Duez"]) == "Gaël Duez"
    assert spelled("Anne", ["Anne Currie", "Anne Smith"]) is None
    assert spelled("Anne", ["Anne", "Anne Currie"]) == "Anne Currie"
    assert spelled("Karin", ["Karen Hao", "Karin Kneissl"]) == "Karin Kneissl"
    assert spelled("Zoe", ["Anne Currie"]) is None


def test_folding_keeps_letters_of_any_script() -> None:
    assert fold("Łukasz  ÉMILE") == "lukasz emile"
    assert fold("東京") == "東京"


def test_words_that_may_be_no_name() -> None:
    assert is_doubtful("Entwickler", "de")
    assert not is_doubtful("Walter", "de")
    assert is_doubtful("Christian", "en")
    assert not is_doubtful("Christian Drosten", "de")
