"""Names and terms that an episode's own text promises, and their right spelling in what was heard.

A model that is told a list of names writes them more often: where they were said, and sometimes where
they were not. So the list is not given to the first decoding. Where that wrote something that sounds
like a listed term, the chunk is decoded once more with the list as hotwords, and only if the model then
writes the term in the very place of what sounded like it, those words alone are replaced. A name that
nobody says can't appear, and the rest of the transcript can't get worse.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import chain

from models.asr.engine import Engine, Hypothesis
from models.asr.repair import PUNCTUATION_AROUND, bare_word
from models.asr.word_times import lasting, spread
from models.record.punctuation import ends_sentence
from models.record.spans import Span
from models.record.transcript import Episode, Repair, Word

MAX_TERMS = 60  # of an episode
MAX_HOTWORDS = 400  # characters of them that are given to the model at once
MAX_TERM = 60  # characters; longer is no name
MIN_SOUND = 5  # letters of a sound: shorter terms are like too many words
ALIKE = 0.7  # share of the sound that must be the same for a term to be meant by a name ...
ALIKE_PLAIN = 0.8  # ... or by words without a capital
UNSURE = 0.8  # mean probability of words up to which they may be a name misheard
SPREAD = 2  # by how many words a term and what was written for it may differ
MAX_NOTES = 20_000  # characters of a title or notes that are looked at
_WORD = re.compile(r"[^\W\d_][\w'’-]*")
SOUNDS = (
    (r"chr", "kr"),
    (r"tsch|tch|sch|sh|ch|zh", "S"),
    (r"ph|gh(?=[aeiou])", "f"),
    (r"gh", ""),
    (r"th", "t"),
    (r"^kn", "n"),
    (r"^wr", "r"),
    (r"(?<=[^\W\d_]{2})e$", ""),
    (r"ck|q|c(?![eiy])", "k"),
    (r"c|z|ß", "s"),
    (r"x", "ks"),
    (r"w", "v"),
    (r"j|g(?=[eiy])", "S"),
    (r"(?<=[aeiouy])h", ""),
    (r"[aeiouyäöü]+", "a"),
    (r"d$", "t"),
)


def expected_terms(
    episode: Episode, listed: Iterable[str] = (), spoken: Iterable[str] = ()
) -> tuple[str, ...]:
    """Names and terms to expect in an episode: those listed, people, then names in title and notes, then `spoken`.

    At most MAX_TERMS, each once. What counts as a name in running text: words with a capital that don't
    begin a sentence, words with capitals or digits inside, and runs of such words.
    """
    found = [*listed, *(person.name for person in episode.people)]
    found += _names_in(episode.title[:MAX_NOTES])
    found += _names_in(episode.notes[:MAX_NOTES])
    found += spoken
    unique = dict.fromkeys(" ".join(term.split()) for term in found)
    return tuple([term for term in unique if term and len(term) <= MAX_TERM][:MAX_TERMS])


def terms_said(paragraphs: Iterable[str]) -> tuple[str, ...]:
    """Names and terms in what somebody wrote down of the talk: those of several words first, then the most frequent.

    A word that is also written without a capital is none, nor is one that is too short to be told by its sound.

    >>> terms_said(["I asked Sherburn and Ann. And Sherburn knew Anne Currie, and so on."])
    ('Anne Currie', 'Sherburn')
    """
    text = list(paragraphs)
    plain = {word for paragraph in text for word in _WORD.findall(paragraph) if word[0].islower()}
    counted = Counter(
        term for paragraph in text for run in _names_in(paragraph) if (term := _without_plain(run, plain))
    )
    long = [term for term in counted if len(phonetic_key(term)) >= MIN_SOUND]
    return tuple(sorted(long, key=lambda term: (" " not in term, -counted[term])))


def _without_plain(run: str, plain: Set[str]) -> str:
    """A run of capitalised words without those around it that have no capital elsewhere.

    >>> _without_plain("And I Anne Currie", {"and"})
    'Anne Currie'
    """
    words = run.split()
    while words and _is_plain(words[0], plain):
        del words[0]
    while words and _is_plain(words[-1], plain):
        del words[-1]
    return " ".join(words)


def _is_plain(word: str, plain: Set[str]) -> bool:
    return word.casefold() in plain or bool(re.fullmatch(r"I(?:['’]\w+)?", word))


def _names_in(text: str) -> Iterator[str]:
    """Runs of capitalised words that no sentence begins with, and single words that mix cases."""
    for line in text.splitlines():
        prose = " ".join("." if _is_address(word) else word for word in line.split())
        pieces = re.split(r"([^\w\s'’-]+)", prose)
        for before, clause in zip([".", *pieces[1::2]], pieces[::2], strict=True):
            words = clause.split()
            run: list[str] = []
            for position, word in enumerate(words):
                inside = word[1:] != word[1:].lower() and not word.isupper()
                listed = before.endswith((",", ";", "&")) or (before.endswith((":", "(")) and len(words) == 1)
                if word[:1].isupper() and (position > 0 or listed or inside or _followed(words)):
                    run.append(word)
                    continue
                yield from _run(run)
                run = []
            yield from _run(run)


def _is_address(word: str) -> bool:
    """Whether a word is a web or mail address, or part of one."""
    return "@" in word or "/" in word or "." in word.strip(".,;:!?()\"'…")


def _followed(words: Sequence[str]) -> bool:
    """Whether the capital of a first word isn't only that of a sentence's start: another one follows."""
    return len(words) > 1 and words[1][:1].isupper()


def _run(run: Sequence[str]) -> Iterator[str]:
    words = [re.sub(r"['’]s$|['’]$", "", word) for word in run]
    if 0 < len(words) <= 4:
        yield " ".join(words)


def correct_spelling(
    engine: Engine,
    hypotheses: Sequence[Hypothesis],
    terms: Sequence[str],
    misheard: Sequence[tuple[str, str]] = (),
) -> tuple[list[Hypothesis], list[Repair]]:
    """The hypotheses with listed terms spelled as listed where they were said, and what was changed.

    misheard: what was written for a term before, and the term: it may come out so again.
    """
    sounds = _sounds_of(terms, misheard)
    if not sounds:
        return list(hypotheses), []
    matches = {
        number: found
        for number, hypothesis in enumerate(hypotheses)
        if (found := _terms_like(hypothesis, sounds))
    }
    chunks = [hypotheses[number].chunk for number in matches]
    hint = hotwords(chain.from_iterable(matches.values()))
    languages = [hypotheses[number].language or engine.language for number in matches]
    again = dict(zip(matches, engine.decode(chunks, hint, languages=languages), strict=True))
    repairs: list[Repair] = []
    spelled = {number: _replaced(hypotheses[number], again[number], sounds, repairs) for number in again}
    return [spelled.get(number, hypothesis) for number, hypothesis in enumerate(hypotheses)], repairs


def _sounds_of(terms: Sequence[str], misheard: Sequence[tuple[str, str]]) -> dict[str, set[str]]:
    """The terms and the words of each, by what they sound like, long enough to be told by that."""
    sounds: dict[str, set[str]] = {}
    for term in terms:
        for part in _parts(term):
            sounds.setdefault(part, set()).add(phonetic_key(part))
    for written, term in misheard:
        sounds.setdefault(term, set()).add(phonetic_key(written))
    long = {term: {heard for heard in keys if len(heard) >= MIN_SOUND} for term, keys in sounds.items()}
    return {term: keys for term, keys in long.items() if keys}


def hotwords(terms: Iterable[str]) -> str:
    """The terms as one hint of bounded length, the most wanted first."""
    counted: dict[str, int] = {}
    for term in terms:
        counted[term] = counted.get(term, 0) + 1
    hint = ""
    for term in sorted(counted, key=lambda term: -counted[term]):
        if len(hint) + len(term) + 2 > MAX_HOTWORDS:
            break
        hint += f", {term}" if hint else term
    return hint


def _parts(term: str) -> list[str]:
    """The term, and each of its words where it is of several."""
    words = term.split()
    return [term, *words] if len(words) > 1 else [term]


def phonetic_key(text: str) -> str:
    """Letters that sound alike made equal, vowels to one letter, double ones to one: a rough pronunciation.

    >>> phonetic_key("Apomorphine") == phonetic_key("Epomorfin e")
    True
    """
    letters = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(letter for letter in letters if letter.isalnum())
    for written, spoken in SOUNDS:
        letters = re.sub(written, spoken, letters)
    return re.sub(r"(.)\1+", r"\1", letters)


def _terms_like(hypothesis: Hypothesis, sounds: Mapping[str, Set[str]]) -> list[str]:
    """The terms for which the recogniser, not sure of itself, wrote something that sounds like them."""
    found: list[str] = []
    longest = max(len(term.split()) for term in sounds) + SPREAD
    for first in range(len(hypothesis.words)):
        for last in range(first + 1, min(first + longest, len(hypothesis.words)) + 1):
            words = hypothesis.words[first:last]
            if not _is_unsure(words) or any(ends_sentence(word) for word in words[:-1]):
                continue
            heard, alike = phonetic_key(_text(words)), _required_similarity(words)
            for term, meant in sounds.items():
                near = abs(len(words) - len(term.split())) <= SPREAD
                if near and _similarity(heard, meant) >= alike and not _is_same(words, term):
                    found.append(term)
    return found


def _is_unsure(words: Sequence[Word]) -> bool:
    """Whether a name may be meant: one that the model doesn't know gets a low probability."""
    return sum(word.probability for word in words) / len(words) <= UNSURE


