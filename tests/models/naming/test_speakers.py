from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest

from models.naming.label_matching import given_names
from models.naming.speakers import (
    NamingContext,
    name_by_evidence,
    numbered_speakers,
    rename_by_voice,
    rename_speaker,
)
from models.naming.voices import VoiceRegistry, sample_of
from models.record.transcript import AudioFile, Episode, Person, Segment, Speaker, Transcript, Turn, Voice
from tests.models.naming.test_voices import voice
from tests.models.talks import episode, talk

AUDIO = AudioFile("a.mp3", "0" * 64, 60.0)


def transcript(turns: list[Turn], speakers: list[Speaker], audio: AudioFile = AUDIO) -> Transcript:
    return Transcript(Episode("id"), audio, "en", turns=tuple(turns), speakers=tuple(speakers))


def names(found: Transcript) -> dict[str, str]:
    return {speaker.label: speaker.name for speaker in found.speakers}


def test_speakers_are_numbered_in_order_of_first_words() -> None:
    segments = [
        Segment(0, 1, "B", ()),
        Segment(1, 2, None, ()),
        Segment(2, 3, "A", ()),
        Segment(3, 4, "B", ()),
    ]
    assert [(s.label, s.name) for s in numbered_speakers(segments)] == [
        ("B", "Speaker 1"),
        ("A", "Speaker 2"),
    ]


CALL = """
B: Hello?
A: Hello? Oh, hello. I didn't know you were there.
B: Neither did I.
A: Okay, I thought, you know, I heard of these. This is Diane and New Jersey.
B: And I'm Sheila and Texas originally from Chicago.
A: Oh, I'm originally from Chicago also.
"""


def test_two_who_introduce_themselves() -> None:
    found = name_by_evidence(episode(CALL), NamingContext())
    assert names(found) == {"B": "Sheila", "A": "Diane"}
    assert {speaker.source for speaker in found.speakers} == {"introduction"}
    assert all(0.75 <= speaker.confidence < 0.95 for speaker in found.speakers)


INTERVIEW = """
A: Hello and welcome back to Green IO, the podcast for responsible technologists.
A: Today we talk about software and energy.
A: Welcome, Anne.
B: Thanks a lot, Gael.
B: It's a pleasure.
A: So Anne, where does all that energy go?
B: Mostly into heat.
"""
GREEN_IO = Episode(
    "id", "Green IO", title="Green software with Anne Currie", people=(Person("Gaël Duez", "host"),)
)


IN_TWO_LANGUAGES = """
A de: Hallo und herzlich willkommen, ich bin Anna Weber.
A de: Heute reden wir englisch, denn zu Gast ist jemand aus Leeds.
B: Thanks for having me. I'm Tom Reed, and I work on bridges.
A: Welcome, Tom. So what is wrong with them?
B: Well, most of them are old.
A de: Und jetzt ins Studio, willkommen, Jens Krüger.
C de: Danke dir, Anna. Was heißt denn alt?
"""


def test_each_is_understood_in_the_language_that_he_speaks() -> None:
    assert names(name_by_evidence(episode(IN_TWO_LANGUAGES), NamingContext())) == {
        "A": "Anna Weber",
        "B": "Tom Reed",
        "C": "Jens Krüger",
    }


@pytest.mark.parametrize(("language", "missed"), [("en", {"A", "C"}), ("de", {"B"})])
def test_phrases_of_one_language_mean_nothing_in_another(language: str, missed: set[str]) -> None:
    in_one = re.sub("^([A-C]) ?(?:de)?:", r"\1:", IN_TWO_LANGUAGES, flags=re.MULTILINE)
    found = name_by_evidence(episode(in_one, language), NamingContext())
    assert {speaker.label for speaker in found.speakers if speaker.source == "order"} == missed


