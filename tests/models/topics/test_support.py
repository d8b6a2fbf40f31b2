"""What a sentence may say of what was said: nothing that wasn't, as far as words tell."""

import pytest

from models.topics.support import Said, is_said, is_supported


def supported(sentence: str, said: str, language: str = "en") -> bool:
    return is_supported(sentence, Said([said], language), language)


@pytest.mark.parametrize(
    ("language", "said", "right", "wrong"),
    [
        ("de", "Die Zinsen stiegen um 3,5 Prozent.", "um 3,5 Prozent", "um 35 Prozent"),
        ("fr", "Les taux ont augmenté de 1,5 point.", "de 1,5 point", "de 15 points"),
        ("de", "Das kostet 1200 Euro im Jahr.", "kostet 1.200 Euro", "kostet 1,2 Euro"),
        ("de", "Das kostet 1.200 Euro im Jahr.", "kostet 1200 Euro", "kostet 1,200 Euro"),
        ("en", "It costs 1,200 euros a year.", "It costs 1200 euros", "It costs 1.2 euros"),
        ("en", "It costs 1.200 euros a litre.", "It costs 1.200 euros", "It costs 1200 euros"),
        ("fr", "Cela coûte 1 200 euros.", "Cela coûte 1200 euros", "Cela coûte 200 euros"),
        ("", "1,234 things were counted.", "1,234 things counted", "1234 things counted"),
        ("en", "It costs 5 euros each year.", "It costs 5 euros", "It costs 5 dollars"),
        ("en", "It costs $5 million each year.", "It costs 5 million dollars", "It costs $5 billion"),
        ("en", "It costs 5 euros and 7 percent.", "It costs €5", "It costs $5"),
        ("en", "It costs 5 euros and 7 percent.", "It costs 7% and", "It costs 5% and"),
        ("en", "It lasts 5 minutes, or 7 hours.", "It lasts 5 minutes", "It lasts 5 hours"),
        ("en", "It was minus 5 degrees outside.", "It was -5 degrees", "It was 5 degrees"),
        ("en", "From 3 percent it rose to 5 percent.", "3 percent rose to 5 percent", "5 percent rose to 3 percent"),
        ("en", "She closed it in 1998, founded in 1989.", "founded in 1989", "She closed in 1989, founded in 1998"),
        ("en", "In 2023 Ann got 5 million euros a year.", "Ann got €5 million a year", "Ann got €5 million a month"),
        ("en", "There are 24 ships and 3 pumps.", "There are 24 ships", "There are 3 ships"),
        ("en", "People with COVID-19 came, 35-year-old men.", "COVID-19 people came", "19 people came"),
        ("en", "It fell by thirteen euros last year.", "by thirteen euros last year", "fell by three euros yearly"),
        ("de", "Es waren dreizehn Pumpen im Keller.", "dreizehn Pumpen im Keller", "drei Pumpen im Keller"),
    ],
)  # fmt: skip
def test_numbers_are_said_as_they_are_with_what_they_count(
    language: str, said: str, right: str, wrong: str
) -> None:
    assert supported(right, said, language)
    assert not supported(wrong, said, language)


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("Apple shares fall.", "You can apply for shares in fall."),
        ("China produces steel.", "He fell with his chin on steel, which produces pain."),
        ("Niger exports uranium.", "Nigeria exports uranium."),
        ("Georgia wins.", "George wins."),
        ("Paula Martina won.", "Paul Martin won."),
        ("The winner was Simone.", "The winner was Simon."),
        ("US sanctions hit them.", "They told us of sanctions that hit."),
        ("The winner was May.", "The winner may be late."),
        ("The talk is at longwebsite.org tomorrow.", "The talk is at longwebsite.com tomorrow."),
    ],
)
def test_names_are_said_as_they_are(sentence: str, said: str) -> None:
    assert not supported(sentence, said)
    assert supported(said, said)


@pytest.mark.parametrize(
    ("language", "sentence", "said"),
    [
        ("en", "Rotterdam's harbour is deep.", "The harbour of Rotterdam is deep."),
        ("en", "Pricing Heat Pumps", "The price of a heat pump"),
        ("de", "Preise von Wärmepumpen", "Der Preis der Wärmepumpe"),
        ("de", "Rotterdams Hafen", "Der Hafen von Rotterdam"),
        ("fr", "Les idées de l'Allemagne", "En Allemagne, on a des idées."),
    ],
)
def test_possessives_and_what_is_no_name_may_have_other_endings(
    language: str, sentence: str, said: str
) -> None:
    assert is_said(sentence, Said([said], language), language)


@pytest.mark.parametrize(
    ("language", "said", "right", "wrong"),
    [
        ("en", "I do not recommend this pump.", "Bob doesn't recommend this pump.", "Bob recommends this pump."),
        ("en", "I recommend it, for it isn't loud.", "It isn't loud.", "Bob doesn't recommend it."),
        ("en", "I recommend it, for it isn't loud.", "Bob recommends it.", "It is loud."),
        ("en", "Ships sail without pumps.", "Ships sail without pumps.", "Ships sail with pumps."),
        ("de", "Die Pumpe ist nicht teuer.", "Die Pumpe ist nicht teuer.", "Die Pumpe ist teuer."),
        ("de", "Die Pumpe stört mich nicht.", "Die Pumpe stört nicht.", "Die Pumpe stört."),
        ("fr", "Cette pompe n'est pas chère.", "La pompe n'est pas chère.", "La pompe est chère."),
        ("es", "La bomba no es ruidosa.", "La bomba no es ruidosa.", "La bomba es ruidosa."),
    ],
)  # fmt: skip
def test_what_is_denied_is_not_affirmed_nor_the_contrary(
    language: str, said: str, right: str, wrong: str
) -> None:
    said = f"Bob: {said}"
    assert supported(right, said, language)
    assert not supported(wrong, said, language)
