"""`episcribe web` as a process, what may be reached by whom, and the schedule beside it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli.main import app
from flows.web.engine import Engine, schedule_command
from flows.web.indexing import Indexer
from flows.web.lasting import Lasting
from flows.web.publishing import in_a_process
from flows.web.serving import checked_url, is_loopback, listen
from models.record.errors import EpiscribeError, InputError
from tests.flows.conftest import ROOT
from tests.waiting import PATIENCE, wait_until

Call = Callable[..., str]
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor())
HEAVY = ("torch", "prefect", "pyannote", "ctranslate2", "faster_whisper", "scipy")


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """The command line in a folder of its own; what it says, or its error."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str, given: str = "") -> str:
        found = CliRunner().invoke(app, arguments, input=given)
        error = found.exception
        return f"{type(error).__name__}: {error}" if error else found.output.strip()

    return call


def test_whoever_never_searches_by_meaning_loads_nothing_of_it(tmp_path: Path) -> None:
    look = (
        "import sys; from pathlib import Path; from flows.web.indexing import _embedded; print("
        "_embedded(Path(sys.argv[1])), [one for one in ('numpy', 'outputs.library.meaning') if one in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", look, str(tmp_path)], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.stdout == "False []\n", done.stderr


@contextmanager
def web(folder: Path, *arguments: str, **variables: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`episcribe web` and the address that it prints."""
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "flows.cli", "web", "--port", "0", *arguments],
        cwd=folder,
        env={**os.environ, "BROWSER": "true", **variables, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            first = process.stdout.readline().removeprefix("Episcribe: ").strip()
            assert process.stdout.readline() == "stop with Ctrl-C\n"
            yield process, first
        finally:
            process.kill()


def test_the_printed_address_lets_in_and_signals_end_it(tmp_path: Path) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        with web(tmp_path, "--at-once", "0") as (process, first):
            assert "?token=" in first
            with DIRECT.open(first) as answer:
                assert "token" not in answer.url
                assert b'"name": "owner"' in answer.read()
            process.send_signal(number)
            said, _ = process.communicate(timeout=PATIENCE)
            assert (process.returncode, said) == (0, "")


def test_a_log_holds_nothing_that_lets_in(tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-m", "flows.cli", "--log-format", "json", "web", "--at-once", "0"]
    (tmp_path / "library").mkdir()
    with subprocess.Popen(
        [*command, "--port", "0", "--no-browser"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        process.terminate()
        said, more = process.communicate(timeout=PATIENCE)
    assert json.loads(line)["url"].startswith("http://127.0.0.1:")
    assert "token" not in line + said + more


def test_what_a_browser_is_started_with_signs_in_once(tmp_path: Path) -> None:
    seen, browser = tmp_path / "seen", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > "{seen}.new" && mv "{seen}.new" "{seen}"\n')
    browser.chmod(0o700)
    with web(tmp_path, "--at-once", "0", BROWSER=str(browser)) as (_, first):
        wait_until(seen.exists, "the browser")
        opened = seen.read_text()
        assert opened.partition("?token=")[0] == first.partition("?token=")[0]
        assert opened != first
        for page in (b'"name": "owner"', b'"name": ""'):
            stranger = urllib.request.build_opener(
                urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor()
            )
            with stranger.open(opened) as answer:
                assert page in answer.read()


# Processes beside the app


def test_no_code_of_the_folder_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sqlite3", "json", "flows"):
        (tmp_path / f"{name}.py").write_text("open('executed', 'w')\n")
    library = tmp_path / "library"
    library.mkdir()
    monkeypatch.chdir(tmp_path)
    with Indexer(library):
        wait_until((library / "search.db").exists, "the index")
    order = {"what": "site", "library": str(library), "out": str(tmp_path / "site"), "dry_run": True}
    assert asyncio.run(in_a_process(order)).keys() & {"added", "error"}
    assert not (tmp_path / "executed").exists()


def test_what_lasts_outlives_failures_and_tells_each_once(capsys: pytest.CaptureFixture[str]) -> None:
    looking = Lasting("looking")
    for error in (ValueError("x"), ValueError("x"), EpiscribeError("the store is away"), KeyError("y")):
        with looking.once():
            raise error
    assert capsys.readouterr().err == "episcribe: looking: ValueError: x\nepiscribe: looking: KeyError: 'y'\n"


def test_the_app_imports_nothing_that_works_on_episodes() -> None:
    code = f"import flows.web.serving, flows.web.engine, sys; print(set(sys.modules) & set({HEAVY}))"
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert found.stdout == "set()\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--host", "0.0.0.0"], "episcribe users add NAME"),
        (["--public-url", "https://example.org/talks"], "episcribe users add NAME"),
        (["--public-url", "example.org"], "is no address of an app"),
        (["--library", "memory://x"], "is no folder of this machine"),
    ],
)
def test_what_can_not_be_is_told_in_a_line(in_folder: Call, arguments: list[str], told: str) -> None:
    said = in_folder("web", "--no-browser", *arguments)
    assert said.startswith("InputError: ")
    assert told in said
    assert "\n" not in said


def test_a_library_elsewhere_is_not_served(in_folder: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPISCRIBE_LIBRARY", "memory://x")
    assert "is no folder of this machine" in in_folder("serve", "--web")


def test_users_make_the_app_others_business(in_folder: Call, tmp_path: Path) -> None:
    add = ["users", "add", "Ann", "--password-stdin"]
    assert in_folder(*add, given="short") == "InputError: a password has at least 10 characters"
    assert in_folder(*add, given="correct horse\n") == "ann may sign in, as admin"
    assert in_folder(*add, given="correct horse\n") == "ConflictError: there is a user ann already"
    assert in_folder("users", "add", "bob").startswith("InputError: no terminal to ask for the password")
    assert in_folder("users", "add", "b/b").startswith("InputError: 'b/b' is no name for a user")
    add = ["users", "add", "bob", "--role", "reader", "--password-stdin"]
    assert in_folder(*add, given="correct horse\n") == "bob may sign in, as reader"
    last = "ConflictError: ann is the last admin: make another user admin first"
    assert in_folder("users", "remove", "ann") == in_folder("users", "role", "ann", "reader") == last
    assert in_folder("users", "role", "bob", "admin") == "bob is admin"
    assert (
        in_folder("users", "role", "bob", "root") == "InputError: no role 'root': use reader, editor, admin"
    )
    password = ["users", "password", "bob", "--password-stdin"]
    said = in_folder(*password, given="another horse\n")
    assert said == "bob has another password; their tokens let nobody in any more"
    assert in_folder("users", "remove", "ann") == "ann can't sign in any more"
    assert in_folder("users", "remove", "ann") == "UnknownUserError: there is no user ann"
    assert in_folder("users", "list") == "bob  admin"
    assert "no address to go to" in in_folder("web", "--host", "0.0.0.0")
    with web(tmp_path, "--at-once", "0", "--public-url", "https://example.org/talks") as (_, first):
        assert first == "https://example.org/talks/"


def test_a_port_that_is_taken_is_told() -> None:
    with (
        listen("127.0.0.1", 0) as taken,
        pytest.raises(EpiscribeError, match="in use; see --host and --port"),
    ):
        listen("127.0.0.1", taken.getsockname()[1])


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://Example.org/", "https://example.org"),
        ("http://192.168.1.5:8300", "http://192.168.1.5:8300"),
        ("https://[2001:db8::1]:443/a/b/", "https://[2001:db8::1]/a/b"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_public_addresses_are_kept_as_browsers_write_them(given: str, url: str) -> None:
    assert checked_url(given) == url


@pytest.mark.parametrize(
    "given",
    [
        "ftp://example.org",
        "https://",
        "https://ann@example.org",
        "https://example.org/?x",
        "https://example.org/a//b",
        "https://example.org/../x",
        "https://example.org/%2e",
        "https://example.org:99999",
        "https://exa mple.org",
        "https://example.org\r\nX: y",
        "https://[::1",
    ],
)
def test_odd_public_addresses_are_refused(given: str) -> None:
    with pytest.raises(InputError):
        checked_url(given)


def test_only_this_machine_is_loopback() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.9.9.9", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.5", "localhost.example.org", "")))


# The schedule beside the app


def engine(code: str, said: list[str]) -> Engine:
    return Engine([sys.executable, "-c", code], say=said.append)


def test_the_schedule_is_started_again_and_asked_to_end(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    code = f"""
import pathlib, signal, sys, time
runs = pathlib.Path({str(runs)!r})
count = len(runs.read_text()) if runs.exists() else 0
def ended(*_):
    runs.write_text("ended")
    sys.exit(0)
signal.signal(signal.SIGTERM, ended)
runs.write_text("x" * (count + 1))
while count:
    time.sleep(1)
sys.exit(3)
"""
    said: list[str] = []
    running = engine(code, said)
    running.start()
    wait_until(lambda: runs.exists() and runs.read_text() == "xx", "the second start")
    running.stop()
    assert runs.read_text() == "ended"
    assert said == ["the schedule ended (status 3): it starts again in 2 s"]


def test_a_schedule_that_can_not_run_leaves_the_app_alone() -> None:
    said: list[str] = []
    running = engine("import sys; sys.exit(2)", said)
    running.start()
    wait_until(lambda: bool(said), "the end")
    running.stop()
    assert said == ["the schedule can't run: only the app does"]


def test_a_schedule_ends_with_the_app_that_started_it(tmp_path: Path) -> None:
    (tmp_path / "episcribe.toml").write_text('[shows.x]\nurl = "http://127.0.0.1:9/feed"\n')
    process = subprocess.Popen(
        schedule_command(0),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PREFECT_API_URL": "http://127.0.0.1:9/api"},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    nice = threading.Event()

    def is_nice() -> bool:
        if os.getpriority(os.PRIO_PROCESS, process.pid) > 0:
            nice.set()
        return nice.is_set() or process.poll() is not None

    wait_until(is_nice, "its low priority")
    assert nice.is_set()
    process.communicate(timeout=PATIENCE)  # closes its standard input, as the end of the app does
    assert process.returncode is not None
