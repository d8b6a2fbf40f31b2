"""Packages made up for the test, imported in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import models

Run = Callable[[str], None]

PACKAGES = {
    "heavy/__init__.py": "",
    "heavy/parts.py": """
class Base:
    pass

def double(number):
    return 2 * number
""",
    "heavy/other.py": "number = 7",
    "light/__init__.py": """
import typing
import heavy.parts
from heavy import other
from heavy.parts import Base, double

Some = typing.Optional[Base]
Either = Base | None

def is_base(thing):
    return isinstance(thing, Base)
""",
    "strict/__init__.py": """
from . import first
import heavy.parts
SIZE = len(heavy.parts.__file__)  # which a placeholder doesn't have
""",
    "strict/first.py": "import heavy.parts\nfrom heavy.parts import double",
}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    for name, text in PACKAGES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    def run(code: str) -> None:
        start = f"""
import sys
sys.path[:0] = [{str(Path(models.__file__).parents[1])!r}, {str(tmp_path)!r}]
from models.runtime.deferred_imports import Later, deferring, import_deferring
"""
        done = subprocess.run(
            [sys.executable, "-c", start + code], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    return run


LIGHT = "import_deferring(['light'], ['light'], ['heavy'])\nimport light\n"


@pytest.mark.parametrize(
    "use",
    [
        "assert light.double(2) == 4",
        "assert not light.is_base(3)",
        "class Own(light.Base): pass\nassert light.is_base(Own())",
        "assert light.heavy.parts.double(3) == 6",
        "assert light.other.number == 7",
    ],
)
def test_what_is_deferred_is_imported_when_it_is_used(run: Run, use: str) -> None:
    run(LIGHT + "assert isinstance(light.double, Later)\nassert 'heavy.parts' not in sys.modules\n" + use)


def test_afterwards_everybody_gets_the_real_module(run: Run) -> None:
    run(LIGHT + "assert 'heavy' not in sys.modules\nimport heavy.parts\nassert heavy.parts.__file__")


def test_what_was_imported_before_is_not_deferred(run: Run) -> None:
    run("import heavy.parts\n" + LIGHT + "assert light.double is heavy.parts.double")


def test_what_is_used_on_import_is_imported_then(run: Run) -> None:
    run("with deferring(['heavy']):\n    from heavy.parts import double\n    assert double(1) == 2")


def test_a_package_that_is_not_there_is_missing_at_once(run: Run) -> None:
    run(
        "try:\n    with deferring(['absent']):\n        import absent\n"
        "except ModuleNotFoundError:\n    sys.exit(0)\nsys.exit(1)"
    )


def test_where_deferring_fails_the_package_is_imported_whole(run: Run) -> None:
    run(
        "import_deferring(['strict'], ['strict'], ['heavy'])\n"
        "assert not {'strict', 'strict.first', 'heavy'} & set(sys.modules)\n"
        "import strict\nassert strict.SIZE\nassert not isinstance(strict.first.double, Later)"
    )
