"""Names of people in text: reading one, telling whether two are the same person's, spelling.

A recogniser writes names by ear ("Gael", "Anne Curry"), notes have them right ("Gaël Duez", "Anne Currie").
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache

from models.languages.registry import Names, language_of, languages

MAX_NAME_WORDS = 5
SHORT_LETTERS = 4  # a first name may be cut to so many
MIN_STEM = 3  # letters of a noun before its ending
CLOSE_LETTERS = 5  # names this long may differ by one letter and be the same name misheard

_TOKEN = re.compile(r"[^\W\d_]+(?:['’‑-][^\W\d_]+)*")
_INITIAL = re.compile(r"[^\W\d_]\.")
_FEMININE = frozenset(["elle", "ella", "ette", "ia", "ie", "in", "ina", "ine", "na", "ne", "nne"])
_DIGRAPHS = (("tsch", "x"), ("sch", "x"), ("sh", "x"), ("ch", "x"), ("ph", "f"), ("th", "t"), ("ck", "k"),
             ("qu", "k"), ("c", "k"), ("q", "k"), ("y", "i"), ("z", "s"), ("w", "v"), ("j", "i"))  # fmt: skip


def fold(text: str) -> str:
    """Lower case without accents, apostrophes or hyphens, for comparing.

    >>> fold("Gaël O’Neill-Łuk")
    'gael oneill luk'
    """
    plain = unicodedata.normalize("NFKD", text.casefold().replace("ß", "ss").replace("ł", "l"))
    letters = (" " if c in "-‑" else c for c in plain if not unicodedata.combining(c) and c not in "'’ʼ.")
    return " ".join("".join(letters).split())


@cache
def _words() -> Names:
    """The words of all languages together: names in talk, titles and notes may come from any."""
    return _folded([each.names for each in languages().values()])


@cache
def _words_of(language: str) -> Names:
    return _folded([language_of(language).names])


def _folded(lists: Sequence[Names]) -> Names:
    folded = {
        key: frozenset(fold(word) for names in lists for word in getattr(names, key))
        for key in Names.model_fields
    }
    return Names().model_copy(update=folded)


def is_title(word: str) -> bool:
    """Whether the word comes before names, such as "Dr"."""
    return fold(word) in _words().titles


def is_machine(name: str) -> bool:
    """Whether a device is called so: "Alexa, stop"."""
    return fold(name) in _words().machines


def read_name(text: str, start: int = 0) -> tuple[str, int] | None:
    """The name of a person that `text` has at `start`, and where it ends; None where there is none.

    Up to four capitalised words with the small ones between them; a title before it is left out.

    >>> read_name("Ludwig van Beethoven and others"), read_name("Dr. Anne Currie, who")
    (('Ludwig van Beethoven', 20), ('Anne Currie', 15))
    >>> read_name("sorry"), read_name("Irish"), read_name("Anne's brother"), read_name("Everyone")
    (None, None, None, None)
    """
    known = _words()
    words: list[str] = []
    ends: list[int] = []  # where each word of the name ends
    pending: list[str] = []  # particles that count only when a capitalised word follows
    position = start
    while len(words) + len(pending) < MAX_NAME_WORDS:
        match = (_INITIAL.match(text, position) if words else None) or _TOKEN.match(text, position)
        if match is None or (not words and fold(match[0]) in known.no_names):
            break
        word, position = match[0], match.end()
        if re.search(r"['’]s$", word):  # "Anne's": something of hers
            return None
        if not words and is_title(word):
            position += text.startswith(".", position)
        elif word[0].isupper():
            words += [*pending, word]
            ends += [position] * (len(pending) + 1)
            pending = []
        elif words and word in known.particles:
            pending.append(word)
        else:
            break
        if not text.startswith(" ", position):
            break
        position += 1
    while len(words) > 1 and fold(words[-1]) in known.no_names | known.particles:
        words.pop()
    return (" ".join(words), ends[len(words) - 1]) if _plausible(words) else None


def _plausible(words: list[str]) -> bool:
    """Whether the words can be a name."""
    if not words:
        return False
    alone = words[0]
    abbreviation = len(alone) < 2 or (alone.isupper() and len(alone) < 5)
    return len(words) > 1 or not abbreviation


def is_doubtful(name: str, language: str) -> bool:
    """Whether a single word could as well be a place, a faith or, in German, what somebody does.

    >>> is_doubtful("Journalistin", "de"), is_doubtful("Anna", "de"), is_doubtful("Anna Berger", "de")
    (True, False, False)
    >>> is_doubtful("Paris", "en"), is_doubtful("Journalistin", "en")
    (True, False)
    """
    return fold(name) in _words().doubtful or is_noun(name, language)


def is_noun(name: str, language: str) -> bool:
    """Whether a single word rather is a noun of a language in which these have capitals.

    >>> is_noun("Journalistin", "de"), is_noun("Journalistin", "en")
    (True, False)
    """
    word, known = fold(name), _words_of(language)
    if " " in word:
        return False
    ends_so = any(word.endswith(end) and len(word) >= MIN_STEM + len(end) for end in known.noun_endings)
    return (ends_so or word in known.nouns) and word not in known.names_like_nouns


def same_person(heard: str, written: str) -> bool:
    """Whether a name as it was heard can be the one that is written.

    A first name or a surname alone matches the full name; misheard spellings match within limits.

    >>> same_person("Gael", "Gaël Duez"), same_person("Anne Curry", "Anne Currie")
    (True, True)
    >>> same_person("Anne Miller", "Anne Currie"), same_person("Maria", "Mario Rossi")
    (False, False)
    """
    ours, theirs = _parts(heard), _parts(written)
    if not ours or not theirs:
        return False
    if len(ours) == 1 or len(theirs) == 1:
        short, full = (ours[0], theirs) if len(ours) == 1 else (theirs[0], ours)
        return any(_sounds_alike(short, part) for part in (full[0], full[-1])) or _short_for(short, full[0])
    first = (
        _sounds_alike(ours[0], theirs[0]) or _short_for(ours[0], theirs[0]) or _short_for(theirs[0], ours[0])
    )
    return first and _sounds_alike(ours[-1], theirs[-1])


def _short_for(short: str, long: str) -> bool:
    """Whether a first name is the beginning of a longer one, and not the other gender's of it.

    >>> _short_for("alex", "alexandra"), _short_for("martin", "martina"), _short_for("paul", "pauline")
    (True, False, False)
    """
    rest = long.removeprefix(short)
    return rest != long and len(short) >= SHORT_LETTERS and len(rest) > 1 and rest not in _FEMININE


def spelled(heard: str, written: Iterable[str]) -> str | None:
    """The one written name that `heard` can mean; None where there is none, or more than one person.

    >>> spelled("Gael", ["Anne Currie", "Gaël Duez"]), spelled("Anne", ["Anne Currie", "Anne Smith"])
    ('Gaël Duez', None)
    """
    fitting = [name for name in dict.fromkeys(written) if same_person(heard, name)]
    exact = [name for name in fitting if fold(heard) in (fold(name), *_parts(name))]
    fitting = exact or fitting
    if not fitting:
        return None
    longest = max(fitting, key=len)
    return longest if all(same_person(name, longest) for name in fitting) else None


def _parts(name: str) -> list[str]:
    """The words of a name that tell people apart, folded."""
    words = [word for word in fold(name).split() if word not in _words().titles]
    return [word for word in words if word not in _words().particles] or words


def _sounds_alike(a: str, b: str) -> bool:
    from rapidfuzz.distance import OSA

    if a == b:
        return True
    ours, theirs = _sound(a), _sound(b)
    if ours == theirs:
        return True
    if _same_but_vowels(ours, theirs):
        return True
    if min(len(ours), len(theirs)) < CLOSE_LETTERS or ours[0] != theirs[0] or _genders(ours, theirs):
        return False
    return OSA.distance(ours, theirs, score_cutoff=1) <= 1


def _same_but_vowels(a: str, b: str) -> bool:
    """Whether two long names differ in vowels only, and not in how they end: Salina, Selena."""
    skeletons = [re.sub("[aeiou]", "", name) for name in (a, b)]
    return (
        len(a) == len(b) > CLOSE_LETTERS and a[-1] == b[-1] and a[0] == b[0] and skeletons[0] == skeletons[1]
    )


def _sound(word: str) -> str:
    """What is left of a word when spellings of one sound are made the same.

    >>> _sound("currie") == _sound("curry"), _sound("john") == _sound("jon"), _sound("marc") == _sound("mark")
    (True, True, True)
    """
    for letters, sound in _DIGRAPHS:
        word = word.replace(letters, sound)
    word = word[:1] + word[1:].replace("h", "")
    word = re.sub(r"(.)\1+", r"\1", word)
    return word.removesuffix("e") if len(word) > 2 else word


def _genders(a: str, b: str) -> bool:
    """Whether two names differ in the ending that tells a woman's from a man's: Mario, Maria, Martina."""
    return re.sub("[aeiou]$", "", a) == re.sub("[aeiou]$", "", b) and a[-1] != b[-1]
