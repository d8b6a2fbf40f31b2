"""The languages that there are files for: what a file may say, and reading them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from models.languages.notation import NEVER, Pattern, after_name, before_name, one_of, without_name
from models.record.errors import InputError

FOLDER = Path(__file__).parent


def _phrases(compiled: Callable[[list[str]], object]) -> BeforeValidator:
    def checked(value: object) -> object:
        if not isinstance(value, list) or not all(isinstance(phrase, str) for phrase in value):
            raise ValueError("must be a list of phrases")
        return compiled(value)

    return BeforeValidator(checked)


def _words(compiled: Callable[[list[str]], object]) -> BeforeValidator:
    def checked(value: object) -> object:
        if not isinstance(value, str):
            raise ValueError("must be one text, its words with spaces between")
        return compiled(value.split())

    return BeforeValidator(checked)


def _follows_name(words: list[str]) -> Pattern:
    return re.compile(rf"\s*(?:$|[.,!?;:…)–—-]|{one_of(words)}\b)", re.IGNORECASE)


def _follows_here(words: list[str]) -> Pattern:
    return re.compile(rf"\s*(?:$|[.,!?]|{one_of(words)}\b)", re.IGNORECASE)


def _quotes(words: list[str]) -> Pattern:
    return re.compile(rf"""(?:\b{one_of(words)}\b[\s,:]*|["“«„‘]\s*)$""", re.IGNORECASE)


def _joins(words: list[str]) -> Pattern:
    return re.compile(rf"(?:,|\s+{one_of(words)})\s+")


def _whole_words(words: list[str]) -> Pattern:
    return re.compile(rf"(?<![\w'’-]){one_of(words)}(?![\w'’-])", re.IGNORECASE)


def _several(phrases: list[str]) -> Pattern:
    return re.compile(rf"(?:(?:{without_name(phrases).pattern})[,!]?\s*){{0,3}}", re.IGNORECASE)


def _one_by_one(phrases: list[str]) -> tuple[Pattern, ...]:
    return tuple(before_name([phrase]) for phrase in phrases)


BeforeName = Annotated[tuple[Pattern, ...], _phrases(_one_by_one)]
AfterName = Annotated[Pattern, _phrases(after_name)]
WithoutName = Annotated[Pattern, _phrases(without_name)]
AnyWord = Annotated[Pattern, _words(_whole_words)]
Words = Annotated[frozenset[str], _words(frozenset)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Phrases(_Table):
    """What people say when they introduce, greet, thank or announce somebody.

    Introductions: `named` can hardly mean anything else ("my name is"), `am` can ("I'm"), `this_is`
    often does ("this is"), `here` follows a name that begins a sentence ("Anne here"). `quoting` are words
    that come before what is somebody else's, or only supposed. `after_name` may follow a first name alone,
    `after_here` what `here` says; so may the end of a clause.
    Addresses: `welcome` is for who speaks next, `thanks` mostly for who spoke, `greeting` for either;
    `aside` follows a name that is spoken of rather than to, `then_welcome` and `then_thanks` one that is
    ("Anne, welcome").
    Calls: `openers` may stand between the beginning of a sentence and the name of who is called, `you` are
    words for whom one speaks to, `determiners` begin what a name behind a comma only explains ("my colleague,
    Anne"), `places` come before names of places rather than people. `reported` are verbs beside what somebody
    else said, `letter` begins a letter.
    `announce` is said of somebody about to speak, `conjunctions` stand between two names.
    `to_listeners` is what hosts say to their audience, `farewell` what they say to it at the end.
    """

    named: BeforeName = ()
    am: BeforeName = ()
    this_is: BeforeName = ()
    here: AfterName = NEVER
    after_here: Annotated[Pattern, _words(_follows_here)] = _follows_here([])
    after_name: Annotated[Pattern, _words(_follows_name)] = _follows_name([])
    quoting: Annotated[Pattern, _words(_quotes)] = _quotes([])
    welcome: BeforeName = ()
    thanks: BeforeName = ()
    greeting: BeforeName = ()
    then_welcome: AfterName = NEVER
    then_thanks: AfterName = NEVER
    aside: AfterName = NEVER
    openers: Annotated[Pattern, _phrases(_several)] = NEVER
    you: AnyWord = NEVER
    determiners: AnyWord = NEVER
    places: AnyWord = NEVER
    reported: AnyWord = NEVER
    letter: BeforeName = ()
    announce: BeforeName = ()
    conjunctions: Annotated[Pattern, _words(_joins)] = _joins([])
    to_listeners: WithoutName = NEVER
    farewell: WithoutName = NEVER


class Notes(_Table):
    """What stands before and after names in titles and show notes.

    These need not be in the language of the talk: phrases of all languages are looked for in all of them.
    So leave out a word that is common in another of the languages.
    """

    name_follows: BeforeName = ()
    name_before: AfterName = NEVER


class Names(_Table):
    """Words in and around names; all but the nouns count in all languages.

    `particles` are small words inside a name, `titles` come before it. `roles` are what transcripts call somebody whose
    name they don't know ("Speaker 1", "Host"). `no_names` stand where a name could,
    capitalised, at the beginning of a sentence at least, and are none; `doubtful` words are names as often
    as not, `machines` are names that people call and that seldom are anybody's. Where nouns are capitalised,
    `nouns` and words with `noun_endings` are doubtful too, but for `names_like_nouns`.
    """

    particles: Words = frozenset()
    titles: Words = frozenset()
    roles: Words = frozenset()
    no_names: Words = frozenset()
    doubtful: Words = frozenset()
    machines: Words = frozenset()
    nouns: Words = frozenset()
    noun_endings: Words = frozenset()
    names_like_nouns: Words = frozenset()


class Talk(_Table):
    """How people take turns.

    `asides` are the words of which back-channels and short answers consist ("oh", "really", "exactly"). `moves` are
    said where one subject is left for the next, whatever that is ("next up", "last question"); what names it follows
    on `titles.announce`.
    """

    asides: Words = frozenset()
    moves: WithoutName = NEVER


class Captions(_Table):
    """Where lines break well, told by the commonest function words.

    `leaning` words are completed by the next one: articles, possessives, auxiliaries, pronouns as subject.
    `opening` words start a phrase: prepositions, conjunctions, relative pronouns. The full stop of
    `abbreviations` ends no sentence, in any language.
    """

    leaning: Words = frozenset()
    opening: Words = frozenset()
    abbreviations: Words = frozenset()


class Titles(_Table):
    """What may be the title of a part of a conversation.

    `announce` is said before what one is about to talk about. `vague` words tell nothing of a subject, alone or beside
    others: common verbs, adverbs, words that fill; `referring` ones mean something that was said before, so that a
    question or a phrase with one can't be understood without it. `joining` words may stand inside a title, `elided`
    ones are written together with the next ("l'", "d'"). `reporting` words are those with which one tells of what
    others say, whatever that is ("explains"), and function words that no other list has. `negating` words turn what is
    said into its contrary, `counting` ones are numbers and parts of them that mean nothing else as often.

    A title may be a question that begins with one of `asking`. It begins and ends with no word that has one of
    `other_endings`, as adverbs and verbs have them, unless that stands where nouns do; and where nouns are capitalised
    it begins with no small word that has one of `oblique_endings`. Nouns are inflected by `inflections`, verbs alone
    stand behind `before_verb`. `weak` words are nouns so wide that they tell of a subject only beside others.
    """

    announce: WithoutName = NEVER
    vague: Words = frozenset()
    referring: Words = frozenset()
    joining: Words = frozenset()
    elided: Words = frozenset()
    reporting: Words = frozenset()
    negating: Words = frozenset()
    counting: Words = frozenset()
    asking: Words = frozenset()
    other_endings: Words = frozenset()
    oblique_endings: Words = frozenset()
    inflections: Words = frozenset()
    before_verb: Words = frozenset()
    weak: Words = frozenset()


class Example(_Table):
    """A text, and whose name is to be found in it by evidence of the kind; no name: nothing is."""

    text: str
    kind: Literal["introduction", "address", "announcement", "notes"]
    name: str = ""


class Language(_Table):
    """All that is known of one language."""

    phrases: Phrases = Phrases()
    notes: Notes = Notes()
    names: Names = Names()
    talk: Talk = Talk()
    captions: Captions = Captions()
    titles: Titles = Titles()
    examples: tuple[Example, ...] = ()


_UNKNOWN = Language()


@cache
def language_of(code: str) -> Language:
    """The language of a code like "pt" or "pt-BR"; of one that is not known, in which nothing is ever found."""
    return languages().get(re.split("[-_]", code.lower())[0], _UNKNOWN)


@cache
def languages() -> Mapping[str, Language]:
    """All languages by their codes (ISO 639-1)."""
    return {path.stem: read_language(path) for path in sorted(FOLDER.glob("*.toml"))}


def read_language(path: Path) -> Language:
    """The language in a file.

    Raises:
        InputError: the file breaks the rules; says which key does.
    """
    try:
        return Language.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise InputError(f"{path}: {'; '.join(map(_message, error.errors()))}") from None
    except (ValueError, OSError) as error:  # not TOML, or not readable
        raise InputError(f"{path} can't be read: {error}") from None


def _message(error: Mapping[str, Any]) -> str:
    where = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        return f"{where} is not a key of a language"
    return f"{where}: {error['msg'].removeprefix('Value error, ')}"
