"""The command line in processes of its own: what it imports, prints and returns."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from models.runtime.offline_models import models_folder
from outputs.library import read
from tests.audio.server import Reply, Server
from tests.flows.conftest import ROOT, episcribe, interrupted
from tests.gpu_driver import with_driver
from tests.waiting import PATIENCE

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
    "apprise",
    "prometheus_client",
}


def loaded_by(*arguments: object, cwd: Path) -> set[str]:
    """The top-level packages in memory when a command has ended well, with results of its own folder alone."""
    code = (
        "import sys\nfrom flows.cli.main import app\n"
        "try:\n    app(sys.argv[1:])\nexcept SystemExit as left:\n    assert not left.code\n"
        "print('LOADED', *{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PREFECT_LOCAL_STORAGE_PATH": str(cwd / "results")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("LOADED")[2].split())


def test_help_imports_nothing_heavy() -> None:
    loaded = loaded_by("run", "--help", cwd=ROOT)
    assert "typer" in loaded
    assert loaded & HEAVY == set()


def test_a_run_of_what_is_done_imports_no_library_of_models(tmp_path: Path, sample_wav: Path) -> None:
    arguments = ("run", sample_wav, "--out", "out", "--model", "tiny.en")
    first, again = (loaded_by(*arguments, cwd=tmp_path) for _ in range(2))
    unneeded = {"torch", "torchaudio", "pyannote", "lightning", "faster_whisper", "sqlalchemy"}
    assert {"torch", "pyannote", "faster_whisper", "prefect"} <= first
    assert "prefect" in again
    assert again & unneeded == set()


def test_diarise_imports_neither_prefect_nor_what_pyannote_does_not_use(
    tmp_path: Path, sample_wav: Path
) -> None:
    loaded = loaded_by("diarise", sample_wav, "--out", "turns.rttm", cwd=tmp_path)
    assert "pyannote" in loaded
    unneeded = {"prefect", "faster_whisper", "sklearn", "pandas", "matplotlib", "optuna", "torchmetrics"}
    assert loaded & unneeded == set()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "missing.mp3"], "missing.mp3: no such file"),
        (["run", "folder"], "folder is a folder without audio files"),
        (["run"], "nothing to hear: give an audio file"),
        (["run", "--track", "Anne, Dr=a=b.wav"], "a=b.wav: no such file"),
        (["run", "--track", "Anne=empty.mp3", "--track", "Bob=b.wav"], "empty.mp3 is empty"),
        (["run", "--track", "empty.mp3", "--tracks", "mix"], "--track and --tracks mix contradict"),
        (["run", ".", "--track", "empty.mp3"], ". holds tracks, and so does --track"),
        (["run", "empty.mp3", "--tracks", "some"], "no --tracks 'some': use auto, mix, separate"),
        (["run", "empty.mp3"], "empty.mp3"),
        (["run", "empty.mp3", "--formats", "doc"], "unknown format 'doc'"),
        (["run", "ftp://example.org/a.mp3"], "ftp"),
        (["run", "empty.mp3", "--language", "english"], "no language 'english'"),
        (["run", "empty.mp3", "--script", "foo"], "no --script 'foo': use hans, hant, latn, cyrl"),
        (["run", "empty.mp3", "--languages", "en,xx"], "no language 'xx'"),
        (["run", "empty.mp3", "--language", "en", "--languages", "de"], "--languages which may be: give one"),
        (["run", "empty.mp3", "--episode", "3"], "--episode 3 chooses from a feed"),
        (["run", "empty.mp3", "--quality", "superb"], "no --quality 'superb': use fast, balanced, best"),
        (["run", "empty.mp3", "--compare", "missing.vtt"], "cannot read missing.vtt"),
        (["run", "empty.mp3", "--compare", "empty.mp3"], "empty.mp3: no transcript in it"),
        (["render", "."], "no episode.json"),
        (["score", "missing.rttm", "--rttm", "missing.rttm"], "missing.rttm"),
        (["diarise", "empty.mp3", "--out", "x.rttm"], "empty.mp3"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "empty.mp3").touch()
    (tmp_path / "folder").mkdir()
    done = episcribe(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("episcribe: error: ")
    assert said in line
    assert {path.name for path in tmp_path.iterdir()} == {"empty.mp3", "folder"}


def test_a_run_from_file_to_folder(tmp_path: Path, sample_wav: Path) -> None:
    chosen = ("--out", "out", "--model", "tiny.en", "--formats", "srt,txt", "--force")
    done = episcribe("run", sample_wav, *chosen, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Transcribing ..." in done.stderr
    assert re.search(
        r"^00:30 of audio: about \d+ (s|min)( \(no earlier runs here\))?$", done.stderr, re.MULTILINE
    )
    assert re.search(r"^took \d+ (s|min)", done.stderr, re.MULTILINE)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "episode.json",
        "transcript.srt",
        "transcript.txt",
    }
    assert "out/transcript.srt" in done.stdout
    again = episcribe("run", sample_wav, "--out", "out", "--model", "tiny.en", cwd=tmp_path)
    assert "nothing had to be computed again" in again.stdout
    assert "Transcribing" not in again.stderr
    assert "about" not in again.stderr
    assert "took" not in again.stderr


def test_a_run_compared_with_another_transcript(tmp_path: Path, sample_wav: Path) -> None:
    cues = "WEBVTT\n\n00:13.000 --> 00:16.000\n<v Sheila Moss>Neither did I\n\n"
    cues += "00:25.000 --> 00:29.000\n<v Diane\x1b[31m Keyes>I'm originally from Chicago also, and from Springfield\n"
    (tmp_path / "other.vtt").write_text(cues)
    arguments = ("run", sample_wav, "--out", "out", "--model", "tiny.en", "--compare", "other.vtt")
    done = episcribe(*arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Ours beside other.vtt" in done.stdout
    assert "of theirs: " in done.stdout
    assert "only in" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_failure_says_why_in_one_line(tmp_path: Path, sample_wav: Path) -> None:
    done = episcribe("run", sample_wav, "--out", "/proc/nowhere", "--model", "tiny.en", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("episcribe: error: cannot write /proc/nowhere")
    assert "Traceback" not in done.stderr


def test_bad_answers_and_bad_audio_end_with_the_right_code(tmp_path: Path, server: Server) -> None:
    (tmp_path / "text.mp3").write_text("no music here")
    server.routes["/page.mp3"] = Reply(200, b"<!doctype html>", {"Content-Type": "text/html"})
    for source, code in (("text.mp3", 2), (server.url("/page.mp3"), 2), (server.url("/gone.mp3"), 1)):
        done = episcribe("run", source, "--allow-private", "--model", "tiny.en", cwd=tmp_path)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        assert done.stderr.splitlines()[-1].startswith("episcribe: error: ")


def test_nothing_from_outside_steers_the_terminal(tmp_path: Path, server: Server) -> None:
    item = '<item><guid>g&#27;[31m</guid><title>t</title><enclosure url="/a.mp3" type="audio/mpeg"/></item>'
    feed = f"<rss version='2.0'><channel><title>s</title>{item}</channel></rss>"
    server.routes["/feed.xml"] = Reply(200, feed.encode(), {"Content-Type": "application/rss+xml"})
    done = episcribe("run", server.url("/feed.xml"), "--allow-private", "--episode", "none", cwd=tmp_path)
    assert done.returncode == 2
    assert "\x1b" not in done.stderr


def test_modules_of_the_folder_we_are_in_are_not_ours(tmp_path: Path, sample_wav: Path) -> None:
    (tmp_path / "models.py").write_text("raise SystemExit('hijacked')")
    (tmp_path / "socket.py").write_text("raise SystemExit('hijacked')")
    script = Path(sys.executable).with_name("episcribe")
    done = subprocess.run(
        [script, "run", sample_wav, "--out", "out", "--model", "tiny.en"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_runs_at_the_same_time_do_not_meet(tmp_path: Path, sample_wav: Path) -> None:
    environment = {**os.environ, "EPISCRIBE_CACHE": str(tmp_path / "cache"), "PYTHONPATH": str(ROOT)}
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "models").symlink_to(models_folder())
    command = [
        sys.executable,
        "-m",
        "flows.cli",
        "run",
        str(sample_wav),
        "--model",
        "tiny.en",
        "--diariser",
        "none",
    ]
    running = [
        subprocess.Popen(
            [*command, "--out", f"out{i}"], cwd=tmp_path, env=environment, stderr=subprocess.PIPE
        )
        for i in range(2)
    ]
    for child in running:
        _, said = child.communicate(timeout=PATIENCE)
        assert child.returncode == 0, said


def test_a_terminal_sees_bars_with_percentage_and_time_left(tmp_path: Path, sample_wav: Path) -> None:
    import pty

    leader, follower = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "flows.cli",
        "run",
        str(sample_wav),
        "--out",
        "out",
        "--model",
        "tiny.en",
    ]
    child = subprocess.Popen(
        [*command, "--force"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100"},
        stdout=subprocess.DEVNULL,
        stderr=follower,
        start_new_session=True,
    )
    os.close(follower)
    seen = b""
    with contextlib.suppress(OSError):  # what Linux says at the end of a pseudo-terminal
        while piece := os.read(leader, 65536):
            seen += piece
    os.close(leader)
    assert child.wait(timeout=PATIENCE) == 0
    for text in (b"Transcribing", b"Finding speakers", b"100%", b"left"):
        assert text in seen


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
    assert set(report["real_time_factor"]) == {
        "decode",
        "transcribe",
        "diarise",
        "overlaps",
        "align_and_write",
    }
    assert all(spent >= 0 for spent in report["seconds"].values())
    assert report["peak_memory_mb"] > 100


def test_a_gpu_that_cannot_be_used_is_told_and_refused_before_any_work(tmp_path: Path) -> None:
    driver = with_driver(tmp_path, code=803, words="driver and library do not match")
    (tmp_path / "empty.mp3").touch()
    done = episcribe("check", cwd=tmp_path, environment=driver)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "not used: the NVIDIA driver does not start: driver and library do not match" in done.stdout
    for arguments in (
        ["run", "empty.mp3"],
        ["diarise", "empty.mp3", "--out", "x.rttm"],
        ["bench", "empty.mp3"],
    ):
        done = episcribe(*arguments, "--device", "cuda", cwd=tmp_path, environment=driver)
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert "driver and library do not match" in line
        assert line.endswith("leave --device out")


def test_auto_goes_on_on_the_cpu_with_one_warning(tmp_path: Path, sample_wav: Path) -> None:
    driver = with_driver(tmp_path, code=803, words="driver and library do not match")
    arguments = ("run", sample_wav, "--out", "out", "--model", "tiny.en", "--diariser", "none")
    done = episcribe(*arguments, cwd=tmp_path, environment=driver)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("the CPU is used in place of the GPU: the NVIDIA driver does not start") == 1
    (warning,) = read.load(tmp_path / "out").warnings
    assert "driver and library do not match" in warning


def test_check_and_models_list(tmp_path: Path) -> None:
    done = episcribe("check", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for what in ("Python", "torch", "ffmpeg", "model whisper-base", "GPU", "hub token", "Prefect server"):
        assert what in done.stdout
    assert re.search(r"quality balanced +Whisper \S+.*, beam 5 *$", done.stdout, re.MULTILINE)
    listed = episcribe("models", "list", cwd=tmp_path).stdout
    assert "Apache-2.0" in listed
    assert "segmentation-3.0" in listed
    pulled = episcribe("models", "pull", cwd=tmp_path)
    assert "nothing to fetch" in pulled.stdout


@pytest.mark.parametrize(
    ("shell", "said"),
    [("zsh", "compdef _episcribe_completion episcribe"), ("fish", "complete --command episcribe")],
)
def test_a_completion_script_for(shell: str, said: str, tmp_path: Path) -> None:
    script = episcribe(cwd=tmp_path, environment={**os.environ, "_EPISCRIBE_COMPLETE": f"source_{shell}"})
    assert (script.returncode, said in script.stdout) == (0, True)


def test_bash_completes_commands_and_options(tmp_path: Path) -> None:
    command = tmp_path / "bin" / "episcribe"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m flows.cli "$@"\n')
    command.chmod(0o755)
    script = (
        'eval "$(episcribe --show-completion)"\n'
        "complete -p episcribe >/dev/null\n"
        "COMP_WORDS=(episcribe feeds l); COMP_CWORD=2; _episcribe_completion episcribe; echo ${COMPREPLY[@]}\n"
        "COMP_WORDS=(episcribe status --al); COMP_CWORD=2; _episcribe_completion episcribe; echo ${COMPREPLY[@]}\n"
    )
    path = f"{command.parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-e", "-c", script],
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["list", "--all"]
