"""Commands for shows, in processes of their own, against a real web server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from flows.schedule.plan import FeedState
from flows.schedule.store import Store
from models.record.transcript import Episode
from tests.audio.server import Reply, Server
from tests.flows.conftest import ROOT, episcribe
from tests.flows.postgres import free_port
from tests.flows.shows import feed, serve_show, show_table, write_config
from tests.waiting import PATIENCE, wait_until


def run(*arguments: object, cwd: Path, code: int = 0, **more: str) -> str:
    done = episcribe(*arguments, cwd=cwd, environment={**os.environ, **more})
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stdout + done.stderr


def test_a_show_from_its_feed_to_its_transcripts(tmp_path: Path, server: Server) -> None:
    url = serve_show(server, [2, 1])
    added = run(
        "feeds", "add", url, "--allow-private", "--model", "tiny.en", "--language", "en", cwd=tmp_path
    )
    assert added == "short-show: Short Show, 2 episodes, of which 1 are taken\n"
    config = tmp_path / "episcribe.toml"
    told = '[notify.us]\nurl_from = "US"\non = ["done"]\n'
    config.write_text(config.read_text() + f'diariser = "none"  # quick\n{told}')
    assert "never" in run("feeds", "list", cwd=tmp_path)
    rehearsed = run("poll", "--dry-run", cwd=tmp_path)
    assert "short-show: read, 1 new" in rehearsed
    assert "Clip 2" in rehearsed
    assert not (tmp_path / "library").exists()
    server.routes["/hook"] = Reply(204)
    polled = run("poll", cwd=tmp_path, US=server.url("/hook").replace("http:", "json:"))
    assert "1 feeds read, 1 new episodes, 1 started" in polled
    ((_, message),) = server.posted
    assert json.loads(message)["message"] == "Done: Short Show: Clip 2"
    status = run("status", cwd=tmp_path)
    assert "Clip 2" in status
    assert "Clip 1" not in status
    (skipped,) = [line for line in run("status", "--all", cwd=tmp_path).splitlines() if "Clip 1" in line]
    assert "skipped" in skipped
    assert "older than back_fill" in skipped
    assert "the next poll takes it" in run("retry", skipped.split()[0], cwd=tmp_path)
    assert "1 done, 1 waiting" in run("status", cwd=tmp_path)
    assert [path.name for path in (tmp_path / "library" / "short-show").iterdir()] == ["2026-11-16-clip-2"]
    run("feeds", "remove", "short-show", cwd=tmp_path)
    assert "no shows yet" in run("feeds", "list", cwd=tmp_path)
    assert "# quick" not in config.read_text()


def test_status_tells_warnings(tmp_path: Path) -> None:
    write_config(tmp_path, show_table("short", "https://feeds.example/short"))
    store = Store(str(tmp_path / "episcribe.db"))
    found = Episode("id-1", "Short", "g1", "Clip 1", "2026-01-01T00:00:00+00:00")
    store.record_reading(
        FeedState("short", "https://feeds.example/short"), [found], back_fill=1, new_per_poll=1
    )
    assert store.lease("id-1", "run", 60) is not None
    with store.finishing("id-1", "run") as finished:
        finished.warnings = ("the feed promises 20 minutes of audio and 4 seconds came",)
    told = run("status", cwd=tmp_path)
    assert "warning" in told.splitlines()[0]
    (row,) = [line for line in told.splitlines() if "Clip 1" in line]
    assert "done" in row
    assert "the feed promises 20 minutes of audio and 4 seconds came" in row


def test_adding_leaves_what_the_user_wrote(tmp_path: Path, server: Server) -> None:
    config = tmp_path / "episcribe.toml"
    config.write_text(
        '# mine\nallow_private = true  # for now\n\n[shows.other]  # yes\nurl = "https://o.example"\n'
    )
    run("feeds", "add", serve_show(server, [1]), "--name", "new", "--people", "Ann, Bo", cwd=tmp_path)
    text = config.read_text()
    assert text.startswith("# mine\nallow_private = true  # for now\n\n[shows.other]  # yes\n")
    assert 'people = ["Ann", "Bo"]' in text
    said = run("feeds", "add", serve_show(server, [1]), cwd=tmp_path, code=2)
    assert "new has this feed already" in said
    assert config.read_text() == text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["feeds", "add", "ftp://x.example"], "only http and https"),
        (["feeds", "remove", "none"], "no show is called 'none'"),
        (["poll", "none"], "no show is called 'none'"),
        (["retry", "none"], "no episodes have an id"),
        (["serve"], "no shows in episcribe.toml"),
        (["worker"], "set PREFECT_API_URL"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = episcribe(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert said in line


def test_a_feed_that_is_none_is_not_added(tmp_path: Path, server: Server) -> None:
    server.routes["/page"] = Reply(200, b"<!doctype html>")
    assert "a page of HTML, and it tells of no feed" in run(
        "feeds", "add", server.url("/page"), "--allow-private", cwd=tmp_path, code=2
    )
    assert "not a public address" in run("feeds", "add", server.url("/page"), cwd=tmp_path, code=2)
    assert list(tmp_path.iterdir()) == []


def test_adding_a_show_tells_what_is_left_out(tmp_path: Path, server: Server) -> None:
    silent = "<item><title>A notice</title></item>"
    server.routes["/feed.xml"] = Reply(200, feed(server, [1], extra=silent))
    added = run("feeds", "add", server.url("/feed.xml"), "--allow-private", cwd=tmp_path)
    assert added.splitlines()[1:] == ["  item 1 ('A notice') has no audio: left out"]
    assert "  item 1 ('A notice') has no audio: left out" in run("poll", "--dry-run", cwd=tmp_path)


def test_rules_of_a_show_and_its_end(tmp_path: Path, server: Server) -> None:
    url = serve_show(server, [2, 1])
    rules = [
        "--title-lacks",
        "clip 2",
        "--title-lacks",
        "Ärger, viel",
        "--types",
        "full,bonus",
        "--max-minutes",
        "2.5",
    ]
    added = run("feeds", "add", url, "--allow-private", "--back-fill", 9, *rules, cwd=tmp_path)
    assert added == "short-show: Short Show, 2 episodes, of which 1 are taken\n"
    written = (tmp_path / "episcribe.toml").read_text()
    assert (
        'title_lacks = ["clip 2", "Ärger, viel"]\ntypes = ["full", "bonus"]\nmax_minutes = 2.5\n' in written
    )
    assert "title_has" not in written
    told = run("poll", "--dry-run", cwd=tmp_path)
    assert "short-show: read, 1 new\n  2026-11-16 Clip 1\n" in told
    assert "  2026-11-16 Clip 2: passed over: its title has 'clip 2' (title_lacks)" in told
    store = Store(str(tmp_path / "episcribe.db"))
    store.record_failed_reading(FeedState("short-show", url), "answered 410 Gone", gone=True)
    ended = str(store.feeds()[0].ended_at and datetime.now(UTC).date())
    for command in ("list", "status"):
        said = run(*(["feeds", "list"] if command == "list" else ["status"]), cwd=tmp_path)
        assert f"ended on {ended} (410 Gone): episcribe poll short-show asks again" in said


def test_lists_of_feeds_come_and_go(tmp_path: Path, server: Server) -> None:
    """One that can't be read ends nothing (scripting/feedlandSupport 121)."""
    write_config(tmp_path, show_table("first", serve_show(server, [1])), head="# mine")
    urls = [server.url(f"/{name}.xml") for name in ("feed", "gone", "down", "page", "same", "again")]
    server.routes |= {
        "/down.xml": Reply(429, headers={"Retry-After": "3600"}),
        "/page.xml": Reply(200, b"<!doctype html><title>Sign in</title>"),
        "/same.xml": Reply(200, feed(server, [2])),
        "/again.xml": Reply(200, feed(server, [3])),
    }
    outlines = "".join(f'<outline type="rss" text="Entry {n}" xmlUrl="{url}"/>' for n, url in enumerate(urls))
    (tmp_path / "apps.opml").write_text(
        f'<opml><body>{outlines}<outline text="x" htmlUrl="y"/></body></opml>'
    )
    told = run("feeds", "import", "apps.opml", "--back-fill", "0", cwd=tmp_path, code=1).splitlines()
    assert "3 shows added, 1 followed already, 3 left out" in told
    assert "  left out: entry 7 ('x') has no xmlUrl" in told
    assert [line[:27] for line in told if "Entry" in line] == [
        "  left out: Entry 1: http:/",
        "  left out: Entry 3: http:/",
        "  followed, but can't be re",
    ]
    run("feeds", "import", "apps.opml", "--no-check", cwd=tmp_path, code=1)
    config = (tmp_path / "episcribe.toml").read_text()
    assert "# mine" in config
    assert config.count("[shows.") == 6
    for name in ("short-show", "short-show-2", "entry-2", "entry-1", "entry-3"):
        assert f"[shows.{name}]" in config
    server.routes["/list"] = Reply(200, f'{server.url("/last.xml")} "~The Last"\n'.encode())
    listed = run("feeds", "import", server.url("/list"), "--no-check", cwd=tmp_path)
    assert listed == "1 shows added, 0 followed already, 0 left out\n"
    run("feeds", "export", "mine.opml", cwd=tmp_path)
    written = (tmp_path / "mine.opml").read_text()
    assert (
        f'<outline type="rss" text="the-last" title="the-last" xmlUrl="{server.url("/last.xml")}"/>'
        in written
    )
    assert run("feeds", "export", cwd=tmp_path) == written
    assert run("feeds", "import", "mine.opml", cwd=tmp_path).startswith("0 shows added, 7 followed already")


