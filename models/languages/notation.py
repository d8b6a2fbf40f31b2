"""Phrases as one writes them down, compiled into regular expressions.

A phrase is plain text in small letters; it matches whole words, whatever the case of their letters. In it

    [a|b]     a, b or neither
    [a|b]*    the same, any number of times
    (a|b)     a or b
    ...       all that follows, up to a comma or the end of the sentence, at most 50 characters
    '         also matches ’
    NAME      where somebody's name stands: at the end of the phrase, or at its beginning
    WORD      any one word
    START     the sentence begins here
    PAUSE     the sentence begins here, or a comma, full stop or the like stands before

A space before an option belongs to it, unless a word goes on behind it as in "dear [co-]host"; so does the space
after an option that a phrase begins with.

>>> welcome = before_name(["welcome [back|aboard] [to ...], NAME"])
>>> [bool(welcome.search(said)) for said in ("Well, welcome back to the show, Anne", "He welcomes, Anne")]
[True, False]
>>> after_name(["NAME, (who|whose)"]).match(", whose book")
<re.Match object; span=(0, 7), match=', whose'>
>>> before_name(["my name is"])
Traceback (most recent call last):
ValueError: “my name is” must end with NAME
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable

Pattern = re.Pattern[str]
NEVER = re.compile("(?!)")

_STARTS = {"START": "^", "PAUSE": r"(?:^|[.!?,;]\s*)"}
_SIGNS = {"...": "[^,.!?]{0,50}", "'": "['’]", "WORD": r"[\w-]+", "NAME": "", **_STARTS}
_TOKEN = re.compile(r"\.{3}|[^\W_]+|.")
_SPACE = r"\s+"
# No word is cut in two: "welcome" is not in "welcomes". Other characters ("l'", "w/") may touch any.
_BEGINS, _ENDS = r"(?:\b|(?=\W))", r"(?:\b|(?<=\W))"


def before_name(phrases: Iterable[str]) -> Pattern:
    """Any of these phrases, which end with NAME; a match ends where the name begins."""
    return _any(phrases, _BEGINS, "", "end with NAME", r"((?!NAME).)*NAME")


def after_name(phrases: Iterable[str]) -> Pattern:
    """Any of these phrases, which begin with NAME; to be matched from where the name ends."""
    return _any(phrases, "", _ENDS, "begin with NAME", r"NAME((?!NAME).)*")


def without_name(phrases: Iterable[str]) -> Pattern:
    """Any of these phrases, in which no name stands."""
    return _any(phrases, _BEGINS, _ENDS, "be without NAME", r"((?!NAME).)*")


def one_of(words: Iterable[str]) -> str:
    """The regular expression of any of these words; without words, of nothing."""
    quoted = (re.escape(word).replace("'", _SIGNS["'"]) for word in words)
    return f"(?:{'|'.join(quoted) or NEVER.pattern})"


def _any(phrases: Iterable[str], begins: str, ends: str, rule: str, form: str) -> Pattern:
    regexes = []
    for phrase in phrases:
        try:
            if not re.fullmatch(form, phrase):
                raise ValueError(f"must {rule}")
            regexes.append(begins + _regex(phrase) + ends)
        except ValueError as error:
            raise ValueError(f"“{phrase}” {error}") from None
    return re.compile("|".join(regexes) or NEVER.pattern, re.IGNORECASE)


def _regex(phrase: str) -> str:
    tokens = deque(_TOKEN.findall(" ".join(phrase.split())))
    regex = _alternatives(tokens)
    if tokens:
        raise ValueError(f"has a {tokens[0]} too many")
    return regex


def _alternatives(tokens: deque[str], closing: str = "") -> str:
    """All up to the closing bracket, which is taken too, or the end."""
    branches = [_sequence(tokens)]
    while _take(tokens, "|"):
        branches.append(_sequence(tokens))
    if closing and not _take(tokens, closing):
        raise ValueError(f"lacks a {closing}")
    return f"(?:{'|'.join(branches)})"


def _sequence(tokens: deque[str]) -> str:
    """All up to a bar, a closing bracket or the end."""
    regex, space, begins = "", "", True  # begins: there were only options so far
    while tokens and tokens[0] not in ("|", "]", ")"):
        token = tokens.popleft()
        if token == " ":
            space = _SPACE
        elif token == "[":
            option, begins = _option(tokens, space, begins and not space)
            regex, space = regex + option, ""
        else:
            regex, space, begins = regex + space + _atom(token, tokens), "", False
    if not regex and not space:
        raise ValueError("has nothing where words should be")
    return regex + space


def _option(tokens: deque[str], space: str, begins: bool) -> tuple[str, bool]:
    """What may be left out, with the space that belongs to it, and whether that is the one after it."""
    option = _alternatives(tokens, "]")
    times = "*" if _take(tokens, "*") else "?"
    if begins and _take(tokens, " "):
        return f"(?:{option}{_SPACE}){times}", True
    if tokens and re.match(r"\w|\(", tokens[0]):  # "dear [co-]host"
        return f"{space}{option}{times}", False
    return f"(?:{space}{option}){times}", False


def _atom(token: str, tokens: deque[str]) -> str:
    """A word, a sign, or alternatives in brackets."""
    if token == "(":
        return _alternatives(tokens, ")")
    if token in _STARTS:
        _take(tokens, " ")
    elif token == "*" or (token.isupper() and len(token) > 1 and token not in _SIGNS):
        raise ValueError(f"can't have {token} there")
    return _SIGNS.get(token, re.escape(token))


def _take(tokens: deque[str], token: str) -> bool:
    """Whether the token comes next; it is taken then."""
    found = bool(tokens) and tokens[0] == token
    if found:
        tokens.popleft()
    return found