def test_segments_without_a_language_are_in_that_of_the_transcript() -> None:
    one = episode(IN_TWO_LANGUAGES, "en")
    untold = replace(
        one, segments=tuple(replace(s, language=s.language.removesuffix("en")) for s in one.segments)
    )
    assert (
        name_by_evidence(untold, NamingContext()).speakers == name_by_evidence(one, NamingContext()).speakers
    )


@pytest.mark.parametrize(("language", "name"), [("de", "Tom Reed"), ("en", "Speaker 1")])
def test_a_sentence_pauses_but_not_into_another_language(language: str, name: str) -> None:
    lines = f"A de: Guten Abend, ich bin\nA {language}: Tom Reed.\nB: Hm."
    assert names(name_by_evidence(episode(lines), NamingContext()))["A"] == name


def test_names_come_from_addresses_and_are_spelt_as_in_the_notes() -> None:
    assert names(name_by_evidence(episode(INTERVIEW, details=GREEN_IO), NamingContext())) == {
        "A": "Gaël Duez",
        "B": "Anne Currie",
    }


def test_without_notes_a_name_said_once_is_not_enough() -> None:
    lines = "A: Hello and welcome back.\nA: Welcome, Anne.\nB: It's a pleasure."
    assert names(name_by_evidence(episode(lines), NamingContext())) == {"A": "Speaker 1", "B": "Speaker 2"}


@pytest.mark.parametrize(
    ("language", "lines", "expected"),
    [
        ("de", "A: Hallo, ich bin Tim Pritlove.\nA: Willkommen, liebe Anna.\nB: Danke, Tim.\n"
               "A: Anna, was machst du?\nB: Ich heiße Anna Schmidt und male.",
         {"A": "Tim Pritlove", "B": "Anna Schmidt"}),
        ("es", "A: Hola, soy Carlos Alsina.\nA: Bienvenida, Lucía.\nB: Gracias, Carlos. Me llamo Lucía Pérez.",
         {"A": "Carlos Alsina", "B": "Lucía Pérez"}),
        ("fr", "A: Bonjour, je suis Gaël Duez.\nA: Bienvenue, Claire.\nB: Merci, Gaël. Je m'appelle Claire Petit.",
         {"A": "Gaël Duez", "B": "Claire Petit"}),
        ("it", "A: Ciao a tutti, sono Marco Rossi.\nA: Con me oggi c'è Giulia Ferri. Benvenuta, Giulia.\n"
               "B: Grazie, Marco.\nA: Giulia, come stai?\nB: Bene.\nC: E qui parla Luca, da Torino.",
         {"A": "Marco Rossi", "B": "Giulia Ferri", "C": "Luca"}),
        ("pt", "A: Oi, gente, aqui é o João Silva.\nA: Comigo está a Ana Costa. Bem-vinda, Ana.\n"
               "B: Obrigada pelo convite, João.\nA: Ana, como começou?\nB: Por acaso.",
         {"A": "João Silva", "B": "Ana Costa"}),
        ("pt-PT", "A: Bom dia, eu sou a Inês.\nA: Connosco está o Rui Tavares.\n"
                  "B: Muito obrigado, Inês. Chamo-me Rui Tavares.",
         {"A": "Inês", "B": "Rui Tavares"}),
        ("nl", "A: Hallo, ik ben Sanne de Vries.\nA: Bij mij te gast is Pieter van der Berg. Welkom, Pieter.\n"
               "B: Dank je wel, Sanne.\nA: Pieter, wat doe je?\nC: En ik ben Joost.",
         {"A": "Sanne de Vries", "B": "Pieter van der Berg", "C": "Joost"}),
    ],
)  # fmt: skip
def test_in_other_languages(language: str, lines: str, expected: dict[str, str]) -> None:
    assert names(name_by_evidence(episode(lines, language), NamingContext())) == expected


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        ("it", "A: Sono felice di essere qui.\nB: Marco dice che io sono Batman. Grazie a tutti.\n"
               "A: Ci sono Anna e Luca."),
        ("pt", "A: Sou eu.\nB: O João disse que eu sou a Maria. Obrigado a todos.\nA: Não sou a Ana."),
        ("nl", "A: Ik ben blij.\nB: Jan zei, ik ben Batman. Dank je wel allemaal.\nA: Ik ben Nederlander."),
    ],
)  # fmt: skip
def test_nobody_says_who_speaks_in_other_languages(language: str, lines: str) -> None:
    assert set(names(name_by_evidence(episode(lines, language), NamingContext())).values()) == {
        "Speaker 1", "Speaker 2",
    }  # fmt: skip


