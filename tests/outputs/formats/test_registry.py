from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from outputs.formats.registry import FORMATS
from tests.outputs.samples import CONVERSATION

ROOT = Path(__file__).parents[3]


def test_names_and_files() -> None:
    assert {name: entry.file_name for name, entry in FORMATS.items()} == {
        "episode": "episode.json",
        "json": "transcript.json",
        "srt": "transcript.srt",
        "vtt": "transcript.vtt",
        "txt": "transcript.txt",
        "html": "transcript.html",
        "rttm": "diarization.rttm",
    }
    assert all(entry.name == name for name, entry in FORMATS.items())


@pytest.mark.parametrize("name", FORMATS)
def test_ends_with_one_newline(name: str) -> None:
    text = FORMATS[name].render(CONVERSATION)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_importing_the_writers_is_light() -> None:
    program = (
        "import sys, outputs.library.write, outputs.scoring.score\n"
        "heavy = {'torch', 'numpy', 'prefect', 'pyannote', 'meeteval', 'jiwer', 'jinja2', 'pandas'}\n"
        "sys.exit(' '.join(heavy & set(sys.modules)) or None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.returncode == 0
