from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.asr.engine import Hypothesis
from models.asr.transcription import Transcription, TranscriptionOptions, transcribe
from models.asr.vocabulary import (
    MAX_HOTWORDS,
    MAX_TERM,
    MAX_TERMS,
    _replaced,
    expected_terms,
    hotwords,
    phonetic_key,
)
from models.asr.word_times import FRAME
from models.record.spans import Span
from models.record.transcript import Episode, Person, Word
from tests.models.conftest import read_audio

# Names of other shows, some of which sound a little like words of the recordings below.
UNSAID = (
    "Siobhan Gallagher",
    "Krzysztof Nowak",
    "Margret Hayle",
    "Ophelia Ward",
    "Tariq Haddad",
    "Kubernetes",
    "Ada Lovelace",
    "Peter Norvig",
)


def test_names_come_from_list_people_title_and_notes() -> None:
    episode = Episode(
        "id",
        title="Building boats with Nuzhat Zaman",
        notes="We visit the Chesapeake and talk to Zau Makan's crew about OpenStreetMap.\n"
        "Write to hello@Example.org or see https://Boats.example/Now.",
        people=(Person("Ann O'Hara"),),
    )
    terms = expected_terms(episode, ["epoxy"])
    assert terms[:2] == ("epoxy", "Ann O'Hara")
    assert {"Nuzhat Zaman", "Chesapeake", "Zau Makan", "OpenStreetMap"} <= set(terms)
    assert not {"We", "Write", "Building", "Example", "Boats", "Now"} & set(terms)


def test_names_in_a_list_are_terms() -> None:
    notes = "Guests: Thorsten, Istanbul (Kerstin) and Zau Makan. Thanks. With: Merneptah; Ephraim"
    terms = expected_terms(Episode("id", notes=notes))
    assert terms == ("Thorsten", "Istanbul", "Kerstin", "Zau Makan", "Merneptah", "Ephraim")


@given(st.text(max_size=400), st.lists(st.text(max_size=80), max_size=100))
def test_terms_of_strangers_text_are_few_short_and_unique(notes: str, listed: list[str]) -> None:
    terms = expected_terms(Episode("id", title=notes[:50], notes=notes), listed)
    assert len(terms) == len(set(terms)) <= MAX_TERMS
    assert all(0 < len(term) <= MAX_TERM and "\n" not in term for term in terms)
    assert len(hotwords(terms)) <= MAX_HOTWORDS


def test_the_most_wanted_terms_come_first() -> None:
    assert hotwords(["Ann", "Bob", "Bob"]) == "Bob, Ann"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Epomorphine", "apomorphine"),
        ("Shuan", "Schuhan"),
        ("Kris Jenson", "Chris Jensen"),
        ("Filip", "Philippe"),
    ],
)
def test_what_sounds_alike_is_alike(written: str, meant: str) -> None:
    assert phonetic_key(written) == phonetic_key(meant)


@pytest.mark.parametrize(("one", "other"), [("Ann", "Bob"), ("Helstone", "Thornton"), ("", "Ann")])
def test_what_sounds_different_is_not(one: str, other: str) -> None:
    assert phonetic_key(one) != phonetic_key(other)


@pytest.fixture(scope="module")
def poison(read_speech: Path) -> Path:
    """An utterance with a rare word, which Whisper base spells wrong: "apomorphine is not allied ..." ."""
    texts = (read_speech / "transcripts.tsv").read_text().splitlines()
    (row,) = [line.split("\t") for line in texts if "\tapomorphine is not allied" in line]
    return read_speech / row[1] / f"{row[0]}.flac"


def heard(path: Path, *vocabulary: str) -> Transcription:
    return transcribe(
        read_audio(path), TranscriptionOptions(model="base", language="en", vocabulary=vocabulary)
    )


def text(words: tuple[Word, ...]) -> str:
    return "".join(word.text for word in words).strip()


def test_a_term_of_more_words_than_there_is_time_for_takes_some_from_what_follows() -> None:
    wrong, right, after = Word(1, 1.02, " Margrethale", 0.3), "Margret Hayle", Word(1.02, 2, " said")
    again = (Word(1, 1.5, " Margret"), Word(1.5, 1.6, " Hayle"), after)
    sounds = {right: {phonetic_key(right)}}
    found = _replaced(Hypothesis(Span(0, 9), (wrong, after)), Hypothesis(Span(0, 9), again), sounds, [])
    assert found.text == "Margret Hayle said"
    assert all(word.end - word.start >= FRAME - 1e-9 for word in found.words)
    assert found.words[-1].end == 2


def test_a_rare_name_in_the_notes_comes_out_spelled_right(poison: Path) -> None:
    plain = heard(poison)
    assert "apomorphine" not in text(plain.words).casefold()
    spelled = heard(poison, *UNSAID, "Apomorphine")
    assert "Apomorphine" in text(spelled.words)
    assert [repair.reason for repair in spelled.repairs] == ["vocabulary"]
    assert len(spelled.words) == len(plain.words)
    changed = [(a.text, b.text) for a, b in zip(plain.words, spelled.words, strict=True) if a.text != b.text]
    assert len(changed) == 1


def test_a_name_that_nobody_says_never_appears(poison: Path, sample_wav: Path) -> None:
    for recording in (poison, sample_wav):
        plain, biased = heard(recording), heard(recording, *UNSAID)
        assert text(biased.words) == text(plain.words)
