"""What the one door to pyannote.audio brings along."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import models
from models.runtime.pyannote import UNUSED

CODE = """
import sys
from models.diarisation.diariser import DiariserOptions, diarise
from audio.media.decode import decode
found = diarise(decode(sys.argv[1]).samples, DiariserOptions(model="offline"))
assert found.turns
print("LOADED", *sys.modules)
"""


def test_diarising_imports_nothing_that_is_deferred(sample_wav: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(sample_wav)],
        cwd=Path(models.__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.rpartition("LOADED")[2].split())
    assert "pyannote.audio" in loaded
    assert loaded & set(UNUSED) == set()
