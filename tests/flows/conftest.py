from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from flows.options import RunOptions
from tests.audio.conftest import make_media, server, write_wav  # noqa: F401  (fixtures)
from tests.flows.postgres import postgres
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
Process = Callable[..., dict[str, object]]


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache folder for each module, with the models lent: nothing was computed by the tests before it."""
    folder = tmp_path_factory.mktemp("cache")
    (folder / "models").symlink_to(Path(os.environ["EPISCRIBE_CACHE"]) / "models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EPISCRIBE_CACHE", str(folder))
        patch.setenv("PREFECT_LOCAL_STORAGE_PATH", str(folder / "results"))
        yield folder


@pytest.fixture
def process(prefect_server: str, cache: Path, tmp_path: Path) -> Process:
    """Runs the flow into tmp_path/out, or where `out` says, with the given options."""

    def run(source: object, **options: object) -> dict[str, object]:
        from prefect.settings import PREFECT_LOCAL_STORAGE_PATH, temporary_settings

        from flows.episode import process_episode

        chosen = {"out": str(tmp_path / "out"), "model": "tiny.en", **options}
        with temporary_settings({PREFECT_LOCAL_STORAGE_PATH: cache / "results"}):
            result: dict[str, object] = process_episode(str(source), RunOptions.model_validate(chosen))
        return result

    return run


def episcribe(
    *arguments: object, cwd: Path, limit: float = PATIENCE, environment: Mapping[str, str] = os.environ
) -> subprocess.CompletedProcess[str]:
    """The command line as a user calls it, in a process of its own."""
    command = [sys.executable, "-P", "-m", "flows.cli", *map(str, arguments)]
    environment = {**environment, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=limit, check=False
    )


def interrupted(*arguments: object, cwd: Path, after: str) -> tuple[int, str]:
    """Calls the command line and presses Ctrl-C once it has printed `after`; its status and stderr."""
    with subprocess.Popen(
        [sys.executable, "-m", "flows.cli", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as child:
        assert child.stderr is not None
        said = ""
        for line in child.stderr:
            said += line
            if after in line:
                os.killpg(child.pid, signal.SIGINT)
                break
        said += child.stderr.read()
        return child.wait(timeout=PATIENCE), said


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A real PostgreSQL server, as host:port."""
    with postgres() as address:
        yield address