def _required_similarity(words: Sequence[Word]) -> float:
    """How like a term the sound of these words must be for it to be meant by them."""
    return ALIKE if any(word.text.strip()[:1].isupper() for word in words) else ALIKE_PLAIN


def _is_same(words: Sequence[Word], term: str) -> bool:
    return bare_word(_text(words)) == bare_word(term)


def _similarity(heard: str, meant: Iterable[str]) -> float:
    """How like the likest of what may be meant something sounds, 0 to 1."""
    from rapidfuzz.distance import Levenshtein

    return max(float(Levenshtein.normalized_similarity(heard, each)) for each in meant)


def _replaced(
    hypothesis: Hypothesis, again: Hypothesis, sounds: Mapping[str, Set[str]], repairs: list[Repair]
) -> Hypothesis:
    """The hypothesis with the terms that a second, biased decoding wrote where something alike was written."""
    ours, theirs = ([word.text.strip().casefold() for word in each.words] for each in (hypothesis, again))
    words: list[Word] = []
    for kind, a, b, c, d in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        old, new = hypothesis.words[a:b], again.words[c:d]
        if kind == "replace" and _is_term(old, new, sounds):
            repairs.append(Repair(old[0].start, old[-1].end, "vocabulary", _text(old), _text(new)))
            old = spread(new, [Span(old[0].start, max(word.end for word in old))])
        words += old
    return replace(hypothesis, words=lasting(words, hypothesis.chunk))


def _is_term(old: Sequence[Word], new: Sequence[Word], sounds: Mapping[str, Set[str]]) -> bool:
    """Whether what the biased decoding wrote instead is a term, and sounds like what was there."""
    term = PUNCTUATION_AROUND.sub("", _text(new))
    if term not in sounds or _is_same(old, term) or not _is_unsure(old):
        return False
    return _similarity(phonetic_key(_text(old)), sounds[term]) >= _required_similarity(old)


def _text(words: Iterable[Word]) -> str:
    return "".join(word.text for word in words).strip()
