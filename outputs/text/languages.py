"""Languages as files tell them."""

from __future__ import annotations

from functools import lru_cache

from models.record.transcript import Transcript


@lru_cache(maxsize=256)
def language_tag(code: str) -> str:
    """A language as markup may have it, a tag of BCP 47; "" for what is none.

    >>> language_tag("de"), language_tag("pt-BR"), language_tag('x" onload="y'), language_tag("")
    ('de', 'pt-BR', '', '')
    """
    import langcodes  # takes some hundredths of a second, which not every command has to wait for

    return code if langcodes.tag_is_valid(code) else ""


def foreign_tag(code: str, main: str) -> str:
    """The tag of what is in another language than all around it; "" for what isn't, or in one that nobody knows.

    >>> foreign_tag("de", "en"), foreign_tag("en", "en"), foreign_tag("", "en")
    ('de', '', '')
    """
    return language_tag(code) if code != main else ""


def spoken_languages(transcript: Transcript) -> list[tuple[str, int]]:
    """The languages of an episode in more than one, with their shares in per cent, the largest first; else none."""
    told = [(language_tag(one.language), round(100 * one.share)) for one in transcript.languages]
    told = [(tag, percent) for tag, percent in told if tag]
    return told if len(told) > 1 else []
