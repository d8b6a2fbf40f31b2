"""Where a sentence may be broken so that it still reads well: between phrases, not inside them.

The lists hold the commonest function words of each language. They are short on purpose: punctuation
and pauses decide most breaks, these words the rest. In other languages only punctuation,
capitals and numbers count.
"""

from __future__ import annotations

from models.record.punctuation import CLAUSE_END, SENTENCE_END, finality

# How bad a break is, from 0 (none is better) to 1 (it tears apart what belongs together).
AFTER_SENTENCE = 0.0
AFTER_CLAUSE = 0.15
BEFORE_PHRASE = 0.4
BEFORE_LEANING = 0.5
ANYWHERE = 0.65
INSIDE_PHRASE = 1.0

_EDGES = " \"'“”‘’«»‹›([{)]}¿¡"

# Articles, possessives, auxiliaries, pronouns as subject: the next word completes them.
_LEANING = {
    "en": """a an the my your his her its our their this these those some any every each no very so more
        i you he she it we they i'm you're he's she's it's we're they're i'll we'll i've we've that's there's
        who's what's am is are was were be been being have has had having do does did will would can could should may
        might must shall don't doesn't didn't can't won't isn't wasn't not""",
    "de": """der die das den dem des ein eine einen einem einer eines kein keine keinen mein meine dein
        sein seine ihr ihre unser unsere ich du er sie es wir man bin ist sind war waren hat haben hatte
        wird werden wurde kann können will muss soll sehr nicht zu""",
    "es": """el la los las un una unos unas mi mis tu tus su sus nuestro nuestra este esta ese esa yo él
        ella es son era fue está están ha han había muy más no se me te lo le les nos al del""",
    "fr": """le la les l' un une des du au aux mon ma mes ton ta tes son sa ses notre nos votre vos leur
        leurs ce cet cette ces je tu il elle on nous vous ils elles est sont était a ont avait ne se me
        te très plus""",
    "pt": """o a os as um uma uns umas meu minha seu sua nosso nossa este esta esse essa eu ele ela nós
        é são era foi está estão tem têm tinha muito mais não se me te lhe ao à do da dos das no na
        nos nas""",
}
# Prepositions, conjunctions, relative pronouns: a phrase starts with them.
_OPENING = {
    "en": """of in on at to for from with by about into onto over under after before between through
        during without within against since until than as like and or but nor because if when while
        where which who whom whose that though although unless whether""",
    "de": """in im an am auf aus bei mit nach von vom zu zum zur für über unter vor zwischen durch gegen
        ohne um seit bis als wie und oder aber denn sondern weil dass wenn ob obwohl während damit wo
        welche welcher welches""",
    "es": """de en a con por para sin sobre entre hasta desde hacia según durante como y e o u pero sino
        ni porque que si cuando mientras donde aunque quien cuyo""",
    "fr": """de d' en à avec par pour sans sur sous dans entre vers chez depuis pendant comme et ou mais
        donc car ni parce que qu' qui si quand lorsque où dont puisque""",
    "pt": """de em com por para sem sobre entre até desde como pelo pela e ou mas nem porque que se
        quando enquanto onde embora quem cujo""",
}
# Their full stop ends no sentence.
_TITLES = "mr. mrs. ms. dr. prof. st. hr. fr. sra. srta. mme. mlle. vs. e.g. i.e. z.b."
LEANING = {language: frozenset(words.split()) for language, words in _LEANING.items()}
OPENING = {language: frozenset(words.split()) for language, words in _OPENING.items()}
TITLES = frozenset(_TITLES.split())


def break_badness(left: str, right: str, language: str) -> float:
    """How bad it is to break a line or cue between two words of running text, from 0 to 1.

    `language` is an ISO 639-1 code.

    >>> break_badness("well,", "the", "en"), break_badness("the", "house", "en")
    (0.15, 1.0)
    >>> break_badness("Ada", "Lovelace", "en"), break_badness("house", "of", "en")
    (1.0, 0.4)
    """
    end = finality(left)
    if left.lower().strip(_EDGES) in TITLES:
        return INSIDE_PHRASE
    if end:
        return {SENTENCE_END: AFTER_SENTENCE, CLAUSE_END: AFTER_CLAUSE}[end]
    before, after = _bare(left), _bare(right)
    if _is_name(before, after) or before[-1:].isdigit() or before.lower() in OPENING.get(language, ()):
        return INSIDE_PHRASE
    opens_phrase = after.lower() in OPENING.get(language, ())
    if before.lower() in LEANING.get(language, ()):
        # "... might have been | in the house" leans less than what else may follow.
        return ANYWHERE if opens_phrase else INSIDE_PHRASE
    if opens_phrase:
        return BEFORE_PHRASE
    return BEFORE_LEANING if after.lower() in LEANING.get(language, ()) else ANYWHERE


def _bare(word: str) -> str:
    """The word as the lists have it, but with its capitals."""
    return word.strip(_EDGES).replace("’", "'").rstrip(".,;:?!")


def _is_name(before: str, after: str) -> bool:
    """Two capitalised words in a row; a lone capital such as "I" is no name."""
    return before[:1].isupper() and after[:1].isupper() and len(before) > 1
