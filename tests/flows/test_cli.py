"""The command line in processes of its own: what it imports, prints and returns."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from outputs import read
from tests.flows.conftest import ROOT, episcribe, interrupted

HEAVY = {
    "torch",
    "torchaudio",
    "pyannote",
    "ctranslate2",
    "faster_whisper",
    "prefect",
    "numpy",
    "scipy",
    "lxml",
}


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom flows.cli import app\n"
        "try:\n    app(['run', '--help'])\nexcept SystemExit as left:\n    assert left.code == 0\n"
        "print('LOADED', *{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.rpartition("LOADED")[2].split())
    assert "typer" in loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "missing.mp3"], "missing.mp3: no such file"),
        (["run", "."], ". is a folder"),
        (["run", "empty.mp3"], "empty.mp3"),
        (["run", "empty.mp3", "--formats", "doc"], "unknown format 'doc'"),
        (["run", "ftp://example.org/a.mp3"], "ftp"),
        (["render", "."], "no episode.json"),
        (["score", "missing.rttm", "--rttm", "missing.rttm"], "missing.rttm"),
        (["diarise", "empty.mp3", "--out", "x.rttm"], "empty.mp3"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "empty.mp3").touch()
    done = episcribe(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("episcribe: error: ")
    assert said in line
    assert [path.name for path in tmp_path.iterdir()] == ["empty.mp3"]


def test_a_run_from_file_to_folder(tmp_path: Path, sample_wav: Path) -> None:
    done = episcribe(
        "run", sample_wav, "--out", "out", "--model", "tiny.en", "--formats", "srt,txt", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "Transcribing ..." in done.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "episode.json",
        "transcript.srt",
        "transcript.txt",
    }
    assert "out/transcript.srt" in done.stdout
    again = episcribe("run", sample_wav, "--out", "out", "--model", "tiny.en", cwd=tmp_path)
    assert "reused from earlier runs: decode, transcribe, diarise" in again.stdout
    assert "Transcribing" not in again.stderr


def test_a_failure_says_why_in_one_line(tmp_path: Path, sample_wav: Path) -> None:
    done = episcribe("run", sample_wav, "--out", "/proc/nowhere", "--model", "tiny.en", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("episcribe: error: cannot write /proc/nowhere")
    assert "Traceback" not in done.stderr


def test_ctrl_c_in_the_middle(tmp_path: Path, sample_wav: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "transcript.txt").write_text("what was here before")
    status, said = interrupted(
        "run", sample_wav, "--out", out, "--model", "base", "--force", cwd=tmp_path, after="Transcribing"
    )
    assert status == 1
    assert "Traceback" not in said
    assert said.splitlines()[-1].startswith("episcribe: error: interrupted")
    assert [path.name for path in out.iterdir()] == ["transcript.txt"]
    assert (out / "transcript.txt").read_text() == "what was here before"


def test_diarise_writes_rttm_and_score_reads_it(tmp_path: Path, sample_wav: Path, reference: Path) -> None:
    done = episcribe("diarise", sample_wav, "--out", "turns.rttm", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "of 2 speakers" in done.stdout
    scored = episcribe("score", "turns.rttm", "--rttm", reference / "sample.rttm", cwd=tmp_path)
    found = json.loads(scored.stdout)
    assert found["der"]["rate"] <= 0.08
    assert found["speakers"] == {"reference": 2, "hypothesis": 2}


def test_render_makes_the_files_again(tmp_path: Path, sample_wav: Path) -> None:
    episcribe("run", sample_wav, "--out", "out", "--model", "tiny.en", cwd=tmp_path)
    before = (tmp_path / "out" / "transcript.vtt").read_bytes()
    (tmp_path / "out" / "transcript.vtt").unlink()
    done = episcribe("render", "out", "--formats", "vtt", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "transcript.vtt").read_bytes() == before
    assert read.load(tmp_path / "out").segments


def test_bench_reports_every_stage(tmp_path: Path, sample_wav: Path) -> None:
    done = episcribe("bench", sample_wav, "--model", "tiny.en", cwd=tmp_path)
    report = json.loads(done.stdout)
    assert report["audio_seconds"] == 30
    assert set(report["real_time_factor"]) == {"decode", "transcribe", "diarise", "align_and_write"}
    assert all(spent >= 0 for spent in report["seconds"].values())
    assert report["peak_memory_mb"] > 100


def test_check_and_models_list(tmp_path: Path) -> None:
    done = episcribe("check", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for what in ("Python", "torch", "ffmpeg", "model whisper-base", "GPU", "hub token", "Prefect server"):
        assert what in done.stdout
    listed = episcribe("models", "list", cwd=tmp_path).stdout
    assert "Apache-2.0" in listed
    assert "segmentation-3.0" in listed
    pulled = episcribe("models", "pull", cwd=tmp_path)
    assert "nothing to fetch" in pulled.stdout