def test_a_guest_who_is_announced_and_then_called_by_the_first_name() -> None:
    lines = """
    A: Well, we are here with Drew Hill, who makes maps.
    A: Drew, welcome to the show.
    B: Hey there.
    """
    assert names(name_by_evidence(episode(lines), NamingContext()))["B"] == "Drew Hill"


def test_people_who_are_only_spoken_of_are_nobody_here() -> None:
    lines = """
    A: Anne Currie wrote a book, and Gaël Duez read it.
    B: I met Anne once, with Gaël.
    A: Anne is right about that.
    """
    assert names(name_by_evidence(episode(lines, details=GREEN_IO), NamingContext())) == {
        "A": "Speaker 1",
        "B": "Speaker 2",
    }


def known(**degrees: float) -> VoiceRegistry:
    registry = VoiceRegistry()
    for name, angle in degrees.items():
        registry = registry.learnt(name, sample_of(voice("x", angle), "earlier", confirmed=True))
    return registry


def voices(**degrees: float) -> tuple[Voice, ...]:
    return tuple(voice(label, angle) for label, angle in degrees.items())


PLAIN = "A: It rained all day.\nB: It did.\nC: Here too."


def test_voices_of_earlier_episodes() -> None:
    context = NamingContext(voices=voices(A=3, B=88, C=180), registry=known(Anne=0, Gael=90))
    found = name_by_evidence(episode(PLAIN), context)
    assert names(found) == {"A": "Anne", "B": "Gael", "C": "Speaker 3"}
    assert [speaker.source for speaker in found.speakers] == ["voice", "voice", "order"]


def test_a_voice_is_believed_more_than_a_joke() -> None:
    context = NamingContext(voices=voices(A=0, B=90), registry=known(Anne=0, Gael=90))
    found = name_by_evidence(episode("A: I'm Gael.\nB: No, I'm Gael."), context)
    assert names(found)["B"] == "Gael"
    assert names(found)["A"] != "Gael"


AD = "D: This show is brought to you by the good people of Acme, makers of fine anvils since eighteen ninety."


def test_an_ad_takes_no_part_in_the_conversation() -> None:
    lines = f"A: Welcome to the show.\nA: With us is Anne Currie. Welcome, Anne.\n{AD}\nB: Thanks, Gael."
    before = talk(f"A: Something else altogether, and a lot of it too.\n{AD}")
    found = name_by_evidence(episode(lines, details=GREEN_IO), NamingContext(others=(before,)))
    assert names(found) == {"A": "Gaël Duez", "D": "Speaker 2", "B": "Anne Currie"}
    assert [e.label for e in found.evidence if e.kind == "repeated"] == ["D"]


def test_a_confirmed_voice_is_no_ad_however_often_it_says_the_same() -> None:
    before = talk(f"A: Something else altogether, and a lot of it too.\n{AD}")
    context = NamingContext(voices=voices(D=0), registry=known(Anne=0), others=(before,))
    assert names(name_by_evidence(episode(f"A: Hi.\n{AD}\nB: Yes."), context))["D"] == "Anne"


