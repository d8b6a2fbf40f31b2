"""What polling and orchestration cost on this machine: `python -m tests.bench.polling` writes it to docs/scale.md.

polling: 200 feeds of 100 episodes each on a server of this machine, read for the first time, and again unchanged.
orchestration: what an episode costs beyond its steps, which are timed by themselves on the same clips: within one
process (`episcribe poll`), and from one finished episode to the next in a warm worker (`episcribe serve`).
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.audio.server import Server, ranged
from tests.bench.__main__ import SENKO, machine
from tests.bench.report import publish

ROOT = Path(__file__).parents[2]
FEEDS = 200
EPISODES = 100  # in a feed
NOTES = "<p>What we talk about this week, with links and thanks to all who listen.</p>" * 8
CLIPS = 8
CLIP_SECONDS = 5
SERVE_SECONDS = 150


def big_feed(server: Server, number: int) -> bytes:
    """A feed of some 90 kB, as shows of two years have."""
    items = "".join(
        f"<item><title>Episode {n}</title><guid>{number}-{n}</guid><description><![CDATA[{NOTES}]]></description>"
        f"<pubDate>Mon, 16 Nov 2026 {n // 60:02d}:{n % 60:02d}:00 +0000</pubDate>"
        f'<enclosure url="{server.url(f"/{number}/{n}.mp3")}" type="audio/mpeg" length="1"/></item>'
        for n in range(EPISODES)
    )
    return f'<rss version="2.0"><channel><title>Show {number}</title>{items}</channel></rss>'.encode()


def polling(folder: Path, server: Server) -> dict[str, float]:
    """Seconds for the flow over all feeds, first new, then unchanged, and how big they are."""
    from flows.schedule.poll import poll_feeds
    from tests.flows.shows import show_table, write_config

    tables, size = "", 0
    for number in range(FEEDS):
        body = big_feed(server, number)
        size += len(body)
        server.routes[f"/{number}.xml"] = ranged(body, f'"{number}"')
        tables += show_table(f"show-{number}", server.url(f"/{number}.xml"), "back_fill = 0")
    configure(write_config(folder, tables))
    first, found = timed(poll_feeds)
    assert found["unreadable"] == {}
    again, _ = timed(poll_feeds)
    return {"feeds": FEEDS, "megabytes": size / 1e6, "first_seconds": first, "unchanged_seconds": again}


def orchestration(folder: Path, server: Server) -> dict[str, float]:
    """Seconds of an episode's steps by themselves, and what a poll and a worker add to each."""
    from flows.episode import process_episode
    from flows.schedule import feed_reading, settings
    from flows.schedule.store import open_store
    from tests.flows.shows import serve_show, show_table, write_config

    url = serve_show(server, range(CLIPS), seconds=CLIP_SECONDS)
    quick = show_table("short", url, f"back_fill = {CLIPS}")
    configure(write_config(folder, quick.replace('diariser = "none"', "")))
    loaded = settings.load()
    store = open_store(loaded.store)
    feed_reading.read_feeds(loaded, store, ["short"])
    due = store.due(3)
    options = loaded.run_options_for("short")
    plain(due[0].episode, options)  # loads the models
    process_episode("x", options, due[0].id)
    steps = statistics.median(timed(plain, listed.episode, options)[0] for listed in due[1:])
    flow = statistics.median(timed(process_episode, "x", options, listed.id)[0] for listed in due[1:])
    return {"steps_seconds": steps, "poll_adds": flow - steps, "worker_adds": serving(folder) - steps}


def plain(episode: Any, options: Any) -> None:
    """All the steps of an episode, without Prefect and without the store."""
    from audio.tracks.recording import Recording
    from flows import steps
    from models.record.transcript import AudioFile

    source = steps.download_episode(episode, options)
    with Recording(source.path, source.sha256) as recording:
        decoded = recording.decode()
        words = steps.transcribe(recording, decoded, options.transcription())
        turns = steps.diarise(recording, decoded, options.diarisation())
    audio = AudioFile(source.path, source.sha256, decoded.seconds)
    transcript = steps.align(episode, audio, words, turns, diariser_model="offline")
    with tempfile.TemporaryDirectory() as out:
        steps.publish(transcript, options.model_copy(update={"out": out}))


def serving(folder: Path) -> float:
    """Seconds from one finished episode to the next under `episcribe serve`, everything computed anew."""
    from sqlalchemy import create_engine, text

    store, cache = folder / "served.db", folder / "cache"
    cache.mkdir()
    (cache / "models").symlink_to(models_folder())
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "EPISCRIBE_CACHE": str(cache),
        "EPISCRIBE_STORE": str(store),
        "EPISCRIBE_LIBRARY": str(folder / "served"),
        "PREFECT_LOCAL_STORAGE_PATH": str(cache / "results"),
        "PREFECT_SERVER_API_PORT": "47114",
    }
    environment.pop("PREFECT_API_URL", None)
    command = [sys.executable, "-m", "flows.cli", "serve", "--at-once", "1"]
    silent = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=silent, stderr=silent) as child:
        deadline = time.monotonic() + SERVE_SECONDS
        done: list[float] = []
        while len(done) < CLIPS and time.monotonic() < deadline:
            time.sleep(1)
            with suppress(Exception), create_engine(f"sqlite:///{store}").connect() as connection:
                found = connection.execute(text("SELECT done_at FROM episodes WHERE state = 'done'"))
                done = sorted(float(row[0]) for row in found)
        child.send_signal(signal.SIGTERM)
    return statistics.median(later - earlier for earlier, later in pairwise(done))


def models_folder() -> Path:
    from models.runtime import offline_models

    return offline_models.models_folder()


def configure(path: Path) -> None:
    from flows.schedule.settings import CONFIG_VARIABLE

    os.environ[CONFIG_VARIABLE] = str(path)


def timed(call: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    begun = time.perf_counter()
    result = call(*arguments)
    return time.perf_counter() - begun, result


@contextmanager
def scratch() -> Iterator[tuple[Path, Server]]:
    server = Server()
    try:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder), server
    finally:
        server.close()


def table(report: dict[str, dict[str, float]]) -> str:
    """Markdown rows of what was measured, in seconds."""
    poll, work = report["polling"], report["orchestration"]
    feed_reading = f"{poll['feeds']:.0f} feeds of {EPISODES} episodes ({poll['megabytes']:.0f} MB in all)"
    rows = (
        (f"a poll of {feed_reading}, all new", poll["first_seconds"]),
        ("the same, all unchanged", poll["unchanged_seconds"]),
        (
            f"the steps of an episode of {CLIP_SECONDS:.0f} s by themselves, models loaded",
            work["steps_seconds"],
        ),
        ("what `episcribe poll` adds to them", work["poll_adds"]),
        ("what `episcribe serve` adds to them, from one episode to the next", work["worker_adds"]),
    )
    return "| | seconds |\n|-|-|\n" + "".join(f"| {what} | {seconds:.1f} |\n" for what, seconds in rows)


def main() -> None:
    """Measure, and write the table to the report."""
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "ERROR")
    from flows.local.prefect_session import prefect_session

    report = {}
    with prefect_session():
        for part in (polling, orchestration):
            with scratch() as (folder, server):
                report[part.__name__] = part(folder, server)
    publish("scale.md", "polling", f"{host()}\n{table(report)}")
    print(json.dumps(report, indent=2))


def host() -> str:
    """What it ran on, without the systems of the other benchmark."""
    return machine().replace(SENKO, f"prefect {version('prefect')}")


if __name__ == "__main__":
    main()
