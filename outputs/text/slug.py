"""Names from outside as path parts. Nothing else may turn a title or a guid into part of a path."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from bisect import bisect_right
from itertools import accumulate

from models.record.graphemes import graphemes

MIN_LENGTH = 16  # bytes; room for a reserved name and the hash after it
HASH_LENGTH = 8

MAX_NAME = 200  # bytes; with a path around it

_RESERVED = re.compile(r"con|prn|aux|nul|com\d|lpt\d")  # device names on Windows
_UNSAFE = re.compile(r'[<>:"/\\|?*%\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]|^[. ]|[. ]$|^$')
_WITHIN_WORDS = re.compile("['’ʼ\u200d]")  # apostrophes, and the joiner of conjuncts
# Latin letters that Unicode does not decompose.
_LATIN = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i"})


def slug(text: str, max_length: int = 80) -> str:
    """A lower-case path part with hyphens, safe on every file system, at most `max_length` bytes of UTF-8.

    Latin letters lose their accents, letters of other scripts stay. Text without any letter or digit
    gives a short hash, the same one each time. `max_length` is at least 16, else ValueError.

    >>> slug("Ærø: Don't go… (Part 2)")
    'aero-dont-go-part-2'
    >>> slug("../../etc/passwd"), slug("東京 FM"), slug("CON")
    ('etc-passwd', '東京-fm', 'con-a3dbc4b6')
    >>> slug("🎙️")
    '5b2ffd74'
    """
    if max_length < MIN_LENGTH:
        raise ValueError(f"max_length must be at least {MIN_LENGTH} bytes, not {max_length}")
    part = _shortened(_hyphenated(_folded(text)), max_length)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_LENGTH]
    if not part:
        return digest
    return f"{part}-{digest}" if _RESERVED.fullmatch(part) else part


def safe_name(name: str) -> str:
    """A file's name if every system takes it (NFC), else one like it, told apart from all others by a hash.

    >>> safe_name("Episode 1.mp3"), safe_name("what?.mp3"), safe_name("nul")
    ('Episode 1.mp3', 'what-4bce59eb.mp3', 'nul-99e62427')
    """
    plain = unicodedata.normalize("NFC", name)
    long = len(plain.encode("utf-8", "surrogatepass")) > MAX_NAME
    if long or _UNSAFE.search(plain) or _RESERVED.fullmatch(plain.casefold().partition(".")[0].rstrip()):
        return told_apart(name)
    return plain


def told_apart(name: str) -> str:
    """A safe name like that of a file, with a hash of it."""
    stem, dot, extension = name.rpartition(".") if "." in name.lstrip(".") else (name, "", "")
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_LENGTH]
    base = f"{_shortened(_hyphenated(_folded(stem)), MAX_NAME // 2)}-{digest}".lstrip("-")
    return f"{base}.{slug(extension, MIN_LENGTH)}" if dot else base


def _folded(text: str) -> str:
    """Lower case, compatibility forms resolved, Latin letters without marks."""
    plain = unicodedata.normalize("NFKD", text).casefold().translate(_LATIN)
    base, kept = "", []
    for char in unicodedata.normalize("NFKD", plain):
        if not unicodedata.category(char).startswith("M"):
            base = char
        elif base.isascii() or not base.isalnum():
            continue
        kept.append(char)
    return unicodedata.normalize("NFC", "".join(kept))


def _hyphenated(text: str) -> str:
    """Letters, digits and their marks; whatever lies between them is one hyphen."""
    kept = (c if unicodedata.category(c)[0] in "LNM" else "-" for c in _WITHIN_WORDS.sub("", text))
    return re.sub("-+", "-", "".join(kept)).strip("-")


def _shortened(text: str, max_length: int) -> str:
    """At most `max_length` bytes of whole letters; the last word goes as a whole if half of the text remains."""
    letters = graphemes(text)
    ends = list(accumulate(len(letter.encode("utf-8", "replace")) for letter in letters))
    if not ends or ends[-1] <= max_length:
        return text
    cut = "".join(letters[: bisect_right(ends, max_length)])
    head = cut.rpartition("-")[0]
    return (head if len(head) * 2 >= len(cut) else cut).rstrip("-")
