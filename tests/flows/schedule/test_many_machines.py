"""Two workers, one library, a real Prefect server on a real PostgreSQL; then things are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from flows.local.prefect_server import DIRECT
from flows.options import DEFAULT_FORMATS
from flows.schedule import settings
from flows.schedule.store import Store, open_store
from outputs.formats.registry import FORMATS
from outputs.library import read
from tests.audio.server import Answer, Reply, Server
from tests.flows.conftest import ROOT
from tests.flows.postgres import USER, create_database, free_port
from tests.flows.shows import serve_show, show_table, write_config
from tests.waiting import PATIENCE, wait_until

EPISODES = 12
BEFORE_THE_GATE = 5  # episodes whose audio is sent at once; all others wait until the test lets them
ALL_FILES = {FORMATS[name].file_name for name in ("episode", *DEFAULT_FORMATS) if not FORMATS[name].needs}
LIMITS = "lease_seconds = 6\nqueue_seconds = 30\nretry_seconds = 1\nqueue = 20"


class Cluster:
    """The processes of several machines, on this one."""

    def __init__(self, folder: Path, postgres: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.api = f"http://127.0.0.1:{self.port}/api"
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "EPISCRIBE_HOME": str(ROOT),
            "EPISCRIBE_CONFIG": str(folder / "episcribe.toml"),
            "PREFECT_API_URL": self.api,
            "PREFECT_API_DATABASE_CONNECTION_URL": f"postgresql+asyncpg://{USER}@{postgres}/prefect",
            "PREFECT_SERVER_UI_ENABLED": "false",
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        }
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, module: str, *arguments: str) -> None:
        """Start something in a process group of its own, as on a machine of its own."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def once(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "prefect", "--no-prompt", *arguments]
        subprocess.run(command, cwd=self.folder, env=self.environment, check=True, capture_output=True)

    def start_server(self) -> None:
        self.start("server", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(self.port))
        self.wait_for(self._answers, "the server")

    def start_worker(self, name: str) -> None:
        self.start(name, "flows.cli", "worker", "--at-once", "1", "--name", name)

    def start_poller(self) -> None:
        """Prefect's own worker, which takes the flow as prefect.yaml says."""
        self.start("polls", "prefect", "worker", "start", "--pool", "episcribe-polls", "--limit", "1")

    def kill(self, name: str) -> None:
        """As when the power goes: the process and all that it started, without a word."""
        process = self._running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def close(self) -> None:
        for name in list(self._running):
            self.kill(name)

    def deploy(self) -> None:
        """By prefect.yaml, but with a poll every minute."""
        for pool in ("episcribe", "episcribe-polls"):
            self.once("work-pool", "create", pool, "--type", "process")
        text = (ROOT / "prefect.yaml").read_text("utf-8")
        assert "*/15 * * * *" in text
        (self.folder / "prefect.yaml").write_text(text.replace("*/15 * * * *", "* * * * *"), "utf-8")
        for folder in ("flows", "audio", "models", "outputs"):
            (self.folder / folder).symlink_to(ROOT / folder)
        self.once("deploy", "--all")

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        wait_until(condition, what, self._is_alive)

    def _is_alive(self) -> None:
        for name, process in self._running.items():
            assert process.poll() is None, (self.folder / f"{name}.log").read_text("utf-8")

    def _answers(self) -> bool:
        try:
            with DIRECT.open(f"{self.api}/health", timeout=5):
                return True
        except OSError:
            return False


@pytest.fixture
def cluster(
    postgres_server: str, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cluster]:
    """A server, two workers for episodes, one for polls, and a show with EPISODES to follow."""
    for name in ("prefect", "episcribe"):
        create_database(postgres_server, name)
    url = serve_show(server, range(EPISODES))
    store = f'store = "postgresql://{USER}@{postgres_server}/episcribe"'
    write_config(tmp_path, show_table("short", url), limits=LIMITS, head=store)
    monkeypatch.setenv(settings.CONFIG_VARIABLE, str(tmp_path / "episcribe.toml"))
    made = Cluster(tmp_path, postgres_server)
    try:
        made.start_server()
        made.deploy()
        made.start_poller()
        made.start_worker("one")
        made.start_worker("two")
        yield made
    finally:
        made.close()


def counts(store: Store) -> Counter[str]:
    return Counter(listed.state for listed in store.episodes())


@contextmanager
def prefect_client(cluster: Cluster) -> Iterator[Any]:
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings({PREFECT_API_URL: cluster.api}), get_client(sync_client=True) as client:
        yield client


def poll(cluster: Cluster, times: int = 1) -> None:
    """Have polls run by the worker for polls, beside those of the schedule."""
    from prefect.deployments import run_deployment

    with prefect_client(cluster):
        for _ in range(times):
            run_deployment("poll-feeds/scheduled", timeout=0, as_subflow=False)


@pytest.mark.slow
def test_every_episode_is_done_once_whatever_is_killed(
    cluster: Cluster, server: Server, tmp_path: Path
) -> None:
    store = open_store(settings.load().store)
    gate = hold_audio(server)
    poll(cluster, 2)  # two at once
    cluster.wait_for(lambda: counts(store)["done"] >= BEFORE_THE_GATE, "the first episodes")
    cluster.wait_for(lambda: counts(store)["running"] == 2, "work for both workers")
    under_way = {listed.id for listed in store.episodes() if listed.state == "running"}
    cluster.kill("one")
    gate.set()
    cluster.start_worker("three")
    cluster.wait_for(lambda: counts(store)["done"] >= 8, "work after the kill")
    cluster.kill("server")
    cluster.start_server()
    cluster.wait_for(lambda: counts(store)["done"] + len(under_way) >= EPISODES, "all but those cut off")
    poll(cluster)
    cluster.wait_for(lambda: counts(store) == {"done": EPISODES}, "all episodes")

    episodes = store.episodes()
    assert len({listed.folder for listed in episodes}) == EPISODES
    for listed in episodes:
        folder = Path(listed.folder)
        assert {path.name for path in folder.iterdir()} == ALL_FILES
        assert read.load(folder).episode.id == listed.id
    assert len(list((tmp_path / "library" / "short-show").iterdir())) == EPISODES
    again = [listed for listed in episodes if listed.attempts > 1]
    assert {listed.id for listed in again} & under_way  # the one that was killed in the middle of its work
    with prefect_client(cluster) as client:
        cluster.wait_for(lambda: scheduled_polls(client) > 0, "a poll by the schedule")
        ended = Counter(run.state_name for run in client.read_flow_runs())
    assert ended["Completed"] >= EPISODES


def hold_audio(server: Server) -> threading.Event:
    """Keep audio back once the first episodes have theirs, until the event is set: workers stay in mid-work."""
    gate, sent = threading.Event(), set[str]()

    def held(path: str, answer: Answer) -> Answer:
        def reply(headers: dict[str, str]) -> Reply:
            sent.add(path)
            if len(sent) > BEFORE_THE_GATE:
                gate.wait(PATIENCE)
            return answer(headers)

        return reply

    for path, answer in list(server.routes.items()):
        if path.endswith(".wav") and callable(answer):
            server.routes[path] = held(path, answer)
    return gate


def scheduled_polls(client: Any) -> int:
    """How many polls the server's schedule has started that came to a good end."""
    return sum(run.auto_scheduled and run.state_name == "Completed" for run in client.read_flow_runs())
