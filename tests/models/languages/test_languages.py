"""Every example in every language's file, the rules for such files, and that one more file is one more language."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.languages import registry
from models.languages.registry import FOLDER, Example, Language, language_of, languages, read_language
from models.naming import person_names
from models.naming.addresses import addresses
from models.naming.credits import names_in
from models.naming.evidence import announcements, introductions
from models.record.errors import InputError
from tests.models.talks import names, talk

ROOT = Path(__file__).parents[3]
EXAMPLES = [
    pytest.param(code, example, id=f"{code}: {example.text}")
    for code, language in languages().items()
    for example in language.examples
]


def found_in(example: Example, code: str) -> list[str]:
    """The names that are found in an example, by evidence of its kind."""
    if example.kind == "notes":
        return names_in(example.text)
    lines = talk(f"B: Well.\nA: {example.text}\nB: Yes.", code)
    if example.kind == "introduction":
        return [name for label, name in names(introductions(lines)) if label == "A"]
    if example.kind == "address":
        return [name for label, name in names(addresses(lines)) if label == "B"]
    return [name for label, name in names(announcements(lines[1:])) if label == "B"]


@pytest.mark.parametrize(("code", "example"), EXAMPLES)
def test_example(code: str, example: Example) -> None:
    assert found_in(example, code) == ([example.name] if example.name else [])


@pytest.mark.parametrize("code", languages())
def test_each_language_has_examples_of_all_kinds_and_of_nothing(code: str) -> None:
    examples = languages()[code].examples
    kinds = Counter(example.kind for example in examples)
    assert len(examples) >= 12
    assert set(kinds) == {"introduction", "address", "announcement", "notes"}
    assert sum(not example.name for example in examples) >= 4


@pytest.mark.parametrize("code", languages())
def test_each_language_has_phrases_of_every_kind(code: str) -> None:
    language = languages()[code]
    assert language.phrases.model_fields_set == set(registry.Phrases.model_fields)
    assert language.notes.model_fields_set == set(registry.Notes.model_fields)
    assert {"particles", "titles", "no_names"} <= language.names.model_fields_set
    assert {"leaning", "opening"} <= language.captions.model_fields_set
    assert language.talk.asides


def test_the_code_may_name_a_country() -> None:
    assert language_of("pt-BR") is language_of("pt_PT") is language_of("pt")
    assert language_of("") == language_of("xx") == Language()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[phrases]\nnames = []", "phrases.names is not a key of a language"),
        ("[phrasing]", "phrasing is not a key of a language"),
        ('[phrases]\nam = ["io sono"]', "phrases.am: “io sono” must end with NAME"),
        ('[phrases]\nam = ["io [sono NAME"]', "phrases.am: “io [sono NAME” lacks a ]"),
        ('[phrases]\nhere = ["here NAME"]', "phrases.here: “here NAME” must begin with NAME"),
        ('[phrases]\nto_listeners = ["my guest NAME"]', "phrases.to_listeners: “my guest NAME” must be without NAME"),
        ('[phrases]\nam = "io sono NAME"', "phrases.am: must be a list of phrases"),
        ('[names]\ntitles = ["signor"]', "names.titles: must be one text"),
        ('[[examples]]\ntext = "Ciao"\nkind = "greeting"', "examples.0.kind: Input should be 'introduction'"),
        ("[phrases", "can't be read: "),
    ],
)  # fmt: skip
def test_a_file_that_breaks_the_rules(text: str, fault: str, tmp_path: Path) -> None:
    path = tmp_path / "xx.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as raised:
        read_language(path)
    message = str(raised.value)
    assert message.startswith(f"{path}")
    assert fault in message
    assert "\n" not in message


SWEDISH = """
[phrases]
named = ["jag heter NAME"]
welcome = ["välkommen, NAME"]

[names]
no_names = "söndag"
"""


@pytest.fixture
def with_swedish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    cached = (language_of, languages, person_names._words, person_names._words_of)
    for path in FOLDER.glob("*.toml"):
        shutil.copy(path, tmp_path)
    (tmp_path / "sv.toml").write_text(SWEDISH, encoding="utf-8")
    monkeypatch.setattr(registry, "FOLDER", tmp_path)
    for function in cached:
        function.cache_clear()
    yield
    monkeypatch.undo()
    for function in cached:
        function.cache_clear()


def test_a_language_is_one_file(with_swedish: None) -> None:
    assert names(introductions(talk("A: Hej, jag heter Astrid Berg.", "sv"))) == [("A", "Astrid Berg")]
    assert names(addresses(talk("A: Välkommen, Olof.\nB: Tack.", "sv"))) == [("B", "Olof")]
    assert introductions(talk("A: Jag heter Söndag.", "sv")) == []
    assert person_names.read_name("Söndag") is None


def test_the_files_are_installed_with_the_package(tmp_path: Path) -> None:
    """What setuptools would install, from a copy of the room: building leaves files in the tree."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "README.md").touch()
    shutil.copytree(FOLDER, tmp_path / "models" / "languages")
    (tmp_path / "models" / "__init__.py").touch()
    code = "from setuptools import setup; setup(script_args=['-q', 'build_py', '--build-lib', 'built'])"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
    built = {path.name for path in (tmp_path / "built" / "models" / "languages").glob("*.toml")}
    assert built == {path.name for path in FOLDER.glob("*.toml")} >= {"it.toml", "nl.toml", "pt.toml"}


def test_help_reads_no_language() -> None:
    code = "import sys; from flows.cli.main import main; sys.argv = ['episcribe', '--help']; main()"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "episcribe" in done.stdout
    assert not re.search(r"models\.languages", done.stderr)
