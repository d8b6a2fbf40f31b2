"""What is made of a translator's sentences. The translator here is a word list: small, and no model's moods in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from models.record.transcript import Segment, Word
from models.translation.by_text import translated
from models.translation.pieces import put_back, sentences
from models.translation.translator import Languages
from tests.outputs.samples import said

WORDS = {
    "ich": "I", "bin": "am", "das": "that", "ist": "is", "gut": "good", "war": "was", "vor": "ago",
    "baum": "Tree", "jahren": "years", "ja": "yes", "von": "from", "hier": "here", "und": "and",
}  # fmt: skip


@dataclass
class WordList:
    """Translates word by word; loses numbers, and loops on what it doesn't like unless it is careful."""

    languages: Languages = field(default_factory=lambda: Languages("OPUS-MT", {}, ("de", "en")))
    name: str = "word list"

    def translate(
        self, texts: Sequence[str], source: str, target: str, *, careful: bool = False
    ) -> list[str]:
        return [self._one(text, careful) for text in texts]

    def _one(self, text: str, careful: bool) -> str:
        if "von" in text and not careful:
            return "and on " * 20
        words = [word.strip(".,") for word in text.split()]
        return " ".join(WORDS.get(word.lower(), word) for word in words if not word.isdigit()) + "."


def english(*segments: Segment, terms: Sequence[str] = ()) -> tuple[tuple[Segment, ...], str]:
    pieces = [piece for piece in sentences(segments, "de") if piece.language != "en"]
    return put_back(segments, "de", "en", translated(WordList(), pieces, "en", terms))


def texts(segments: Sequence[Segment]) -> list[str]:
    return [segment.text for segment in segments]


def test_names_and_numbers_come_through() -> None:
    found, warning = english(said("Baum war hier vor 20 Jahren."), terms=["Baum"])
    assert texts(found) == ["Baum was here ago 20 years."]
    assert warning == ""


def test_what_loops_is_translated_with_care() -> None:
    assert texts(english(said("Ich bin von hier."))[0]) == ["I am from here."]


def test_what_is_no_translation_stays_as_it_was_said() -> None:
    found, warning = english(said("Ja."), said("Heute regnet es stark.", 2))
    assert [(one.text, one.language) for one in found] == [("yes.", "en"), ("Heute regnet es stark.", "de")]
    assert warning == "1 of 2 pieces could not be translated into en and stay as they were said"


def test_a_language_that_the_model_does_not_read_stays() -> None:
    spanish = Segment(3.0, 4.0, "SPEAKER_00", (Word(3.0, 4.0, " Claro.", language="es"),), language="es")
    found, _ = english(said("Ja."), spanish)
    assert [(one.text, one.language) for one in found] == [("yes.", "en"), ("Claro.", "es")]


def test_a_sentence_into_which_somebody_threw_a_word_is_translated_as_one() -> None:
    begun = said("Das ist", 0)
    aside = said("ja.", 1, 0.4, "SPEAKER_01")
    rest = replace(said("gut und gut.", 1.5, 0.5), continues=True)
    found, _ = english(begun, aside, rest)
    assert [(one.text, one.speaker, one.continues) for one in found] == [
        ("that is", "SPEAKER_00", False),
        ("yes.", "SPEAKER_01", False),
        ("good and good.", "SPEAKER_00", True),
    ]
    assert found[2].start >= 1.5
