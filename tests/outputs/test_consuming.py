"""The examples of docs/consuming.md, run as they stand."""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from audio.media import ffmpeg
from outputs.formats.registry import FORMATS
from outputs.library.write import publish
from tests.outputs.samples import CONVERSATION

TEXT = (Path(__file__).parents[2] / "docs" / "consuming.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", TEXT, re.S)
SHELL = [line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.S) for line in block.splitlines()]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the library that the examples name."""
    pilot = replace(CONVERSATION.episode, published="2026-01-01T06:00:00+00:00")
    publish(
        replace(CONVERSATION, episode=pilot), tmp_path / "library" / "the-show" / "2026-01-01-pilot", FORMATS
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("code", PYTHON, ids=range(len(PYTHON)))
def test_python(here: Path, code: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(code, "docs/consuming.md", "exec"), {})
    said = capsys.readouterr().out
    assert "print" not in code or said
    if "hit.link" in code:
        assert "the-show/2026-01-01-pilot/transcript.html#t=1.4" in said
    if "podlove" in code:
        assert '"voice": "Bob"' in (here / "podlove-transcripts.json").read_text(encoding="utf-8")


def test_ffmpeg(here: Path) -> None:
    (here / "transcript.srt").write_text(
        (here / "library/the-show/2026-01-01-pilot/transcript.srt").read_text()
    )
    picture = ["-f", "lavfi", "-i", "color=size=320x240:duration=3", "-f", "lavfi", "-i", "sine=duration=3"]
    subprocess.run([ffmpeg.executable(), "-v", "error", *picture, "-shortest", "talk.mp4"], check=True)
    assert len(SHELL) == 2
    for line in SHELL:
        program, *arguments = shlex.split(line)
        assert program == "ffmpeg"
        done = subprocess.run(
            [ffmpeg.executable(), "-v", "error", "-nostdin", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        if "No such filter" in done.stderr:
            pytest.skip("this ffmpeg comes without the subtitles filter")
        assert done.returncode == 0, done.stderr
    said = subprocess.run(ffmpeg.command("captioned.mp4"), capture_output=True, text=True, check=False).stderr
    assert "Subtitle: mov_text" in said
