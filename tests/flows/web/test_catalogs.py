"""What the app says is in its catalogs, all of it, in every language."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

import pytest

from flows.web import catalogs
from outputs.captions.profiles import PROFILES
from outputs.formats.format import Times
from outputs.formats.registry import FORMATS

WEB = Path(catalogs.__file__).parent
SOURCES = "\n".join(
    file.read_text("utf-8")
    for pattern in ("assets/**/*.js", "pages/*.html")
    for file in sorted(WEB.glob(pattern))
)
ENGLISH = catalogs.catalog("en")
GROUPS = {key.partition(".")[0] for key in ENGLISH}
FORMS = {"en": {"one", "other"}, "de": {"one", "other"}}  # of plurals, as CLDR has them
PLURALS = {
    key.removesuffix(".other") for key in ENGLISH if key.endswith(".other") and f"{key[:-5]}one" in ENGLISH
}


def named_keys() -> tuple[set[str], tuple[str, ...]]:
    """All that looks like a key in scripts and templates: whole ones, and beginnings that something follows."""
    found = re.findall(rf"""["'`]((?:{"|".join(GROUPS)})\.[\w.]*)(\$\{{|["'`] [~+])?""", SOURCES)
    whole = {key for key, more in found if not more and not key.endswith((".js", ".css", ".html", ".json"))}
    return whole, tuple({key for key, more in found if more})


def test_every_key_that_is_used_is_there() -> None:
    whole, beginnings = named_keys()
    assert sorted(whole - set(ENGLISH) - PLURALS) == []
    assert [start for start in beginnings if not any(key.startswith(start) for key in ENGLISH)] == []


@pytest.mark.parametrize(
    ("kind", "names"), [("format", FORMATS), ("profile", PROFILES), ("times", get_args(Times))]
)
def test_all_that_can_be_chosen_of_an_export_has_a_name(kind: str, names: Iterable[str]) -> None:
    assert [name for name in names if f"export.{kind}.{name.replace('-', '_')}" not in ENGLISH] == []


def test_every_key_is_used() -> None:
    whole, beginnings = named_keys()
    used = {key for key in ENGLISH if key in whole or key.startswith(beginnings)}
    used |= {key for key in ENGLISH if key.rpartition(".")[0] in whole & PLURALS}
    assert sorted(set(ENGLISH) - used) == []


@pytest.mark.parametrize("language", catalogs.languages())
def test_languages_say_the_same(language: str) -> None:
    texts = catalogs.catalog(language)
    own = (catalogs.FOLDER / f"{language}.json").read_text("utf-8")
    assert list(texts) == sorted(texts), "keep the keys in order"
    for key, english in ENGLISH.items():
        assert f'"{key}"' in own, key
        assert texts[key].strip(), key
        assert sorted(re.findall(r"\{\w+\}", texts[key])) == sorted(re.findall(r"\{\w+\}", english)), key


@pytest.mark.parametrize("language", catalogs.languages())
def test_plurals_have_the_forms_of_their_language(language: str) -> None:
    texts = catalogs.catalog(language)
    for base in PLURALS:
        assert {
            key.removeprefix(f"{base}.")
            for key in texts
            if re.fullmatch(rf"{re.escape(base)}\.(zero|one|two|few|many|other)", key)
        } == FORMS[language], base
