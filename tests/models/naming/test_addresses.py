"""Who is spoken to: by welcomes, thanks, greetings and names alone, as people say them and a recogniser writes them."""

from __future__ import annotations

import pytest

from models.naming.addresses import addresses
from models.naming.credits import Credit
from tests.models.talks import names, talk

ADDRESSES = [
    ("en", "A: Welcome to the show, Eddy!\nB: It's a pleasure.", [("B", "Eddy")]),
    ("en", "A: It gets better.\nB: Thanks a lot, Gaël.", [("A", "Gaël")]),
    ("en", "A: Have a seat.\nB: Thank you so much for having me, Lenny.", [("A", "Lenny")]),
    ("en", "A: Hello there.\nB: Hey Diane, how are you?", [("A", "Diane")]),
    ("en", "A: Great to have you on the show, Sara.\nB: Likewise.", [("B", "Sara")]),
    ("de", "A: Herzlich willkommen im Podcast, liebe Anna.\nB: Ich freue mich.", [("B", "Anna")]),
    ("de", "A: Schön hier.\nB: Vielen Dank für die Einladung, Tim.", [("A", "Tim")]),
    ("de", "A: Na dann los.\nB: Hallo Thomas, schön dich zu hören.", [("A", "Thomas")]),
    ("es", "A: Bienvenida al programa, Lucía.\nB: Qué ilusión.", [("B", "Lucía")]),
    ("es", "A: Aquí estamos.\nB: Muchas gracias por invitarme, Carlos.", [("A", "Carlos")]),
    ("es", "A: Buenas.\nB: Hola Marta, encantado.", [("A", "Marta")]),
    ("fr", "A: Bienvenue dans le podcast, Claire.\nB: Avec plaisir.", [("B", "Claire")]),
    ("fr", "A: Voilà.\nB: Merci beaucoup pour l'invitation, Gaël.", [("A", "Gaël")]),
    ("fr", "A: On y va.\nB: Bonjour Mathieu, ravi d'être là.", [("A", "Mathieu")]),
]


@pytest.mark.parametrize(("language", "lines", "expected"), ADDRESSES)
def test_the_one_spoken_to_speaks_before_or_after(
    language: str, lines: str, expected: list[tuple[str, str]]
) -> None:
    found = addresses(talk(lines, language))
    assert names(found) == expected
    (speaker,) = {e.label for e in found if e.weight < 0}
    assert speaker != expected[0][0]


def test_among_three_the_welcome_is_for_the_next_and_the_thanks_for_the_last() -> None:
    found = addresses(talk("A: Good morning to you all.\nB: Welcome, Anne.\nC: Hi everybody."))
    weights = {e.label: e.weight for e in found}
    assert weights["C"] > weights["A"] > 0 > weights["B"]
    found = addresses(talk("A: So much for that.\nB: Thanks a lot, Anne.\nC: And now to sports."))
    weights = {e.label: e.weight for e in found}
    assert weights["A"] > weights["C"] > 0 > weights["B"]


@pytest.mark.parametrize(
    "line",
    [
        "B: Thank you, everyone.", "B: Thank you, Lord.", "B: Hello World is the first program.",
        "B: Welcome to Berlin.", "B: I said hello Darkness my old friend.", "B: Thanks to Anne we know.",
        "B: Anne, who I met last year, wrote it.", "B: Anne, Bob and Carl came.",
    ],
)  # fmt: skip
def test_nobody_is_spoken_to(line: str) -> None:
    assert addresses(talk(f"A: Well.\n{line}\nA: Yes."), [Credit("Anne Currie", "feed")]) == []


def test_a_known_name_is_called_by_itself() -> None:
    credits = [Credit("Anne Currie", "notes")]
    assert names(addresses(talk("A: So Anne, what happened then?\nB: A lot."), credits)) == [("B", "Anne")]
    assert names(addresses(talk("A: And what did you do, Anne?\nB: A lot."), credits)) == [("B", "Anne")]
    (heard, _) = addresses(talk("A: And what did you do, Zoe?\nB: A lot."), credits)
    (known, _) = addresses(talk("A: And what did you do, Anne?\nB: A lot."), credits)
    assert 0 < heard.weight < known.weight


def test_a_known_name_is_welcomed_and_thanked() -> None:
    credits = [Credit("Selena Winter", "title")]
    (welcomed, _) = addresses(talk("A: Salina, welcome to the program.\nB: Hi."), credits)
    (thanked, *_) = addresses(talk("B: That was all.\nA: Selena, thank you.\nC: Bye."), credits)
    assert (welcomed.label, welcomed.weight, thanked.label, thanked.weight) == ("B", 3.2, "B", 2.0)


def test_two_hosts_thanked_in_one_breath_are_not_told_apart() -> None:
    found = addresses(talk("A: Welcome.\nB: Thanks for having me, Tom. Thanks for having me, Fabrizio."))
    assert {e.weight for e in found if e.label == "A"} == {2.0}


def test_somebody_far_away_is_not_spoken_to() -> None:
    long = " ".join(["word"] * 150)
    assert names(addresses(talk(f"A: Hello.\nB: {long}.\nB: Welcome, Anne.\nB: {long}.\nC: Hi."))) == []


def weights(lines: str, language: str = "en") -> dict[tuple[str, str], float]:
    """The most that speaks for each label and name."""
    found = [e for e in addresses(talk(lines, language)) if e.weight > 0]
    return {
        (e.label, e.name): max(o.weight for o in found if (o.label, o.name) == (e.label, e.name))
        for e in found
    }


