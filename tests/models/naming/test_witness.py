"""Published transcripts as witnesses, on a conversation that is typed in."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from models.naming.speakers import NamingContext, name_by_evidence
from models.naming.witness import hear_witness, is_own, person_of
from models.record.transcript import Episode, Segment, Transcript
from models.record.utterances import PublishedTranscript, Utterance
from tests.models.talks import episode, talk

LINES = """
A: The kettle in our kitchen takes four minutes, and I have started to measure what it draws from the wall.
B: Four minutes sounds long. Is there a layer of chalk at the bottom, or is the cable simply too thin for it?
A: There was chalk, a whole plate of it, and when it was gone the water boiled a good half minute sooner.
B: We had the same thing at the boat house, only that nobody had looked into that kettle for eleven years.
A: Eleven years! That must have been a small mountain range by then, with valleys and rivers of its own.
B: My brother wanted to keep it as a paperweight. It is still lying somewhere between his maps and his bills.
A: And what did you do about the meter in the cellar, the one that counted backwards whenever the sun came out?
B: The company replaced it within a week, which tells you how quickly they move when it is their own money.
A: Mine still hums in the night. I put a folded newspaper behind it, and since then the dog sleeps through.
B: A folded newspaper is half of all the engineering I know. The other half is hitting things with a slipper.
"""
OTHER = """
A: Yesterday the ferry could not leave because of the fog, so three hundred people slept on suitcases in the hall.
B: I remember that hall from a school trip. It had one heater, and the teachers took turns in standing before it.
A: Somebody brought out an accordion around midnight, and after that there was no more question of any sleep at all.
B: There is always an accordion. I believe that shipping companies keep one locked away for just such a situation.
A: In the morning the captain apologised with buns, and each of them had a small paper flag stuck into its middle.
B: You cannot stay angry at a flag in a bun. It is the smallest possible form of diplomacy and it works each time.
"""
ADS = (
    "this episode is brought to you by a mattress that you can try for a hundred nights in your own bed " * 3
)
NAMES = {"A": "Anne Currie", "B": "Gaël Duez"}


def published(lines: str, names: dict[str, str]) -> PublishedTranscript:
    """The lines as somebody published them, with these names for the labels."""
    segments = talk(lines)
    utterances = [Utterance(s.start + 31.7, names.get(s.speaker or "", ""), s.text) for s in segments]
    return PublishedTranscript("https://example.org/transcript.vtt", tuple(utterances))


def named(
    transcript: Transcript, witness: PublishedTranscript, known: Sequence[str] = ()
) -> dict[str, tuple[str, str]]:
    """Name and source of each label."""
    context = NamingContext(known_people=tuple(known), published=witness)
    return {s.label: (s.name, s.source) for s in name_by_evidence(transcript, context).speakers}


def names(transcript: Transcript, witness: PublishedTranscript) -> dict[str, str]:
    return {label: name for label, (name, _) in named(transcript, witness).items()}


NOBODY = {"A": "Speaker 1", "B": "Speaker 2"}


def misheard(segments: Sequence[Segment], share: float, seed: int = 1) -> tuple[Segment, ...]:
    """The segments with a share of their words replaced by others, and some left out."""
    rng = random.Random(seed)
    every = [word.text for segment in segments for word in segment.words]
    heard = []
    for segment in segments:
        words = [
            replace(word, text=rng.choice(every)) if rng.random() < share else word for word in segment.words
        ]
        heard.append(replace(segment, words=tuple(w for w in words if rng.random() > share / 4)))
    return tuple(heard)


def test_speakers_get_the_names_that_a_published_transcript_gives_their_words() -> None:
    found = named(episode(LINES), published(LINES, NAMES))
    assert found == {"A": ("Anne Currie", "transcript"), "B": ("Gaël Duez", "transcript")}


def test_the_evidence_tells_how_many_words_agree() -> None:
    (anne, gael) = hear_witness(talk(LINES), published(LINES, NAMES)).evidence
    assert (anne.label, anne.name, anne.kind) == ("A", "Anne Currie", "transcript")
    assert anne.words == "101 of 101 words"
    assert gael.words == "102 of 102 words"


@pytest.mark.parametrize("share", [0.15, 0.3])
def test_words_misheard_and_ads_on_one_side_do_not_matter(share: float) -> None:
    transcript = episode(LINES)
    heard = replace(transcript, segments=misheard(transcript.segments, share))
    theirs = published(LINES, NAMES)
    ad = Utterance(0.0, "Narrator", ADS)
    middle = len(theirs.utterances) // 2
    with_ads = replace(theirs, utterances=(ad, *theirs.utterances[:middle], ad, *theirs.utterances[middle:]))
    assert names(heard, with_ads) == NAMES
    ours = episode(f"C: {ADS}\n{LINES.strip()}")
    assert names(ours, theirs) == {"C": "Speaker 1", **NAMES}


def test_a_transcript_of_another_episode_names_nobody() -> None:
    assert names(episode(LINES), published(OTHER, NAMES)) == NOBODY
    opening = "A: Welcome to the show that measures whatever can be measured in a house of ordinary people.\n"
    assert names(episode(opening + LINES.strip()), published(opening + OTHER.strip(), NAMES)) == NOBODY


def test_a_transcript_of_another_episode_gives_no_spelling_either() -> None:
    said = "A: Hi, I'm Ann Curry.\n" + LINES.strip()
    assert names(episode(said), published(OTHER, NAMES))["A"] == "Ann Curry"
    assert names(episode(said), published(said, NAMES))["A"] == "Anne Currie"


@pytest.mark.parametrize(
    "text", ["", "lorem ipsum dolor " * 300, "the and of to a in that is " * 200, "東京 " * 900]
)
def test_nonsense_names_nobody(text: str) -> None:
    half = Utterance(0.0, "Anne Currie", text), Utterance(9.0, "Gaël Duez", text)
    assert names(episode(LINES), PublishedTranscript("x", half)) == NOBODY


def test_numbers_and_roles_are_no_names() -> None:
    for host, guest in (("Speaker 1", "Speaker 2"), ("HOST", "Guest"), ("Narrator", "Unknown"), ("A", "B")):
        assert names(episode(LINES), published(LINES, {"A": host, "B": guest})) == NOBODY


@pytest.mark.parametrize(
    ("speaker", "name"),
    [
        ("ANNE CURRIE", "Anne Currie"),
        ("Dr. Anne Currie, author", "Anne Currie"),
        ("Moderator: Tim Pritlove", "Tim Pritlove"),
        ("Ludwig van Beethoven", "Ludwig van Beethoven"),
        ("张伟", "张伟"),
        ("Speaker A", ""),
        ("SPEAKER_00", ""),
        ("Unidentified Male Voice", ""),
        ("Locutrice", ""),
        ("Invitado 2", ""),
        ("Anne & Bob", ""),
        ("JOHN SMITH JR.", "John Smith Jr"),
        ("GD", ""),
        ("", ""),
    ],
)
def test_what_of_a_speaker_is_a_name(speaker: str, name: str) -> None:
    assert person_of(speaker) == name


def test_an_introduction_is_believed_before_a_transcript() -> None:
    said = "A: Hello, I'm Tim Pritlove.\n" + LINES.strip()
    found = named(episode(said), published(said, NAMES))
    assert found["A"] == ("Tim Pritlove", "introduction")
    assert found["B"] == ("Speaker 2", "order")  # what is wrong about one is believed less about the others


def test_a_transcript_with_its_names_swapped_swaps_nobody() -> None:
    said = "A: Hello, I'm Anne Currie.\n" + LINES.strip()
    assert names(episode(said), published(said, {"A": "Gaël Duez", "B": "Anne Currie"})) == {
        "A": "Anne Currie",
        "B": "Speaker 2",
    }


def test_a_label_of_two_people_gets_neither_name() -> None:
    one = LINES.replace("B: ", "A: ")
    assert names(episode(one), published(LINES, NAMES)) == {"A": "Speaker 1"}


def test_a_transcript_that_gives_all_words_to_one_person_names_nobody() -> None:
    assert names(episode(LINES), published(LINES, {"A": "Anne Currie", "B": "Anne Currie"})) == NOBODY


def test_a_label_of_a_few_words_gets_no_name() -> None:
    few = LINES.strip() + "\nC: Hitting things with a slipper always helps."
    theirs = published(few, {**NAMES, "C": "Bob Marsh"})
    assert names(episode(few), theirs)["C"] == "Speaker 3"


def test_known_people_and_the_feed_spell_before_a_transcript() -> None:
    theirs = published(LINES, {"A": "Ann Curry", "B": "Gael"})
    found = named(episode(LINES, details=Episode("id", title="With Gaël Duez")), theirs, ["Anne Currie"])
    assert {label: name for label, (name, _) in found.items()} == NAMES


def test_a_transcript_made_from_ours_is_none_of_a_witness() -> None:
    ours = talk(LINES)
    copied = PublishedTranscript("x", tuple(Utterance(s.start, "Anne", s.text) for s in ours))
    assert is_own(copied, ours)
    assert not is_own(published(LINES, NAMES), ours)
    assert not is_own(PublishedTranscript("x", (Utterance(0.0, "Anne", LINES),)), ours)


def test_three_hours_take_seconds() -> None:
    rng = random.Random(3)
    words = [word for line in (LINES + OTHER + ADS).splitlines() for word in line[3:].split()]
    lines = "\n".join(f"{'AB'[i % 2]}: {' '.join(rng.choices(words, k=20))}" for i in range(1500))
    heard = misheard(talk(lines), 0.2)
    begun = time.monotonic()
    found = hear_witness(heard, published(lines, NAMES))
    assert time.monotonic() - begun < 10
    assert {e.label: e.name for e in found.evidence} == NAMES