def test_judged_anew_by_voices_learnt_later() -> None:
    first = name_by_evidence(episode(INTERVIEW, details=GREEN_IO), NamingContext())
    unknown = name_by_evidence(episode(PLAIN), NamingContext())
    assert names(unknown) == {"A": "Speaker 1", "B": "Speaker 2", "C": "Speaker 3"}
    context = NamingContext(voices=voices(A=0, B=90), registry=known(Anne=90))
    assert names(rename_by_voice(unknown, context)) == {"A": "Speaker 1", "B": "Anne", "C": "Speaker 3"}
    again = rename_by_voice(first, NamingContext(voices=voices(A=0, B=90), registry=known(Gaël=0)))
    assert names(again) == {"A": "Gaël", "B": "Anne Currie"}  # as the user spells it
    assert names(rename_by_voice(first, NamingContext())) == names(first)


def test_a_given_name_stays_and_is_not_given_twice() -> None:
    given = {"A": Speaker("A", "Sheila", "user", 1.0)}
    found = name_by_evidence(episode(CALL), NamingContext(), given)
    assert names(found) == {"B": "Speaker 1", "A": "Sheila"}


def test_nobody_else_keeps_a_name_that_the_user_gave() -> None:
    before = name_by_evidence(episode(CALL), NamingContext())
    assert names(rename_speaker(before, ["A"], "Sheila Marsh")) == {"B": "Speaker 1", "A": "Sheila Marsh"}
    assert names(rename_speaker(before, ["A"], "Zoe")) == {"B": "Sheila", "A": "Zoe"}
    both = rename_speaker(rename_speaker(before, ["A"], "Sheila"), ["B"], "Sheila")
    assert names(both) == {"B": "Sheila", "A": "Sheila"}


def test_a_given_name_follows_the_voice_to_another_label() -> None:
    before = transcript(
        [Turn(0, 10, "A"), Turn(10, 20, "B")], [Speaker("A", "Ann", "user", 1.0), Speaker("B", "Speaker 2")]
    )
    now = transcript(
        [Turn(0, 9, "B"), Turn(9, 20, "A")], [Speaker("B", "Speaker 1"), Speaker("A", "Speaker 2")]
    )
    assert given_names(now, before) == {"B": Speaker("B", "Ann", "user", 1.0)}


def test_a_given_name_is_not_forced_on_somebody_else() -> None:
    before = transcript([Turn(0, 10, "A")], [Speaker("A", "Ann", "user", 1.0)])
    now = transcript([Turn(8, 40, "A")], [Speaker("A", "Speaker 1")])
    assert given_names(now, before) == {}


def test_a_given_name_finds_who_says_the_same_behind_another_ad() -> None:
    said = """
    A: Welcome back to the show, everybody, it is good to have you.
    B: Thank you, it is a pleasure to be here with all of you today.
    A: So tell us what you have been up to since we last spoke.
    """
    before = replace(episode(said), speakers=(Speaker("A", "Ann", "user", 1.0), Speaker("B", "Speaker 2")))
    swapped = said.replace("A:", "C:").replace("B:", "A:").replace("C:", "B:")
    later = episode(f"X: {'This is an advertisement. ' * 4}{swapped}")
    later = replace(later, audio=replace(later.audio, sha256="1" * 64))
    now = replace(later, speakers=numbered_speakers(later.segments))
    assert given_names(now, before) == {"B": Speaker("B", "Ann", "user", 1.0)}
    other = replace(now, episode=Episode("another"))
    assert given_names(other, before) == {}
    silent = replace(now, segments=now.segments[:1])
    assert given_names(silent, before) == {}


def test_another_recording_keeps_its_own_names() -> None:
    before = transcript([Turn(0, 10, "A")], [Speaker("A", "Ann", "user", 1.0)])
    now = transcript([Turn(0, 10, "A")], [Speaker("A", "Speaker 1")], AudioFile("b.mp3", "1" * 64, 60.0))
    assert given_names(now, before) == {}


def test_confidence_is_a_probability() -> None:
    for speaker in name_by_evidence(episode(CALL), NamingContext()).speakers:
        assert math.isfinite(speaker.confidence)
        assert 0 < speaker.confidence < 1
