from __future__ import annotations

from tests.bench.languages import Said, Sentence, measure


def words(start: float, text: str, language: str = "") -> list[Said]:
    return [
        Said(start + i / 2, start + i / 2 + 0.4, f" {word}", language) for i, word in enumerate(text.split())
    ]


TRUTH = [
    Sentence(0, 3, "en", "The house is on the hill"),
    Sentence(4, 7, "de", "das Haus steht auf dem Hügel"),
    Sentence(8, 9, "fr", "bonjour", "greeting"),
    Sentence(10, 13, "en", "And nobody lives there"),
]


def test_what_is_written_as_it_was_said_has_no_errors_whatever_is_made_of_a_greeting() -> None:
    said = [*words(0, "The house is on the hill.", "en"), *words(4, "Das Haus steht auf dem Hügel.", "de")]
    figures = measure(
        TRUTH, [*said, *words(8, "bon sure", "en"), *words(10, "And nobody lives there!", "en")]
    )
    assert (figures.wer(), figures.lost, figures.of, figures.told, figures.telling) == (0, (), 3, 0, 0)


def test_a_translated_sentence_is_lost_and_its_words_are_of_another_language() -> None:
    said = [*words(0, "The house is on a hill", "en"), *words(4, "The house is on the hill", "en")]
    figures = measure(TRUTH, [*said, *words(10, "And nobody there lives there", "en")])
    assert [each.language for each in figures.lost] == ["de"]
    assert (figures.told, figures.telling) == (6, 2)
    assert (figures.wer("de"), figures.errors["en"], figures.words["en"]) == (100, 2, 10)
    assert (figures + figures).wer() == figures.wer() == 50
