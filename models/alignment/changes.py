"""How likely the speaker changes before each word, by what is said and where people pause.

A speaker seldom changes inside a phrase, less so after a word that leans on the next one, sometimes after a clause,
often after a sentence. What a listener throws in or answers with ("yeah", "really") may come anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, starmap

import numpy as np
from numpy.typing import NDArray

from models.languages.registry import Language, language_of
from models.record.punctuation import (
    CLAUSE_END,
    CLAUSE_MARKS,
    CLOSING_MARKS,
    SENTENCE_END,
    SENTENCE_MARKS,
    finality,
)
from models.record.transcript import Turn, Word

# Fitted to composed conversations (docs/transcription.md), but for changes at the end of sentences: there each
# sentence is a turn. Log-odds of a change of speaker, ...
IN_PHRASE = -4.5
AFTER_LEANING = -1.0  # ... and what is added after a word that the next one completes,
AFTER_OPENING = -1.5  # one that begins a phrase,
AFTER_CLAUSE = 1.6
AFTER_SENTENCE = 4.5
IN_PAUSE = 1.2  # for each second ...
MAX_PAUSE = 1.0  # ... up to this one
BEFORE_ASIDE = 2.5
AFTER_ASIDE = 2.5
BEFORE_CAPITAL = 0.5  # in mid-sentence
AT_BORDER = 2.5  # where one turn ends and another's begins; the less, the farther away that is:
BORDER_SPREAD = 0.2  # seconds, of a Laplace distribution
ONCE = 2.0  # power of how much nearer another place is, by which a border counts less
_MARKS = SENTENCE_MARKS + CLAUSE_MARKS + CLOSING_MARKS + "-¿¡"


def change_log_odds(words: Sequence[Word], exclusive: Sequence[Turn], language: str) -> NDArray[np.float64]:
    """(words,) log-odds that the speaker changes before each word; that of the first means nothing.

    language: ISO 639-1 code of words that have none of their own.

    >>> said = [Word(0, 1, " No."), Word(1, 2, " The"), Word(2, 3, " end.")]
    >>> _, sentence, phrase = change_log_odds(said, [], "en")
    >>> bool(sentence > phrase)
    True
    """
    known = [language_of(word.language or language) for word in words]
    said = [IN_PHRASE, *starmap(_log_odds, pairwise(zip(words, known, strict=True)))]
    odds: NDArray[np.float64] = np.array(said) + AT_BORDER * _nearness(words, _borders(words, exclusive))
    return odds


def _borders(words: Sequence[Word], exclusive: Sequence[Turn]) -> list[tuple[float, float]]:
    """When one's turn ends and the next one's begins, in order.

    Turns in which there is no word are passed over: both their ends would call for a change at one place.
    """
    middles = np.sort([(word.start + word.end) / 2 for word in words])
    first, last = np.searchsorted(middles, np.array([(t.start, t.end) for t in exclusive]).reshape(-1, 2).T)
    spoken = [turn for turn, holds_words in zip(exclusive, first < last, strict=True) if holds_words]
    return [
        (before.end, after.start) for before, after in pairwise(spoken) if before.speaker != after.speaker
    ]


def _nearness(words: Sequence[Word], borders: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    """(words,) from 0 to 1, how near the place before each word is to a border, and how much nearer than others.

    A border is one change only: where two words' places are about as near to it, it must not call for two.
    """
    nearness = np.zeros(len(words))
    if not borders or len(words) < 2:
        return nearness
    starts, ends = np.array([(-np.inf, -np.inf), *borders, (np.inf, np.inf)]).T
    places = np.sort([(before.end, word.start) for before, word in pairwise(words)], axis=1)
    after = np.searchsorted(ends[:-1], places[:, 0])
    distances = np.stack([places[:, 0] - ends[after - 1], starts[after] - places[:, 1]]).clip(0.0)
    nearest = np.where(distances[0] < distances[1], after - 1, after)
    near = np.exp(-distances.min(axis=0) / BORDER_SPREAD)
    best = np.full(len(starts), np.finfo(float).tiny)
    np.maximum.at(best, nearest, near)
    nearness[1:] = near * (near / best[nearest]) ** ONCE
    return nearness


def _log_odds(one: tuple[Word, Language], other: tuple[Word, Language]) -> float:
    """That of a change between two words. By words alone no place is likelier than the end of a sentence."""
    (before, language_before), (word, language) = one, other
    said = _after(before, language_before)
    said += BEFORE_ASIDE * (_bare(word) in language.talk.asides)
    said += AFTER_ASIDE * (_bare(before) in language_before.talk.asides)
    said += BEFORE_CAPITAL * (not finality(before.text) and _begins_sentence(word))
    pause = min(MAX_PAUSE, max(0.0, word.start - before.end))
    return IN_PHRASE + min(said, AFTER_SENTENCE) + IN_PAUSE * pause


def _after(before: Word, language: Language) -> float:
    """What the word before a place adds there."""
    text, bare = before.text.strip(), _bare(before)
    end = finality(text)
    if end == SENTENCE_END and text.lower() not in language.captions.abbreviations:
        return AFTER_SENTENCE
    if end == CLAUSE_END:
        return AFTER_CLAUSE
    return AFTER_LEANING * (bare in language.captions.leaning) + AFTER_OPENING * (
        bare in language.captions.opening
    )


def _begins_sentence(word: Word) -> bool:
    """Whether it has a capital letter that it need not have: "I" always has one."""
    text = word.text.strip()
    return text[:1].isupper() and text[:1] != "I"


def _bare(word: Word) -> str:
    """The word as lists have it: small letters, no marks around it."""
    return word.text.strip().strip(_MARKS).replace("’", "'").lower()
