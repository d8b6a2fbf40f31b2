"""One script an episode. Whisper writes Chinese now simplified, now traditional, and Serbian now Latin, now Cyrillic.

What most of an episode is written in is told by the letters that only one of the scripts has. Words keep their
number, their times and their white space.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from itertools import accumulate, pairwise
from typing import Any, Literal

import regex

from models.record.transcript import Segment

Script = Literal["hans", "hant", "latn", "cyrl"]  # ISO 15924, as options have it
# Traditional as it is written in Taiwan, and for Cantonese in Hong Kong.
_TO_HANT = {"zh": "s2tw", "yue": "s2hk"}
_TO_HANS = {"zh": "tw2s", "yue": "hk2s"}
_SERBIAN = "sr"

_HAN = regex.compile(r"\p{Han}")
_LATIN = regex.compile(r"\p{Latin}")
_CYRILLIC = regex.compile(r"\p{Cyrillic}")
_LATIN_OF = {
    **dict(zip("абвгдђежзијклмнопрстћуфхцчш", "abvgdđežzijklmnoprstćufhcčš", strict=True)),
    **{"љ": "lj", "њ": "nj", "џ": "dž"},
}
_CYRILLIC_OF = {latin: cyrillic for cyrillic, latin in _LATIN_OF.items()}
_LETTER = regex.compile(r"lj|nj|dž|\p{L}", regex.IGNORECASE)
_NOT_SERBIAN = regex.compile(r"[qwxy]", regex.IGNORECASE)
# Where these begin a word, n and j, or d and ž, are two letters.
_TWO_LETTERS = regex.compile(r"\b(injekc|konjug|konjunk|tanjug|nadž|odž|podž)", regex.IGNORECASE)


def in_one_script(
    segments: Sequence[Segment], language: str, script: Script | None = None
) -> tuple[Segment, ...]:
    """The segments of an episode, those in Chinese, Cantonese and Serbian each in one script.

    That is the one of most letters, or `script` for a language that is written in it. language: ISO 639-1 code of
    segments that have none of their own.
    """
    result = list(segments)
    for code in (*_TO_HANT, _SERBIAN):
        places = [i for i, segment in enumerate(segments) if (segment.language or language) == code]
        texts = [_text(segments[i]) for i in places]
        convert = _serbian(texts, script) if code == _SERBIAN else _chinese(texts, code, script)
        for i, text in zip(places, texts, strict=True):
            if convert is not None:
                result[i] = _written(segments[i], text, convert)
    return tuple(result)


def _text(segment: Segment) -> str:
    return "".join(word.text for word in segment.words)


def _written(segment: Segment, text: str, convert: Callable[[str], str]) -> Segment:
    """The segment as `convert` writes its text, which as a whole is told better than word by word."""
    converted = convert(text)
    if converted == text:
        return segment
    if len(converted) == len(text):
        cuts = pairwise(accumulate((len(word.text) for word in segment.words), initial=0))
        parts = [converted[first:last] for first, last in cuts]
    else:
        parts = [convert(word.text) for word in segment.words]
    words = tuple(replace(word, text=part) for word, part in zip(segment.words, parts, strict=True))
    return replace(segment, words=words)


def _most(counts: Counter[Script], first: Script, second: Script, script: Script | None) -> Script | None:
    """Which of two scripts it is to be; None where there is nothing to tell it by."""
    if script in (first, second):
        return script
    return first if counts[first] > counts[second] else second if counts[second] else None


def _chinese(texts: Iterable[str], language: str, script: Script | None) -> Callable[[str], str] | None:
    counts = Counter[Script]()
    for text in texts:
        counts.update(found for char in text if (found := _script_of(char)))
    target = _most(counts, "hans", "hant", script)
    if target is None or not counts:
        return None
    converter = _opencc(_TO_HANS[language] if target == "hans" else _TO_HANT[language])

    def convert(text: str) -> str:
        # What is written in one script already stays as it is.
        mixed = any(_script_of(char) not in (None, target) for char in text)
        return str(converter.convert(text)) if mixed else text

    return convert


@cache
def _opencc(config: str) -> Any:
    from opencc import OpenCC

    return OpenCC(config)


@cache  # as many as there are characters
def _script_of(char: str) -> Script | None:
    """The script in which alone a Chinese character is written so; None for what both have, such as surnames.

    >>> _script_of("这"), _script_of("這"), _script_of("好"), _script_of("于")
    ('hans', 'hant', None, None)
    """
    if not _HAN.match(char):
        return None
    if _opencc("t2s").convert(char) != char:
        return "hant"
    return "hans" if _opencc("s2t").convert(char) != char and not _is_in_big5(char) else None


def _is_in_big5(char: str) -> bool:
    """Whether the character set of traditional Chinese has it."""
    try:
        char.encode("big5")
    except UnicodeEncodeError:
        return False
    return True


def _serbian(texts: Sequence[str], script: Script | None) -> Callable[[str], str] | None:
    text = "".join(texts)
    counts = Counter[Script]({"latn": len(_LATIN.findall(text)), "cyrl": len(_CYRILLIC.findall(text))})
    target = _most(counts, "latn", "cyrl", script)
    return {"latn": to_latin, "cyrl": to_cyrillic, None: None}[target]


def to_latin(text: str) -> str:
    """Serbian in Latin letters.

    >>> to_latin("Љубав и Његош, ЏАК")
    'Ljubav i Njegoš, DŽAK'
    """

    def latin(match: regex.Match[str]) -> str:
        char = match[0]
        found: str = _LATIN_OF.get(char.lower(), char)
        if char.islower() or found == char:
            return found
        beside = text[match.end() : match.end() + 1] or text[max(0, match.start() - 1) : match.start()]
        return found.upper() if beside.isupper() else found.capitalize()

    return str(_CYRILLIC.sub(latin, text))


def to_cyrillic(text: str) -> str:
    """A Serbian sentence in Cyrillic letters; one that has more of them stays as it is, with the words in Latin.

    So do words with letters that Serbian doesn't have.

    >>> to_cyrillic("Ljubav, LJUBAV, injekcija, Windows"), to_cyrillic("Купио сам iPhone")
    ('Љубав, ЉУБАВ, инјекција, Windows', 'Купио сам iPhone')
    """
    if len(_CYRILLIC.findall(text)) > len(_LATIN.findall(text)):
        return text
    return "".join(map(_word_in_cyrillic, regex.split(r"(\s+)", text)))


def _word_in_cyrillic(word: str) -> str:
    if _NOT_SERBIAN.search(word):
        return word
    apart = _TWO_LETTERS.sub(lambda match: "\0".join(match[0]), word)

    def cyrillic(match: regex.Match[str]) -> str:
        found: str = _CYRILLIC_OF.get(match[0].lower(), match[0])
        return found if match[0].islower() else found.upper()

    return str(_LETTER.sub(cyrillic, apart)).replace("\0", "")
