"""Lines of JSON in place of lines for people."""

from __future__ import annotations

import io
import json
import logging
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows import logs
from flows.cli.main import guarded
from models.record.errors import InputError
from tests.flows.conftest import ROOT, episcribe


def test_what_libraries_log_is_told_with_what_it_is_about_and_without_secrets() -> None:
    out = io.StringIO()
    logger = logging.Logger("library")
    logger.addHandler(logs.JsonHandler(out))
    with logs.about(show="talk", episode="id-1"):
        logger.warning("two\nlines \x1b[31m of %s", "https://me:pw@host.example/1.mp3?key=abc")
    try:
        raise ValueError("https://me:pw@host.example/")
    except ValueError:
        logger.exception("odd", extra={"flow_run_id": "run-1"})
    first, second = (json.loads(line) for line in out.getvalue().splitlines())
    assert first.pop("time").endswith("Z")
    assert first == {
        "level": "warning",
        "logger": "library",
        "message": "two\nlines \x1b[31m of https://host.example/1.mp3",
        "show": "talk",
        "episode": "id-1",
    }
    assert (second["level"], second["flow_run"], "show" in second) == ("error", "run-1", False)
    assert "ValueError: https://host.example/" in second["exception"]
    assert "\x1b" not in out.getvalue()
    assert "pw" not in out.getvalue()


def test_all_that_is_known_is_told_without_secrets_and_as_json_has_it() -> None:
    address = "https://me:pw@host.example/1.mp3?key=abc"
    known = {"source": address, "folder": "sftp://me:pw@host.example/library", "seconds": math.nan}
    made = logs.line(logging.INFO, "x", "", {**known, "warnings": [address, {"of": (address, -math.inf, 2)}]})
    told = json.loads(made, parse_constant=pytest.fail)
    short = "https://host.example/1.mp3"
    assert told["source"] == short
    assert told["folder"] == "sftp://host.example/library"
    assert told["seconds"] == "nan"
    assert told["warnings"] == [short, {"of": [short, "-inf", 2]}]
    assert "pw" not in made


def test_what_debug_shows_is_in_the_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise InputError("no https://me:pw@host.example/1.mp3")

    monkeypatch.setenv(logs.VARIABLE, logs.JSON)
    monkeypatch.setattr(sys, "argv", ["episcribe", "--debug"])
    with pytest.raises(SystemExit, match="2"):
        guarded(fail)
    told = json.loads(capsys.readouterr().err)
    assert told["message"] == "no https://host.example/1.mp3"
    assert told["exception"].endswith("InputError: no https://host.example/1.mp3\n")
    assert "in fail" in told["exception"]


def test_by_option_or_variable_and_as_text_unchanged(tmp_path: Path) -> None:
    as_json = episcribe("--log-format", "json", "retry", "none", cwd=tmp_path)
    told = json.loads(as_json.stderr)
    assert (as_json.returncode, as_json.stdout) == (2, "")
    assert (told["level"], told["event"], told["exit_code"]) == ("error", "error", 2)
    by_variable = {**os.environ, logs.VARIABLE: "json"}
    assert json.loads(episcribe("retry", "none", cwd=tmp_path, environment=by_variable).stderr)["message"]
    as_text = episcribe("--log-format", "text", "retry", "none", cwd=tmp_path, environment=by_variable)
    assert as_text.stderr == f"episcribe: error: {told['message']}\n"
    with pytest.raises(InputError, match="no --log-format 'xml': use text, json"):
        logs.set_format("xml")


def test_prefect_and_uvicorn_log_so_too() -> None:
    code = (
        "from flows import logs; logs.set_format('json'); import logging, warnings, prefect, uvicorn\n"
        "logging.getLogger('prefect.worker').warning('one'); logging.getLogger('uvicorn.error').error('two')\n"
        "logging.getLogger('other').warning('three'); warnings.warn('four'); logs.say('five', event='e')"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PREFECT_LOGGING_LEVEL": "INFO"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.stdout == ""
    assert [one["logger"] for one in lines] == [
        "prefect.worker",
        "uvicorn.error",
        "other",
        "py.warnings",
        "episcribe",
    ]
