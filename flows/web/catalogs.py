"""What the app says, in the languages that there are catalogs of: one JSON file each, key to text.

English is the catalog that is whole; what another lacks is said in English. Values may hold {names}.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "locales"
DEFAULT = "en"


@cache
def languages() -> tuple[str, ...]:
    """Codes of all languages, English first."""
    return tuple(
        sorted((file.stem for file in FOLDER.glob("*.json")), key=lambda code: (code != DEFAULT, code))
    )


@cache
def catalog(language: str) -> Mapping[str, str]:
    """All texts in a language."""
    own: dict[str, str] = json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    return own if language == DEFAULT else {**catalog(DEFAULT), **own}


def choose(wanted: str, accepted: str = "") -> str:
    """The language to speak: the one that the user wants, or the first of an Accept-Language header that is there.

    >>> choose("", "fr-FR, de;q=0.8, en;q=0.5"), choose("de"), choose("", "fr")
    ('de', 'de', 'en')
    """
    ranked = []
    for place, part in enumerate(accepted.split(",")[:20]):
        tag, _, quality = part.partition(";q=")
        try:
            ranked.append((-float(quality or 1), place, tag.strip().lower().partition("-")[0]))
        except ValueError:
            continue
    return next(
        (code for code in (wanted, *(tag for *_, tag in sorted(ranked))) if code in languages()), DEFAULT
    )
