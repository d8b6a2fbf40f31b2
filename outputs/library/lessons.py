"""What the user's corrections in earlier episodes of a show teach about the next: names and terms, rightly spelt."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from models.asr.vocabulary import MIN_SOUND, phonetic_key
from models.record.errors import EpiscribeError
from models.record.identity import same_show
from models.record.transcript import Episode
from outputs.library import corrections, read
from outputs.library.corrections import NAME, WORDS, Correction
from outputs.library.draft import MAX_SHIFT
from outputs.library.folders import show_episodes

MAX_EPISODES = 12  # the newest that are asked
MAX_TERMS = 30
MAX_WORDS = 4  # of a term; who wrote more wrote a sentence anew
RARE_LETTERS = 7  # of a term without a capital
_AROUND = re.compile(r"^[\W_]+|(?:['’]s)?[\W_]*$")


@dataclass(frozen=True, slots=True)
class Lessons:
    """Terms, those of the newest episode first, and pairs of what was heard for one and the term itself."""

    terms: tuple[str, ...] = ()
    misheard: tuple[tuple[str, str], ...] = ()


def lessons_for(episode: Episode, folder: Path) -> Lessons:
    """What was corrected in the show's newest episodes, other than the one in `folder`, where it goes."""
    terms: dict[str, None] = {}
    misheard: dict[tuple[str, str], None] = {}
    for other in show_episodes(folder.absolute().parent)[::-1][:MAX_EPISODES]:
        # A damaged neighbour teaches nothing.
        with suppress(EpiscribeError):
            if other == folder.absolute() or not same_show(read.load_episode(other), episode):
                continue
            made = corrections.load(other)
            named = (speaker.name for speaker in read.load_speakers(other) if speaker.source == "user")
            terms |= dict.fromkeys(named)
            terms |= dict.fromkeys(one.now for one in made if one.kind == NAME)
            for heard, term in terms_corrected(made):
                terms[term] = None
                if heard:
                    misheard[heard, term] = None
    known = tuple(terms)[:MAX_TERMS]
    return Lessons(known, tuple(pair for pair in misheard if pair[1] in known)[:MAX_TERMS])


def terms_corrected(made: Sequence[Correction]) -> Iterator[tuple[str, str]]:
    """The names and terms that corrections of words put in, each with what had been heard for it.

    That is "" where it was an ordinary word, which is mostly meant. What was corrected once more doesn't count.

    >>> list(terms_corrected([Correction("words", 1, 2, (" Gale", " Dewey,", " who"), " Gaël Duez, who")]))
    [('Gale Dewey', 'Gaël Duez')]
    >>> list(terms_corrected([Correction("words", 1, 2, (" there",), " their")]))
    []
    """
    written = [one for one in made if one.kind == WORDS]
    for number, one in enumerate(written):
        for heard, term in _replaced(one):
            if is_term(term) and not any(_rewrites(later, one, term) for later in written[number + 1 :]):
                yield heard if " " in heard or heard != heard.lower() else "", term


def _replaced(correction: Correction) -> Iterator[tuple[str, str]]:
    """Short runs of words that others take the place of, and these."""
    old = [_bare(word) for word in correction.was]
    new = [_bare(word) for word in correction.now.split()]
    before, after = ([word.casefold() for word in words] for words in (old, new))
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag in ("replace", "insert") and max(b - a, d - c) <= MAX_WORDS:
            yield " ".join(filter(None, old[a:b])), " ".join(filter(None, new[c:d]))


def _rewrites(later: Correction, one: Correction, term: str) -> bool:
    """Whether a later correction changes words of a term that an earlier one wrote."""
    near = later.start <= one.end + MAX_SHIFT and later.end >= one.start - MAX_SHIFT
    return near and not set(term.split()).isdisjoint(_bare(word) for word in later.was)


def is_term(text: str) -> bool:
    """Whether words are a name or a term, and long enough to be told by their sound: with a capital or digit, or long.

    >>> is_term("Gaël Duez"), is_term("apomorphine"), is_term("That"), is_term("in the morning")
    (True, True, False, False)
    """
    if len(phonetic_key(text)) < MIN_SOUND:
        return False
    if any(char.isupper() or char.isdigit() for char in text):
        return True
    return " " not in text and len(text) >= RARE_LETTERS


def _bare(word: str) -> str:
    """A word without what stands around it.

    >>> _bare(" “Sherburn’s"), _bare(" Duez,")
    ('Sherburn', 'Duez')
    """
    return _AROUND.sub("", word.strip())