def test_a_failed_poll_says_why_and_ends_with_1(tmp_path: Path, server: Server) -> None:
    write_config(tmp_path, show_table("gone", server.url("/gone.xml")))
    assert "gone: http" in run("poll", cwd=tmp_path, code=1)
    assert "could not be read, 1 times in a row" in run("status", cwd=tmp_path)


def states(folder: Path) -> list[str]:
    """How far the episodes are that the store in a folder lists; none before there is a store."""
    place = folder / "episcribe.db"
    return [listed.state for listed in Store(str(place)).episodes()] if place.exists() else []


def hold(server: Server, path: str) -> tuple[threading.Event, threading.Event]:
    """Let a server answer this path only once the first event is set; the second is set when it is asked."""
    answer, gate, asked = server.routes[path], threading.Event(), threading.Event()

    def held(headers: dict[str, str]) -> Reply:
        asked.set()
        gate.wait(PATIENCE)
        return answer(headers)  # type: ignore[operator]

    server.routes[path] = held
    return gate, asked


@contextmanager
def serving(folder: Path, port: int, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """`episcribe serve` in a folder, where its log goes to the file "log"."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PREFECT_SERVER_API_PORT": str(port)}
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "flows.cli", *options[:2], "serve", *options[2:]],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
        )
        try:
            yield child
        finally:
            child.kill()
            child.wait()


def come(folder: Path, child: subprocess.Popen[bytes], condition: Callable[[], bool], what: str) -> None:
    """Wait for something of a server that has to stay alive meanwhile."""

    def is_running() -> None:
        assert child.poll() is None, (folder / "log").read_text()

    wait_until(condition, what, is_running)


@pytest.mark.slow
def test_serve_does_it_all_and_stops_cleanly(tmp_path: Path, server: Server) -> None:
    """A first poll at once, its episode in a warm process, told and in figures, and nothing left behind at the end."""
    hook = server.url("/hook").replace("http:", "json:")
    server.routes["/hook"] = Reply(204)
    us = '\n[notify.us]\nurl_from = "US"\non = ["done", "review"]\n'
    write_config(tmp_path, show_table("short", serve_show(server, [1])) + us)
    port, figures = free_port(), free_port()
    options = ("--log-format", "json", "--metrics-port", str(figures))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("US", hook)
        with serving(tmp_path, port, *options) as child:
            come(tmp_path, child, lambda: bool(server.posted), "the message")
            with urllib.request.urlopen(f"http://127.0.0.1:{figures}/metrics") as answer:
                assert 'episcribe_stage_runs_total{stage="transcribe"} 1.0' in answer.read().decode()
            child.send_signal(signal.SIGTERM)
            assert child.wait(timeout=PATIENCE) == 0
    assert states(tmp_path) == ["done"]
    assert "Short Show: Clip 1" in json.loads(server.posted[0][1])["message"]
    lines = [json.loads(one) for one in (tmp_path / "log").read_text().splitlines()]
    assert {"time", "level", "logger", "message"} <= set.intersection(*map(set, lines))
    (listed,) = Store(str(tmp_path / "episcribe.db")).episodes()
    assert ("short", listed.id) in {(one.get("show"), one.get("episode")) for one in lines}
    assert {"episcribe", "prefect.flow_runs"} <= {one["logger"] for one in lines}
    assert "stopped" in lines[-1]["message"]
    assert "resource_tracker" not in str(lines)
    assert "1 done" in run("status", cwd=tmp_path)
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=5)


@pytest.mark.slow
@pytest.mark.parametrize("signalled", ["the main process", "all processes, as systemd does"])
def test_serve_stops_in_the_middle_of_an_episode(tmp_path: Path, server: Server, signalled: str) -> None:
    """Whoever works ends too, at once, and the episode is free again, whatever Prefect's server still hears."""
    write_config(tmp_path, show_table("short", serve_show(server, [1])))
    gate, asked = hold(server, "/1.wav")
    try:
        with serving(tmp_path, free_port()) as child:
            come(tmp_path, child, asked.is_set, "the download")
            processes = [psutil.Process(child.pid), *psutil.Process(child.pid).children(recursive=True)]
            for process in processes if signalled.startswith("all") else processes[:1]:
                with suppress(psutil.NoSuchProcess):  # the one before may have ended it already
                    process.terminate()
            assert child.wait(timeout=PATIENCE) == 0
            _, left = psutil.wait_procs(processes, timeout=PATIENCE)
    finally:
        gate.set()
    log = (tmp_path / "log").read_text()
    assert not left
    assert "stopped" in log
    assert "resource_tracker" not in log
    assert states(tmp_path) == ["waiting"]
