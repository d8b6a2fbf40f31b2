"""Names of people in text: reading one, telling whether two are the same person's, spelling.

A recogniser writes names by ear ("Gael", "Anne Curry"), notes have them right ("Gaël Duez", "Anne Currie").
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

MAX_NAME_WORDS = 5
SHORT_LETTERS = 4  # a first name may be cut to so many
CLOSE_LETTERS = 5  # names this long may differ by one letter and be the same name misheard

_TOKEN = re.compile(r"[^\W\d_]+(?:['’‑-][^\W\d_]+)*")
_INITIAL = re.compile(r"[^\W\d_]\.")
# Small words inside a name, and titles before it.
_PARTICLES = frozenset(
    "af al ap av bin da dal de del della den der di do dos du el ibn la le van vom von y zu".split()
)
_TITLES = frozenset(
    "dr doctor prof professor mr mrs ms mx sir dame herr frau señor señora don doña monsieur madame maître "
    "doktor doctora profesor profesora docteur professeur".split()
)
# Capitalised words that stand where a name could and are none; folded, in all four languages.
_NO_NAMES = frozenset(
    """
    a i ai ceo cto id ill im its itll ive that thats the there they this to we well what you your
    all alright also and any anybody anyone back black both bro brother but buddy college dad dear dude
    everybody everyone everything folks friend friends god goodbye guest guests guys hello here hey hi host in is
    it just ladies lord ma maam madam man mate mom mother my no nobody not now of oh ok okay on one our people please
    queer right sister so somebody someone sorry super sure team thank thanks vegan very welcome white with world
    yeah yes
    monday tuesday wednesday thursday friday saturday sunday today tomorrow
    facebook google instagram internet linkedin microsoft netflix siri spotify twitter youtube
    african america american asian australian austrian belgian brazilian british canadian catholic chinese cuban
    danish dutch egyptian english europe european finnish french germany greek hindu hispanic hungarian indian
    iranian iraqi irish israeli italian japanese jewish korean latina latino mexican muslim nigerian norwegian
    pakistani polish portuguese protestant russian scottish spanish swedish swiss texan turkish ukrainian welsh
    aber alle alles am auch bin da damen danke das der die ein eine er es europa freitag freunde fur gott
    guten herzlich heute hier horer ich ihr im ja jetzt kinder leute liebe lieber man meine montag nein
    samstag schon servus sie sonntag und vielen von wir zuhorer zuhorerinnen zusammen
    ahora amiga amigas amigo amigos anfitrion anfitriona buenas buenos chicas chicos con de dios ella ellos en
    gracias hola hoy la las los me mi muchas muy nadie nosotros para pero por pues que quien si todos
    tu un una usted ustedes yo espanol espanola mexicano mexicana argentino argentina colombiano colombiana
    aujourdhui bonjour bonsoir ca ce cest chef dieu elle et il ils je les ma merci messieurs mesdames moi mon nous
    on oui par pas pour qui salut tous tout toutes tres un une vous francais francaise allemand allemande belge
    suisse quebecois
    zu gast gaste invite invitee invites invitado invitada invitados
    """.split()
)
# Names that are as often something else.
_DOUBTFUL = frozenset(
    "april austin berlin boston brooklyn charlotte chelsea christian dallas france georgia german india israel "
    "jordan london londres madison march may milan orlando paris sydney victoria virginia".split()
)
# "Ich bin Arzt": a German noun is as capitalised as a name, so what names a calling is told by its end.
_GERMAN_NOUN = re.compile(
    r".{3,}(?:ant|arzt|arztin|ent|entin|ler|lerin|ist|istin|iker|ikerin|loge|login|mann|frau|meister|meisterin|"
    r"eur|eurin|ator|atorin|schaft|ung|heit|keit|rin|ter|tor|ger|ker|ber|der|cher|zer)|arzt|vater|mutter|"
    r"student|fan|teil|gast|chef|koch|autor|profi|laie|mensch|typ|deutsche|deutscher|berliner"
)
_GERMAN_NAMES = frozenset(
    "alexander dieter gunter gunther hermann holger kathrin katrin leander ludger vincent viktor "
    "victor volker walter werner".split()
)
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


def read_name(text: str, start: int = 0) -> tuple[str, int] | None:
    """The name of a person that `text` has at `start`, and where it ends; None where there is none.

    Up to four capitalised words with the small ones between them; a title before it is left out.

    >>> read_name("Ludwig van Beethoven and others"), read_name("Dr. Anne Currie, who")
    (('Ludwig van Beethoven', 20), ('Anne Currie', 15))
    >>> read_name("sorry"), read_name("Irish"), read_name("Anne's brother"), read_name("Everyone")
    (None, None, None, None)
    """
    words: list[str] = []
    ends: list[int] = []  # where each word of the name ends
    pending: list[str] = []  # particles that count only when a capitalised word follows
    position = start
    while len(words) + len(pending) < MAX_NAME_WORDS:
        match = (_INITIAL.match(text, position) if words else None) or _TOKEN.match(text, position)
        if match is None or (not words and fold(match[0]) in _NO_NAMES):
            break
        word, position = match[0], match.end()
        if re.search(r"['’]s$", word):  # "Anne's": something of hers
            return None
        if not words and fold(word) in _TITLES:
            position += text.startswith(".", position)
        elif word[0].isupper():
            words += [*pending, word]
            ends += [position] * (len(pending) + 1)
            pending = []
        elif words and word in _PARTICLES:
            pending.append(word)
        else:
            break
        if not text.startswith(" ", position):
            break
        position += 1
    while len(words) > 1 and fold(words[-1]) in _NO_NAMES | _PARTICLES:
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
    word = fold(name)
    german_noun = language == "de" and word not in _GERMAN_NAMES and _GERMAN_NOUN.fullmatch(word)
    return " " not in word and (word in _DOUBTFUL or bool(german_noun))


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
    words = [word for word in fold(name).split() if word not in _TITLES]
    return [word for word in words if word not in _PARTICLES] or words


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
