"""Each kind of evidence on sentences as people say them in podcasts, and as a recogniser writes them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from models.naming.addresses import addresses
from models.naming.credits import Credit, credited_people, names_in
from models.naming.evidence import announcements, hosting, introductions, priors, with_spelling
from models.naming.repeats import repeated_labels
from models.record.transcript import Episode, Evidence, Person
from tests.models.conftest import SHARED
from tests.models.talks import names, talk

INTRODUCTIONS = [
    ("en", "Hi, I'm Gael.", "Gael"),
    ("en", "This is Diane in New Jersey.", "Diane"),
    ("en", "Okay, I thought, you know, I heard of these. This is Diane and New Jersey.", "Diane"),
    ("en", "And I'm Sheila and Texas originally from Chicago.", "Sheila"),
    ("en", "My name is Anne Currie, and I've been in tech for far too long.", "Anne Currie"),
    (
        "en",
        "Hello everyone, welcome to Green IO. I'm Gaël Duez, and every other Tuesday we talk.",
        "Gaël Duez",
    ),
    ("en", "As always I'm your host Jerod Santo.", "Jerod Santo"),
    ("en", "Anne here, from the Green Software Foundation.", "Anne"),
    ("en", "Hey, this is Emily from Ohio calling.", "Emily"),
    ("en", "I'm Dr. Jane Goodall.", "Jane Goodall"),
    ("de", "Hallo und herzlich willkommen, ich bin Anna Schmidt.", "Anna Schmidt"),
    ("de", "Mein Name ist Wolfgang und ich arbeite bei der Bahn.", "Wolfgang"),
    ("de", "Ich heiße Jürgen Müller.", "Jürgen Müller"),
    ("de", "Hallo zusammen, ich bin die Julia.", "Julia"),
    ("de", "Hier ist Tim Pritlove.", "Tim Pritlove"),
    ("de", "Am Mikrofon begrüßt Sie Claudia Weber.", "Claudia Weber"),
    ("es", "Hola, ¿qué tal? Soy María.", "María"),
    ("es", "Me llamo Inés García y soy médica.", "Inés García"),
    ("es", "Mi nombre es José Luis.", "José Luis"),
    ("es", "Muy buenas, yo soy Carlos Alsina, y esto es un programa nuevo.", "Carlos Alsina"),
    ("es", "Les habla Pedro Blanco.", "Pedro Blanco"),
    ("es", "Soy tu anfitriona, Lucía Pérez.", "Lucía Pérez"),
    ("fr", "Bonjour à tous, je suis Claire.", "Claire"),
    ("fr", "Je m'appelle Gaël Duez.", "Gaël Duez"),
    ("fr", "Moi, c'est Zoé, et j'ai grandi à Lyon.", "Zoé"),
    ("fr", "Bonjour, c'est Mathieu, bienvenue dans ce podcast.", "Mathieu"),
    ("fr", "Mon nom est Jean-Luc Moreau.", "Jean-Luc Moreau"),
]
NO_INTRODUCTIONS = [
    ("en", "I'm sorry, I'm late."),
    ("en", "I'm Irish, actually."),
    ("en", "He said, I'm Bob, and everybody laughed."),
    ("en", "And she goes, “I'm Anne.”"),
    ("en", "Let's say I'm Cass Ellery."),
    ("en", "If I'm Elon, I buy it."),
    ("en", "This is America."),
    ("en", "This is Python we are talking about."),
    ("en", "I'm Anne's brother."),
    ("en", "I'm Google certified."),
    ("en", "Well, I'm in London today."),
    ("en", "What you hear in this is Diane's work."),
    ("de", "Er sagt, ich bin Peter, und dann lacht er."),
    ("de", "Hier ist Platz für alle."),
    ("de", "Ich bin sehr froh darüber."),
    ("es", "Soy de Madrid."),
    ("es", "Dijo que soy Ana."),
    ("es", "Soy muy feliz aquí."),
    ("fr", "Je suis à Paris."),
    ("fr", "Il dit que je suis Napoléon."),
    ("fr", "Je suis Français."),
    ("pl", "Jestem Ana."),  # a language whose phrases nobody wrote down
    ("", "I'm Anne."),
]


@pytest.mark.parametrize(("language", "sentence", "name"), INTRODUCTIONS)
def test_speakers_say_who_they_are(language: str, sentence: str, name: str) -> None:
    assert names(introductions(talk(f"A: {sentence}", language))) == [("A", name)]


@pytest.mark.parametrize(("language", "sentence"), NO_INTRODUCTIONS)
def test_sentences_that_only_look_like_it(language: str, sentence: str) -> None:
    assert introductions(talk(f"A: {sentence}", language)) == []


def test_evidence_tells_words_and_time() -> None:
    (found,) = introductions(talk("A: Well, hello, I'm Sheila, you know."))
    assert (found.kind, found.start, found.words) == ("introduction", 0.8, "I'm Sheila")


def test_who_has_talked_for_long_is_not_introducing_himself() -> None:
    long = " ".join(["word"] * 310)
    late, early = introductions(talk(f"A: {long}.\nA: And then I'm Batman, you know.\nB: I'm Anne."))
    assert (late.name, late.weight) == ("Batman", 2.7)
    assert (early.name, early.weight) == ("Anne", 4.5)


def test_the_show_introduces_itself_too() -> None:
    lines = talk("A: This is Between the Hills, a podcast on maps.\nA: This is Yaron from Haifa.")
    assert names(introductions(lines, "Between the Hills")) == [("A", "Yaron")]
    assert names(introductions(talk("A: This is Tim Ferris."), "The Tim Ferris Show")) == [
        ("A", "Tim Ferris")
    ]


def test_a_german_calling_weighs_less_than_a_name() -> None:
    (calling,) = introductions(talk("A: Ich bin Journalistin.", "de"))
    (name,) = introductions(talk("A: Ich bin Annalena.", "de"))
    assert calling.weight < 2 < name.weight


def test_read_sentences_introduce_nobody(read_speech: Path) -> None:
    with (read_speech / "transcripts.tsv").open(newline="") as file:
        texts = [row["text"].capitalize() for row in csv.DictReader(file, delimiter="\t")]
    fleurs = SHARED / "non_english" / "fleurs"
    said = [("en", text) for text in texts]
    said += [(path.stem.split("-")[1], path.read_text()) for path in sorted(fleurs.glob("*.txt"))]
    assert len(said) >= 59
    for language, text in said:
        for found in (introductions, addresses, announcements):
            assert found(talk(f"A: {text.strip()}\nB: Yes.", language)) == [], text


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", "My guest today is Anne Currie."), ("en", "I'm joined by Anne Currie."),
        ("de", "Mein heutiger Gast ist Anne Currie."), ("de", "Zu Gast ist heute Anne Currie."),
        ("es", "Hoy nos acompaña Anne Currie."), ("es", "Mi invitada de hoy es Anne Currie."),
        ("fr", "Aujourd'hui, je reçois Anne Currie."), ("fr", "Mon invitée du jour est Anne Currie."),
    ],
)  # fmt: skip
def test_an_announced_guest_speaks_next(language: str, line: str) -> None:
    assert names(announcements(talk(f"A: {line}\nB: Hm.", language))) == [("B", "Anne Currie")]


def test_an_announced_guest_is_nobody_who_spoke_before() -> None:
    assert announcements(talk("B: Hi.\nA: My guest today is Anne Currie.\nB: Oh.")) == []


def test_two_announced_guests_are_not_told_apart() -> None:
    lines = "A: I'm joined by Anne Currie and Gaël Duez.\nB: Hi.\nC: Hello.\nD: And I do the sound."
    found = announcements(talk(lines))
    assert {(e.label, e.name) for e in found if e.weight > 0} == {
        (label, name) for label in "BC" for name in ("Anne Currie", "Gaël Duez")
    }
    assert len({e.weight for e in found if e.weight > 0}) == 1


def test_who_speaks_to_the_listeners_is_the_one_host() -> None:
    lines = talk("B: Yes.\nA: Welcome back to the show.")
    hosts = [Credit("Gaël Duez", "feed", "host"), Credit("Anne Currie", "feed", "guest")]
    assert names(hosting(lines, hosts)) == [("A", "Gaël Duez")]
    assert hosting(lines, [*hosts, Credit("Zoe", "feed", "host")]) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Green software, with Anne Currie", ["Anne Currie"]),
        ("Anne Currie and Gaël Duez discussed the book.", ["Anne Currie", "Gaël Duez"]),
        ("Anne Currie & Gaël Duez", ["Anne Currie", "Gaël Duez"]),
        ("Entrevista com a Helena Costa", ["Helena Costa"]),
        ("Met Anna Bakker en Joost de Vries", ["Anna Bakker", "Joost de Vries"]),
        ("Con Marco Rossi e Anna Bianchi, astronomi", ["Marco Rossi", "Anna Bianchi"]),
        ("Vuelve la primavera en Buenos Aires", []),
        ("#12 - Anne Currie: building green software", ["Anne Currie"]),
        ("The rise of wind | Hannah Ritchie", ["Hannah Ritchie"]),
        ("Hosted by Travis Albritton\nGuests: Priscilla Brooke, Alban Brooke",
         ["Travis Albritton", "Priscilla Brooke", "Alban Brooke"]),
        ("Zu Gast: Prof. Maja Göpel. Moderation: Jürgen Kuttner",
         ["Maja Göpel", "Jürgen Kuttner"]),
        ("Con María José Ramírez, experta en clima", ["María José Ramírez"]),
        ("Avec Gaël Duez. Invitée : Sophie Dupont", ["Gaël Duez", "Sophie Dupont"]),
        ("A talk about nothing in particular", []),
        ("", []),
    ],
)  # fmt: skip
def test_names_in_titles_and_notes(text: str, expected: list[str]) -> None:
    assert names_in(text) == expected


def test_notes_of_real_feeds_can_be_read() -> None:
    from audio.feeds.parse import parse_feed

    path = SHARED / "feeds" / "partytime" / "example.xml"
    if not path.exists():
        pytest.skip(f"no feed at {path}")
    for item in parse_feed(path.read_bytes(), "https://example.org/feed.xml").episodes:
        people = {credit.name for credit in credited_people(item)}
        assert {person.name for person in item.people} <= people


def test_everybody_is_credited_once_by_the_best_source() -> None:
    item = Episode(
        "id", title="With Anne Currie", notes="Gael Duez and Zoe Roth talk", people=(Person("Anne"),)
    )
    found = credited_people(item, known_people=["Gaël Duez"], voices=["Gaël"])
    assert found == (
        Credit("Gaël Duez", "known"),
        Credit("Anne Currie", "feed", "host"),
        Credit("Zoe Roth", "notes"),
    )


def test_notes_of_any_length_are_read_in_no_time() -> None:
    crowd = ", ".join(f"Anne{chr(97 + i % 26)}{chr(97 + i // 26 % 26)} Currie{i}" for i in range(200_000))
    people = tuple(Person(f"P{i} Roth") for i in range(100_000))
    assert 0 < len(credited_people(Episode("id", notes=f"With {crowd}", people=people))) <= 500


def test_heard_names_are_spelt_as_written() -> None:
    heard = [Evidence("A", "Gael", "introduction", 4.5), Evidence("B", "Shela", "address", 1.0),
             Evidence("B", "Shela Watts", "introduction", 1.0)]  # fmt: skip
    assert [e.name for e in with_spelling(heard, [Credit("Gaël Duez", "notes")])] == [
        "Gaël Duez", "Shela Watts", "Shela Watts",
    ]  # fmt: skip


def test_a_written_name_is_likelier_than_one_only_heard() -> None:
    heard = [Evidence("A", "Anne Currie", "address", 1.0), Evidence("A", "Zoe", "address", 1.0)]
    written, spoken = priors(heard, [Credit("Anne Currie", "feed")])
    assert 0 > written.weight > spoken.weight
    assert (written.words, spoken.words) == ("feed", "heard")


AD = "D: This show is brought to you by the good people of Acme, makers of fine anvils since eighteen ninety."


def test_an_ad_is_what_other_episodes_have_too() -> None:
    now = talk(
        f"{AD}\nA: Now where were we when the lights went out last week?\nB: In the cellar, I believe."
    )
    before = talk(f"A: Something else altogether, and a lot of it too.\n{AD}")
    assert repeated_labels(now, [before]) == {"D"}
    assert repeated_labels(now, []) == frozenset()


def test_a_host_with_a_fixed_opening_is_no_ad() -> None:
    opening = "A: Welcome to the show in which we talk about things that nobody else talks about."
    now = talk(
        f"{opening}\nA: Today I met a man who keeps bees on the roof of a bank in the middle of the city."
    )
    before = talk(
        f"{opening}\nA: This time we ask what the sea sounds like from below, and who listens to it."
    )
    assert repeated_labels(now, [before]) == frozenset()