CALLED = [
    ("en", "So, Virgil, I may actually have been wrong."),
    ("en", "Hey Virgil."),
    ("en", "Thank you Virgil."),
    ("en", "Thank you Virgil, that was a lot."),
    ("en", "Let me ask you this, Virgil."),
    ("en", "Well, thank you very much, Dr. Virgil."),
    ("en", "I told you, Virgil."),
    ("en", "Right, Virgil."),
    ("en", "I wonder where Virgil is. Virgil?"),
    ("en", "So, Virgil, the thing is that nobody came."),
    ("en", "What do you make of the plan, Virgil?"),
    ("en", "So, Virgil, is that true?"),
    ("en", "Over to you, Virgil."),
    ("en", "Back to the studio, Virgil."),
    ("de", "Was meinst du, Virgil?"),
    ("de", "Zurück ins Studio, Virgil."),
    ("es", "Oye, Virgil, ¿vienes?"),
    ("fr", "Bonjour Virgil !"),
    ("fr", "Vous venez, Virgil ?"),
    ("it", "Senti, Virgil, il lievito non serve."),
    ("pt", "Então, Virgil, conta lá."),
    ("nl", "Zeg eens, Virgil, hoe gaat het?"),
]


@pytest.mark.parametrize(("language", "line"), CALLED)
def test_a_name_that_nobody_credited_is_called(language: str, line: str) -> None:
    assert ("B", "Virgil") in weights(f"B: Hm.\nA: {line}\nB: Hm.", language)


SPOKEN_OF = [
    ("en", "So, Virgil says it was his idea."),
    ("en", "I met Virgil, who lives there."),
    ("en", "We asked Anne, Ben and Virgil."),
    ("en", "Virgil, Ben and Anne came."),
    ("en", "It was my colleague, Virgil, again."),
    ("en", "It was my old friend, Virgil."),
    ("en", "Virgil, my brother, never calls."),
    ("en", "So, Virgil, my brother, never calls."),
    ("en", "According to Virgil, it rained."),
    ("en", "She said, “Virgil, would you?”"),
    ("en", "And I told him, Virgil, you can't do that."),
    ("en", "Come back, Virgil, he cried."),
    ("en", "He lives in Austin, Virgil."),
    ("en", "Dear Virgil, how are you?"),
    ("en", "And Virgil."),
    ("en", "Alexa, would you stop?"),
    ("en", "GitHub, would you stop?"),
    ("de", "Mein Kollege, Virgil, sagt das auch."),
    ("de", "Sie rief: Virgil, komm!"),
    ("es", "Mi hermano, Virgil, no viene."),
    ("fr", "Mon frère, Virgil, ne vient pas."),
    ("it", "Mio fratello, Virgil, non viene."),
    ("pt", "O meu irmão, Virgil, não vem."),
    ("nl", "Mijn broer, Virgil, komt niet."),
]


@pytest.mark.parametrize(("language", "line"), SPOKEN_OF)
def test_a_name_that_is_spoken_of_is_not_called(language: str, line: str) -> None:
    assert weights(f"B: Hm.\nA: {line}\nB: Hm.", language) == {}


def test_a_word_that_is_written_small_elsewhere_is_no_name() -> None:
    lines = "A: Honestly, would you do it?\nB: I would, honestly.\nA: So, Honestly, would you?\nB: Yes."
    assert weights(lines) == {}


def test_a_credited_name_is_called_though_it_is_a_word_too() -> None:
    lines = talk("A: Will, would you?\nB: I will. It will rain.")
    assert names(addresses(lines, [Credit("Will Grant", "feed")])) == [("B", "Will")]
    assert names(addresses(lines)) == []


def test_a_place_is_not_called() -> None:
    assert weights("A: Hello, Lisbon!\nB: It rains in Lisbon.") == {}
    assert ("B", "Lisbon") in weights("A: Hello, Lisbon!\nB: It rains.")


def test_two_who_greet_each_other() -> None:
    found = weights("A: Good morning, Ben.\nB: Good morning, Eva.\nA: It is late.")
    assert found == {("B", "Ben"): 3.2, ("A", "Eva"): 3.2}
    among_three = weights(
        "C: It is late.\nA: Good morning, Ben.\nB: Good morning, Eva.\nC: Good morning to you both."
    )
    assert among_three == {("B", "Ben"): 3.2, ("A", "Eva"): 3.2}


def test_who_reads_a_letter_aloud_calls_nobody_by_the_name_it_begins_with() -> None:
    lines = "A: Dear Mabel, he snores.\nB: Oh.\nA: What shall I do, Mabel? Thank you, Mabel.\nB: Yes, Mabel?"
    assert set(weights(lines)) == {("A", "Mabel")}


def test_the_other_of_two_is_spoken_to_however_long_one_goes_on() -> None:
    long = "\n".join(["B: And so on and so forth, as it goes."] * 30)
    assert ("A", "Anne") in weights(f"A: {'Well, go on. ' * 50}\n{long}\nB: You see, Anne.\n{long}")


def test_who_speaks_of_a_name_that_is_called_rather_is_somebody_else() -> None:
    found = addresses(talk("A: What now, Anne?\nB: I asked Anne, and she said no."))
    (mention,) = [e for e in found if e.kind == "mention"]
    assert (mention.label, mention.name) == ("B", "Anne")
    assert mention.weight < 0


def test_a_name_counts_once_a_turn() -> None:
    found = addresses(talk("A: Anne? Are you there, Anne?\nA: Hello, Anne.\nB: Yes."))
    assert [(e.label, e.words) for e in found if e.kind == "address"] == [("B", "Hello, Anne")]
