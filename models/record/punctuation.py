"""Where sentences and clauses end, told by the mark that a word carries."""

from __future__ import annotations

from models.record.transcript import Word

CLAUSE_END = 1
SENTENCE_END = 2
# Also of Arabic and Urdu, Hindi, Armenian, Amharic, Burmese, Khmer and Tibetan.
SENTENCE_MARKS = ".?!…‼⁇⁈⁉。？！．｡؟۔।॥։።፧፨။។៕།༎"
CLAUSE_MARKS = ",;:–—、，；：､،؛՝፣፤፥၊"
CLOSING_MARKS = "\"'”’“‘»›«‹)]}」』）］｝】》〉〕｣"  # what may follow the mark: “ in German, « in Danish


def finality(text: str) -> int:
    """How much of an end the last character is: SENTENCE_END, CLAUSE_END or 0.

    >>> finality('said "no."'), finality("well,"), finality("and")
    (2, 1, 0)
    >>> finality("„Nein.“"), finality("(ठीक।)"), finality("مرحبا،")
    (2, 2, 1)
    """
    last = text.rstrip().rstrip(CLOSING_MARKS)[-1:]
    if not last:
        return 0
    return SENTENCE_END if last in SENTENCE_MARKS else CLAUSE_END if last in CLAUSE_MARKS else 0


def ends_sentence(word: Word) -> bool:
    """Whether the word carries the mark that ends a sentence."""
    return finality(word.text) == SENTENCE_END
