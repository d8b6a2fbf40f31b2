"""README, CONTRIBUTING and all pages of docs/: their commands parse, their examples run, what they name is there."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from audio.media import ffmpeg
from outputs.formats.registry import FORMATS
from outputs.library.write import publish
from tests.docs.faults import faults, shell_commands
from tests.docs.pages import ROOT, Page, all_pages, page
from tests.outputs.samples import CONVERSATION

PAGES = all_pages()
WITH_MODELS = "README.md"  # of this page tests/flows/test_episode.py runs the example, with the models
PYTHON = [
    pytest.param(block.code, id=f"{found.name}:{block.line}")
    for found in PAGES
    if found.name != WITH_MODELS
    for block in found.blocks("python")
]
FFMPEG = [
    words[1:]
    for found in PAGES
    for block in found.blocks("sh")
    for words in shell_commands(block.code)
    if words[0] == "ffmpeg"
]


@pytest.mark.parametrize("found", PAGES, ids=lambda found: found.name)
def test_what_a_page_names_is_there(found: Page) -> None:
    assert faults(found) == []


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the library that the examples name."""
    pilot = replace(CONVERSATION.episode, published="2026-01-01T06:00:00+00:00")
    publish(
        replace(CONVERSATION, episode=pilot), tmp_path / "library" / "the-show" / "2026-01-01-pilot", FORMATS
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("code", PYTHON)
def test_python(here: Path, code: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(code, "docs", "exec"), {})
    said = capsys.readouterr().out
    assert "print" not in code or said
    if "hit.link" in code:
        assert "the-show/2026-01-01-pilot/transcript.html#t=1.4" in said


def test_ffmpeg(here: Path) -> None:
    (here / "transcript.srt").write_text(
        (here / "library/the-show/2026-01-01-pilot/transcript.srt").read_text()
    )
    picture = ["-f", "lavfi", "-i", "color=size=320x240:duration=3", "-f", "lavfi", "-i", "sine=duration=3"]
    subprocess.run([ffmpeg.executable(), "-v", "error", *picture, "-shortest", "talk.mp4"], check=True)
    assert len(FFMPEG) == 2
    for arguments in FFMPEG:
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


def test_the_faults_that_are_told_to_be_tests_are_tests() -> None:
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    names = re.findall(r"def (test_\w+)", tests)
    rows = re.findall(r"^\|.*\| ([^|]+) \|$", page(ROOT / "docs" / "reliability.md").text, re.MULTILINE)
    told = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert len(told) > 15
    assert [name for name in told if not any(name in test for test in names)] == []


def test_every_page_is_in_the_site() -> None:
    listed = set(
        re.findall(r": ([\w.]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert listed == {"index.md" if one.name == "README.md" else one.path.name for one in PAGES}


WRONG = {
    "option": ("```sh\nepiscribe run talk.mp3 --frobnicate\n```", "--frobnicate"),
    "command": ("```sh\nepiscribe transcribe talk.mp3\n```", "transcribe"),
    "inner command": ("```sh\nepiscribe voices sing\n```", "sing"),
    "missing argument": ("```sh\nepiscribe export --format srt\n```", "FOLDER"),
    "number": ("```sh\nepiscribe run talk.mp3 --speakers two\n```", "two"),
    "profile": ("```sh\nepiscribe export talk --format srt --profile cinema\n```", "cinema"),
    "format": ("```sh\nepiscribe run talk.mp3 --formats srt,doc\n```", "doc"),
    "diariser": ("```sh\nepiscribe run talk.mp3 --diariser magic\n```", "magic"),
    "behind a variable and a pipe": ("```sh\nA=1 episcribe search words | episcribe nonsense\n```", "nonsense"),
    "on two lines": ("```sh\nepiscribe run talk.mp3 \\\n  --frobnicate\n```", "--frobnicate"),
    "make": ("```sh\nmake haste\n```", "haste"),
    "make's variable": ("```sh\nmake setup COLOUR=red\n```", "COLOUR"),
    "module": ("```sh\npython -m tests.bench.nonsense\n```", "tests.bench.nonsense"),
    "module's option": ("```sh\npython -m tests.bench.captions FOLDER --frobnicate\n```", "--frobnicate"),
    "file of a command": ("```sh\npython -m pytest tests/test_nonsense.py\n```", "tests/test_nonsense.py"),
    "program": ("```sh\nfrobnicate talk.mp3\n```", "frobnicate"),
    "quotation mark": ("```sh\nepiscribe search \"from chicago\n```", "not shell"),
    "setting": ('```toml\nlibrary = "library"\ncolour = "red"\n```', "colour"),
    "show's setting": ('```toml\n[shows.one]\nurl = "https://example.org/feed.xml"\ncolour = "red"\n```', "colour"),
    "JSON": ("```json\n{'a': 1}\n```", "not JSON"),
    "Python": ("```python\nprint(\n```", "not Python"),
    "import": ("```python\nfrom outputs.read import nonsense\n```", "nonsense"),
    "no language": ("```\nepiscribe run talk.mp3\n```", "no language"),
    "command in a sentence": ("Try `episcribe sing`.", "sing"),
    "option in a command in a sentence": ("Try `episcribe run --frobnicate`.", "--frobnicate"),
    "option in a table": ("| option |\n|-|\n| `--frobnicate FILE` |", "--frobnicate"),
    "make in a sentence": ("Try `make haste`.", "haste"),
    "path": ("See `models/speech.py`.", "models/speech.py"),
    "path with a name for any": ("See `models/nonsense/<code>.toml`.", "models/nonsense"),
    "name": ("See `outputs.read.nonsense`.", "nonsense"),
    "method": ("See `flows.schedule.store.Store.nonsense`.", "nonsense"),
    "constant": ("See `NO_SUCH_CONSTANT`.", "NO_SUCH_CONSTANT"),
    "link": ("[this](nowhere.md)", "nowhere.md"),
    "picture": ("![this](nowhere.png)", "nowhere.png"),
    "heading": ("# Here\n\n[this](#there)", "#there"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "what"), WRONG.values(), ids=WRONG)
def test_a_page_that_names_what_is_not_there_is_found_out(text: str, what: str, tmp_path: Path) -> None:
    (fault,) = faults(Page(tmp_path / "page.md", text))
    assert what in fault


def test_a_page_without_faults(tmp_path: Path) -> None:
    good = """# Here

Try `episcribe run --force`, `make test`, `--out DIR`; see `models/record/*.py`, `outputs.read.load` and [above](#here).

```sh
. .venv/bin/activate   # a comment, "with a quotation mark
EPISCRIBE_LIBRARY=shows episcribe search '"two words" beg*' --speaker Ann | jq_is_no_program_of_ours
episcribe export FOLDER --format srt --profile netflix > episode.srt
episcribe --version
make setup TORCH=cpu
```
"""
    (fault,) = faults(Page(tmp_path / "page.md", good))
    assert "jq_is_no_program_of_ours" in fault
